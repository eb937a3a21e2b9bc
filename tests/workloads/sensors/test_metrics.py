import numpy as np
import pytest
import torch
from scipy import stats
from sklearn.metrics import f1_score
from torchmetrics.functional.classification import (
    binary_auroc,
    binary_average_precision,
    multiclass_accuracy,
    multiclass_f1_score,
)

from fulmen.workloads.sensors.evaluate import verdict
from fulmen.workloads.sensors.metrics import calibration_error, choose_threshold, scores


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
    machine = np.repeat(np.arange(5), 400)
    theirs = rng.random(2000)
    better = {"network": theirs - 0.1 + 0.01 * rng.normal(size=2000), "forest": theirs, "ceiling": theirs - 0.5}
    assert verdict(better, machine).startswith("beats the best baseline (forest): log loss")
    lucky = {"network": theirs - np.array([0.4, -0.1, 0.1, -0.1, 0.0])[machine], "forest": theirs}
    assert verdict(lucky, machine).startswith("is not shown to differ from")
    expected = stats.ttest_1samp([0.4, -0.1, 0.1, -0.1, 0.0], 0).pvalue
    assert f"(p = {expected:.2g} over 5 machines)" in verdict(lucky, machine)
    assert "over 2000 rows)" in verdict(lucky, None)
    alone = verdict({"network": theirs - 0.1, "forest": theirs}, np.zeros(2000))
    assert alone.startswith("is not shown to differ from"), "rows of one machine are not independent"
    assert alone.endswith("(one machine is too few for a test)")
