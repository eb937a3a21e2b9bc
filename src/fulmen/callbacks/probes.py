"""Some samples of each split that a training is looked at with, the same ones from its beginning to its end."""

from dataclasses import dataclass, field

from lightning.pytorch import Trainer

from fulmen.callbacks.probe_metrics import on_device
from fulmen.callbacks.side_effect_free import evenly
from fulmen.data.batches import Batch, size
from fulmen.data.duplicates import copies
from fulmen.diagnosis import Verdict, health
from fulmen.lightning_private import datamodule_of
from fulmen.report.classes import targets
from fulmen.workload import splits_of


@dataclass
class Probes:
    """Samples of the training and the validation split, where the data hold them in memory.

    Attributes:
        train: a twentieth of the split, 64 samples at least and 256 at most.
        val: at most 256.
        leak: what is to be said if samples of the one stand in the other.
        small_classes: what is to be said if the validation split has few samples of a class.
    """

    train: Batch | None = None
    val: Batch | None = None
    leak: Verdict | None = None
    small_classes: Verdict | None = None
    _explained: bool = field(default=False, repr=False)

    @classmethod
    def of(cls, trainer: Trainer) -> "Probes":
        """Of the data that are trained on."""
        splits = splits_of(datamodule_of(trainer))
        if "train" not in splits:
            return cls()
        train, val = splits["train"], splits.get("validation")
        probe = on_device(trainer, evenly(train, min(256, max(64, size(train) // 20))))
        if val is None or not size(val):
            return cls(probe)
        found = copies(val, train)
        leak = health.leak(found / size(val), found) if found else None
        return cls(probe, on_device(trainer, evenly(val, 256)), leak, health.small_classes(counts_of(train, val)))

    def note_once(self) -> str:
        """What a reader of training losses has to know, at the first call; "" without a probe or later."""
        if self.train is None or self._explained:
            return ""
        self._explained = True
        return f"training loss is that of {size(self.train)} samples in evaluation mode"


def counts_of(train: Batch, val: Batch) -> dict[int, int]:
    """Validation samples of each class of the training split; {} where targets are no classes."""
    trained, held = targets(train), targets(val)
    if trained is None or held is None:
        return {}
    return {label: int((held == label).sum()) for label in trained.unique().tolist() if label >= 0}
