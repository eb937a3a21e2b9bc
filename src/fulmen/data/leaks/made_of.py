"""What is said of values of a series, such as Open or Volume, that know what comes: who uses them, what cures it."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from fulmen.data.leaks.leak import Leak
from fulmen.data.leaks.samples import Samples


def leak_of_values(samples: Samples, finding: str, names: tuple[str, ...], evidence: Mapping[str, Any]) -> Leak:
    """An error with the override that leaves out the inputs made of them; a note where there are none."""
    them = "them" if len(names) > 1 else "it"
    found = Leak("look_ahead", "error", f"{finding}, and features made of {them} know what comes", names, evidence)
    if samples.made_of is None:
        return found
    inputs = dict.fromkeys(each for name in names for each in samples.made_of.get(name, ()))
    if inputs:
        return replace(found, cures=tuple(samples.without(tuple(inputs))))
    return replace(found, severity="note", finding=f"{finding}; no feature is made of {them}")
