"""Noise of one check that lasts into the next ones is no trend; a trend beyond it is."""

import numpy as np
import pytest

from benchmarks.diagnosis_truths import first_words, remembering
from fulmen.diagnosis import diagnose
from fulmen.diagnosis.measured import Errors
from fulmen.diagnosis.smoothing import noise_of_means, trailing_mean


@pytest.mark.parametrize("memory", [".5", ".8", ".95"])
def test_a_good_fit_stays_one_where_its_noise_has_a_memory(memory):
    said = first_words(f"good_fit, memory {memory}", 80, 31)
    assert said["good_fit"] >= 74, said
    assert said["overfitting"] <= 3


def test_overfitting_is_seen_through_noise_with_a_memory():
    assert first_words("overfitting, memory .8", 60, 31)["overfitting"] >= 59


def test_noise_of_means_is_that_of_means_however_long_the_memory():
    rng = np.random.default_rng(2)
    for memory in (0.0, 0.8, 0.95):
        z = remembering(memory, 40_000, rng)
        width = np.full(len(z), 16)
        means = trailing_mean(z, width)
        beside = means[16:] - means[:-16]
        twice = means[32:] - 2 * means[16:-16] + means[:-32]
        assert beside.std() > 0
        assert noise_of_means(means, width)[-1] == pytest.approx(twice.std() / np.sqrt(6), rel=0.1)
    trend = np.linspace(0, 5, 400)
    assert noise_of_means(trend, np.full(400, 16))[-1] < 1e-9


def test_a_rise_that_lasts_while_training_loss_falls_on_is_overfitting_and_no_memory_of_noise():
    begun = [0.852, 0.812, 0.782, 0.74, 0.697, 0.668]
    rest = [
        654, 653, 661, 668, 666, 660, 661, 662, 668, 663, 660, 654, 656, 661, 670, 675, 670, 671, 680, 687, 685, 678,
        676, 682, 688, 687, 685, 693, 688, 693, 701, 707, 715, 710, 708, 713,
    ]  # fmt: skip
    val = [*begun, *(each / 1000 for each in rest)]
    train = 0.14 + 0.72 * np.exp(-np.arange(42) / 14)
    assert diagnose(train, val, errors=Errors(val=0.6))[0].code == "overfitting"


@pytest.mark.parametrize("fall", [0.06, 0.1])
def test_a_short_curve_that_creeps_is_no_good_fit(fall):
    train = np.linspace(1, 1 - fall, 8)
    assert diagnose(train, 1.03 * train)[0].code in ("undecided", "underfitting", "still_improving")
    logistic = [90.4, 89.5, 87.5, 88.1, 89.1, 90.1, 88.8, 88.7]
    assert diagnose([90, 88.9, 88.2, 87.9, 87.8, 87.8, 87.7, 87.7], logistic)[0].code != "good_fit"


def test_a_short_curve_that_falls_on_by_a_tenth_a_check_is_still_improving():
    train = [2.32, 1.22, 0.82, 0.621, 0.51, 0.424, 0.366, 0.33, 0.299, 0.273]
    val = [2.33, 1.2, 0.839, 0.642, 0.539, 0.437, 0.373, 0.342, 0.309, 0.283]
    assert diagnose(train, val)[0].code == "still_improving"
    rest = [0.281, 0.279, 0.28, 0.281, 0.279, 0.28]
    assert diagnose(train + rest, val + rest)[0].code == "good_fit"
