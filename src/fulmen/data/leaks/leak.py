"""One leak: where the answer has got into the question, or the test into the training."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from fulmen.diagnosis.findings import Coded
from fulmen.utils.files import as_json

Severity = Literal["error", "warning", "note"]
GRAVEST_FIRST: Sequence[Severity] = ("error", "warning", "note")


@dataclass(frozen=True)
class Leak(Coded):
    """One leak that was found.

    Attributes:
        code: its name, a key of `fulmen.diagnosis.findings.FINDINGS`; `id` is its code among all findings.
        severity: error: scores of the test split cannot be believed; warning: they may be too good; note: known, and
            no reason to doubt them.
        finding: what was found and where, one sentence without a full stop.
        columns: the features it is about, as a person knows them.
        evidence: plain values behind it: rows, counts, scores, with and without the suspect where it was refitted.
        cures: overrides that remove it, such as `data.split=group`; empty where none does.
    """

    code: str
    severity: Severity
    finding: str
    columns: tuple[str, ...] = ()
    evidence: Mapping[str, Any] = field(default_factory=dict, hash=False)
    cures: tuple[str, ...] = ()

    def __str__(self) -> str:
        """`FUL-L06 target copy: the feature status is the target ...; try: data.forbidden=[status]`"""
        cures = f"; try: {' '.join(self.cures)}" if self.cures else ""
        return f"{self.heading}: {self.finding}{cures}"

    @property
    def told(self) -> str:
        """The line on a console: `leak: FUL-L06 target copy: ...`, or `data: ...` of a mistake in the data."""
        return f"{'data' if self.id.startswith('FUL-T') else 'leak'}: {self}"

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> "Leak":
        """The opposite of `as_dict`."""
        known = {name: value for name, value in plain.items() if name != "id"}
        return cls(**known | {"columns": tuple(plain["columns"]), "cures": tuple(plain["cures"])})

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        evidence = json.loads(as_json(self.evidence))  # detectors count in numpy's numbers
        lists = {"columns": list(self.columns), "cures": list(self.cures), "evidence": evidence}
        return {"id": self.id} | asdict(self) | lists


def ordered(leaks: Sequence[Leak]) -> list[Leak]:
    """The gravest first, then by code."""
    return sorted(leaks, key=lambda leak: (GRAVEST_FIRST.index(leak.severity), leak.id))
