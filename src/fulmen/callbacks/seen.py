"""What a diagnosis has seen of a training, and what follows from it."""

import math
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np

from fulmen.callbacks.levels import CONSTANT
from fulmen.diagnosis import Verdict, diagnose, health
from fulmen.diagnosis.measured import EXACT, Errors
from fulmen.diagnosis.texts import ONE_BATCH

LISTS = (
    "epoch", "train", "logged", "val", "validated", "every_val", "activations", "dead", "saturated", "looked",
    "train_recall", "val_recall",
)  # fmt: skip
OVERFIT = "debug=overfit: can it learn one batch?"  # what tries `ONE_BATCH` in a run of our own
LOWERED = 0.1  # of the highest learning rate: below, a schedule has lowered it
FAR = 0.02  # of a loss: errors below are not told


@dataclass
class Seen:
    """The checks so far; rarer looks say at which epochs they were.

    Attributes:
        lists: `epoch`, `train` and `val` losses [checks], `logged` is the training loss of the log;
            `every_val` validation losses at the epochs `validated`; `dead` and
            `saturated` shares by layer at `activations`; `train_recall` and `val_recall` by class at `looked`.
        classes: of the latest look at the predictions: accuracy, confidence, samples and counts of the validation.
        base: what the training loss is compared with, as far as it is known.
        base_of: whose loss that is.
        start: loss of the probe before the first step.
        errors: how well the losses are known.
        comparable: the training loss is that of a probe, taken as the validation loss is.
        val_scale: times the validation loss compares with the training loss.
        val_samples: in the latest validation, over all ranks.
        rates: the highest learning rate so far, and the latest.
    """

    lists: dict[str, list] = field(default_factory=lambda: {name: [] for name in LISTS})
    classes: dict[str, Any] = field(default_factory=dict)
    base: float | None = None
    base_of: str = CONSTANT
    start: float = math.nan
    errors: Errors = EXACT
    comparable: bool = False
    val_scale: float = 1.0
    val_samples: int = 0
    rates: tuple[float, float] = (0.0, 0.0)

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
        """Take `val_scale` from losses of the same forecast on both splits, where both are above 0."""
        if train > 0 and val > 0:
            self.val_scale = min(max(train / val, 1 / 3), 3.0)

    def verdicts(self, frozen: str, expected_gain: float, more: list[Verdict | None]) -> list[Verdict]:
        """What the curves say, then the network and its predictions; `more` is what others have found.

        Args:
            frozen: what to add where nothing is learned, such as which parameters do not train.
            expected_gain: share of `base` that a good model takes away at least.
        """
        seen, scores = self.lists, self.classes
        epochs, train, val = self._curves()
        found: list[Verdict] = diagnose(
            train, val, self.base, epochs, frozen, expected_gain, self.val_scale,
            self.errors, self.comparable, self.base_of,
        )  # fmt: skip
        found = [self._with_error(verdict) for verdict in found]
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
        said = [_by_config(verdict) for verdict in health.with_health(found, more)]
        lowered = self.rates[1] < LOWERED * self.rates[0]
        return [health.without_lower_rates(verdict) for verdict in said] if lowered else said

    def _curves(self) -> tuple[list[int], list[float], list[float]]:
        """Epochs and both losses; between two looks the training loss is on the line from one to the other."""
        looked, at = self.lists["epoch"], self.lists["validated"]
        if not looked or at[-1:] != looked[-1:] or not set(looked) <= set(at):
            return looked, self.lists["train"], self.lists["val"]
        train = np.interp(at, looked, self.lists["train"]).tolist()
        return at, train, self.lists["every_val"]

    def _with_error(self, verdict: Verdict) -> Verdict:
        """The verdict with the error of the training loss it names, and with what the log has."""
        if "train" not in verdict.evidence or not self.comparable or not self.lists["logged"]:
            return verdict
        train, logged = verdict.evidence["train"], self.lists["logged"][-1]
        error = 2 * self.errors.train * abs(train)
        verdict = replace(verdict, evidence=verdict.evidence | {"train_error": error, "train_logged": logged})
        if abs(logged - train) <= FAR * abs(train) and error <= FAR * abs(train):
            return verdict
        known = f" ± {error:.2g}" if error else ""
        said = f"training loss{known} in evaluation mode, {logged:.3g} in the log"
        return replace(verdict, finding=f"{verdict.finding} ({said})")

    def state_dict(self) -> dict[str, Any]:
        return {
            "seen": self.lists, "base": self.base, "base_of": self.base_of, "start": self.start,
            "errors": asdict(self.errors), "comparable": self.comparable, "val_scale": self.val_scale,
            "_classes": self.classes, "_val_samples": self.val_samples, "rates": list(self.rates),
        }  # fmt: skip

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take what `state_dict` gave; an older one may hold less."""
        self.lists, self.base = self.lists | state.get("seen", {}), state.get("base", self.base)
        self.base_of, self.start = state.get("base_of", self.base_of), state.get("start", self.start)
        self.errors, self.comparable = Errors(**state.get("errors", {})), state.get("comparable", self.comparable)
        highest, latest = state.get("rates", self.rates)
        self.rates = highest, latest
        self.lists["logged"] = [math.nan] * (self.checks - len(self.lists["logged"])) + self.lists["logged"]
        self.val_scale, self.classes = state.get("val_scale", self.val_scale), state.get("_classes", self.classes)
        self.val_samples = state.get("_val_samples", self.val_samples)


def _by_config(verdict: Verdict) -> Verdict:
    """The verdict with the arguments of a run of our own in its cures."""
    return replace(verdict, cures=tuple(OVERFIT if cure == ONE_BATCH else cure for cure in verdict.cures))
