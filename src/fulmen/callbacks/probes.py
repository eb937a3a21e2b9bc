"""Some samples of each split that a training is looked at with, the same ones from its beginning to its end."""

import math
from dataclasses import dataclass, field

from lightning.pytorch import LightningModule, Trainer

from fulmen.callbacks.levels import constant_losses
from fulmen.callbacks.probe_metrics import on_device
from fulmen.callbacks.side_effect_free import evenly
from fulmen.data.batches import Batch, size
from fulmen.data.duplicates import copies
from fulmen.diagnosis import Verdict, health
from fulmen.lightning_private import datamodule_of
from fulmen.report.classes import targets
from fulmen.workload import splits_of

LEAST, MOST = 512, 2048  # training samples
LOOKED_AT = 0.1  # of the training samples a look may measure the loss of, which costs a third of training on them
SELDOM = 6  # epochs between two looks, where nothing but the size of the probe asks for more
WORTH = 50  # batches, of training and validation, that a look may cost a twentieth of


@dataclass
class Probes:
    """Samples of the training and the validation split, where the data hold them in memory.

    Attributes:
        train: a twentieth of the split, 512 samples at least, or all there are, and 2,048 at most.
        val: at most 256.
        rows: those of `train` and `val` as the splits hold them.
        sizes: samples of the two splits.
        leak: what is to be said if samples of the one stand in the other.
        small_classes: what is to be said if the validation split has few samples of a class.
    """

    train: Batch | None = None
    val: Batch | None = None
    rows: tuple[Batch | None, Batch | None] = (None, None)
    sizes: tuple[int, int] = (0, 0)
    leak: Verdict | None = None
    small_classes: Verdict | None = None
    _explained: bool = field(default=False, repr=False)

    @property
    def share(self) -> float:
        """Of the training split that the probe is; 0 without one."""
        return 0.0 if self.train is None else size(self.train) / max(self.sizes[0], 1)

    def spacing(self, trainer: Trainer) -> int:
        """Epochs between two looks that cost a twentieth of the training at most."""
        batches = trainer.num_training_batches + sum(trainer.num_val_batches)
        return math.ceil(max(WORTH / max(batches, 1), min(self.share / LOOKED_AT, SELDOM)))

    def constants(self, start: float, trainer: Trainer, module: LightningModule) -> tuple[float, float] | None:
        """Loss of a forecast that costs nothing on both splits, 4,096 samples of each at most, if it is known.

        Args:
            start: validation loss before the first step.
        """
        splits = splits_of(datamodule_of(trainer))
        both = [on_device(trainer, evenly(splits[name], 4096)) for name in ("train", "validation") if name in splits]
        found = [constant_losses([each], start, trainer, module) for each in both if size(each)]
        return (found[0][0], found[1][0]) if len(found) == 2 and found[0] and found[1] else None

    @classmethod
    def of(cls, trainer: Trainer) -> "Probes":
        """Of the data that are trained on."""
        splits = splits_of(datamodule_of(trainer))
        if "train" not in splits:
            return cls()
        train, val = splits["train"], splits.get("validation")
        rows = evenly(train, min(MOST, max(LEAST, size(train) // 20)))
        probe = on_device(trainer, rows)
        sizes = size(train), 0 if val is None else size(val)
        if val is None or not size(val):
            return cls(probe, rows=(rows, None), sizes=sizes)
        found = copies(val, train)
        leak = health.leak(found / size(val), found) if found else None
        val_rows, small = evenly(val, 256), health.small_classes(counts_of(train, val))
        return cls(probe, on_device(trainer, val_rows), (rows, val_rows), sizes, leak, small)

    def note_once(self) -> str:
        """What a reader of training losses has to know, at the first call; "" without a probe or later."""
        if self.train is None or self._explained:
            return ""
        self._explained = True
        whole = size(self.train) == self.sizes[0]
        of = "all training samples" if whole else f"{size(self.train):,} of {self.sizes[0]:,} training samples"
        return f"training loss is that of {of} in evaluation mode"


def counts_of(train: Batch, val: Batch) -> dict[int, int]:
    """Validation samples of each class of the training split; {} where targets are no classes."""
    trained, held = targets(train), targets(val)
    if trained is None or held is None:
        return {}
    return {label: int((held == label).sum()) for label in trained.unique().tolist() if label >= 0}
