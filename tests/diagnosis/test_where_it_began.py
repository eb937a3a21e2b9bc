"""Where the losses began: before the first validation, in the first checks of a long log, far above the base."""

import numpy as np
import pytest

from fulmen.diagnosis import diagnose


def every(checks, loss):
    """The loss at every `checks`-th epoch, None between."""
    return [float(x) if epoch % checks == 0 else None for epoch, x in enumerate(loss, 1)]


@pytest.mark.parametrize("gap", [None, float("nan")])
@pytest.mark.parametrize("checks", [2, 3, 5, 10])
def test_training_before_the_first_validation_counts(checks, gap):
    train = 0.3 + 0.7 * np.exp(-np.arange(60) / 0.8)
    val = [gap if x is None else x for x in every(checks, 1.03 * train)]
    first = diagnose(train.tolist(), val)[0]
    assert first.code == "good_fit"
    if checks == 10:
        assert "both losses fell" not in first.finding


def test_a_training_that_gains_little_before_the_first_validation_has_begun_at_its_first_loss():
    train = 0.9 + 0.1 * np.exp(-np.arange(60.0))
    first = diagnose(train.tolist(), every(5, 1.02 * train))[0]
    assert first.code == "underfitting"
    assert "10% below the 1 of the first epoch" in first.finding


def test_a_log_of_every_fifth_epoch_is_read_from_a_table(tmp_path):
    from fulmen.runs.diagnose import diagnose_path

    train = 0.3 + 0.7 * np.exp(-np.arange(60) / 0.8)
    val = every(5, 1.03 * train)
    rows = [f"{i},{x},{'' if y is None else y}" for i, (x, y) in enumerate(zip(train, val, strict=True))]
    (tmp_path / "log.csv").write_text("\n".join(["epoch,train_loss,val_loss", *rows]))
    assert diagnose_path(tmp_path / "log.csv").verdicts[0].code == "good_fit"
    lines = ["epoch,step,train_loss,val_loss"]  # as Lightning writes them: a row for each of the two
    for i, (x, y) in enumerate(zip(train, val, strict=True)):
        lines += [] if y is None else [f"{i},{10 * i + 9},,{y}"]
        lines.append(f"{i},{10 * i + 9},{x},")
    (tmp_path / "metrics.csv").write_text("\n".join(lines))
    assert diagnose_path(tmp_path / "metrics.csv").verdicts[0].code == "good_fit"


@pytest.mark.parametrize("checks", [150, 300, 1000, 2000])
def test_a_quick_small_gain_in_a_long_log_is_no_failure_to_learn(checks):
    rng = np.random.default_rng(checks)
    for gain, sd in ((0.1, 0.0), (0.07, 0.003), (0.16, 0.003)):
        train = 1 - gain + gain * np.exp(-np.arange(float(checks)))
        noise = 1 + sd * rng.standard_normal((2, checks))
        assert diagnose(train * noise[0], 1.02 * train * noise[1])[0].code in ("underfitting", "undecided")


@pytest.mark.parametrize("checks", [300, 1000])
def test_noise_about_the_first_loss_of_a_long_log_is_no_learning(checks):
    for seed in range(10):
        noise = 1 + 0.015 * np.random.default_rng(seed).standard_normal((2, checks))
        assert diagnose(noise[0], noise[1])[0].code == "no_learning"


@pytest.mark.parametrize("start", [10, 100, 1000])
def test_losses_that_both_begin_far_above_the_base_have_one_unit(start):
    fall = start * np.exp(-0.5 * np.arange(40))
    gap = diagnose(0.2 + fall, 1.0 + fall, base=1.0)
    assert gap[0].code == "generalization_gap"
    assert "different_units" not in gap
    assert diagnose(0.2 + fall, 0.21 + fall, base=1.0)[0].code == "good_fit"
