"""A table of subjects in, curves out: what comes is what the solver says of the same subjects built by hand."""

import csv
import gzip
import io
from dataclasses import replace

import pytest
import torch

from fulmen.cli import main
from fulmen.workloads.pbpk.simulate import curves as of_curves
from fulmen.workloads.pbpk.simulate.example import EXAMPLE
from fulmen.workloads.pbpk.simulate.hours import usual_times
from fulmen.workloads.pbpk.simulate.progress import shown
from fulmen.workloads.pbpk.simulate.subjects import subjects_of
from fulmen.workloads.pbpk.simulate.table import read_table
from fulmen.workloads.pbpk.simulator.body import (
    blood_flows_l_per_h,
    densities_kg_per_l,
    organ_masses_kg,
    reference_weight_kg,
)
from fulmen.workloads.pbpk.simulator.outputs import curves
from fulmen.workloads.pbpk.simulator.partition import KINDS, rodgers_rowland
from fulmen.workloads.pbpk.simulator.physiology import INDEX
from fulmen.workloads.pbpk.simulator.population import (
    ROUTES,
    SEXES,
    Population,
    hepatic_clearance_l_per_h,
    renal_clearance_l_per_h,
    unsaid,
)
from fulmen.workloads.pbpk.simulator.solvers import simulate

REGIMENS = """\
subject,age_y,sex,log_p,kind,pka,fraction_unbound,blood_plasma_ratio,clint_l_per_h,km_mg_per_l,route,dose_mg,\
infusion_h,n_doses,interval_h
one,,,2,base,8,0.2,0.9,30,,bolus,100,,,
two,5,female,1,acid,4,0.1,0.6,20,0.5,oral,50,,3,8
three,,,2,base,8,0.2,0.9,30,,infusion,100,1,2,12
four,,,3,neutral,,0.05,1,60,,oral,20,,3,8
five,70,female,2,base,8,0.2,0.9,30,2,bolus,100,,,
"""


def table(tmp_path, text):
    path = tmp_path / "people.csv"
    path.write_text(text)
    return path


def subjects(tmp_path, text):
    return subjects_of(read_table(table(tmp_path, text)))


def by_hand(row):
    """One subject, built of the functions of the simulator."""

    def value(name, usual):
        return torch.tensor([float(row.get(name) or usual)], dtype=torch.float64)

    age, sex = value("age_y", 35), torch.tensor([SEXES.index(row.get("sex") or "male")])
    weight = reference_weight_kg(age, sex)
    mass, kind = organ_masses_kg(age, sex, weight), torch.tensor([KINDS.index(row["kind"])])
    flow, unbound, ratio = (
        blood_flows_l_per_h(age, sex, mass),
        value("fraction_unbound", 0),
        value("blood_plasma_ratio", 0),
    )
    fields = dict(
        weight_kg=weight, age_y=age, sex=sex, volume_l=mass / densities_kg_per_l(), flow_l_per_h=flow,
        density_kg_per_l=densities_kg_per_l()[None], cardiac_output_l_per_h=flow[:, 0],
        kp=rodgers_rowland(value("log_p", 0), value("pka", 0), kind, unbound, ratio), blood_plasma_ratio=ratio,
        fraction_unbound=unbound, clint_l_per_h=value("clint_l_per_h", 0), renal_clint_l_per_h=value("none", 1e-9),
        km_mg_per_l=value("km_mg_per_l", 1e9), lipophilicity=value("none", 0), compound=torch.tensor([0]),
        absorption_rate_per_h=value("none", 1), bioavailability=value("none", 1), dose_mg=value("dose_mg", 0),
        route=torch.tensor([ROUTES.index(row["route"])]), infusion_h=value("infusion_h", 0),
        n_doses=int(row["n_doses"] or 1), interval_h=float(row["interval_h"] or 24),
    )  # fmt: skip
    return Population(**unsaid(1) | fields)


