"""Pharmacokinetics of the subjects of a table as rows of a CSV: one for each subject, output, and who answered."""

from collections.abc import Sequence

from fulmen.workloads.pbpk.pk_table import PLACES, UNITS, pharmacokinetics
from fulmen.workloads.pbpk.simulate.curves import Part
from fulmen.workloads.pbpk.simulate.subjects import Subjects
from fulmen.workloads.pbpk.simulate.writing import as_cells, as_number
from fulmen.workloads.pbpk.simulator.population import ORAL

CLEARANCE, IS = "clearance_l_per_h", "clearance_is"


class Summaries:
    """The rows of pharmacokinetics; outputs that are no concentration of an organ or the plasma have none.

    Args:
        outputs: names of curves.
    """

    def __init__(self, outputs: Sequence[str]):
        self.outputs = [name for name in outputs if name in PLACES]

    def header(self) -> str:
        """The first line."""
        names = [part for name in UNITS for part in ((name, IS) if name == CLEARANCE else (name,))]
        return ",".join(["subject", "compound", "output", "by", *names]) + "\n"

    def rows(self, parts: Sequence[Part], subjects: Subjects) -> str:
        """The lines of some curves, subject by subject in the order of the table."""
        found: dict[int, str] = {}
        for part in parts:
            for by in ("solver", "surrogate"):
                if by in part.organs:
                    self._add(found, part, subjects, by)
        return "".join(found[place] for place in sorted(found))

    def _add(self, found: dict[int, str], part: Part, subjects: Subjects, by: str) -> None:
        """Add the lines of a part to those of each subject."""
        summaries = pharmacokinetics(part.people, part.organs[by], part.time_h)
        for i, place in enumerate(part.places.tolist()):
            who = as_cells([subjects.name[place], subjects.compound[place]])
            kind = "CL/F" if int(part.people.route[i]) == ORAL else "CL"
            for output in self.outputs:
                row = PLACES.index(output)
                cells = [as_number(float(value[i, row])) for value in summaries.values()]
                at = list(summaries).index(CLEARANCE)
                cells.insert(at + 1, kind if cells[at] else "")
                found[place] = found.get(place, "") + f"{who},{output},{by},{','.join(cells)}\n"
