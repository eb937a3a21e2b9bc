"""How often a test split has been looked at, and by how many different configs: the best of many is partly luck.

The run folders are the truth: a run that was tested says in its result.json which split it was tested on and by which
config. `<outputs>/.fulmen/looks.jsonl` has a line for each test besides, for the runs whose folders are gone: a split
is not new again because they were deleted. Each line is one write to the end of the file, so that any number of
processes may add theirs at once, and one that was cut off is left out.
"""

import json
import os
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from fulmen.config.stored import moved, read_stored
from fulmen.data.cache import fingerprint
from fulmen.diagnosis.findings import FINDINGS
from fulmen.diagnosis.ignored import Ignored
from fulmen.errors import FulmenError
from fulmen.report.document import number
from fulmen.report.test_predictions import ITEMS, read_items
from fulmen.report.words import counted
from fulmen.runs.reading import read_environment, read_result
from fulmen.runs.result import Result
from fulmen.runs.scan import places

RECORD = Path(".fulmen", "looks.jsonl")
MANY = 10  # configs from which on a warning is given
COMPARED = 50  # configs whose losses are drawn anew to say how far the best of them flatters itself
KEPT = ("model", "data", "trainer", "loss", "monitor", "mode", "weights")  # what makes a config another one
APART = ("seed", "fold", "cache")  # of the data, what does not


@dataclass(frozen=True)
class Looks:
    """Who has looked at a test split.

    Attributes:
        runs: tested on it, whose folders are there: place below the outputs folder -> config.
        gone: the same of runs whose folders are gone.
        ranked: how many models each ranking of the same data has judged on its folds.
        optimism: by how much the lowest of the losses of all configs is too low for being the lowest; NaN where that is
            not known.
    """

    runs: Mapping[str, str]
    gone: Mapping[str, str]
    ranked: Sequence[int] = ()
    optimism: float = float("nan")

    @property
    def count(self) -> int:
        return len(self.runs) + len(self.gone)

    @property
    def configs(self) -> int:
        return len({*self.runs.values(), *self.gone.values()})

    @property
    def often(self) -> bool:
        """Whether so many configs have been tested that the best of them should not be taken at its word."""
        return self.configs > MANY

    def __str__(self) -> str:
        if self.count < 2 and not self.ranked:
            return ""
        said = f"This test split has been looked at by {counted(self.count, 'run')}"
        said += f" with {counted(self.configs, 'different config')}"
        if self.gone:
            said += f" ({counted(len(self.gone), 'of these runs is', 'of these runs are')} deleted since)"
        if self.ranked:
            said += f", and its data by {counted(len(self.ranked), 'ranking')} of {counted(sum(self.ranked), 'model')}"
        if self.configs < 2 and not self.ranked:
            return f"{said}."
        luck = f" by about {number(self.optimism, 2)} in its loss" if self.optimism > 0 else ""
        return f"{said}; the best of so many is optimistic{luck}."

    def as_dict(self, silent: bool = False) -> dict[str, Any]:
        """Plain values, for a report.

        Args:
            silent: whether it is no finding.
        """
        known = {"optimism": self.optimism} if self.optimism == self.optimism else {}
        finding = {} if silent else {"finding": str(FINDINGS["test_seen_often"])}
        counts = {"runs": self.count, "configs": self.configs, "deleted": len(self.gone)}
        return {**counts, **known, **finding, "said": str(self)}


def looked_at(result: Result, ignored: Ignored) -> dict[str, Any]:
    """Record that a run was tested; how often its test split has been looked at, under `test_split`, if more than once.

    A split that was seen often is a finding, of the run or of what it was asked to ignore.
    """
    result.looks = look(result.folder) if result.steps else {}
    if not result.looks:
        return {}
    record(result.folder, result.looks)
    found = looks(result.folder, result.looks)
    if not str(found):
        return {}
    often = FINDINGS["test_seen_often"] if found.often else None
    if often and often.name in ignored.names:
        result.ignored = [each for each in result.ignored if each.get("code") != often.name]
        result.ignored.append({"id": often.code, "code": often.name, "finding": str(found)})
    elif often:
        print(f"{often}: {found}")
    return {"test_split": found.as_dict(not often or often.name in ignored.names)}


def look(folder: Path) -> dict[str, str]:
    """What identifies the test split and the config of a run that was tested: `split` and `config`; {} if unknown."""
    data = read_environment(folder).get("data_fingerprint")
    if not isinstance(data, str):
        return {}
    try:
        with np.load(folder / ITEMS, allow_pickle=False) as file:
            split = f"{data}-{zlib.crc32(np.sort(file['item']).tobytes()):08x}"
        stored = moved(read_stored(folder), str(folder), "")
    except (OSError, ValueError, KeyError, EOFError, FulmenError):
        return {}
    own = {name: stored[name] for name in KEPT if name in stored}
    if isinstance(own.get("data"), dict):
        own["data"] = {name: value for name, value in own["data"].items() if name not in APART}
    return {"split": split, "config": fingerprint(own)}


