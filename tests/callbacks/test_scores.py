"""The catalogue of metrics agrees with scikit-learn."""

import numpy as np
import pytest
import torch
from helpers import differing
from sklearn import metrics as sk
from torchmetrics.functional.classification import multiclass_calibration_error
from torchvision.ops import box_iou, generalized_box_iou

from fulmen.callbacks.scores import Scores
from fulmen.config.check import build, compose
from fulmen.errors import FulmenError
from fulmen.report.boxes import dice, giou, iou

from .blobs import Blobs, fit

GENERATOR = torch.Generator().manual_seed(0)


def catalogue(name, *overrides):
    node = compose(["experiment=pbpk_mlp", f"metrics={name}", *overrides]).callbacks.scores
    return build(node, "callbacks.scores")


def by_scikit_learn(p, target):
    """The nine scores of probabilities [N, C] for labels [N], classes without samples left out of the means."""
    y, classes = p.argmax(1), np.unique(target)
    macro = dict(labels=classes, average="macro", zero_division=0)
    return {
        "accuracy": sk.accuracy_score(target, y),
        "balanced_accuracy": np.mean([sk.recall_score(target == c, y == c) for c in classes]),
        "precision": sk.precision_score(target, y, **macro),
        "recall": sk.recall_score(target, y, **macro),
        "f1": sk.f1_score(target, y, **macro),
        "roc_auc": np.mean([sk.roc_auc_score(target == c, p[:, c]) if len(classes) > 1 else np.nan for c in classes]),
        "pr_auc": np.mean([sk.average_precision_score(target == c, p[:, c]) for c in classes]),
        "mcc": sk.matthews_corrcoef(target, y),
        "calibration_error": float(multiclass_calibration_error(p, target, 5)),
        "classes_present": len(classes),
    }


@pytest.mark.parametrize("chances", ["random", "perfect"])
@pytest.mark.parametrize("there", [[0, 1, 2, 3, 4], [0, 1, 2], [1, 4], [2]], ids=str)
@pytest.mark.filterwarnings("ignore")
def test_classification_equals_scikit_learn_whatever_classes_have_samples(chances, there):
    """Also where a class without samples is predicted, which random probabilities do."""
    scores = catalogue("classification", "callbacks.scores.classes=5")
    target = torch.tensor(there)[torch.randint(0, len(there), (400,), generator=GENERATOR)]
    sharp = torch.randn(400, 5, generator=GENERATOR) if chances == "random" else 20.0
    p = (sharp + torch.eye(5)[target] * (1 if chances == "random" else 30)).softmax(1)
    for rows in torch.arange(400).split(64):
        scores.metrics.update(p[rows], target[rows])
    said = {name: float(value) for name, value in scores.metrics.compute().items()}
    assert said == pytest.approx(by_scikit_learn(p, target), abs=1e-6, nan_ok=True)
    if chances == "perfect" and len(there) > 1:
        assert said["roc_auc"] == said["pr_auc"] == said["balanced_accuracy"] == 1


def test_classes_without_samples_are_named():
    scores = catalogue("classification", "callbacks.scores.classes=5")
    scores.metrics.update(torch.eye(5)[[0, 1, 3]], torch.tensor([0, 1, 3]))
    with pytest.warns(UserWarning, match="no samples of class 2, 4 .* are of the other 3"):
        assert scores.metrics["classes_present"].compute() == 3


def test_regression_equals_scikit_learn():
    scores = catalogue("regression", "callbacks.scores.prediction=a", "callbacks.scores.target=b")
    y = torch.rand(300, generator=GENERATOR) + 1
    x = y + 0.1 * torch.randn(300, generator=GENERATOR)
    for rows in torch.arange(300).split(64):
        scores.metrics.update(x[rows], y[rows])
    said = {name: float(value) for name, value in scores.metrics.compute().items()}
    expected = {
        "rmse": sk.root_mean_squared_error(y, x), "mae": sk.mean_absolute_error(y, x), "r2": sk.r2_score(y, x),
        "mape": sk.mean_absolute_percentage_error(y, x), "max_error": sk.max_error(y, x),
    }  # fmt: skip
    assert said == pytest.approx(expected, abs=1e-6)


