"""Leaks planted by eight mechanisms in data of four kinds are found and named; data without a leak raise no alarm.

Perfect and middle leaks: at least nine of ten are found under a right name and, where a column leaks, with that column.
Weak ones are reported. Of the sets without a leak (benchmarks/leak_sets.py) at most three raise an error or a warning.
What a scan does not find is looked for with models (leaks=deep) too, and so is what is wrong with every fourth of the
sets without a leak.
`python -m benchmarks.proofs.leaks` prints the table of the results that are kept.
"""

import hashlib
import json
import statistics
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from benchmarks import leak_bases
from benchmarks.leak_bases import BASES
from benchmarks.leak_sets import honest
from benchmarks.proofs import RESULTS, ROOT, Proof
from fulmen.data.leaks.deep import deepened
from fulmen.data.leaks.leak import Leak
from fulmen.data.leaks.scan import scan
from fulmen.errors import FulmenError
from fulmen.testing import CELLS, Planted, plant
from fulmen.testing.leaks.sources import opened
from fulmen.workload import WorkloadData

STRENGTHS = ("perfect", "middle", "weak")
SHARE, ALARMS = 0.9, 3  # of perfect and middle leaks that are found; most honest sets that raise an alarm
SLOWEST = 2.0  # seconds of CPU, of a scan
PLANTED, HONEST = "all planted leaks together", "all honest sets together"
KINDS = {"Table": "sensors", "Pictures": "images", "Prices": "stocks", "Curves": "pbpk"}


def main() -> bool:
    planted, sets = plan(), honest()
    clean = [f"honest, {name}" for name in sets]
    proof = Proof(__name__, __doc__, seeds=range(len(planted)))
    for cell in proof.missing([*planted, *clean, PLANTED, HONEST]):
        if cell in planted:
            proof.keep(cell, ok=True, **of_planted(*planted[cell], before=proof.kept().get(cell, {})))
        elif cell in clean:
            proof.keep(cell, ok=True, **of_honest(sets[cell.partition(", ")[2]](), deep=clean.index(cell) % 4 == 0))
        else:
            proof.keep(cell, **(together(proof.kept(), planted) if cell == PLANTED else alarms(proof.kept(), clean)))
    print_table(proof.kept(), planted)
    return proof.holds()


def plan() -> dict[str, tuple[type, str, str, int]]:
    """Cell -> kind of data, mechanism, strength, and seed, which also chooses the data to plant in."""
    cells = [
        (kind, name)
        for kind, mechanisms in CELLS.items()
        for name, planter in mechanisms.items()
        if not isinstance(planter, str)
    ]
    return {
        f"{KINDS[kind.__name__]} {name} {strength}": (kind, name, strength, number + 3 * at)
        for number, (kind, name) in enumerate(cells)
        for at, strength in enumerate(STRENGTHS)
    }


def of_planted(kind: type, mechanism: str, strength: str, seed: int, before: Mapping[str, Any]) -> dict[str, Any]:
    """Whether a leak is found, under what name, and what it is worth.

    Args:
        before: the same of other code: how strong it has to be is known if it was planted by the same planters.
    """
    source = BASES[kind][seed % len(BASES[kind])]()
    known = before.get("planters") == planters()
    found = plant(source, mechanism, before["dial"] if known else strength, seed)
    try:
        leaks, deeper, seconds = scanned(lambda folder: found.open(folder), lambda leaks: not named(found, leaks))
        tier_1, tier_2 = named(found, leaks), named(found, deeper)
        told = {"leaks": [str(leak) for leak in (leaks if tier_1 else deeper)], "cpu_s": seconds}
        told |= {"named": tier_1 or tier_2, "by": "scan" if tier_1 else "models" if tier_2 else ""}
    except FulmenError as error:
        told = {"leaks": [str(error)[:300]], "named": "refused", "by": "reading"}
    if known:
        worth = {name: before[name] for name in ("metric", "honest", "leaky")}
    else:
        worth = {"metric": found.metric, "honest": round(found.honest_score, 3), "leaky": round(found.leaky_score, 3)}
    return {**told, "dial": found.dial, **worth, "columns": list(found.columns)[:5], "planters": planters()}


@cache
def planters() -> str:
    """12 hex digits over the code that plants, and the data it plants in."""
    files = [*sorted((ROOT / "src" / "fulmen" / "testing" / "leaks").glob("*.py")), Path(leak_bases.__file__)]
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()[:12]


