"""A classifier of images whose classes are unequal.

`val/loss` is the cross-entropy of the predictions with every class counting the same, whatever the training loss is:
runs with different losses compare, and early stopping does not favour those that ignore the small classes.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
import torch
from lightning.pytorch.utilities import rank_zero_warn
from torch import Tensor, nn
from torchmetrics import CatMetric

from fulmen.config.protocols import Fulfils
from fulmen.config.rules import Fraction
from fulmen.data.batches import EVALUATION_BATCH, Batch
from fulmen.data.leaks.samples import Fitted, rows_in, rows_of
from fulmen.data.predicting import Answer, Inputs, Record, Schema
from fulmen.distributed.ranks import gather_rows
from fulmen.errors import FulmenError
from fulmen.io.hints import override
from fulmen.lightning_private import log_epoch_mean, overfits_batches
from fulmen.optim.schedulers import optimizers
from fulmen.report.summary import Summary
from fulmen.workload import Stage, Workload
from fulmen.workloads.images import baselines, metrics, predict
from fulmen.workloads.images.contract import ImageNetwork, classes_of
from fulmen.workloads.images.losses import CrossEntropy, log_prior
from fulmen.workloads.images.mixup import cutmix, mixup
from fulmen.workloads.images.networks.abilities import FitsImages, FixedSize, Freezes, GroupsParameters, LoadsWeights

TAUS = torch.linspace(0, 2, 21)


class ImageClassifier(Workload):
    """Trains a network [B, 3, H, W] -> [B, C] on batches of `data.ImagesData`.

    Attributes:
        naive_loss: of a forecast that knows only how frequent the classes are.
        averages_gradients: in `on_before_optimizer_step`.

    Args:
        network: see `networks.py`.
        loss: per image, of logits and labels; see `losses.py`. Cross-entropy by default.
        optimizer: makes an optimizer of parameters.
        scheduler: makes a learning-rate scheduler of an optimizer; see `fulmen.optim.schedulers`.
        augmentation: changes uint8 batches in training; see `augmentation.py`.
        mixup: alpha of the Beta distribution that pairs of images are mixed by; 0: none.
        cutmix: the same for rectangles cut from others; with both, each batch gets one of them.
        logit_adjustment: tau; predictions use logits - tau log(share of the class in training) (Menon et al. 2021).
            "validation" chooses tau by the balanced accuracy there. For losses that ignore the class counts.
        freeze_epochs: train only the head of a `networks.Pretrained` for so long.
        mirror: predictions use the mean logits of image and mirror image; for photographs, not for digits.
        figures: draw the confusion matrix, scores per class and calibration.
        margin: how far above chance a balanced accuracy is a signal: the verdict on the test split says whether one was
            found, or would have been.
    """

    averages_gradients = True
    ensemble = "fulmen.workloads.images.ensemble.ImageEnsemble"
    directions = metrics.DIRECTIONS
    of_the_data = ("counts", "loss.counts", "tau")  # or of the config: weights of another run do not change them
    ranking_metrics: ClassVar = {"balanced_accuracy": True} | {k: way == "max" for k, way in metrics.DIRECTIONS.items()}
    score_bounds: ClassVar = {name: (0.0, 1.0) for name in metrics.DIRECTIONS if name != "log_loss"}
    constant_baseline = "majority class"

    classes: int
    loss: CrossEntropy
    mean: Tensor
    sd: Tensor
    counts: Tensor
    tau: Tensor

    def __init__(
        self,
        network: Annotated[nn.Module, Fulfils(ImageNetwork)],
        loss: CrossEntropy | None = None,
        optimizer: Callable[..., torch.optim.Optimizer] = torch.optim.Adam,
        scheduler: Callable[..., Any] | None = None,
        augmentation: nn.Module | None = None,
        mixup: float = 0.0,
        cutmix: float = 0.0,
        logit_adjustment: float | Literal["validation"] = 0.0,
        freeze_epochs: int = 0,
        mirror: bool = False,
        figures: bool = True,
        margin: Fraction = 0.03,
    ):
        super().__init__(network.to(memory_format=torch.channels_last), optimizer, scheduler)
        for name, value in {"mixup": mixup, "cutmix": cutmix, "freeze_epochs": freeze_epochs}.items():
            if value < 0:
                raise FulmenError(f"{name} is {value}; it must be 0 or more")
        if freeze_epochs and not isinstance(network, Freezes):
            raise FulmenError(f"freeze_epochs is {freeze_epochs}; {type(network).__name__} has nothing to freeze")
        self.classes = classes_of(network)
        self.loss = loss or CrossEntropy(self.classes)
        self.augmentation = augmentation
        self.mixup, self.cutmix = mixup, cutmix
        self.logit_adjustment, self.freeze_epochs = logit_adjustment, freeze_epochs
        self.mirror, self.figures, self.margin = mirror, figures, margin
        self.register_buffer("mean", torch.zeros(3))  # of the training split's channels, 0 to 255
        self.register_buffer("sd", torch.ones(3))
        self.register_buffer("counts", torch.ones(self.classes, dtype=torch.long))  # images per class in training
        self.register_buffer("tau", torch.tensor(0.0 if logit_adjustment == "validation" else float(logit_adjustment)))
        self.logits, self.labels = (CatMetric(nan_strategy="disable", dist_sync_fn=gather_rows) for _ in range(2))
        self._full_batch, self._window = 1, 0  # images in a full batch, and since the last optimizer step

    def setup(self, stage: str) -> None:
        """Take over means, class counts and, at the very start, what the network takes from images or a file."""
        if stage != "fit":
            return
        data = self.datamodule
        train = data.splits["train"]
        self._check(data, train["image"])
        if overfits_batches(self.trainer):  # mixed images and smooth labels cannot be learned by heart
            self.mixup = self.cutmix = self.loss.label_smoothing = 0.0
        self._full_batch = data.batch_size
        pixels = [channel.flatten().bincount(minlength=256).double() for channel in train["image"].unbind(1)]
        mean = torch.stack([(n * torch.arange(256)).sum() / n.sum() for n in pixels])
        square = torch.stack([(n * torch.arange(256) ** 2).sum() / n.sum() for n in pixels])
        self.mean.copy_(mean)
        self.sd.copy_((square - mean**2).sqrt().clamp(min=1.0))
        self.counts.copy_(data.counts)
        self.loss.fit(data.counts)
        if self.logit_adjustment != "validation":
            self.tau.fill_(self.logit_adjustment)
        with torch.no_grad():
            label = train["label"]
            self.naive_loss = float(self.loss(log_prior(data.counts).expand(len(label), -1), label, 0.0).mean())
        if self.trainer.ckpt_path is not None:
            return
        if isinstance(self.network, LoadsWeights):
            self.network.load_weights()
        if isinstance(self.network, FitsImages):
            self.network.fit(self.normalised(train["image"][:: max(1, len(train["image"]) // 5000)]))

    @property
    def losses_differ(self) -> str:
        mixed = "mixed images" if self.mixup or self.cutmix else ""
        unequal = "every image the same" if len(set(self.counts.tolist())) > 1 or self.loss.rebalances else ""
        counted = f"training loss counts {unequal}, validation loss every class" if unequal else ""
        return ", and ".join(filter(None, (counted, f"training loss is of {mixed}" if mixed else "")))

    def forward(self, image: Tensor) -> Tensor:
        """Logits [B, C] of uint8 images, as the network gives them, for evaluation and use."""
        image = self.normalised(image)
        logits = self.network(image)
        return (logits + self.network(image.flip(-1))) / 2 if self.mirror else logits

    def normalised(self, image: Tensor) -> Tensor:
        shape = (1, 3, 1, 1)
        return (image - self.mean.view(shape)).div_(self.sd.view(shape))

    def adjusted(self, logits: Tensor) -> Tensor:
        """Logits that predictions are made of: log-probabilities [B, C]."""
        return (logits.float() - self.tau * log_prior(self.counts)).log_softmax(1)

    def training_step(self, batch: dict[str, Tensor], batch_idx: int) -> Tensor:
        image, label = batch["image"], batch["label"]
        if self.freeze_epochs and isinstance(self.network, Freezes):
            self.network.freeze(self.current_epoch < self.freeze_epochs)
        epochs = self.trainer.max_epochs or 0
        progress = self.current_epoch / epochs if epochs > 0 else 0.0
        if self.augmentation is not None:
            image = self.augmentation(image, batch["item"], self.current_epoch)
        logits, loss = self._mixed_loss(self.normalised(image), label, progress)
        for name, value in {"loss": loss, "accuracy": (logits.argmax(1) == label).float().mean()}.items():
            log_epoch_mean(self, f"train/{name}", value, len(label))
        self._window += len(label)
        return loss * (len(label) / self._full_batch)

    def _mixed_loss(self, image: Tensor, label: Tensor, progress: float) -> tuple[Tensor, Tensor]:
        """Logits [B, C] and mean loss of a batch, mixed if asked for."""
        ways = [(way, alpha) for way, alpha in ((mixup, self.mixup), (cutmix, self.cutmix)) if alpha > 0]
        if not ways:
            logits = self.network(image)
            return logits, self.loss(logits, label, progress).mean()
        mix, alpha = ways[int(torch.randint(len(ways), ()))]
        mixed = mix(image, label, alpha)
        logits = self.network(mixed.image)
        first, second = (self.loss(logits, each, progress).mean() for each in (mixed.label, mixed.other))
        return logits, mixed.share * first + (1 - mixed.share) * second

    def on_before_optimizer_step(self, optimizer: torch.optim.Optimizer) -> None:
        """Make the accumulated gradient that of the mean over the window's images, however many these are.

        Lightning divides every loss by `accumulate_grad_batches`, also in a last window of fewer batches.
        """
        factor = self.trainer.accumulate_grad_batches * self._full_batch / self._window
        self._window = 0
        if factor != 1:
            torch._foreach_mul_([each.grad for each in self.parameters() if each.grad is not None], factor)

    def validation_step(self, batch: dict[str, Tensor], batch_idx: int) -> None:
        self.logits.update(self(batch["image"]).float())
        self.labels.update(batch["label"])

    def on_validation_epoch_end(self) -> None:
        logits = self.logits.compute().view(-1, self.classes)
        label = self.labels.compute().view(-1).long()  # of one image it is a scalar
        self.logits.reset()
        self.labels.reset()
        if self.logit_adjustment == "validation":
            self.tau.copy_(best_tau(logits, label, log_prior(self.counts)))
        log_probability = self.adjusted(logits)
        matrix = metrics.confusion(label.cpu().numpy(), log_probability.argmax(1).cpu().numpy(), self.classes)
        found = metrics.from_confusion(matrix, self.counts.cpu().numpy())
        shown = ("accuracy", "balanced_accuracy", "macro_f1", "minority_f1")
        values = {f"val/{name}": found[name] for name in shown if not math.isnan(found.get(name, math.nan))}
        self.log_dict({"val/loss": balanced_loss(log_probability, label), **values}, prog_bar=True, sync_dist=True)

    def probe_loss(self, batch: dict[str, Tensor]) -> Tensor:
        """What `val/loss` would be if the validation split were `batch`."""
        return balanced_loss(self.adjusted(self(batch["image"])), batch["label"].long())

    def constant_loss(self, batch: dict[str, Tensor]) -> Tensor:
        """Of equal probabilities, the best constant where every class counts the same."""
        return torch.tensor(math.log(self.classes))

    def chosen(self, data: Any) -> list[Fitted]:
        """The strength of the logit adjustment, where the validation split chooses it."""
        if self.logit_adjustment != "validation":
            return []

        @torch.no_grad()
        def again(rows: np.ndarray) -> np.ndarray:
            parts = [rows_of(data.splits, some) for some in np.array_split(rows, max(1, len(rows) // EVALUATION_BATCH))]
            logits = torch.cat([self(part["image"].to(self.device)).float() for part in parts])
            label = torch.cat([part["label"] for part in parts]).long().to(self.device)
            return best_tau(logits, label, log_prior(self.counts)).cpu().double().numpy()[None]

        held = rows_in(data.splits, "validation")
        return [
            Fitted("strength of the logit adjustment", self.tau.cpu().double().numpy()[None], again, held, "choice")
        ]

    def step(self, batch: Batch, stage: Stage) -> tuple[Tensor, Batch]:
        """Of a batch that is tested; `training_step` mixes images, `validation_step` waits for the whole split."""
        log_probability = self.adjusted(self(batch["image"]))
        return nn.functional.nll_loss(log_probability, batch["label"]), {"log_probability": log_probability}

    def predict_step(self, batch: dict[str, Tensor], batch_idx: int = 0) -> dict[str, Tensor]:
        probability = self.adjusted(self(batch["image"])).exp()
        return {"item": batch["item"], "probability": probability, "class": probability.argmax(1)}

    @torch.no_grad()
    def validation_items(self, data: Any) -> dict[str, Any]:
        self.eval()
        found: dict[str, list[Tensor]] = {"item": [], "loss": []}
        for batch in data.whole("validation"):
            log_p = self.adjusted(self(batch["image"].to(self.device))).cpu()
            found["item"].append(batch["item"])
            found["loss"].append(-log_p.gather(1, batch["label"][:, None].long())[:, 0])
        return {name: torch.cat(each).numpy() for name, each in found.items()}

    def configure_optimizers(self) -> Any:
        if not isinstance(self.network, GroupsParameters):
            return optimizers(self)
        said = self.optimizer.keywords if isinstance(self.optimizer, partial) else {}
        return optimizers(self, self.network.groups(**{k: said[k] for k in ("lr", "weight_decay") if k in said}))

    def summarize(self, predicted: Mapping[str, Tensor], data: Any, figures: Path) -> Summary:
        """Compare with the baselines on the test split, and draw it."""
        from fulmen.workloads.images.evaluate import summarize

        where = figures if self.figures else None
        return summarize(predicted["log_probability"], float(self.tau), data, where, self.margin)

    @classmethod
    def signal_margins(cls, margin: float) -> dict[str, float]:
        return {"balanced_accuracy": margin}

    @classmethod
    def baseline_network(cls, name: str, network: Mapping[str, Any]) -> dict[str, Any] | None:
        """Of the linear baselines; the majority class is a rule."""
        if name not in baselines.LINEAR:
            return None
        linear = "fulmen.workloads.images.networks.estimator.LinearEstimator"
        return {"_target_": linear, "classes": network["classes"], "kind": name}

    def input_schema(self, data: Any) -> Schema:
        return predict.schema(data)

    def read_file(self, path: Path, schema: Schema, **reading: str) -> Inputs:
        return predict.read_file(path, schema, **reading)

    reading = ("columns", "channels", "pixel_range")
    reads_folders = True

    def read_records(self, records: Sequence[Record], schema: Schema) -> Inputs:
        return predict.read_records(records, schema)

    def answer(self, inputs: Inputs, predicted: Batch, schema: Schema) -> Answer:
        return predict.answer(predicted, schema)

    endings = (".npz", ".npy")

    def as_file(self, records: Sequence[Record], ending: str, schema: Schema) -> bytes:
        return predict.as_file(records, ending, schema)

    def example_records(self, schema: Schema, kept: Batch) -> list[dict[str, Any]]:
        return predict.example_records(kept)

    def _check(self, data: Any, image: Tensor) -> None:
        """Do network and data fit together?"""
        if data.classes != self.classes:
            raise FulmenError(
                f"model.network.classes={self.classes}: the data has {data.classes} classes (data.classes)"
            )
        pixels = self.network.pixels if isinstance(self.network, FixedSize) else None
        if pixels and tuple(image.shape[2:]) != (pixels, pixels):
            height, width = image.shape[2:]
            fits = f"{override('model.network.pixels', height)}, or " if height == width and not height % 8 else ""
            raise FulmenError(
                f"model.network.pixels={pixels}: the images are {height} x {width}; give {fits}network=resnet9, which "
                f"reads any size"
            )
        correcting = {
            "data.sampler": data.sampler.balances,
            "model.loss": self.loss.rebalances,
            "model.logit_adjustment": 1.0 if self.logit_adjustment == "validation" else self.logit_adjustment,
        }
        names = [name for name, share in correcting.items() if share]
        if len(names) > 1 and sum(correcting.values()) > 1:
            rank_zero_warn(
                f"{' and '.join(names)} each make up for unequal classes: together they favour the small ones"
            )


def balanced_loss(log_probability: Tensor, label: Tensor) -> Tensor:
    """Mean over the classes that are there of the mean log loss of their items."""
    loss = -log_probability[torch.arange(len(label), device=label.device), label]
    counts = label.bincount(minlength=log_probability.shape[1])
    sums = loss.new_zeros(len(counts)).index_add(0, label, loss)
    return (sums[counts > 0] / counts[counts > 0]).mean()


def best_tau(logits: Tensor, label: Tensor, log_prior: Tensor) -> Tensor:
    """The tau of `TAUS` with the highest balanced accuracy; of equals the smallest."""
    counts = label.bincount(minlength=logits.shape[1])
    weight = 1 / counts[label].double()
    right = [(((logits - tau * log_prior).argmax(1) == label) * weight).sum() for tau in TAUS.tolist()]
    return TAUS[int(np.argmax(torch.stack(right).cpu().numpy()))]
