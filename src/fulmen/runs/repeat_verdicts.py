"""What several runs of one experiment show, by what each of them shows on its own test split."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from fulmen.diagnosis.findings import FINDINGS
from fulmen.report.document import number
from fulmen.report.known import is_known
from fulmen.report.words import spoken

SAID = {  # finding -> it in words
    "better_than_baselines": "Better than chance, than the constant and than the best simple model",
    "better_than_constant": "Better than chance and than the constant, not shown to differ from the best simple model",
    "no_signal": "No signal",
    "undecided_result": "Undecided: not shown to be better than chance",
    "worse_than_constant": "Worse than the constant",
    "too_few": "Too few for a verdict",
    "worse_than_simple": "Worse than the best simple model",
}

Results = Sequence[Mapping[str, Any]]  # result.json of each run


def codes_of(results: Results) -> list[str] | None:
    """The finding of each run's test split; None where one has none: it is of before, or was asked to ignore it."""
    codes = [str((one.get("shown") or {}).get("code", "")) for one in results]
    return codes if codes and all(code in SAID for code in codes) else None


def in_words(codes: Sequence[str], unit: str) -> str:
    """The finding that all share, or how many have which: no run is counted for more than it says itself.

    Args:
        codes: as `codes_of` finds them.
        unit: what a run is: "seed", "fold", "run".
    """
    count, each = len(codes), Counter(codes)
    if len(each) == 1:
        where = f"with the one {unit}" if count == 1 else f"{'both' if count == 2 else f'all {count}'} {unit}s"
        return f"{SAID[codes[0]]} ({FINDINGS[codes[0]]} in {where})"
    parts = [f"{FINDINGS[code]} in {often}" for code, often in each.most_common()]
    return f"The {unit}s do not agree: of {count} they show {', '.join(parts)}"


def chance_of(results: Results, metric: str) -> str:
    """`chance 0.500`, where the verdicts are by this metric and know what chance scores; else ""."""
    found = [one.get("shown") or {} for one in results if (one.get("shown") or {}).get("measure") == spoken(metric)]
    values = [float(each["chance"]) for each in found if is_known(each.get("chance"))]
    return f"chance {number(math.fsum(values) / len(values))}" if len(values) == len(results) else ""


def share_a_split(results: Results) -> bool:
    """Whether all runs are known to have been tested on the same items."""
    splits = {str((one.get("looks") or {}).get("split", "")) for one in results}
    return len(results) > 1 and len(splits) == 1 and "" not in splits
