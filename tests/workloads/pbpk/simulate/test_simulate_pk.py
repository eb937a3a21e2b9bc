"""Pharmacokinetics of the subjects of a table against closed form."""

import csv

import pytest

from fulmen.cli import main
from fulmen.errors import FulmenError
from fulmen.workloads.pbpk.simulate.drugs import adult
from fulmen.workloads.pbpk.simulate.words import asked_for, read_words
from fulmen.workloads.pbpk.simulator.physiology import INDEX, PORTAL

PEOPLE = """\
subject,log_p,kind,pka,fraction_unbound,blood_plasma_ratio,hepatic_clearance_l_per_h,renal_clearance_l_per_h,route,\
dose_mg,infusion_h,n_doses,interval_h,bioavailability,km_mg_per_l
bolus,2,,,0.3,0.8,12,3,bolus,100,,,,,
infusion,2,,,0.3,0.8,12,3,infusion,100,2,,,,
oral,2,,,0.3,0.8,12,3,oral,100,,,,0.7,
often,1,,,0.3,0.8,12,3,bolus,100,,10,4,,
bent,2,,,0.3,0.8,12,3,bolus,1000,,,,,0.5
"""


@pytest.fixture(scope="module")
def summaries(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pk")
    (folder / "people.csv").write_text(PEOPLE)
    words = ["--pk", str(folder / "pk.csv"), "--organs", "plasma,liver"]
    assert main(["pbpk", "simulate", str(folder / "people.csv"), *words]) == 0
    rows = list(csv.DictReader((folder / "pk.csv").open()))
    return {(row["subject"], row["output"]): row for row in rows}


def test_a_row_for_each_subject_and_output_in_the_order_of_the_table(summaries):
    names = ["bolus", "infusion", "oral", "often", "bent"]
    assert list(summaries) == [(name, output) for name in names for output in ("plasma", "liver")]


@pytest.mark.parametrize("subject", ["bolus", "infusion", "often"])
def test_area_times_clearance_is_what_was_given(subject, summaries):
    row = summaries[subject, "plasma"]
    given, tolerance = (1000, 5e-3) if subject == "often" else (100, 1e-3)
    assert float(row["auc_infinity_mg_h_per_l"]) * (12 + 3) == pytest.approx(given, rel=tolerance)
    assert float(row["clearance_l_per_h"]) == pytest.approx(15, rel=tolerance)
    assert row["clearance_is"] == "CL"


def test_of_an_oral_dose_arrives_what_neither_gut_nor_liver_keeps(summaries):
    row = summaries["oral", "plasma"]
    flow = float(adult()["flow_l_per_h"][[INDEX[organ] for organ in ("liver", *PORTAL)]].sum())
    arrives = 0.7 * (1 - 12 / 0.8 / flow)
    assert float(row["clearance_l_per_h"]) == pytest.approx(15 / arrives, rel=1e-3)
    assert (row["clearance_is"], row["vss_l"]) == ("CL/F", "")
    assert 0 < float(row["tmax_h"]) < 4


def test_repeated_doses_accumulate_by_their_half_life(summaries):
    row = summaries["often", "plasma"]
    fraction = 0.5 ** (4 / float(row["half_life_h"]))
    assert float(row["accumulation"]) == pytest.approx((1 - fraction**10) / (1 - fraction), rel=0.2)
    assert float(row["auc_interval_mg_h_per_l"]) == pytest.approx(100 / 15, rel=0.02)
    assert summaries["bolus", "plasma"]["accumulation"] == ""


def test_a_saturated_liver_clears_less(summaries):
    assert float(summaries["bent", "plasma"]["clearance_l_per_h"]) < 12


def test_organs_have_no_clearance(summaries):
    assert summaries["bolus", "liver"]["clearance_l_per_h"] == summaries["bolus", "liver"]["vss_l"] == ""
    assert float(summaries["bolus", "liver"]["half_life_h"]) > 0


def test_pharmacokinetics_do_not_hang_on_the_times_that_are_shown(summaries, tmp_path):
    (tmp_path / "people.csv").write_text(PEOPLE)
    words = ["--pk", str(tmp_path / "pk.csv"), "--to", str(tmp_path / "curves.csv"), "--organs", "plasma"]
    assert main(["pbpk", "simulate", str(tmp_path / "people.csv"), *words, "--times", "1,4,96"]) == 0
    shown = list(csv.DictReader((tmp_path / "curves.csv").open()))
    assert [row["time_h"] for row in shown] == ["1", "4", "96"] * 5
    for row in csv.DictReader((tmp_path / "pk.csv").open()):
        for name in ("auc_infinity_mg_h_per_l", "cmax_mg_per_l"):
            tolerance = 0.03 if row["subject"] == "bent" else 3e-3  # whose end is not yet exponential at 96 h
            assert float(row[name]) == pytest.approx(float(summaries[row["subject"], "plasma"][name]), rel=tolerance)


@pytest.mark.slow
def test_a_surrogate_and_the_solver_have_a_row_each(surrogate_run, tmp_path):
    head, *rows = PEOPLE.splitlines()
    (tmp_path / "people.csv").write_text("\n".join([head, *rows[:2]]) + "\n")
    words = ["--pk", str(tmp_path / "pk.csv"), "--organs", "plasma", "--model", str(surrogate_run), "--by", "both"]
    assert main(["pbpk", "simulate", str(tmp_path / "people.csv"), *words]) == 0
    rows = list(csv.DictReader((tmp_path / "pk.csv").open()))
    assert [(row["subject"], row["by"]) for row in rows] == [
        ("bolus", "solver"), ("bolus", "surrogate"), ("infusion", "solver"), ("infusion", "surrogate"),
    ]  # fmt: skip
    for solver, surrogate in (rows[:2], rows[2:]):
        last = [float(row["auc_last_mg_h_per_l"]) for row in (solver, surrogate)]
        assert last[1] == pytest.approx(last[0], rel=0.5)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--pk", "people.csv"], "that is the table itself"),
        (["--to", "x.csv", "--pk", "./x.csv"], "--pk x.csv: that is what --to names"),
        (["--pk", "x.csv", "--organs", "urine"], "--pk summarises organs and plasma"),
    ],
)
def test_words_about_pharmacokinetics_that_cannot_be_are_refused(words, said):
    with pytest.raises(FulmenError, match=said):
        asked_for(read_words(["people.csv", *words]))
