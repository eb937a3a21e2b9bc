"""Scores that are missing win nothing, end nothing, and are not averaged away in silence."""

import math

import pytest

from fulmen.comparison.statistics import holm
from fulmen.report import known

NAN, INF = math.nan, math.inf


@pytest.mark.parametrize("missing", [None, NAN, INF, -INF])
def test_what_is_missing_makes_mean_and_deviation_missing(missing):
    assert math.isnan(known.mean([1.0, missing]))
    assert math.isnan(known.deviation([1.0, 2.0, missing]))
    assert math.isnan(known.mean([missing]))


def test_of_known_scores_they_are_the_usual_ones():
    assert known.mean([1, 2.0, 6.0]) == 3.0
    assert known.deviation([1.0, 3.0]) == pytest.approx(math.sqrt(2))
    assert math.isnan(known.deviation([1.0]))
    assert math.isnan(known.mean([]))


@pytest.mark.parametrize("missing", [None, NAN, INF, -INF])
@pytest.mark.parametrize("larger", [False, True])
def test_what_is_missing_comes_last_whichever_way_is_better(missing, larger):
    scores = [missing, 2.0, missing, 1.0, 3.0]
    order = sorted(scores, key=lambda score: known.place(score, larger))
    assert order[:3] == ([3.0, 2.0, 1.0] if larger else [1.0, 2.0, 3.0])
    assert known.best({"a": missing, "b": 2.0, "c": 1.0}, larger) == ("b" if larger else "c")
    assert known.best({"a": missing}, larger) is None


def test_a_p_value_that_is_missing_disturbs_no_other():
    adjusted = holm([NAN, 0.01, 0.03])
    assert math.isnan(adjusted[0])
    assert adjusted[1:] == pytest.approx([0.03, 0.06])