@pytest.mark.parametrize("block", [500, 2])
def test_curves_are_those_of_subjects_built_by_hand_in_the_order_of_the_table(block, tmp_path, monkeypatch):
    monkeypatch.setattr(of_curves, "BLOCK", block)
    path, to = table(tmp_path, REGIMENS), tmp_path / "curves.csv"
    words = ["--to", str(to), "--times", "0,0.5,8,24", "--organs", "plasma,liver,urine"]
    assert main(["pbpk", "simulate", str(path), *words]) == 0
    rows = list(csv.DictReader(to.open()))
    assert list(rows[0]) == ["subject", "compound", "output", "time_h", "concentration_mg_per_l", "amount_mg"]
    time_h = torch.tensor([0, 0.5, 8, 24], dtype=torch.float64)
    outputs = ("plasma", "liver", "urine")
    expected = []
    for row in csv.DictReader(path.open()):
        person = by_hand(row)
        kinetics = "saturable" if row["km_mg_per_l"] else "linear"
        values = curves(person, simulate(person, time_h, kinetics, rtol=1e-8), outputs)[0]
        expected += [
            (row["subject"], output, time, float(value))
            for output, of_times in zip(outputs, values, strict=True)
            for time, value in zip(["0", "0.5", "8", "24"], of_times, strict=True)
        ]
    assert [(row["subject"], row["output"], row["time_h"]) for row in rows] == [each[:3] for each in expected]
    for row, (*_, value) in zip(rows, expected, strict=True):
        cell = row["amount_mg" if row["output"] == "urine" else "concentration_mg_per_l"]
        assert float(cell) == pytest.approx(value, rel=1e-4, abs=1e-5)
        assert not row["concentration_mg_per_l" if row["output"] == "urine" else "amount_mg"]


def test_the_example_is_simulated_as_it_stands(tmp_path, capsys):
    path = tmp_path / "people.csv"
    assert main(["pbpk", "simulate", "--example", str(path)]) == 0
    assert path.read_text() == EXAMPLE
    capsys.readouterr()
    assert main(["pbpk", "simulate", str(path), "--organs", "plasma"]) == 0
    rows = list(csv.DictReader(capsys.readouterr().out.splitlines()))
    assert list(dict.fromkeys(row["subject"] for row in rows)) == [
        "adult bolus", "infusion", "tablet", "saturable", "child",
    ]  # fmt: skip
    assert all(float(row["concentration_mg_per_l"]) >= 0 for row in rows)
    assert {float(row["time_h"]) for row in rows if row["subject"] == "infusion"} > {0.0, 0.5, 24.0}


def test_help_explains_every_column(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["pbpk", "simulate", "--help"])
    assert ended.value.code == 0
    said = capsys.readouterr().out
    assert "kp_<organ>" in said
    assert "hepatic_clearance_l_per_h  of plasma, L/h, of a man of 73 kg" in said


def test_what_a_row_leaves_out_is_a_man_of_35_years_and_the_reference_weight(tmp_path):
    person = subjects(tmp_path, "log_p,fraction_unbound,clint_l_per_h,route,dose_mg\n1,1,1,oral,1\n").population
    facts = {name: float(getattr(person, name)) for name in ("age_y", "weight_kg", "sex", "blood_plasma_ratio")}
    assert facts == {"age_y": 35, "weight_kg": 73, "sex": SEXES.index("male"), "blood_plasma_ratio": 1}
    assert float(person.bioavailability) == float(person.absorption_rate_per_h) == 1


def test_clearances_of_plasma_are_those_of_the_adult_and_smaller_in_a_child(tmp_path):
    head = "age_y,subject,log_p,fraction_unbound,blood_plasma_ratio,hepatic_clearance_l_per_h,renal_clearance_l_per_h"
    rows = f"{head},route,dose_mg\n35,adult,1,0.3,0.7,20,6,bolus,1\n5,child,1,0.3,0.7,20,6,bolus,1\n"
    people = subjects(tmp_path, rows).population
    of_plasma = [function(people) * 0.7 for function in (hepatic_clearance_l_per_h, renal_clearance_l_per_h)]
    assert [float(each[0]) for each in of_plasma] == pytest.approx([20, 6], rel=1e-9)
    liver = people.volume_l[:, INDEX["liver"]]
    assert float(people.clint_l_per_h[1] / people.clint_l_per_h[0]) == pytest.approx(float(liver[1] / liver[0]))
    assert float(of_plasma[0][1]) < 10


def test_kp_of_the_table_are_taken_in_place_of_those_of_the_partition_model(tmp_path):
    head = "log_p,fraction_unbound,clint_l_per_h,route,dose_mg,kp_liver"
    people = subjects(tmp_path, f"subject,{head}\na,1,1,1,oral,1,\nb,1,1,1,oral,1,7.5\n").population
    assert float(people.kp[1, INDEX["liver"]]) == 7.5
    others = [column for organ, column in INDEX.items() if organ != "liver"]
    assert torch.equal(people.kp[0, others], people.kp[1, others])


