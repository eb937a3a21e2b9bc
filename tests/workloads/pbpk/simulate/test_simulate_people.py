"""Percentiles over drawn people: those of numpy on all curves, whatever stays in memory."""

import csv

import numpy as np
import pytest
import torch

from fulmen.cli import main
from fulmen.errors import FulmenError
from fulmen.workloads.pbpk.simulate import people, pool
from fulmen.workloads.pbpk.simulate.people import trials_of
from fulmen.workloads.pbpk.simulate.pool import Pool
from fulmen.workloads.pbpk.simulate.table import read_table
from fulmen.workloads.pbpk.simulate.words import asked_for, read_words
from fulmen.workloads.pbpk.simulator.outputs import curves
from fulmen.workloads.pbpk.simulator.physiology import INDEX
from fulmen.workloads.pbpk.simulator.solvers import simulate

HEAD = "compound,age_y,sex,log_p,fraction_unbound,clint_l_per_h,renal_clint_l_per_h,km_mg_per_l,route,dose_mg,n_doses,\
interval_h"
DRUGS = f"{HEAD}\na,,,1,0.5,20,2,,oral,100,,\nb,5,female,2,0.2,30,,1,bolus,50,3,6\n"


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "drugs.csv"
    path.write_text(DRUGS)
    return path


@pytest.fixture(params=["in memory", "on disk, in small blocks"])
def memory(request, monkeypatch):
    if request.param != "in memory":
        monkeypatch.setattr(people, "TOGETHER", 7)
        monkeypatch.setattr(pool, "IN_MEMORY", 1)
        monkeypatch.setattr(pool, "AT_ONCE", 40)


def test_percentiles_are_those_of_all_curves(table, tmp_path, memory, capsys):
    to = tmp_path / "bands.csv"
    words = ["--people", "25", "--percentiles", "2.5,50,90", "--times", "0.5,6,24", "--organs", "plasma,urine"]
    assert main(["pbpk", "simulate", str(table), "--to", str(to), *words]) == 0
    assert "percentiles of 25 people for 2 rows" in capsys.readouterr().out
    rows = list(csv.DictReader(to.open()))
    assert list(rows[0])[4:] == [f"p{share}_{unit}" for unit in ("mg_per_l", "mg") for share in ("2.5", "50", "90")]
    time_h = torch.tensor([0.5, 6, 24], dtype=torch.float64)
    expected = []
    for trial in trials_of(read_table(table)):
        found = [
            curves(group, simulate(group, time_h, trial.kinetics, rtol=1e-7), ("plasma", "urine"))
            for group in trial.people(25, seed=0)
        ]
        expected.append(np.percentile(torch.cat(found).numpy(), [2.5, 50, 90], axis=0).transpose(1, 2, 0))  # [O, T, K]
    read = [
        [float(row[f"p{share}_{'mg' if row['output'] == 'urine' else 'mg_per_l'}"]) for share in ("2.5", "50", "90")]
        for row in rows
    ]
    assert read == [pytest.approx(each, rel=2e-4, abs=1e-7) for each in np.stack(expected).reshape(-1, 3).tolist()]
    assert {row["p50_mg"] for row in rows if row["output"] == "plasma"} == {""}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bands.csv", "bands.svg", "drugs.csv"]
    drawn = (tmp_path / "bands.svg").read_text()
    assert all(text in drawn for text in ("median", "2.5 to 90 %", "b, 50 mg, 3 times every 6 h", "plasma (mg/L)"))


def test_people_are_adults_of_both_sexes_unless_the_row_says_otherwise(table):
    adults, girls = (next(trial.people(200, seed=1)) for trial in trials_of(read_table(table)))
    assert (adults.age_y.min() >= 20, adults.age_y.max() <= 80) == (True, True)
    assert 0.35 < adults.sex.double().mean() < 0.65
    assert (girls.age_y.unique().tolist(), girls.sex.unique().tolist()) == ([5.0], [1])
    assert len(girls.weight_kg.unique()) == 200
    liver = adults.volume_l[:, INDEX["liver"]]
    assert torch.allclose(adults.clint_l_per_h / liver, (adults.clint_l_per_h / liver)[0].expand(200))


def test_all_drugs_are_given_to_the_same_people_and_another_seed_draws_others(table):
    table.write_text(DRUGS.replace("5,female", ","))
    first, second = trials_of(read_table(table))
    one, two, other = (next(trial.people(20, seed)) for trial, seed in ((first, 0), (second, 0), (first, 1)))
    assert torch.equal(one.volume_l, two.volume_l)
    assert not torch.equal(one.volume_l, other.volume_l)


def test_a_pool_has_percentiles_of_one_person():
    with Pool(".") as waiting:
        waiting.add(torch.tensor([[[1.0, 2.0]]]))
        assert waiting.percentiles(0, [5, 50]).tolist() == [[1.0, 2.0], [1.0, 2.0]]


@pytest.mark.slow
def test_people_are_given_to_a_surrogate(surrogate_run, tmp_path, capsys):
    path, to = tmp_path / "drugs.csv", tmp_path / "bands.csv"
    path.write_text(f"{HEAD}\na,,,1,0.5,20,2,5,bolus,100,,\nb,5,,9,1,0.001,,0.0001,bolus,100,,\n")
    words = ["--people", "50", "--model", str(surrogate_run), "--percentiles", "10,90"]
    assert main(["pbpk", "simulate", str(path), "--to", str(to), *words]) == 0
    rows = list(csv.DictReader(to.open()))
    assert all(0 <= float(row["p10_mg_per_l"]) <= float(row["p90_mg_per_l"]) for row in rows)
    assert "of 100 people are unlike those of the training" in capsys.readouterr().err


def test_a_weight_that_not_all_can_have_is_told_of_its_line(table):
    table.write_text("weight_kg,log_p,fraction_unbound,clint_l_per_h,route,dose_mg\n70,1,1,1,oral,1\n30,1,1,1,oral,1\n")
    with pytest.raises(FulmenError, match=r"drugs.csv, line 3, column weight_kg: 30; a .* body of .* years has"):
        trials_of(read_table(table))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--percentiles", "5,50"], "--percentiles belongs to --people"),
        (["--seed", "3"], "--seed belongs to --people"),
        (["--people", "0"], "--people 0: it must be 1 or more"),
        (["--people", "many"], "invalid int value: 'many'"),
        (["--people", "10", "--percentiles", "5,105"], "'105' is no number from 0 to 100"),
        (["--people", "10", "--percentiles", "5,,50"], "'' is no number from 0 to 100"),
        (["--people", "10", "--percentiles", "5,5"], "5 stands there twice"),
        (["--people", "10", "--pk", "pk.csv"], "--pk is of subjects, one a row"),
        (["--people", "10", "--model", "pump", "--by", "both"], "--by both is of subjects"),
        (["--people", "10", "--to", "bands.svg"], "percentiles are a CSV"),
    ],
)
def test_words_about_people_that_cannot_be_are_refused(words, said):
    with pytest.raises(FulmenError, match=said):
        asked_for(read_words(["drugs.csv", *words]))