def test_scores_are_logged_and_leave_the_training_alone(tmp_path):
    scores = catalogue("classification", "callbacks.scores.classes=4")
    bare, _ = fit(tmp_path / "a", [])
    model, trainer = fit(tmp_path / "b", [scores])
    assert trainer.callback_metrics["scores/balanced_accuracy"] == pytest.approx(
        float(trainer.callback_metrics["val/accuracy"]), abs=1e-6
    )
    assert "scores/mcc" in trainer.callback_metrics
    assert differing(bare.state_dict(), model.state_dict()) == []
    with pytest.raises(FulmenError, match="there is no mass; there is probability"):
        fit(tmp_path / "c", [Scores({}, prediction="mass", target="target")])
    with pytest.raises(FulmenError, match="belong together"):
        Scores({}, prediction="mass")


def test_boxes_state_their_convention():
    a, b = torch.tensor([[10.0, 10, 50, 50]]), torch.tensor([[15.0, 15, 55, 55]])
    assert float(iou(a, b)) == pytest.approx(1225 / 1975)
    assert float(iou(a, b, inclusive=True)) == pytest.approx(1296 / 2066)
    corners = torch.rand(50, 2, 2, generator=GENERATOR)
    boxes = torch.cat([corners[:, 0], corners[:, 0] + corners[:, 1] + 0.01], 1)
    one, other = boxes[:25], boxes[25:]
    torch.testing.assert_close(iou(one, other), box_iou(one, other).diagonal(), atol=1e-6, rtol=0)
    apart = torch.tensor([[0.0, 0, 1, 1]]), torch.tensor([[3.0, 0, 4, 1]])
    assert float(giou(*apart)) == pytest.approx(-0.5)
    assert float(giou(a, b)) <= float(iou(a, b))
    pairs = generalized_box_iou(one, other).diagonal()
    torch.testing.assert_close(giou(one, other), pairs, atol=1e-6, rtol=0)


def test_boxes_without_area_share_nothing():
    empty, same, far = torch.tensor([[1.0, 1, 1, 1]]), torch.tensor([[1.0, 1, 1, 1]]), torch.tensor([[3.0, 4, 3, 4]])
    assert [float(iou(empty, each)) for each in (same, far)] == [0, 0]
    assert [float(giou(empty, each)) for each in (same, far)] == [0, -1]


def test_dice_is_the_f1_of_the_pixels():
    a, b = torch.randint(0, 2, (2, 6, 9, 9), generator=GENERATOR)
    expected = [sk.f1_score(y.flatten(), x.flatten()) for x, y in zip(a, b, strict=True)]
    np.testing.assert_allclose(dice(a, b), expected, atol=1e-6)
    assert dice(torch.zeros(1, 4), torch.zeros(1, 4)).item() == 1


def test_a_wrong_number_of_classes_is_named(tmp_path):
    with pytest.raises(FulmenError, match=r"callbacks.scores.classes is 7; the model tells \d+"):
        fit(tmp_path, [catalogue("classification", "callbacks.scores.classes=7")])


def test_scores_of_training_samples_stand_beside_those_of_the_validation(tmp_path):
    """Of all samples in evaluation mode: what scikit-learn says of the finished network."""
    scores = catalogue("classification", "callbacks.scores.classes=4", "callbacks.scores.training_samples=160")
    data = Blobs()
    model, trainer = fit(tmp_path, [scores], 2, data=data)
    logged = trainer.callback_metrics
    model.eval()
    for name, prefix in (("train", "scores/train_"), ("validation", "scores/")):
        rows = data.splits[name]
        y = model.predict_step({**rows})["probability"].argmax(1)
        assert float(logged[prefix + "accuracy"]) == pytest.approx(sk.accuracy_score(rows["target"], y)), name
        assert float(logged[prefix + "f1"]) == pytest.approx(sk.f1_score(rows["target"], y, average="macro")), name
