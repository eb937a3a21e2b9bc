"""Metrics of torchmetrics on the validation split, for any module whose `predict_step` says what they need.

Of the training split too, if asked for: of samples spread over it, in evaluation mode, so that both compare.
"""

from typing import Any

import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.utilities import rank_zero_warn
from torch import Tensor
from torchmetrics import Metric, MetricCollection
from torchmetrics.classification import (
    MulticlassAUROC,
    MulticlassAveragePrecision,
    MulticlassF1Score,
    MulticlassPrecision,
    MulticlassRecall,
)
from torchmetrics.utilities.data import dim_zero_cat

from fulmen.callbacks.probe_metrics import on_device
from fulmen.callbacks.side_effect_free import evenly, undisturbed
from fulmen.data.batches import EVALUATION_BATCH, Batch, BatchLoader
from fulmen.errors import FulmenError
from fulmen.lightning_private import datamodule_of
from fulmen.workload import hooks, splits_of


class MaxError(Metric):
    """The largest absolute error, which torchmetrics does not have."""

    higher_is_better = False
    largest: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.add_state("largest", torch.zeros(()), dist_reduce_fx="max")

    def update(self, preds: Tensor, target: Tensor) -> None:
        self.largest = torch.maximum(self.largest, (preds - target).abs().max())

    def compute(self) -> Tensor:
        return self.largest


class BalancedAccuracy(MulticlassRecall):
    """Mean recall over the classes that have samples; torchmetrics counts 0 for one that was only predicted."""

    def __init__(self, num_classes: int):
        super().__init__(num_classes, average=None)

    def compute(self) -> Tensor:
        right, _, _, missed = self._final_state()
        there = right + missed
        return (right / there)[there > 0].mean()


class MeanPrecision(MulticlassPrecision):
    """Mean precision over the classes that have samples, 0 for one of them that is never predicted."""

    def __init__(self, num_classes: int):
        super().__init__(num_classes, average=None)

    def compute(self) -> Tensor:
        right, _, _, missed = self._final_state()
        return super().compute()[right + missed > 0].mean()


class MeanF1(MulticlassF1Score):
    """Mean F1 over the classes that have samples; torchmetrics counts 0 for one that was only predicted."""

    def __init__(self, num_classes: int):
        super().__init__(num_classes, average=None)

    def compute(self) -> Tensor:
        right, _, _, missed = self._final_state()
        return super().compute()[right + missed > 0].mean()


class MeanAUROC(MulticlassAUROC):
    """Area under the ROC curve, one class against the rest, mean over the classes that have samples.

    torchmetrics counts 0 for a class without samples. Of a single class there is no curve: NaN.
    """

    def __init__(self, num_classes: int):
        super().__init__(num_classes, average=None)

    def compute(self) -> Tensor:  # type: ignore[override]  # a score, not the curves of the class above
        there = dim_zero_cat(self.target).unique()
        return super().compute()[there].mean() if len(there) > 1 else torch.tensor(torch.nan)


class MeanAveragePrecision(MulticlassAveragePrecision):
    """Area under the curve of precision and recall, one class against the rest, mean over the classes with samples."""

    def __init__(self, num_classes: int):
        super().__init__(num_classes, average=None)

    def compute(self) -> Tensor:  # type: ignore[override]  # a score, not the curves of the class above
        return super().compute()[dim_zero_cat(self.target).unique()].mean()


class ClassesPresent(Metric):
    """How many of the classes have samples, which is how many the means over classes are of.

    Args:
        num_classes: that there are in all.
    """

    higher_is_better = None
    samples: Tensor

    def __init__(self, num_classes: int):
        super().__init__()
        self.add_state("samples", torch.zeros(num_classes, dtype=torch.long), dist_reduce_fx="sum")

    def update(self, preds: Tensor, target: Tensor) -> None:
        self.samples += target.bincount(minlength=len(self.samples))

    def compute(self) -> Tensor:
        absent = (self.samples == 0).nonzero().flatten().tolist()
        if absent:
            rank_zero_warn(
                f"metrics: no samples of class {', '.join(map(str, absent))} in the validation split; the means over "
                f"classes (balanced accuracy, precision, recall, f1, roc_auc, pr_auc) are of the other "
                f"{len(self.samples) - len(absent)}"
            )
        return (self.samples > 0).sum()


