"""What was taken from a log, in one to five lines."""

from typing import NamedTuple

import numpy as np

from fulmen.io.logs.checks import Checks
from fulmen.io.logs.curve import Curve
from fulmen.io.logs.order import Points
from fulmen.io.logs.table import LogTable

LONGEST = 400  # letters of a line


class Said(NamedTuple):
    """What the first line says."""

    table: LogTable
    train: Curve | None
    val: Curve | None
    checks: Checks
    how: str
    counted: str
    from_zero: bool


def lines(said: Said, taken: list[str], dropped: list[str]) -> list[str]:
    """At most five lines on what was taken."""
    t, v = said.checks.has_train, said.checks.has_val
    count = int((t & v).sum()) if said.train and said.val else int((t | v).sum())
    roles = [f"training loss = {said.train.name}"] if said.train else []
    roles += [f"validation loss = {said.val.name}"] if said.val else []
    found = [f"{count} check{'s' * (count != 1)} of {said.table.source}: {', '.join(roles)} ({said.how}){_span(said)}"]
    if None in (said.train, said.val):
        lone = f"; {said.table.lone}" if said.table.lone else ""
        found.append(f"no {'validation' if said.val is None else 'training'} loss: one curve alone is judged{lone}")
    for word, each in (("read as", taken), ("note", dropped)):
        if each:
            text = "; ".join(dict.fromkeys(each))
            found.append(f"{word}: {text if len(text) < LONGEST else text[: LONGEST - 1] + '…'}")
    if said.from_zero:
        found.append("epochs are counted from 1, in the file from 0")
    return found


def _span(said: Said) -> str:
    at = said.checks.at
    if not len(at) or said.counted == "row":
        return ""
    first, last = at.min() + said.from_zero, at.max() + said.from_zero
    return f", {said.counted}s {first:g} to {last:g}" if last > first else f", {said.counted} {first:g}"


def tell_gaps(said: Said, train: Points, val: Points, dropped: list[str]) -> None:
    """Say which values serve together, and which serve not."""
    times = {name: len(each) for name, each in (("training", train), ("validation", val)) if len(each)}
    checks = int(said.checks.has_train.sum())
    if times.get("training", 0) > checks:
        dropped.append(f"{times['training']} training losses, the mean of those up to each check")
    if len(val) > len(np.unique(val.at)):
        dropped.append(f"{times['validation']} validation losses, the last of each {said.counted}")
    if said.train and said.val:
        alone = int((said.checks.has_train ^ said.checks.has_val).sum())
        if alone:
            dropped.append(f"{alone} {said.counted}{'s' * (alone > 1)} with one of the losses alone")