def outputs_of(folder: Path) -> Path | None:
    """The outputs folder that a run lies below, in runs/ or sweeps/; None where it lies elsewhere."""
    for parent in folder.resolve().parents:
        if parent.name in ("runs", "sweeps"):
            return parent.parent
    return None


def record(folder: Path, seen: Mapping[str, str]) -> None:
    """Add a line for a run that was tested; where that cannot be written its folder says it still."""
    outputs = outputs_of(folder)
    if outputs is None or not seen:
        return
    place = folder.resolve().relative_to(outputs).as_posix()
    line = json.dumps({"run": place, **seen, "time": datetime.now().astimezone().isoformat(timespec="seconds")})
    with suppress(OSError):
        (outputs / RECORD).parent.mkdir(parents=True, exist_ok=True)
        file = os.open(outputs / RECORD, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
        try:
            os.write(file, f"{line}\n".encode())
        finally:
            os.close(file)


def looks(folder: Path, seen: Mapping[str, str]) -> Looks:
    """Who has looked at the test split of the run in `folder`, itself included."""
    outputs = outputs_of(folder)
    if outputs is None or not seen:
        return Looks({}, {})
    runs = dict(_in_folders(outputs, seen["split"]))
    runs[folder.resolve().relative_to(outputs).as_posix()] = seen["config"]
    others = {place: config for place, config in _recorded(outputs, seen["split"]) if place not in runs}
    there = {place: config for place, config in others.items() if (outputs / place / "result.json").is_file()}
    runs, gone = runs | there, {place: config for place, config in others.items() if place not in there}
    ranked = rankings_of(outputs / "rankings", [seen["split"].rpartition("-")[0]])
    return Looks(runs, gone, ranked, _optimism(outputs, runs))


def rankings_of(folder: Path, data: Sequence[str]) -> list[int]:
    """How many models each ranking below a folder has judged on data of one of these fingerprints."""
    found = []
    for path in sorted(folder.glob("*/ranking.json")):
        written = _bytes(path)
        with suppress(ValueError, KeyError, TypeError, RecursionError):
            if any(each and each.encode() in written for each in data) and {*data} & {*json.loads(written)["data"]}:
                found.append(len(json.loads(written)["scores"]))
    return found


def _in_folders(outputs: Path, split: str) -> Iterator[tuple[str, str]]:
    """Place and config of each run below `outputs` that was tested on a split."""
    data, marked = split.rpartition("-")[0].encode(), split.encode()
    for folder in _run_folders(outputs):
        found: Any = None
        with suppress(OSError, ValueError, FulmenError):
            written = (folder / "result.json").read_bytes()
            if marked in written:
                found = read_result(folder).get("looks")
            elif b'"test/' in written and b'"looks"' not in written and data in _bytes(folder / "environment.json"):
                found = look(folder)  # of a release that did not say it
        if isinstance(found, dict) and found.get("split") == split:
            yield folder.relative_to(outputs).as_posix(), str(found.get("config"))


def _run_folders(outputs: Path) -> Iterator[Path]:
    """Every run below runs/, those of seeds and folds and their ensemble included, and the champions of searches."""
    for place in places(outputs):
        top = place.partition("/")[0]
        folder = outputs / place
        if top == "runs":
            parts = [child.parent for child in folder.glob("seed_*/**/result.json")]
            yield from parts or [folder]
            yield from (child.parent for child in folder.glob("ensemble/result.json"))
        elif top == "sweeps":
            yield from (path.parent for path in folder.glob("champion/*/**/result.json"))


def _recorded(outputs: Path, split: str) -> Iterator[tuple[str, str]]:
    """Place and config of each line on a split; what is damaged is left out."""
    for line in _bytes(outputs / RECORD).splitlines():
        if split.encode() not in line:
            continue
        with suppress(ValueError, KeyError, TypeError, RecursionError):
            known = json.loads(line)
            if known["split"] == split:
                yield str(known["run"]), str(known["config"])


def _bytes(path: Path) -> bytes:
    with suppress(OSError):
        return path.read_bytes()
    return b""


def _optimism(outputs: Path, runs: Mapping[str, str]) -> float:
    """Of the newest run of each config, as far as their test items can be read."""
    newest = {config: place for place, config in sorted(runs.items())}
    if len(newest) < 2:
        return float("nan")
    from fulmen.report.many_tries import block_length, optimism
    from fulmen.report.shared_losses import shared_losses

    models = {}
    for config, place in list(newest.items())[-COMPARED:]:
        with suppress(FulmenError):
            models[config] = read_items(outputs / place)
    with suppress(FulmenError):  # the library that draws them is not installed
        if found := shared_losses(models):
            block = block_length(found.loss, None, found.span) if found.in_time else 1
            return max(0.0, optimism(found.loss, block, draws=200))
    return float("nan")