def of_honest(source: Any, deep: bool) -> dict[str, Any]:
    """What is said of data without a leak."""
    leaks, deeper, seconds = scanned(lambda folder: opened(source, folder), lambda _: deep)
    alarming = [str(leak) for leak in leaks if is_alarm(leak)]
    told = {"alarms": alarming, "notes": [str(leak) for leak in leaks if not is_alarm(leak)], "cpu_s": seconds}
    return told | ({"alarms_of_models": [str(leak) for leak in deeper if is_alarm(leak)]} if deep else {})


def scanned(
    make: Callable[[Path], WorkloadData], deep: Callable[[list[Leak]], bool]
) -> tuple[list[Leak], list[Leak], float]:
    """What the first tier finds in data that are made in an empty folder, and the second, where that is asked for of
    what the first has found; the seconds of CPU that the first takes."""
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        samples = make(Path(folder)).all_samples()
        begun = time.process_time()
        leaks = [] if samples is None else scan(samples)
        seconds = time.process_time() - begun
        return leaks, deepened(samples, leaks) if samples is not None and deep(leaks) else [], round(seconds, 3)


def is_alarm(leak: Leak) -> bool:
    """Whether someone would look for a leak."""
    return leak.severity != "note" and leak.id.startswith("FUL-L")


def named(found: Planted, leaks: list[Leak]) -> str:
    """The most exact right name under which a leak is told, "" if under none.

    That labels are remembered through the split is a right name where rows, groups or times are in several splits.
    """
    fitted = found.planting.hook is not None  # and not the columns leak
    own = set() if fitted else {column.lower() for column in found.columns}
    told = set()
    for leak in leaks:
        of_leak = {column.lower() for column in leak.columns}
        if is_alarm(leak) and (not own or not of_leak or own & of_leak):
            told.add(leak.code)
    through_split = ["learns_permuted_labels"] if found.mechanism in ("group", "duplicate", "temporal") else []
    return next((name for name in [*found.expected, *through_split] if name in told), "")


def together(cells: Mapping[str, Any], planted: Mapping[str, Any]) -> dict[str, Any]:
    """How many leaks of each strength are found."""
    found = {strength: [cells[cell]["named"] for cell in planted if cell.endswith(strength)] for strength in STRENGTHS}
    counts = {strength: sum(map(bool, names)) for strength, names in found.items()}
    strong = counts["perfect"] + counts["middle"]
    missed = [cell for cell in planted if not cells[cell]["named"]]
    of_strong = len(found["perfect"]) + len(found["middle"])
    return {"ok": strong >= SHARE * of_strong, "planted": len(planted), "found": counts, "perfect_and_middle": strong,
            "of": of_strong, "missed": missed}  # fmt: skip


def alarms(cells: Mapping[str, Any], clean: list[str]) -> dict[str, Any]:
    """How many sets without a leak raise an alarm, and how long a scan takes."""
    wrong = {cell: cells[cell]["alarms"] for cell in clean if cells[cell]["alarms"]}
    deep = [cells[cell] for cell in clean if "alarms_of_models" in cells[cell]]
    seconds = [cells[cell]["cpu_s"] for cell in clean]
    ok = len(wrong) <= ALARMS and len(clean) >= 100 and max(seconds) <= SLOWEST
    return {"ok": ok, "sets": len(clean), "alarmed": wrong, "cpu_s_median": statistics.median(seconds),
            "cpu_s_worst": max(seconds), "with_models": len(deep),
            "alarmed_with_models": sum(bool(cell["alarms_of_models"]) for cell in deep)}  # fmt: skip


def print_table(cells: Mapping[str, Any], planted: Mapping[str, Any]) -> None:
    """A line for each mechanism and kind of data: names found, and scores without and with the leak."""
    print("| data | mechanism | perfect | middle | weak |\n| --- | --- | --- | --- | --- |")
    for kind, mechanisms in CELLS.items():
        for name, planter in mechanisms.items():
            rows = [cells.get(f"{KINDS[kind.__name__]} {name} {strength}") for strength in STRENGTHS]
            told = [planter, "", ""] if isinstance(planter, str) else [in_words(row) for row in rows]
            print(f"| {KINDS[kind.__name__]} | {name} | {' | '.join(told)} |")


def in_words(row: Mapping[str, Any] | None) -> str:
    if not row:
        return ""
    name = row["named"] or "**missed**"
    return f"{name}{' by models' if row['by'] == 'models' else ''} ({row['honest']:.2f} to {row['leaky']:.2f})"


if __name__ == "__main__":
    kept = json.loads((RESULTS / "leaks.json").read_text())["cells"]
    print_table(kept, plan())
    sys.exit(0)
