"""Leaks planted by eight mechanisms in data of four kinds are found and named; data without a leak raise no alarm.

Perfect and middle leaks: at least nine of ten are found under a right name and, where a column leaks, with that column.
Weak ones are reported. Of the sets without a leak (benchmarks/leak_sets.py) at most three raise an error or a warning.
All is looked for by the callback that every training has, in a training of one batch that is validated and tested as
any: it scans the data when they are set up, looks at what the module fits when it begins, and at what it has chosen
when it is tested. What it does not find is looked for with models (leaks=deep) too, and so is what is wrong with every
fourth of the sets without a leak.
A leak is planted in the first data, from its number on, in which the strongest of its mechanism lifts the score of a
fast model by 0.075; where there are none, as for a scaler, the dial alone says how strong it is. `lift` of a cell is
what the leak adds to that score.
`python -m benchmarks.proofs.leaks` prints the table of the results that are kept.
"""

import hashlib
import io
import json
import logging
import statistics
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Mapping
from contextlib import redirect_stdout
from functools import cache
from pathlib import Path
from typing import Any

from benchmarks import leak_bases
from benchmarks.leak_bases import BASES
from benchmarks.leak_sets import honest
from benchmarks.proofs import RESULTS, ROOT, Proof
from fulmen.callbacks.leaks import FindLeaks
from fulmen.config.check import check_overrides
from fulmen.data.leaks.leak import Leak
from fulmen.data.leaks.look import Looked
from fulmen.data.leaks.scan import scan
from fulmen.errors import FulmenError
from fulmen.lightning_private import callbacks_of
from fulmen.runs.assembly import assemble
from fulmen.testing import CELLS, Curves, Pictures, Planted, plant
from fulmen.testing.leaks.plant import MEASURABLE
from fulmen.testing.leaks.sources import Source, opened, typed
from fulmen.workload import WorkloadData

STRENGTHS = ("perfect", "middle", "weak")
SHARE, ALARMS = 0.9, 3  # of perfect and middle leaks that are found; most honest sets that raise an alarm
SLOWEST = 2.0  # seconds of a processor, of a scan
A_BATCH = ["trainer.max_epochs=1", "trainer.limit_train_batches=1", "callbacks=null",
           "trainer.num_sanity_val_steps=0", "trainer.accelerator=cpu", "logger=null"]  # fmt: skip
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
    known = before.get("planters") == planters()
    found = planted(kind, mechanism, strength, seed) if not known else again(kind, mechanism, seed, before)
    if refusal := refused(found):
        told: dict[str, Any] = {"leaks": [refusal], "named": "refused", "by": "reading"}
    else:
        looked, deeper = searched(found.source, found.open, lambda leaks: not named(found, leaks))
        tier_1, tier_2 = named(found, list(looked.leaks)), named(found, deeper)
        told = {"leaks": [str(leak) for leak in (looked.leaks if tier_1 else deeper)], "seconds": seconds(looked)}
        told |= {"named": tier_1 or tier_2, "by": "scan" if tier_1 else "models" if tier_2 else ""}
    if known:
        worth = {name: before[name] for name in ("metric", "honest", "leaky", "lift", "base")}
    else:
        scores = {"honest": round(found.honest_score, 3), "leaky": round(found.leaky_score, 3)}
        lift = round(found.leaky_score - found.honest_score, 3)
        worth = {"metric": found.metric, **scores, "lift": lift, "base": base(kind, mechanism, seed)}
    return {**told, "dial": found.dial, **worth, "columns": list(found.columns)[:5], "planters": planters()}


def refused(found: Planted) -> str:
    """Why the data cannot be read at all, "" where they can."""
    try:
        with tempfile.TemporaryDirectory() as folder, redirect_stdout(io.StringIO()), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found.open(folder)
    except FulmenError as error:
        return str(error)[:300]
    return ""


def planted(kind: type, mechanism: Any, strength: str, seed: int) -> Planted:
    return plant(BASES[kind][base(kind, mechanism, seed)](), mechanism, strength, seed)  # type: ignore[arg-type]


