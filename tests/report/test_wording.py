"""What reports say is English: numbers end where their spread begins, and a sentence has a capital and a verb."""

import math
import re

import pytest

from fulmen.cli import main
from fulmen.report.document import plus_minus
from fulmen.report.leaks import caution
from fulmen.report.next_step import diagnose, keep
from fulmen.report.of_run import answer, facts
from fulmen.report.spread import spread
from fulmen.runs.repeat_report import made_of, unit


@pytest.mark.parametrize(
    ("mean", "sd", "said"),
    [
        (4.13e-4, 0.00337, "0.0004 ± 0.0034"),
        (0.3245, 0.09137, "0.325 ± 0.091"),
        (0.8167, 0.4751, "0.82 ± 0.48"),
        (1234.5, 456.7, "1234 ± 457"),
        (0.5, 0.0996, "0.50 ± 0.10"),
        (-0.015, 0.0075, "-0.0150 ± 0.0075"),
        (0.0, 0.0, "0 ± 0"),
        (3.0, math.nan, "3"),
        (2e9, 3e7, "2.00e+09 ± 3.00e+07"),
    ],
)
def test_a_mean_ends_at_the_second_digit_of_its_sd(mean, sd, said):
    assert plus_minus(mean, sd) == said


def test_a_single_run_has_no_sd_and_a_missing_one_no_mean():
    assert (spread([0.25]), spread([0.25, None]), spread([1.0, 3.0])) == ("0.25", "", "2.0 ± 1.4")


@pytest.mark.parametrize(
    ("runs", "one", "all_of_them"),
    [
        (["seed_1", "seed_2"], "seed", "2 seeds"),
        (["seed_1/fold_0", "seed_1/fold_1", "seed_1/fold_2"], "fold", "3 folds"),
        ([f"seed_{s}/fold_{f}" for s in (1, 2) for f in (0, 1)], "run", "4 runs (2 folds of each of 2 seeds)"),
    ],
)
def test_runs_of_folds_and_seeds_are_counted_in_plain_words(runs, one, all_of_them):
    assert (unit(runs), made_of(runs)) == (one, all_of_them)


def test_the_facts_of_a_run_count_one_as_one():
    said = facts({"status": "completed", "epochs": 1, "cost": {"threads": 1}}, [])
    assert "after 1 epoch " in said
    assert re.search(r"\b1 thread\b", said)


def test_an_answer_begins_with_a_capital():
    said = answer({"skill": 0.1}, {"ridge": {"skill": 0.0}}, {"better": {"skill": "max"}})
    assert said.startswith("Skill against persistence is 0.1, better than the 0 of the best baseline")


def test_commands_name_a_folder_by_its_shortest_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert diagnose(tmp_path / "runs" / "a") == "fulmen diagnose runs/a"
    assert keep(tmp_path / "b", "x") == "fulmen models save b --name x"
    assert diagnose(tmp_path.parent) == f"fulmen diagnose {tmp_path.parent}"


def test_data_that_are_unfit_to_be_judged_are_no_leak():
    unfit = {"id": "FUL-T03", "code": "too_few_rows", "severity": "warning", "finding": "x"}
    copies = {"id": "FUL-L01", "code": "copies", "severity": "error", "finding": "x"}
    said = caution([unfit])
    assert said == (
        "The data are hardly fit to be judged by (FUL-T03 too few rows): the scores of the test split say little."
    )
    assert caution([unfit, copies]).startswith("The data have 1 leak (FUL-L01 copies): ")


def test_one_check_of_a_training_is_told_as_one(tmp_path, capsys):
    (tmp_path / "metrics.csv").write_text("epoch,train/loss,val/loss\n1,2.0,1.5\n")
    main(["diagnose", str(tmp_path / "metrics.csv")])
    said = capsys.readouterr().out
    assert "1 check of" in said
    assert ", epoch 1\n" in said
    assert "FUL-D26 not enough data: 1 of the 6 validations that curves take to be judged" in said