@pytest.mark.parametrize(("of", "limit"), [("base", {"pka_acid": 30.0}), ("acid", {"pka": -20.0})])
@pytest.mark.parametrize("pka", [4.0, 9.0])
def test_a_zwitterion_without_one_of_its_groups_is_an_acid_or_a_base(of, limit, pka):
    numbers = {"log_p": 1.5, "fraction_unbound": 0.3, "blood_plasma_ratio": 0.9}
    one = {name: torch.tensor([value]).double() for name, value in numbers.items()}
    groups = {"pka": pka, "pka_acid": pka} | limit
    groups = {name: torch.tensor([value]).double() for name, value in groups.items()}
    both = rodgers_rowland(**one, kind=torch.tensor([KINDS.index("zwitterion")]), **groups)
    alone = rodgers_rowland(**one, kind=torch.tensor([KINDS.index(of)]), pka=torch.tensor([pka]).double())
    assert torch.allclose(both, alone, rtol=1e-9)


def test_usual_times_are_dense_after_doses_and_end_by_the_half_life(tmp_path):
    person = subjects(tmp_path, "log_p,fraction_unbound,clint_l_per_h,route,dose_mg\n1,1,20,bolus,1\n").population
    time_h = usual_times(person)
    assert (time_h[0], time_h[-1]) == (0, 24)
    assert 80 <= len(time_h) <= 120
    assert time_h[1] <= 0.03
    assert (time_h.diff() > 0).all()
    slow = usual_times(replace(person, clint_l_per_h=torch.tensor([0.5]).double()))
    assert slow[-1] == 168
    repeated = usual_times(replace(person, n_doses=4, interval_h=6.0))
    assert repeated[-1] == 18 + 24
    assert set(repeated.tolist()) >= {0, 6, 12, 18, 6.025, 18.025}


def test_names_come_back_as_they_were_written(tmp_path, capsys):
    head = "subject,compound,log_p,fraction_unbound,clint_l_per_h,route,dose_mg"
    path = table(tmp_path, head + '\n"Smith, ""J"" Ann","two\nlines",1,1,1,oral,1\nlast,x,1,1,1,oral,-1\n')
    assert main(["pbpk", "simulate", str(path)]) == 2
    assert "line 4, column dose_mg: -1" in capsys.readouterr().err
    path.write_text(path.read_text().replace("-1", "1"))
    assert main(["pbpk", "simulate", str(path), "--times", "0,1", "--organs", "liver"]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out, newline="")))
    assert {(row["subject"], row["compound"]) for row in rows} == {('Smith, "J" Ann', "two\nlines"), ("last", "x")}


def test_memory_does_not_grow_with_the_times_of_a_subject():
    assert of_curves.together(100) == of_curves.BLOCK
    assert of_curves.together(6000) * 6000 <= of_curves.VALUES
    assert of_curves.together(10**7) == 1


def test_progress_is_shown_on_a_terminal_alone(monkeypatch, capsys):
    for terminal in (True, False):
        monkeypatch.setattr("sys.stderr.isatty", lambda terminal=terminal: terminal)
        with shown("subjects", 10) as advance:
            advance(10)
        assert ("subjects" in capsys.readouterr().err) == terminal


def test_what_the_gut_wall_extracts_does_not_arrive(tmp_path):
    head = "subject,log_p,fraction_unbound,clint_l_per_h,route,dose_mg,gut_extraction"
    whole = subjects(tmp_path, f"{head}\na,1,1,10,oral,10,\nb,1,1,10,oral,10,0.4\n")
    plasma = curves(whole.population, simulate(whole.population, torch.tensor([0.0, 1, 5]), "linear"), ("plasma",))
    assert torch.allclose(plasma[1] / plasma[0].clamp(min=1e-30), torch.tensor([0, 0.6, 0.6]).double(), rtol=1e-6)


@pytest.mark.parametrize("dose", ["1234,5", "1.234,5", "1 234,5"])
def test_decimal_commas_are_read_and_said(tmp_path, dose):
    text = f"log_p;fraction_unbound;clint_l_per_h;route;dose_mg;infusion_h\n1,5;0,25;30;infusion;{dose};2\n"
    whole = read_table(table(tmp_path, text))
    assert "decimal commas are read (line 2, column log_p: '1,5')" in whole.said[0]
    assert whole.numbers("dose_mg").tolist() == [1234.5]
    assert whole.numbers("fraction_unbound").tolist() == [0.25]


@pytest.mark.parametrize(("decimal", "dose"), [("comma", 1500.0), ("point", 1.5)])
def test_a_point_before_three_digits_is_what_is_said(tmp_path, decimal, dose):
    text = "log_p;fraction_unbound;clint_l_per_h;route;dose_mg\n1;1;30;bolus;1.500\n"
    assert read_table(table(tmp_path, text), decimal).numbers("dose_mg").tolist() == [dose]


def test_a_packed_table_is_read(tmp_path):
    (tmp_path / "people.csv.gz").write_bytes(gzip.compress(REGIMENS.encode()))
    assert len(subjects_of(read_table(tmp_path / "people.csv.gz"))) == 5
