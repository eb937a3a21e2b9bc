"""Curves of a surrogate for the subjects of a table, alone and beside the solver's."""

import csv
import os
from dataclasses import replace

import pytest
import torch

import fulmen
from fulmen.cli import main
from fulmen.errors import FulmenError
from fulmen.registry.trained import trained
from fulmen.workloads.pbpk.simulate.subjects import subjects_of
from fulmen.workloads.pbpk.simulate.surrogate import cleared_by_both
from fulmen.workloads.pbpk.simulate.table import read_table
from fulmen.workloads.pbpk.simulate.words import asked_for, read_words
from fulmen.workloads.pbpk.simulate.writing import ratios
from fulmen.workloads.pbpk.simulator.outputs import from_organs
from fulmen.workloads.pbpk.simulator.population import hepatic_clearance_l_per_h, renal_clearance_l_per_h
from fulmen.workloads.pbpk.simulator.sampling import sample_population

PEOPLE = """\
subject,log_p,fraction_unbound,clint_l_per_h,renal_clint_l_per_h,km_mg_per_l,route,dose_mg,infusion_h,n_doses,interval_h
one,1,0.5,20,2,5,bolus,100,,,
two,2,0.2,30,2,2,infusion,50,1,,
three,9,1,0.01,,0.00001,infusion,5000,1,,
"""


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "people.csv"
    path.write_text(PEOPLE)
    return path


def rows(path):
    return list(csv.DictReader(path.open()))


@pytest.mark.slow
@pytest.mark.parametrize("times", [None, "0,0.5,1,6"])
def test_a_surrogate_and_the_solver_stand_side_by_side(times, table, surrogate_run, tmp_path, capsys):
    words = ["--organs", "plasma,liver", *(["--times", times] if times else [])]
    found = {}
    for by in ("solver", "surrogate", "both"):
        model = ["--model", str(surrogate_run), "--by", by]
        to = tmp_path / f"{by}.csv"
        assert main(["pbpk", "simulate", str(table), "--to", str(to), *words, *model]) == 0
        found[by] = rows(to)
    assert "1 of 3 subjects is unlike those of the training" in capsys.readouterr().err
    run = fulmen.load_run(surrogate_run)
    time_h = torch.tensor([0.5, 1, 6]) if times else run.data.time_h
    people = cleared_by_both(subjects_of(read_table(table)).population)
    organs = run.model.predict_population(people, time_h, grid_h=run.data.time_h)
    expected = from_organs(people, organs, ("plasma", "liver")).flatten().tolist()
    later = [row for row in found["surrogate"] if float(row["time_h"]) > 0]
    assert [float(row["concentration_mg_per_l"]) for row in later] == pytest.approx(expected, rel=1e-4)
    for row in later:
        assert float(row["low_90_mg_per_l"]) <= float(row["concentration_mg_per_l"]) <= float(row["high_90_mg_per_l"])
    assert {row["subject"] for row in later if row["in_domain"] == "False"} == {"three"}
    if times:
        solver = [row["concentration_mg_per_l"] for row in found["solver"]]
        assert [row["concentration_mg_per_l"] for row in found["both"]] == solver
    assert [row["surrogate_mg_per_l"] for row in found["both"]] == [
        row["concentration_mg_per_l"] for row in found["surrogate"]
    ]
    for row in found["both"]:
        if row["ratio"]:
            ratio = float(row["surrogate_mg_per_l"]) / float(row["concentration_mg_per_l"])
            assert float(row["ratio"]) == pytest.approx(ratio, rel=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("line", "words", "said"),
    [
        ("four,1,1,1,1,1,bolus,1,,3,8", [], "n_doses is 3; the model was trained on 1"),
        ("four,1,1,1,1,1,oral,1,,,", [], "line 5 has the route oral, which the model was not trained on"),
        ("four,1,1,1,1,1,bolus,1,,,", ["--times", "1,48"], "--times: 48 h; "),
    ],
)
def test_what_a_surrogate_was_not_trained_on_is_left_to_the_solver(line, words, said, table, surrogate_run, capsys):
    table.write_text(PEOPLE + line + "\n")
    before = sorted(os.listdir(table.parent))
    to = table.parent / "curves.csv"
    words = ["--organs", "plasma", *words]
    asked = ["pbpk", "simulate", str(table), "--to", str(to), *words, "--model", str(surrogate_run)]
    assert main(asked) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.endswith("; --by solver takes it as it is\n")
    assert sorted(os.listdir(table.parent)) == before
    assert main([*asked, "--by", "solver"]) == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--by", "both"], "--by both asks a surrogate; name one with --model"),
        (["--model", "pump", "--organs", "urine"], "a surrogate gives organs and plasma, not urine; --by solver"),
        (["--by", "guess"], "invalid choice"),
    ],
)
def test_words_about_models_that_cannot_be_are_refused(words, said):
    with pytest.raises(FulmenError, match=said):
        asked_for(read_words(["people.csv", *words]))


@pytest.mark.parametrize(
    ("name", "said"), [("pomp", "there is no model pomp"), ("runs/pbpk", "runs/pbpk is no run folder")]
)
def test_a_model_that_is_missing_is_told_by_its_name(name, said, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FulmenError, match=said):
        trained(name)


@pytest.mark.parametrize("nothing", ["clint_l_per_h", "renal_clint_l_per_h"])
def test_a_drug_that_one_organ_clears_is_asked_for_as_if_the_other_cleared_a_thousandth(nothing):
    people = sample_population(50, seed=2)
    alone = replace(people, **{nothing: torch.full((50,), 1e-12, dtype=torch.float64)})
    total, asked = (hepatic_clearance_l_per_h(each) + renal_clearance_l_per_h(each)
                    for each in (alone, cleared_by_both(alone)))  # fmt: skip
    assert bool((asked > total).all())
    assert bool((asked < 1.0011 * total).all())
    assert bool((getattr(cleared_by_both(alone), nothing) > 1e-6).all())


def test_a_ratio_is_told_where_there_is_something_to_compare():
    solver = torch.tensor([0.0, 2.0, 1.0, 1e-3])
    assert ratios(1.1 * solver, solver) == ["", "1.1", "1.1", ""]
