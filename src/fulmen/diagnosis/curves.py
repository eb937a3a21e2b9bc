"""Two loss curves, with all that can be wrong with them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from fulmen.diagnosis.smoothing import Series
from fulmen.errors import FulmenError

Losses = Sequence[float | None] | None  # one per check


@dataclass(frozen=True)
class Curves:
    """Training and validation loss at the checks that have both.

    Attributes:
        train: [checks], finite.
        val: [checks], finite.
        epochs: [checks], their numbers from 1.
        non_finite: training or validation -> the epoch from which that curve is NaN or infinite to its end.
        missing: training or validation, if that curve has no value at all and the other stands for both.
        before: training losses of the checks before those, where validation began later; [] as a rule.
    """

    train: Series
    val: Series
    epochs: np.ndarray
    non_finite: dict[str, int] = field(default_factory=dict)
    missing: str = ""
    before: Series = field(default_factory=lambda: np.zeros(0))

    @property
    def first(self) -> float:
        """The first training loss, validated or not."""
        return float(self.before[0] if len(self.before) else self.train[0])

    @property
    def constant(self) -> dict[str, float]:
        """Training or validation -> the one value that this curve has at every check."""
        both = {"training": self.train, "validation": self.val}
        there = {name: x for name, x in both.items() if name != self.missing and len(x)}
        return {name: float(x[0]) for name, x in there.items() if (x == x[0]).all()}

    @classmethod
    def of(
        cls,
        train: Sequence[float | None] | None,
        val: Sequence[float | None] | None,
        epochs: Sequence[int] | None = None,
    ) -> "Curves":
        """Gaps left out; where one curve has no value at all, the other stands for both.

        Raises:
            FulmenError: a loss is no number, or there are not as many of each, and of epochs, as of checks.
        """
        train, val = (_listed(name, x) for name, x in (("train", train), ("val", val)))
        if len(train) != len(val) and len(train) and len(val):
            raise FulmenError(
                f"{len(train)} training and {len(val)} validation losses: give one of each for every check, None where "
                "there is none"
            )
        train, val = train or [None] * len(val), val or [None] * len(train)
        t, v = _numbers(train), _numbers(val)
        number = np.arange(1, len(t) + 1) if epochs is None else np.asarray(epochs)
        if len(number) != len(t):
            raise FulmenError(
                f"epochs has {len(number)} numbers for {len(t)} checks: give one for every check, or none"
            )
        broken = {}
        for name, raw, x in (("training", train, t), ("validation", val, v)):
            finite = np.flatnonzero(np.isfinite(x))
            begin = finite[-1] + 1 if len(finite) else 0
            if any(value is not None for value in raw[begin:]):
                broken[name] = int(number[begin])
        missing = next((name for name, x in (("validation", v), ("training", t)) if not np.isfinite(x).any()), "")
        v, t = (t if missing == "validation" else v), (v if missing == "training" else t)
        both = np.isfinite(t) & np.isfinite(v)
        before = t[: int(both.argmax())] if both.any() else t[:0]
        return cls(t[both], v[both], number[both], broken, missing, before[np.isfinite(before)])


def _listed(name: str, values: Losses) -> list[float | None]:
    """The losses of a curve; [] of None.

    Raises:
        FulmenError: it is one number, or text.
    """
    if (
        isinstance(values, str | bytes)
        or (values is not None and not hasattr(values, "__iter__"))
        or (getattr(values, "shape", None) == ())
    ):
        raise FulmenError(f"{name} is {str(values)[:40]!r}: give a list of losses, one for every check")
    return [] if values is None else list(values)


def _numbers(values: Sequence[float | None]) -> Series:
    try:
        return np.array([math.nan if value is None else float(value) for value in values], dtype=np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise FulmenError(f"losses must be numbers or None: {error}") from error
