"""What a test split shows of a model, beside chance, the constant predictor and the best simple model."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

from fulmen.diagnosis.findings import Coded
from fulmen.diagnosis.texts import Severity

if TYPE_CHECKING:  # reports of pages read verdicts without NumPy
    from fulmen.report.estimates import Estimate

ALPHA = 0.05  # two-sided, of all that is claimed
GAPS = ("constant", "simple", "persistence", "loss")


@dataclass(frozen=True)
class Gap:
    """How far the model is ahead of another, behind where negative.

    Attributes:
        name: of the other.
        measure: that they are compared by.
        value: in its points.
        low: end of the 95 % interval, likewise `high`.
        of: simple models that this one is the best of.
    """

    name: str
    measure: str
    value: float
    low: float
    high: float
    of: int = 1

    @classmethod
    def make(cls, name: str, measure: str, found: "Estimate") -> "Gap":
        """Of an estimate of how far the model is ahead."""
        return cls(name, measure, found.value, *found.ends(ALPHA))

    @property
    def word(self) -> Literal["better", "worse", "open"]:
        """What the interval shows."""
        return "better" if self.low > 0 else "worse" if self.high < 0 else "open"

    @property
    def called(self) -> str:
        """The name; between quotation marks where it has a comma, and would be read as two."""
        return f'"{self.name}"' if "," in self.name else self.name


@dataclass(frozen=True)
class Shown(Coded):
    """What a test split shows of a model.

    Attributes:
        code: its name, a key of `fulmen.diagnosis.findings.FINDINGS`; `id` is its code among all findings.
        sentence: all of it in words.
        measure: what `value` is, with the ends of its 95 % interval, what chance scores and from where on a signal
            counts; NaN where there is none.
        limit: the margin as the measure is written: "0.56", "13 %"; "" in runs of before.
        units: independent ones that the test split has.
        unit: what these are: "rows", "machines".
        constant: how far the model is ahead of the constant predictor, likewise `simple`, of the best simple model, and
            `persistence`; None where that is not known.
        loss: how much lower its loss is than that of the constant predictor, where `value` is no mean loss.
        signal: a simple model that is better than chance where the model is not; "" if there is none.
    """

    code: str
    sentence: str
    measure: str = ""
    value: float = math.nan
    low: float = math.nan
    high: float = math.nan
    chance: float = math.nan
    margin: float = math.nan
    units: int = 0
    unit: str = ""
    constant: Gap | None = None
    simple: Gap | None = None
    persistence: Gap | None = None
    loss: Gap | None = None
    signal: str = ""
    limit: str = ""

    @property
    def basis(self) -> str:
        """What the sentence rests on, in a line."""
        if not math.isfinite(self.margin):
            return "see the answer at the top."
        first, _, rest = self.unit.partition(" ")
        units = f"{first.removesuffix('s')} {rest}".strip() if self.units == 1 else self.unit
        if self.code == "too_few":
            return f"not judged: the test split has {self.units:,} independent {units}."
        return (
            f"judged by {self.measure} over {self.units:,} independent {units}; a value of "
            f"{self.limit or f'{self.margin:.3g}'} or more would count as a signal."
        )

    @property
    def severity(self) -> Severity:
        """To be worse than a constant or a simple model is a warning, whatever else it is better than."""
        if self.code.startswith("worse"):
            return "warning"
        return "ok" if self.code.startswith("better") else "note"

    @property
    def better_than_chance(self) -> bool:
        """Whether this is claimed."""
        return self.code != "too_few" and self.low > self.chance

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> "Shown":
        """The opposite of `as_dict`."""
        known: dict[str, Any] = {name: value for name, value in plain.items() if name not in ("id", "severity")}
        known |= {name: math.nan for name, value in known.items() if value is None and name not in GAPS}
        known |= {name: Gap(**known[name]) for name in GAPS if known.get(name)}
        return cls(**known)

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for JSON; what is not known is None."""
        return {"id": self.id, "severity": self.severity} | {
            name: _plain(value) for name, value in asdict(self).items()
        }


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    return None if isinstance(value, float) and not math.isfinite(value) else value
