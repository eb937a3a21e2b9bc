"""Means of the target are told where test rows made them, and fillings by class; honest means and gauges are not."""

import numpy as np
import pytest

from fulmen.data.leaks.encoded import encoded
from fulmen.data.leaks.samples import Samples

N = 900
RNG = np.random.default_rng(3)
Y, SITE, SPLIT = RNG.integers(0, 2, N), RNG.integers(0, 200, N), RNG.choice(3, N, p=[0.6, 0.2, 0.2])


def found(column, y=Y, kind="classes"):
    leaks = encoded(Samples(y, kind, SPLIT, {"x": np.asarray(column, float), "z": RNG.standard_normal(N)}))
    return [(leak.code, leak.severity, leak.columns) for leak in leaks]


def site_means(y, rows):
    counts = np.bincount(SITE[rows], minlength=200)
    return (np.bincount(SITE[rows], y[rows], 200) / np.maximum(counts, 1))[SITE]


@pytest.mark.parametrize("digits", [16, 4])
def test_a_mean_label_of_all_rows_is_fitted_on_test_however_it_is_rounded(digits):
    assert found(site_means(Y, np.arange(N)).round(digits)) == [("fitted_on_test", "error", ("x",))]


def test_a_mean_number_of_all_rows_is_fitted_on_test():
    y = RNG.gamma(2, 30, N)
    assert found(site_means(y, np.arange(N)), y, "numbers") == [("fitted_on_test", "error", ("x",))]


def test_a_mean_label_of_the_training_rows_is_right():
    assert found(site_means(Y, np.flatnonzero(SPLIT == 0))) == []


def test_gaps_filled_by_the_mean_of_the_class_are_found_and_those_filled_by_the_mean_are_not():
    x, gap = RNG.normal(50, 10, N), RNG.random(N) < 0.3
    means = np.array([x[(kind == Y) & ~gap].mean() for kind in (0, 1)])
    assert found(np.where(gap, means[Y], x)) == [("target_proxy", "error", ("x",))]
    assert found(np.where(gap, x[~gap].mean(), x)) == []


def test_a_gauge_that_ends_at_both_sides_and_a_score_are_honest():
    z = RNG.standard_normal(N) + 3 * (Y - 0.5)
    assert found(np.clip(z, -1.5, 1.5)) == []
    assert found((1 / (1 + np.exp(-3 * z))).round(2)) == []