def again(kind: type, mechanism: Any, seed: int, before: Mapping[str, Any]) -> Planted:
    """The leak that was planted before, by its dial."""
    return plant(BASES[kind][before["base"]](), mechanism, before["dial"], seed)


def base(kind: type, mechanism: Any, seed: int) -> int:
    """The number of the data in which the mechanism shows in the score; of the first where it does in none."""
    order = [(seed + more) % len(BASES[kind]) for more in range(len(BASES[kind]))]
    return next((number for number in order if shows(kind, mechanism, seed, number)), order[0])


@cache
def shows(kind: type, mechanism: Any, seed: int, number: int) -> bool:
    """Whether the strongest leak lifts the score of a fast model so far that half of it can be measured."""
    found = plant(BASES[kind][number](), mechanism, 1.0, seed)
    return found.leaky_score - found.honest_score >= MEASURABLE


@cache
def planters() -> str:
    """12 hex digits over the code that plants, and the data it plants in."""
    files = [*sorted((ROOT / "src" / "fulmen" / "testing" / "leaks").glob("*.py")), Path(leak_bases.__file__)]
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()[:12]


def of_honest(source: Any, deep: bool) -> dict[str, Any]:
    """What is said of data without a leak."""
    looked, deeper = searched(source, lambda folder: opened(source, folder), lambda _: deep)
    notes = [str(leak) for leak in looked.leaks if not is_alarm(leak)]
    told = {"alarms": [str(leak) for leak in looked.leaks if is_alarm(leak)], "notes": notes}
    told |= {"seconds": seconds(looked), "cpu_s": cpu_of_a_scan(source)}
    return told | ({"alarms_of_models": [str(leak) for leak in deeper if is_alarm(leak)]} if deep else {})


def searched(
    source: Source, make: Callable[[Path], WorkloadData], deep: Callable[[list[Leak]], bool]
) -> tuple[Looked, list[Leak]]:
    """What a training finds in data that are made in an empty folder, and one with leaks=deep, where that is asked for
    of what the first has found."""
    with tempfile.TemporaryDirectory() as folder:
        looked = trained(source, make(Path(folder)), Path(folder), "scan")
        further = deep(list(looked.leaks))
        return looked, list(trained(source, make(Path(folder)), Path(folder), "deep").leaks) if further else []


def trained(source: Source, data: WorkloadData, folder: Path, mode: str) -> Looked:
    """What the search of a training and a test of one batch comes to."""
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    network = {Pictures: "network=resnet9"}.get(type(source))  # reads any size
    if isinstance(source, Curves):
        network = f"model.network.times={data.splits['train']['concentration'].shape[-1]}"
    more = [network] if network else []
    with redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        cfg = check_overrides(
            [*typed(source, folder / source.file), f"output_dir={folder / mode}", f"leaks={mode}", *more, *A_BATCH]
        )
        _, model, trainer = assemble(cfg)
        trainer.fit(model, datamodule=data)
        trainer.test(model, datamodule=data, verbose=False)
    looked = next((each.looked for each in callbacks_of(trainer) if isinstance(each, FindLeaks)), None)
    assert looked is not None
    return looked


def cpu_of_a_scan(source: Source) -> float:
    """The seconds of a processor that the scan of the data takes, whatever else the machine does."""
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        samples = opened(source, Path(folder)).all_samples()
        begun = time.process_time()
        scan(samples) if samples is not None else None
        return round(time.process_time() - begun, 3)


def seconds(looked: Looked) -> float:
    return round(looked.seconds, 3)


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
    took = [cells[cell]["cpu_s"] for cell in clean]
    ok = len(wrong) <= ALARMS and len(clean) >= 100 and max(took) <= SLOWEST
    return {"ok": ok, "sets": len(clean), "alarmed": wrong, "cpu_s_median": statistics.median(took),
            "cpu_s_worst": max(took), "with_models": len(deep),
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
