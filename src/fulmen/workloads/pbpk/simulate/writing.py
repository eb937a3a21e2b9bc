"""Curves as rows of a CSV: a row for each subject, output and time."""

import csv
import io
from collections.abc import Mapping, Sequence

from torch import Tensor

from fulmen.workloads.pbpk.simulate.curves import Part
from fulmen.workloads.pbpk.simulate.subjects import Subjects
from fulmen.workloads.pbpk.simulator.outputs import units

DIGITS = 6
SEEN = 1e-3  # of the highest concentration: below it a ratio says nothing
CONCENTRATION, AMOUNT = "concentration_mg_per_l", "amount_mg"
OF_A_SURROGATE = {"low": "low_90_mg_per_l", "high": "high_90_mg_per_l", "in_domain": "in_domain"}


class Sheet:
    """The rows of curves.

    Args:
        outputs: in the order of the curves.
        by: who gives the curves: "solver", "surrogate" or "both".
    """

    def __init__(self, outputs: Sequence[str], by: str):
        self.outputs, self.by = outputs, by
        self.unit = units(outputs)

    def header(self) -> str:
        """The first line."""
        names = ["subject", "compound", "output", "time_h", CONCENTRATION]
        names += [AMOUNT] if "mg" in self.unit.values() else []
        names += ["surrogate_mg_per_l", "ratio"] if self.by == "both" else []
        return ",".join([*names, *(OF_A_SURROGATE.values() if self.by != "solver" else ())]) + "\n"

    def rows(self, parts: Sequence[Part], subjects: Subjects) -> str:
        """The lines of some curves, subject by subject in the order of the table."""
        found: dict[int, str] = {}
        for part in parts:
            hours = [as_number(time) for time in part.time_h[part.asked].tolist()]
            values = {name: value[..., part.asked] for name, value in part.values.items() if value.ndim == 3}
            for i, place in enumerate(part.places.tolist()):
                own = {name: value[i] for name, value in values.items()}
                domain = str(bool(part.values["in_domain"][i])) if "in_domain" in part.values else ""
                who = as_cells([subjects.name[place], subjects.compound[place]])
                found[place] = self._of_one(who, hours, own, domain)
        return "".join(found[place] for place in sorted(found))

    def _of_one(self, who: str, hours: Sequence[str], values: Mapping[str, Tensor], domain: str) -> str:
        """The lines of one subject, whose values are [O, T] each."""
        lines = []
        for row, output in enumerate(self.outputs):
            columns = [column if column else [""] * len(hours) for column in self._columns(row, output, values)]
            columns += [[domain] * len(hours)] if self.by != "solver" else []
            begun = f"{who},{output}"
            lines += [f"{begun},{','.join(cells)}\n" for cells in zip(hours, *columns, strict=True)]
        return "".join(lines)

    def _columns(self, row: int, output: str, values: Mapping[str, Tensor]) -> list[list[str]]:
        """The cells of one output; [] for a column that says nothing of it."""
        texts = {name: [as_number(each) for each in value[row].tolist()] for name, value in values.items()}
        main = texts["surrogate" if self.by == "surrogate" else "solver"]
        found = [main if self.unit[output] == "mg/L" else []]
        if "mg" in self.unit.values():
            found.append(main if self.unit[output] == "mg" else [])
        if self.by == "both":
            found += [texts["surrogate"], ratios(values["surrogate"][row], values["solver"][row])]
        return found + ([texts.get("low", []), texts.get("high", [])] if self.by != "solver" else [])


def ratios(surrogate: Tensor, solver: Tensor) -> list[str]:
    """Surrogate over solver, of curves [T]; nothing where the solver says less than a thousandth of its peak."""
    seen = solver > SEEN * solver.max()
    pairs = zip(seen.tolist(), surrogate.tolist(), solver.tolist(), strict=True)
    return [as_number(a / b) if told else "" for told, a, b in pairs]


def as_cells(texts: Sequence[str]) -> str:
    """Texts with commas between them, quoted where a CSV needs it."""
    line = io.StringIO()
    csv.writer(line).writerow(texts)
    return line.getvalue().removesuffix("\r\n")


def as_number(value: float) -> str:
    """Six digits; nothing for what is not known."""
    return f"{value:.{DIGITS}g}" if value == value else ""
