"""What the best of many owes to luck."""

import numpy as np
import pytest

from fulmen.report.luck import by_luck, expected_largest, said_of


@pytest.mark.parametrize(("count", "mean"), [(1, 0.0), (2, 0.5642), (5, 1.1630), (10, 1.5388), (100, 2.5076)])
def test_the_largest_of_normal_numbers_is_that_of_the_tables(count, mean):
    """Tippett's table, as in David & Nagaraja, Order Statistics."""
    assert expected_largest(count) == pytest.approx(mean, abs=1e-4)


def test_of_equal_models_it_is_what_the_best_lies_ahead_on_average_and_failures_do_not_count():
    rng = np.random.default_rng(0)
    drawn = rng.normal(0.3, 0.02, (400, 30))
    ahead = np.median(drawn, 1) - drawn.min(1)
    guessed = [by_luck(list(row), larger=False) for row in drawn]
    assert np.mean(guessed) == pytest.approx(np.mean(ahead), rel=0.05)
    failed = [by_luck([*row[:28], 9.0, 9.0], larger=False) for row in drawn]
    assert np.mean(failed) == pytest.approx(np.mean(ahead), rel=0.15)


def test_it_is_said_where_there_are_scores_enough():
    assert said_of([0.3, None, 0.2], False, "runs") == ""
    assert said_of([0.3, 0.3, 0.3], False, "runs") == ""
    said = said_of([0.30, 0.32, 0.31, None], False, "runs")
    assert said.startswith("If these 3 runs were equally good, the best would lie about 0.006")
    assert said.endswith("it lies 0.01 ahead.")
