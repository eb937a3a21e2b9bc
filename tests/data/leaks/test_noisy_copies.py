"""A copy of the class with errors is found beside strong causes, and gaps that go by it; honest flags are not."""

import numpy as np
import pytest

from fulmen.data.leaks import Samples, scan

ROWS = 5000


@pytest.fixture
def strong():
    """Two readings of one state, by which the class goes, each with an area under the ROC curve of some 0.95."""
    rng = np.random.default_rng(0)
    state = rng.normal(size=ROWS)
    x = {f"reading{i}": (state + 0.3 * rng.normal(size=ROWS)).round(3) for i in range(2)}
    x |= {f"other{i}": rng.normal(size=ROWS).round(3) for i in range(2)}
    y = (state + 0.3 * rng.normal(size=ROWS) > 0.8).astype(int)
    return rng, state, x, y


def doubts(rng, y, columns):
    split = rng.choice(3, ROWS, p=[0.64, 0.16, 0.2])
    found = scan(Samples(y, "classes", split, columns, splitting="random", sample="row", order=np.arange(ROWS)))
    return [(leak.id, leak.columns) for leak in found if leak.severity != "note"]


@pytest.mark.parametrize("wrong", [0.02, 0.04, 0.06])
def test_a_copy_with_errors_is_found_beside_causes_that_are_as_strong(strong, wrong):
    rng, _, x, y = strong
    mark = np.where(rng.random(ROWS) < wrong, 1 - y, y).astype(float)
    assert doubts(rng, y, x | {"mark": mark}) in ([("FUL-L06", ("mark",))], [("FUL-L07", ("mark",))])


def test_the_same_causes_without_a_copy_and_a_flag_of_one_of_them_are_quiet(strong):
    rng, state, x, y = strong
    flag = (state + 0.3 * rng.normal(size=ROWS) > 0.8).astype(float)
    assert doubts(rng, y, x) == []
    assert doubts(rng, y, x | {"flag": flag}) == []


def test_gaps_that_go_by_the_class_are_found_and_gaps_that_go_by_a_cause_are_not(strong):
    rng, state, x, y = strong
    reading = rng.normal(size=ROWS)
    of_class = np.where(rng.random(ROWS) < np.where(y == 1, 0.6, 0.02), np.nan, reading)
    assert doubts(rng, y, x | {"probe": of_class}) == [("FUL-L07", ("probe",))]
    of_cause = np.where(state + 0.2 * rng.normal(size=ROWS) > 0.7, np.nan, reading)
    assert doubts(rng, y, x | {"probe": of_cause}) == []
