import numpy as np
import pytest
import torch
from sklearn.metrics import f1_score
from torchmetrics.functional.classification import (
    binary_auroc,
    binary_average_precision,
    multiclass_accuracy,
    multiclass_f1_score,
)

from fulmen.workloads.sensors.metrics import calibration_error, choose_threshold, scores
from fulmen.workloads.sensors.verdict import verdict


@pytest.fixture
def rows():
    rng = np.random.default_rng(0)
    p = rng.beta(1, 6, 700)
    return (rng.random(700) < p).astype(int), p


def test_areas_are_those_of_torchmetrics(rows):
    target, p = rows
    made = scores(target, np.stack([1 - p, p], 1))
    t, q = torch.from_numpy(target), torch.from_numpy(p)
    assert made["roc_auc"] == pytest.approx(float(binary_auroc(q, t)), abs=1e-6)
    assert made["pr_auc"] == pytest.approx(float(binary_average_precision(q, t)), abs=1e-6)
    assert made["brier"] == pytest.approx(((p - target) ** 2).mean(), abs=1e-6)


def test_classes_are_averaged_alike():
    rng = np.random.default_rng(1)
    p = rng.dirichlet(np.ones(4), 300)
    target = rng.integers(0, 4, 300)
    made = scores(target, p)
    t, q = torch.from_numpy(target), torch.from_numpy(p)
    assert made["f1"] == pytest.approx(float(multiclass_f1_score(q, t, 4, average="macro")), abs=1e-6)
    assert made["accuracy"] == pytest.approx(float(multiclass_accuracy(q, t, 4, average="micro")), abs=1e-6)


@pytest.mark.parametrize("by", ["f1", "cost"])
def test_no_threshold_decides_better_than_the_chosen_one(rows, by):
    target, p = rows
    p = p.round(2)  # ties

    def gain(threshold):
        decided = p >= threshold
        if by == "f1":
            return f1_score(target, decided)
        return -(7 * (target & ~decided).sum() + (~target.astype(bool) & decided).sum())

    chosen = choose_threshold(target, p, by, cost_ratio=7)
    assert gain(chosen) == pytest.approx(max(gain(t) for t in np.arange(0, 1.02, 0.01) - 0.005))


def test_without_both_classes_the_threshold_is_that_of_calibrated_probabilities():
    assert choose_threshold(np.zeros(5, int), np.ones(5), "cost", cost_ratio=9) == pytest.approx(0.1)
    assert choose_threshold(np.empty(0, int), np.empty(0)) == 0.5


def test_calibration_error_is_small_for_true_probabilities_and_the_gap_for_false_ones(rows):
    rng = np.random.default_rng(2)
    p = rng.random(20_000)
    target = (rng.random(20_000) < p).astype(int)
    assert calibration_error(target, np.stack([1 - p, p], 1)) < 0.012
    half = np.full_like(p, 0.8)
    assert calibration_error(target, np.stack([1 - half, half], 1)) == pytest.approx(0.3, abs=0.01)


def test_the_verdict_counts_machines_and_not_rows():
    rng = np.random.default_rng(0)
    machine, target = np.repeat(np.arange(5), 400), np.tile([0, 0, 0, 1], 500)
    ours = np.clip(0.3 + 0.2 * target + rng.normal(0, 0.1, 2000), 0.01, 0.99)
    luck = np.clip(0.3 + 0.2 * target * (machine == 0) + rng.normal(0, 0.1, 2000), 0.01, 0.99)
    said = {"network": ours, "forest": luck, "class shares": np.full(2000, 0.25), "ceiling": ours}
    predicted = {name: np.stack([1 - p, p], 1) for name, p in said.items()}
    shown = verdict(predicted, target, 0.56, machine)
    assert (shown.code, shown.units, shown.unit) == ("better_than_baselines", 5, "machines")
    assert (shown.simple.name, shown.simple.of) == ("forest", 1), "neither the constant nor a ceiling is a simple model"
    other = predicted | {"network": predicted["forest"]}
    assert verdict(other, target, 0.56, machine).code == "undecided_result", "one machine of five is luck"
    assert verdict(other, target, 0.56).code == "better_than_constant", "of independent rows it would not be"
    assert verdict(predicted, target, 0.56, np.zeros(2000)).code == "too_few"


def test_rows_that_follow_each_other_are_taken_together():
    """A label and a score that both change slowly agree or disagree for long, and know nothing of each other."""
    rng, claims = np.random.default_rng(0), np.zeros(2)
    hours = np.arange(600.0)
    for _ in range(60):
        slow = [np.convolve(rng.normal(size=630), np.ones(31), "valid") for _ in range(2)]
        p = 1 / (1 + np.exp(-slow[1] / 5))
        predicted = {"network": np.stack([1 - p, p], 1), "class shares": np.full((600, 2), 0.5)}
        target = (slow[0] > 0).astype(int)
        claims += [verdict(predicted, target, 0.56, None, each).better_than_chance for each in (hours, None)]
    assert claims[0] <= 5 < 10 < claims[1]
