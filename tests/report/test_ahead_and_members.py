"""Sections of a report: what the network is ahead of, and the members of an ensemble beside it."""

import math

import pytest

from fulmen.report.ahead import ahead_section
from fulmen.report.members import members_section
from fulmen.report.shown import Gap, Shown


def test_every_comparison_has_a_row_with_its_interval_and_what_it_shows():
    shown = Shown("undecided_result", "x", constant=Gap("the mean", "R²", -0.02, -0.05, 0.01),
                  simple=Gap("linear, weighted", "R²", -0.3, -0.4, -0.2, of=2))  # fmt: skip
    (section,) = ahead_section(shown)
    assert [list(row.values()) for row in section.tables[0].rows] == [
        ["the mean", "R²", -0.02, "-0.05 to +0.01", "not shown to differ"],
        ["linear, weighted, the best of 2 simple models", "R²", -0.3, "-0.4 to -0.2", "worse"],
    ]
    assert ahead_section(Shown("too_few", "x")) == ahead_section(None) == []


def test_an_ensemble_lists_its_members_their_mean_and_spread_and_itself():
    members = [{"run": f"seed_{n}", "metrics": {"test/skill": skill, "test/other": 1.0}}
               for n, skill in enumerate((0.1, 0.3))]  # fmt: skip
    result = {"members": members, "better": {"skill": "max"}, "metrics": {"test/skill": 0.35}}
    (section,) = members_section(result)
    rows = {row[""]: row["test/skill"] for row in section.tables[0].rows}
    assert list(rows) == ["seed_0", "seed_1", "mean of the members", "sd of the members", "the ensemble"]
    assert rows["mean of the members"] == pytest.approx(0.2)
    assert rows["sd of the members"] == pytest.approx(math.sqrt(0.02))
    assert rows["the ensemble"] == 0.35
    assert members_section({"metrics": {"test/skill": 0.1}}) == []
