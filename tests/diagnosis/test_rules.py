"""Verdicts on curves whose truth is known by construction."""

import numpy as np
import pytest

from fulmen.diagnosis import Verdict, diagnose
from fulmen.diagnosis.smoothing import best_mean, hysteresis, in_a_row, noise, trailing_mean, window
from fulmen.diagnosis.texts import TEXTS
from fulmen.diagnosis.verdicts import main_states

X = np.arange(60)
FALL = 0.1 + 0.9 * np.exp(-X / 6)
CURVES = {
    "good_fit": (FALL, FALL + 0.03),
    "overfitting": (FALL, FALL + 0.2 + 0.01 * np.maximum(0, X - 25)),
    "underfitting": (0.8 + 0.2 * np.exp(-X / 5), 0.82 + 0.2 * np.exp(-X / 5)),
    "no_learning": (np.full(60, 2.3), np.full(60, 2.3)),
    "diverged": (FALL + np.where(X > 40, 3.0, 0), FALL + np.where(X > 40, 3.0, 0)),
    "validation_too_good": (FALL, 0.4 * FALL),
    "noisy_validation": (FALL, FALL + 0.3 + 0.3 * np.random.default_rng(0).standard_normal(60)),
    "still_improving": (1 - 0.012 * X, 1.02 - 0.012 * X),
}


@pytest.mark.parametrize("code", CURVES)
def test_each_shape_gets_its_name(code):
    noise = np.random.default_rng(1).normal(0, 0.004, (2, 60))
    found = diagnose(CURVES[code][0] + noise[0], CURVES[code][1] + noise[1])
    assert found[0].code == code, [str(verdict) for verdict in found]


def test_overfitting_says_the_best_epoch_and_the_rise():
    verdict = diagnose(*CURVES["overfitting"])[0]
    val = CURVES["overfitting"][1]
    assert abs(verdict.since - (1 + val.argmin())) <= 3
    assert verdict.evidence["rise"] == pytest.approx(val[-5:].mean() / val.min() - 1, rel=0.1)
    assert f"early stopping at epoch {verdict.since}" in verdict.cures
    assert str(verdict).startswith(f"overfitting since epoch {verdict.since}: validation loss ")


def test_a_rise_that_training_shares_is_no_overfitting():
    both = 0.2 * np.sin(np.maximum(0, X - 30) / 20)
    assert "overfitting" not in [v.code for v in diagnose(FALL + both, FALL + 0.03 + both)]


def test_a_short_dip_early_in_a_long_run_is_no_best():
    v = 0.5 + 0.5 * np.exp(-np.arange(200) / 4)
    v[20:23] -= 0.06  # smoothed as the end is, over 16 checks, 2 %
    assert "overfitting" not in diagnose(0.9 * v, v)
    assert "overfitting" in diagnose(0.9 * v, v + 0.0005 * np.arange(200))


def test_how_far_the_losses_are_apart_does_not_hide_a_rise():
    t, v = CURVES["overfitting"]
    for above in (0.0, 1.0, 3.0):  # dropout, noise or a penalty in the training loss
        assert "overfitting" in diagnose(t + above, v), above


def test_verdicts_depend_on_the_order_of_the_checks():
    t, v = CURVES["overfitting"]
    assert "overfitting" not in [verdict.code for verdict in diagnose(t[::-1], v[::-1])]


def test_the_scale_of_the_loss_does_not_matter():
    for code, (t, v) in CURVES.items():
        for scale in (1e4, 1e-14):
            assert [a.code for a in diagnose(scale * t, scale * v)] == [a.code for a in diagnose(t, v)], code


def test_what_is_said_at_a_check_does_not_depend_on_later_ones():
    for t, v in CURVES.values():
        whole = main_states(t, v)
        for checks in (10, 25, 45):
            assert main_states(t[:checks], v[:checks]) == whole[:checks]


def test_expected_gain_keeps_silent_where_little_can_be_predicted():
    t, v = 1 - 0.08 * (1 - np.exp(-X / 5)), 1.01 - 0.06 * (1 - np.exp(-X / 5))
    assert diagnose(t, v, base=1.0)[0].code == "underfitting"
    assert diagnose(t, v, base=1.0, expected_gain=0.0)[0].code == "good_fit"


def test_a_fit_is_good_only_once_the_validation_loss_has_settled():
    """Six of 200 epochs, the loss down by a tenth each: nothing is wrong, and nothing is over."""
    val = [2.00, 1.44, 1.17, 0.985, 0.844, 0.763]
    found = diagnose([v - 0.05 for v in val], val)
    assert [verdict.code for verdict in found] == ["still_improving"]
    assert "validation loss still falls: 14 % over the last quarter" in str(found[0]).replace("14%", "14 %")
    rest = [0.76, 0.755, 0.75, 0.75, 0.75, 0.75]
    assert diagnose([v - 0.05 for v in val + rest], val + rest)[0].code == "good_fit"


def test_hysteresis_holds_between_its_thresholds():
    x = np.array([0, 6, 3, 3, 1, 3, 6, 3])
    assert hysteresis(x > 5, x < 2).tolist() == [False, True, True, True, False, False, True, True]
    assert in_a_row(np.array([1, 1, 0, 1, 1, 1], bool), 3).tolist() == [False] * 5 + [True]


@pytest.mark.parametrize("checks", [1, 2, 3, 40, 130])
def test_the_best_mean_is_the_lowest_of_its_width_so_far(checks):
    x = np.random.default_rng(checks).standard_normal(checks)
    width = window(checks)
    best, at = best_mean(x, width)
    for i, k in enumerate(width):
        means = {end: x[end - k + 1 : end + 1].mean() for end in range(k - 1, i + 1)} or {i: x[: i + 1].mean()}
        assert best[i] == pytest.approx(min(means.values()), abs=1e-12)
        assert means[at[i]] == pytest.approx(best[i], abs=1e-12)


def test_smoothing_and_noise_against_plain_numpy():
    rng = np.random.default_rng(0)
    x = rng.standard_normal(200)
    width = window(200)
    plain = [x[max(0, i + 1 - width[i]) : i + 1].mean() for i in range(200)]
    np.testing.assert_allclose(trailing_mean(x, width), plain)
    step = np.where(np.arange(2000) > 1000, 5.0, 9.0) - 0.01 * np.arange(2000)
    assert noise(0.3 * rng.standard_normal(2000) + step)[-1] == pytest.approx(0.3, rel=0.1)


def test_every_text_can_be_filled_and_stored():
    for code in ("overfitting", "no_learning", "good_fit"):
        verdict = diagnose(*CURVES[code])[0]
        assert Verdict.from_dict(verdict.as_dict()) == verdict
    assert [code for code, text in TEXTS.items() if text.severity != "ok" and not text.finding] == []
