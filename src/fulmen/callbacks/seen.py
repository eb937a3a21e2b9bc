"""What a diagnosis has seen of a training, and what follows from it."""

import math
from dataclasses import dataclass, field
from typing import Any

from fulmen.diagnosis import Verdict, diagnose, health

LISTS = ("epoch", "train", "val", "activations", "dead", "saturated", "looked", "train_recall", "val_recall")


@dataclass
class Seen:
    """The checks so far; rarer looks say at which epochs they were.

    Attributes:
        lists: `epoch`, `train` and `val` losses [checks]; `dead` and `saturated` shares by layer at `activations`;
            `train_recall` and `val_recall` by class at `looked`.
        classes: of the latest look at the predictions: accuracy, confidence, samples and counts of the validation.
        base: loss of a constant predictor, as far as it is known.
        val_scale: times the validation loss compares with the training loss.
        val_samples: in the latest validation, over all ranks.
    """

    lists: dict[str, list] = field(default_factory=lambda: {name: [] for name in LISTS})
    classes: dict[str, Any] = field(default_factory=dict)
    base: float | None = None
    val_scale: float = 1.0
    val_samples: int = 0

    @property
    def checks(self) -> int:
        return len(self.lists["epoch"])

    @property
    def best_train(self) -> float:
        """The lowest training loss; NaN before the first check."""
        return min(self.lists["train"], default=math.nan)

    def add(self, **values: Any) -> None:
        """Put one value at the end of each of the lists that are named."""
        for name, value in values.items():
            self.lists[name].append(value)

    def compare_scales(self, train: float, val: float) -> None:
        """Take `val_scale` from the losses before the first step, where both are above 0."""
        if train > 0 and val > 0:
            self.val_scale = min(max(train / val, 1 / 3), 3.0)

    def verdicts(self, frozen: str, expected_gain: float, more: list[Verdict | None]) -> list[Verdict]:
        """What the curves say, then the network and its predictions; `more` is what others have found.

        Args:
            frozen: what to add where nothing is learned, such as which parameters do not train.
            expected_gain: share of `base` that a good model takes away at least.
        """
        seen, scores = self.lists, self.classes
        found = diagnose(
            seen["train"], seen["val"], self.base, seen["epoch"], frozen, expected_gain, self.val_scale
        )  # fmt: skip
        more = [
            health.small_validation_set(self.val_samples, scores.get("accuracy")),
            health.dead_units(seen["dead"], seen["activations"]),
            health.saturated(seen["saturated"], seen["activations"]),
            *more,
        ]
        if counts := scores.get("counts", {}):
            looked = seen["looked"]
            more += [
                health.class_collapse(seen["val_recall"], counts, looked),
                health.minority_overfitting(seen["train_recall"], seen["val_recall"], counts, looked),
                health.miscalibrated(scores["confidence"], scores["accuracy"], scores["samples"]),
            ]
        return health.with_health(found, more)

    def state_dict(self) -> dict[str, Any]:
        return {"seen": self.lists, "base": self.base, "val_scale": self.val_scale, "_classes": self.classes,
                "_val_samples": self.val_samples}  # fmt: skip

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take what `state_dict` gave; an older one may hold less."""
        self.lists, self.base = state.get("seen", self.lists), state.get("base", self.base)
        self.val_scale, self.classes = state.get("val_scale", self.val_scale), state.get("_classes", self.classes)
        self.val_samples = state.get("_val_samples", self.val_samples)
