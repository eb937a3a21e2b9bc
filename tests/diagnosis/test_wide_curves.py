"""Curves of many shapes, noises, lengths and units, and what is no curve at all, get the right word."""

import numpy as np
import pytest

from benchmarks.diagnosis_truths import COURSE, first_words
from benchmarks.diagnosis_wide import WORDS, drawn, said
from fulmen.diagnosis import diagnose


def test_a_curve_that_never_moves_is_said_to_be_constant():
    falling = [1 / k for k in range(1, 30)]
    assert [verdict.code for verdict in diagnose([0.5] * 29, [0.6] * 29)] == ["no_learning", "constant_curve"]
    assert [verdict.code for verdict in diagnose(falling, [0.6] * 29)] == ["constant_curve"]
    assert "validation loss is 0.6 at every check" in str(diagnose(falling, [0.6] * 29)[0])
    assert "constant_curve" in diagnose([0.5] * 29, [])


def test_a_wide_gap_at_rest_is_no_overfitting_and_course_figures_keep_their_words():
    said = first_words("wide gap", 150, 77)
    assert said["overfitting"] <= 0.08 * 150
    for cut in (True, False):
        for kind in COURSE:
            assert first_words(kind, 100, 78, cut)[kind] >= 90  # of 100, where 95 % are right


@pytest.mark.parametrize("seed", [5])
def test_the_right_word_stands_first_on_curves_of_many_shapes_noises_lengths_and_units(seed):
    rng = np.random.default_rng(seed)
    curves = [drawn(word, rng) for word in WORDS for _ in range(20)]
    right = [said(curve) == curve.word for curve in curves]
    assert np.mean(right) > 0.9


def test_a_long_curve_costs_no_more_than_a_short_one_and_says_the_same():
    rng, x = np.random.default_rng(1), np.linspace(0, 1, 20_000)
    train = 0.05 + np.exp(-8 * x) + 0.01 * rng.standard_normal(len(x))
    val = 0.3 + np.exp(-8 * x) + 0.4 * np.maximum(x - 0.4, 0) + 0.03 * rng.standard_normal(len(x))
    long, short = diagnose(train, val), diagnose(train[::100], val[::100])
    assert long[0].code == short[0].code == "overfitting"
    assert abs(long[0].since - 8000) < 1500
    assert long[0].evidence["val"] == val[-1]
