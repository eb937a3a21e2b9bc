"""A check that stands apart from all around it says nothing of where a loss goes, and is named."""

import numpy as np
import pytest

from fulmen.diagnosis import diagnose
from fulmen.diagnosis.outliers import outliers

SEEDS = range(4)


def good_fit(checks, seed=0):
    rng, x = np.random.default_rng([8, checks, seed]), np.arange(checks) / (checks - 1)
    fall = 0.2 + 0.8 * np.exp(-20 * x)
    return fall * (1 + 0.005 * rng.standard_normal(checks)), 1.1 * fall * (1 + 0.01 * rng.standard_normal(checks))


@pytest.mark.parametrize(("checks", "back"), [(20, 2), (20, 8), (50, 3), (100, 8), (200, 12), (500, 40)])
def test_one_outlier_of_the_validation_loss_is_no_overfitting(checks, back):
    for seed in SEEDS:
        train, val = good_fit(checks, seed)
        val[-back] += 1
        found = diagnose(train, val)
        assert found[0].code == "good_fit", str(found)
        outlier = f"validation loss {val[-back]:.3g} in epoch {checks - back + 1}, "
        assert f"set aside as an outlier: {outlier}" in str(found[0])
        assert found[0].evidence["outliers"] == [checks - back + 1]


@pytest.mark.parametrize("height", [1, 3, 10])
def test_two_checks_in_a_row_of_both_losses_are_no_fall_over_the_last_quarter(height):
    for seed in SEEDS:
        train, val = good_fit(60, seed)
        for x in (train, val):
            x[45:47] += height, 0.3
        found = diagnose(train, val)
        assert found[0].code == "good_fit", str(found)
        assert "epochs 46 and 47" in str(found[0])


def test_a_low_outlier_is_no_best_to_be_above():
    train, val = good_fit(60)
    val[40] = 0.01
    assert diagnose(train, val)[0].code == "good_fit"


def test_a_leap_at_the_last_check_is_told_and_not_judged():
    train, val = good_fit(30)
    val[-1] += 1
    found = diagnose(train, val)
    assert found[0].code == "good_fit"
    assert "the last validation loss stands alone, 1.22 after 0.22" in str(found[0])
    assert found[0].evidence["val"] == pytest.approx(0.22, rel=0.02)
    assert found[0].evidence["outliers"] == [30]
    assert diagnose(train + np.where(np.arange(30) > 28, 30, 0), val)[0].code == "diverged"
    for seed in range(40):
        train, val = good_fit(20, seed)
        val[-1] += 1
        assert diagnose(train, val)[0].evidence.get("rise", 0) < 0.1  # not that of what is set aside


def test_what_does_not_return_and_what_is_noise_is_judged():
    train, val = good_fit(60)
    val[50:] += 0.2
    assert diagnose(train, val)[0].code == "overfitting"
    many = np.where(np.arange(60) % 7 == 3, 1.0, 0.0)
    assert outliers(good_fit(60)[1] + many) == []
    short = [0.766, 0.55, 0.545, 0.80, 1.36, 2.03, 2.72, 2.8]
    assert outliers(np.array([1.879, *short])) == []  # the turn of a short curve


@pytest.mark.parametrize("missing", ["training", "validation"])
def test_an_outlier_of_one_curve_alone_is_told_once(missing):
    train, _ = good_fit(60)
    train[40] += 1
    found = diagnose(train, []) if missing == "validation" else diagnose([], train)
    there = "training" if missing == "validation" else "validation"
    assert f"set aside as an outlier: {there} loss 1.2 in epoch 41, 0.2 around it" in str(found[0])


def test_a_log_of_the_training_loss_alone_is_told_of_its_training_loss():
    found = diagnose([1, 0.8, 0.6, 0.5, 0.4, 0.3, 0.25, 0.2, 0.17, 0.14], [])
    assert [each.code for each in found] == ["still_improving", "one_curve"]
    assert "training loss still falls" in str(found[0])
    assert "validation loss" not in str(found[0])


@pytest.mark.parametrize("check", [7, 8, 10, 15])
def test_a_leap_downwards_is_no_best_while_the_loss_still_falls(check):
    val = 0.2 + 0.8 * np.exp(-np.arange(23) / 2)
    val[check] = 0.02
    first = diagnose(0.2 + 0.7 * np.exp(-np.arange(23) / 2), val)[0]
    assert first.code == "good_fit"
    assert f"validation loss 0.02 in epoch {check + 1}" in first.finding


def test_a_dip_that_losses_go_into_and_out_of_in_steps_is_a_best_and_no_outlier():
    val = [0.637, 0.479, 0.335, 0.362, 0.496, 0.594, 0.631, 0.63, 0.621, 0.579, 0.554, 0.529, 0.521, 0.511, 0.505,
           0.493, 0.484, 0.483, 0.483, 0.487, 0.492, 0.501, 0.503, 0.511, 0.514, 0.515, *[0.518] * 10]  # fmt: skip
    train = 0.05 + 0.64 * np.exp(-np.arange(len(val)) / 3)
    assert outliers(np.array(val)) == []
    assert diagnose(train, val)[0].code in ("overfitting", "generalization_gap")
    assert diagnose(train, val, base=0.69)[0].evidence.get("best", 0.335) == pytest.approx(0.335, abs=0.1)
