"""Which inputs leave the range that a model has seen in training."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

SINGLE = 1e-6  # a range of values in single precision, against the larger of its ends


@dataclass(frozen=True)
class Outside:
    """An input that leaves the range seen in training.

    Attributes:
        row: the row that it belongs to, from 0.
    """

    row: int
    name: str
    value: float
    low: float
    high: float
    unit: str | None = None

    def __str__(self) -> str:
        unit = f" {self.unit}" if self.unit and self.unit != "1" else ""
        return f"{self.name} is {self.value:.4g}{unit}, outside {self.low:.4g} to {self.high:.4g}{unit}"


@dataclass(frozen=True)
class Ranges:
    """The ranges of C inputs.

    Attributes:
        low: [C].
        high: [C].
        slack: relative to the larger end of a range.
    """

    names: Sequence[str]
    units: Sequence[str | None]
    low: np.ndarray
    high: np.ndarray
    slack: float = SINGLE

    @classmethod
    def of(cls, described: Sequence[Mapping[str, Any]], slack: float = SINGLE) -> "Ranges":
        """Those of the descriptions in a schema that have a `name` and a `range`."""
        known = [one for one in described if one.get("range")]
        bounds = np.array([one["range"] for one in known], dtype=np.float64).reshape(len(known), 2)
        names, units = [one["name"] for one in known], [one.get("unit") for one in known]
        return cls(names, units, bounds[:, 0], bounds[:, 1], slack)

    def beyond(self, values: np.ndarray) -> np.ndarray:
        """How far `values` [..., C] lie outside, relative to the larger end; 0 inside, as for NaN."""
        far = np.maximum(self.low - values, values - self.high) / np.maximum(
            np.maximum(abs(self.low), abs(self.high)), 1e-12
        )
        return np.where(far > self.slack, far, 0.0)

    def outside(self, values: np.ndarray) -> list[Outside]:
        """Each of `values` [N, C] that lies outside, row by row."""
        return [
            Outside(row, self.names[i], float(values[row, i]), float(self.low[i]), float(self.high[i]), self.units[i])
            for row, i in np.argwhere(self.beyond(values) > 0).tolist()
        ]


def counted(sentences: Sequence[str], more: str, shown: int = 3) -> list[str]:
    """The first of sentences that say the same of many, and a last one with the number of the others.

    Args:
        more: goes on behind that number, such as `more tickers are outside`.
    """
    rest = len(sentences) - shown
    return list(sentences) if rest <= 0 else [*sentences[:shown], f"{rest:,} {more}"]
