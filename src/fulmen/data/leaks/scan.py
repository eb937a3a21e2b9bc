"""The first tier of the search for leaks: what shows without training anything."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from fulmen.data.leaks.claimed import claimed
from fulmen.data.leaks.columns import at
from fulmen.data.leaks.copies import copies, kinds
from fulmen.data.leaks.delayed import delayed
from fulmen.data.leaks.encoded import encoded
from fulmen.data.leaks.filled import filled
from fulmen.data.leaks.fitted import fitted_leaks
from fulmen.data.leaks.foretold import foretold
from fulmen.data.leaks.groups import group_leaks
from fulmen.data.leaks.identity import identifiers
from fulmen.data.leaks.leak import Leak, ordered
from fulmen.data.leaks.look_ahead import look_ahead
from fulmen.data.leaks.marks import marks
from fulmen.data.leaks.near_copies import near_copies
from fulmen.data.leaks.near_rows import near_rows
from fulmen.data.leaks.oversampled import oversampled
from fulmen.data.leaks.samples import Samples
from fulmen.data.leaks.stretches import shared_stretches
from fulmen.data.leaks.target import target_leaks
from fulmen.data.leaks.times import time_leaks
from fulmen.data.leaks.unfit import unfit
from fulmen.report.leaks import PROVES_NOTHING as PROVES_NOTHING

Detector = Callable[[Samples], list[Leak]]
OF_ROWS: Sequence[Detector] = (
    unfit, copies, near_copies, near_rows, oversampled, marks, claimed, fitted_leaks, encoded,
)  # fmt: skip
OF_SERIES: Sequence[Detector] = (delayed, shared_stretches, filled, foretold)
OF_COLUMNS: Sequence[Detector] = (group_leaks, time_leaks, look_ahead, identifiers, target_leaks)
SPECIFIC = ("look_ahead", "identifier", "group_in_several_splits", "target_copy", "target_proxy")  # first


def scan(samples: Samples) -> list[Leak]:
    """The leaks that show without training, the gravest first.

    Args:
        samples: of all splits together; see `fulmen.workload.WorkloadData.all_samples`.
    """
    found = [leak for detector in (*OF_ROWS, *OF_SERIES) for leak in detector(samples)]
    if samples.columns and any(leak.code == "copies" for leak in found):  # else each column looks like one of groups
        samples = without_copies(samples)
    kept = most_specific([*found, *(leak for detector in OF_COLUMNS for leak in detector(samples))])
    return ordered([advised(leak, samples) for leak in kept])


def advised(leak: Leak, samples: Samples) -> Leak:
    """With what to do in words, where no override removes it."""
    if leak.cures or leak.severity == "note" or leak.code not in samples.advice:
        return leak
    return replace(leak, finding=f"{leak.finding}; {samples.advice[leak.code]}")


def without_copies(samples: Samples) -> Samples:
    """The samples that differ in their inputs, the first of each kind."""
    return at(samples, np.unique(kinds(samples), return_index=True)[1])  # type: ignore[call-overload]


def most_specific(leaks: Sequence[Leak]) -> list[Leak]:
    """Without what is said of a column, or of the order of the file, that a more specific finding tells of already."""
    told: dict[str, str] = {}
    for code in SPECIFIC:
        for leak in leaks:
            if leak.code == code:
                for name in leak.columns:
                    told.setdefault(name, code)
    kept = [
        leak for leak in leaks if leak.code not in SPECIFIC or all(told[name] == leak.code for name in leak.columns)
    ]
    ordered_by = any(
        leak.code in ("group_in_several_splits", "identifier") and leak.severity == "error" for leak in kept
    )
    if any(leak.code == "near_copies" for leak in leaks):  # two rows of the same reading are no group
        kept = [
            leak for leak in kept if leak.code != "group_in_several_splits" or leak.evidence.get("rows_of_each", 4) > 3
        ]
    return [leak for leak in kept if not (leak.code == "time_order" and leak.severity == "warning" and ordered_by)]