class Scores(Callback):
    """Logs `scores/<name>` for every metric after each validation; `val/` is left to what the module logs itself.

    Classes are recognised as in the diagnosis: probabilities [N, C] among the predictions, whole-number targets in the
    batch. For anything else `prediction` and `target` name the tensors to compare, flattened.

    Args:
        metrics: name -> metric; for classes, of probabilities [N, C] and targets [N].
        classes: how many there are; what the metrics in a config refer to.
        prediction: key of the predictions; null looks for classes.
        target: key of the batch.
        training_samples: so many samples of the training split are scored too, as `scores/train_<name>`; 0: none. Data
            that are not held in memory have none.

    Raises:
        FulmenError: only one of `prediction` and `target` is given, or they are not there.
    """

    def __init__(
        self,
        metrics: dict[str, Metric],
        classes: int | None = None,
        prediction: str | None = None,
        target: str | None = None,
        training_samples: int = 0,
    ):
        if (prediction is None) != (target is None):
            raise FulmenError("prediction and target belong together: name both or neither")
        self.classes = classes
        self.metrics = MetricCollection({**metrics}, compute_groups=False)
        self.prediction, self.target = prediction, target
        self.training_samples = training_samples

    def on_validation_epoch_start(self, trainer: Trainer, module: LightningModule) -> None:
        self.metrics.to(module.device).reset()

    def on_validation_batch_end(
        self, trainer: Trainer, module: LightningModule, outputs: Any, batch: Batch, batch_idx: int, *_: Any
    ) -> None:
        if not trainer.sanity_checking:
            self._update(trainer, module, batch, batch_idx)

    def on_validation_epoch_end(self, trainer: Trainer, module: LightningModule) -> None:
        if trainer.sanity_checking:
            return
        module.log_dict(
            {f"scores/{name}": float(value) for name, value in self.metrics.compute().items()}, sync_dist=True
        )
        rows = splits_of(datamodule_of(trainer)).get("train") if self.training_samples else None
        if rows is None:
            return
        self.metrics.reset()
        for batch in BatchLoader(evenly(rows, self.training_samples), EVALUATION_BATCH):
            self._update(trainer, module, on_device(trainer, batch), 0)
        module.log_dict(
            {f"scores/train_{name}": float(value) for name, value in self.metrics.compute().items()}, sync_dist=True
        )

    def _update(self, trainer: Trainer, module: LightningModule, batch: Batch, batch_idx: int) -> None:
        with undisturbed(trainer, module):
            pair = self._named(module.predict_step(batch, batch_idx), batch) if self.prediction else (
                self._classes(hooks(module).class_probabilities(batch)))  # fmt: skip
        self.metrics.update(*pair)

    def _classes(self, found: tuple[Tensor, Tensor] | None) -> tuple[Tensor, Tensor]:
        if found is None:
            raise FulmenError("metrics: no class probabilities here; name callbacks.scores.prediction and .target")
        if self.classes not in (None, found[0].shape[1]):
            raise FulmenError(f"callbacks.scores.classes is {self.classes}; the model tells {found[0].shape[1]}")
        return found

    def _named(self, predictions: Batch, batch: Batch) -> tuple[Tensor, Tensor]:
        prediction, target = str(self.prediction), str(self.target)
        for name, where in ((prediction, predictions), (target, batch)):
            if name not in where:
                raise FulmenError(f"metrics: there is no {name}; there is {', '.join(where)}")
        return predictions[prediction].flatten(), batch[target].flatten()
