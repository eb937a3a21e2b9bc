"""The oracles are scikit-learn and torchmetrics."""

import numpy as np
import pytest
import torch
from sklearn import metrics as sk
from torchmetrics.functional.classification import multiclass_auroc

from fulmen.workloads.images import metrics
from fulmen.workloads.images.evaluate import adjustment, unseen
from fulmen.workloads.images.figures import calibration
from fulmen.workloads.images.verdict import verdict

RNG = np.random.default_rng(0)
Y = RNG.integers(0, 5, 400)
P = torch.from_numpy(RNG.dirichlet(np.ones(5), 400) + 0.3 * np.eye(5)[Y])
P = P / P.sum(1, keepdim=True)
COUNTS = np.array([100, 60, 40, 25, 5])


def test_every_score_is_scikit_learns_or_torchmetrics():
    found = metrics.scores(P, torch.from_numpy(Y), COUNTS)
    guess = P.argmax(1).numpy()
    expected = {
        "accuracy": sk.accuracy_score(Y, guess),
        "balanced_accuracy": sk.balanced_accuracy_score(Y, guess),
        "log_loss": sk.log_loss(Y, P.numpy()),
        "auroc": float(multiclass_auroc(P, torch.from_numpy(Y), 5)),
        "majority_f1": sk.f1_score(Y, guess, labels=[0, 1], average="macro"),
        "minority_f1": sk.f1_score(Y, guess, labels=[2, 3, 4], average="macro"),
        "worst_recall": sk.recall_score(Y, guess, average=None).min(),
        "medium_recall": sk.recall_score(Y, guess, labels=[2, 3], average="macro"),
        "few_recall": sk.recall_score(Y, guess, labels=[4], average="macro"),
    }
    for average in ("macro", "weighted"):
        precision, recall, f1, _ = sk.precision_recall_fscore_support(Y, guess, average=average)
        expected |= {f"{average}_precision": precision, f"{average}_recall": recall, f"{average}_f1": f1}
    for name, value in expected.items():
        assert found[name] == pytest.approx(value, abs=1e-6), name


def test_per_class_scores_are_scikit_learns():
    guess = P.argmax(1).numpy()
    each = metrics.per_class(metrics.confusion(Y, guess, 5))
    for name, values in zip(("precision", "recall", "f1"), sk.precision_recall_fscore_support(Y, guess), strict=False):
        np.testing.assert_allclose(each[name], values)


def test_a_class_never_predicted_scores_zero_and_one_never_there_is_left_out():
    matrix = metrics.confusion(np.array([0, 0, 1]), np.array([0, 0, 0]), 3)
    each = metrics.per_class(matrix)
    assert each["precision"].tolist() == [pytest.approx(2 / 3), 0, 0]
    assert each["f1"][:2].tolist() == [pytest.approx(0.8), 0]
    assert np.isnan(each["recall"][2])
    assert metrics.from_confusion(matrix, COUNTS[:3])["balanced_accuracy"] == 0.5


def test_means_over_classes_are_of_those_in_the_test_split_however_often_another_is_predicted():
    y = Y % 3
    p = P.roll(1, 1)  # classes 3 and 4 are predicted, and never there
    found, guess = metrics.scores(p, torch.from_numpy(y), COUNTS), p.argmax(1).numpy()
    assert set(guess) >= {3, 4}
    of = dict(labels=[0, 1, 2], average="macro", zero_division=0)
    assert found["macro_precision"] == pytest.approx(sk.precision_score(y, guess, **of))
    assert found["macro_recall"] == found["balanced_accuracy"] == pytest.approx(sk.recall_score(y, guess, **of))
    assert found["macro_f1"] == pytest.approx(sk.f1_score(y, guess, **of))
    one_by_one = [sk.roc_auc_score(y == c, p[:, c]) for c in range(3)]
    assert found["auroc"] == pytest.approx(np.mean(one_by_one))
    (said,) = metrics.absent_classes(torch.from_numpy(y), ["a", "b", "c", "d", "e"])
    assert said.startswith("no image of d, e in the test split")
    assert "3 of 5 classes that are there" in said
    assert metrics.absent_classes(torch.from_numpy(Y), ["a", "b", "c", "d", "e"]) == []


def test_calibration_error_of_a_calibrated_forecast_is_small_and_of_a_boaster_large():
    y = torch.from_numpy(RNG.random(20_000) < 0.7).long()
    honest = torch.tensor([0.3, 0.7]).expand(20_000, -1)
    boasting = torch.tensor([0.01, 0.99]).expand(20_000, -1)
    assert metrics.scores(honest, y, np.array([1, 1]))["ece"] < 0.02
    assert metrics.scores(boasting, y, np.array([1, 1]))["ece"] == pytest.approx(0.29, abs=0.02)


def test_calibration_figure_leaves_bins_of_a_few_images_out(tmp_path, monkeypatch):
    drawn = []
    monkeypatch.setattr("matplotlib.figure.Figure.savefig", lambda figure, *_, **__: drawn.append(figure))
    sure = torch.tensor([0.52] * 9 + [0.95] * 40 + [0.75] * 20)  # half of the images of each bin are right
    label = torch.arange(69) % 2
    assert calibration(tmp_path / "calibration.svg", torch.stack([sure, 1 - sure], 1), label)
    points = drawn[0].axes[0].get_lines()[1].get_xydata()
    assert points == pytest.approx(np.array([[0.75, 0.5], [0.95, 0.5]]), abs=1e-6)


@pytest.mark.parametrize(
    ("known", "code", "said"),
    [
        (slice(0, 300), "worse_than_simple", "Worse than the best simple model, not shown to differ from chance"),
        (slice(40, 600), "better_than_constant", "Better than chance and than the constant, not shown to differ from"),
        (slice(0, 590), "better_than_baselines", "Better than chance, than the constant and than the best simple"),
    ],
)
def test_the_verdict_says_what_the_network_reached_and_what_its_interval_is_of(known, code, said):
    """Of 600 images the baseline knows the first 540, the network those of a slice."""
    label = torch.arange(600) % 2
    network, linear = (torch.eye(2)[1 - label] for _ in range(2))
    for p, rows in ((network, known), (linear, slice(0, 540))):
        p[rows] = torch.eye(2)[label][rows]
    found = verdict({"network": network, "linear": linear, "majority class": torch.ones(600, 2)}, label, 0.03)
    assert (found.code, found.units, found.unit, found.chance) == (code, 600, "images", 0.5)
    assert found.sentence.startswith(said)
    assert (found.simple.name, found.simple.of) == ("linear", 1)


def test_classes_that_are_never_recognised_are_counted_in_the_answer():
    rows = [{"recall": recall, "test images": count} for recall, count in ((0.0, 9), (0.5, 9), (0.0, 3), (0.0, 0))]
    assert unseen(rows) == "In 2 of 3 classes no image is recognised."
    assert unseen(rows[1:2]) == ""


def test_logit_adjustment_that_gains_is_the_next_step_and_its_strength_is_not_chosen_on_the_test_split():
    rows = [{"tau": "0 (used)", "balanced accuracy": 0.667}, {"tau": "1", "balanced accuracy": 0.843}]
    why, override = adjustment(rows)
    assert "gains up to 17.6 points of balanced accuracy" in why
    assert override == "model.logit_adjustment=validation"
    assert adjustment([rows[0], rows[1] | {"balanced accuracy": 0.68}]) == ("", "")
    assert adjustment([{"tau": "1 (used)", "balanced accuracy": 0.5}, {"tau": "0", "balanced accuracy": 0.9}])[1] == ""
