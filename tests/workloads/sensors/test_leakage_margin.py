"""The area of rows that count several times is that of the rows repeated."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from fulmen.workloads.sensors.leakage import auc_difference_se, weighted_auc


@pytest.mark.parametrize("digits", [1, 12])
def test_a_weighted_area_is_that_of_repeated_rows_ties_included(digits):
    rng = np.random.default_rng(0)
    target, score = rng.integers(0, 2, 200), rng.random(200).round(digits)
    area = weighted_auc(target, score)
    for _ in range(5):
        often = rng.integers(0, 4, 200)
        again = np.repeat(np.arange(200), often)
        assert area(often.astype(float)) == pytest.approx(roc_auc_score(target[again], score[again]), abs=1e-12)


def test_the_standard_error_is_that_of_drawn_rows():
    rng = np.random.default_rng(1)
    target, a, b, group = rng.integers(0, 2, 90), rng.random(90), rng.random(90), rng.integers(0, 9, 90)
    draws, found = np.random.default_rng(0), []
    members = [np.flatnonzero(group == number) for number in np.unique(group)]
    for _ in range(50):
        rows = np.concatenate([members[i] for i in draws.integers(len(members), size=len(members))])
        found.append(roc_auc_score(target[rows], a[rows]) - roc_auc_score(target[rows], b[rows]))
    assert auc_difference_se(target, a, b, group, draws=50) == pytest.approx(np.std(found, ddof=1), rel=1e-9)
