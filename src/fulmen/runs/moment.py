"""What a run folder says at one moment, also while a training is at work in it."""

import io
import re
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from fulmen.errors import FulmenError
from fulmen.report.known import of_test
from fulmen.runs.damage import curves_damage, parts_of
from fulmen.runs.reading import read_result

if TYPE_CHECKING:
    import pandas

TRIES, PAUSE = 5, 0.02  # seconds between two; a training writes its small files within a thousandth of one
CONFIG, RESULT, CURVES, REPORT = "config.yaml", "result.json", "metrics.csv", "report.md"
PLAIN = ("Result", "Test split", "What to do next")  # headings of a main table that judge nothing
Marks = tuple[tuple[int, int, int] | None, ...]
Read = TypeVar("Read")


@dataclass(frozen=True)
class Moment:
    """What was read of a run, all of it of one moment.

    Attributes:
        result: `result.json`; {} where there is none, or where it is damaged.
        damage: why it could not be read.
        runs: names of the runs it stands for, if it repeats over folds and seeds.
        curves: name of a run ("" for a run that does not repeat) -> its `metrics.csv`, of those that have one.
        lost: name of a run -> why its `metrics.csv` cannot be read.
        verdict: what the report says first of the test; "" where it judges nothing.
        weights: what tells whether the checkpoints have changed since.
    """

    result: dict[str, Any]
    damage: FulmenError | None
    runs: list[str]
    curves: dict[str, str]
    lost: dict[str, str]
    verdict: str
    weights: Marks


def unchanged(files: Sequence[Path], read: Callable[[], Read]) -> Read:
    """What `read` returns; it reads again if any of `files` has changed meanwhile."""
    for _ in range(TRIES):
        before = marks(files)
        found = read()
        if marks(files) == before:
            break
        time.sleep(PAUSE)
    return found


def marks(files: Sequence[Path]) -> Marks:
    """What changes whenever one of the files is written."""
    found: list[tuple[int, int, int] | None] = []
    for file in files:
        try:
            status = file.stat()
            found.append((status.st_mtime_ns, status.st_ino, status.st_size))
        except OSError:
            found.append(None)
    return tuple(found)


def read_moment(folder: Path) -> Moment:
    """What the run in `folder` says now; a damaged or missing file is no error here."""
    result, damage = {}, None
    try:
        result = read_result(folder)
    except FulmenError as error:
        damage = error
    runs = parts_of(folder, result)
    lost = {name: f"{folder / name}: {why}" for name in runs or [""] if (why := curves_damage(folder / name))}
    curves = {}
    for name in [each for each in runs or [""] if each not in lost]:
        with suppress(OSError, ValueError):
            curves[name] = (folder / name / CURVES).read_text(encoding="utf-8")
    return Moment(result, damage, runs, curves, lost, _verdict(folder, result), weight_marks(folder))


def weight_marks(folder: Path) -> Marks:
    """Those of the checkpoints of the run in `folder`."""
    return marks([folder / "checkpoints" / name for name in ("best.ckpt", "last.ckpt")])


def files_of(folder: Path, result: dict[str, Any]) -> list[Path]:
    """The small files that a moment is made of."""
    below = [folder / name / CURVES for name in parts_of(folder, result) or [""]]
    return [folder / CONFIG, folder / RESULT, folder / REPORT, *below]


def table_of(moment: Moment, folder: Path) -> "pandas.DataFrame":
    """A row for each epoch as `metrics.csv` has it; of several runs one below the other, with a column `run` first.

    Raises:
        FulmenError: there are no curves, or they are damaged.
    """
    import pandas

    if not moment.curves:
        nothing = f"{folder} has no {CURVES}: no epoch of it has ended yet, or nothing was logged"
        raise FulmenError(next(iter(moment.lost.values()), nothing))
    tables = {}
    for name, text in moment.curves.items():
        try:
            tables[name] = pandas.read_csv(io.StringIO(text))
        except (ValueError, pandas.errors.ParserError) as error:
            raise FulmenError(f"{folder / name / CURVES} is damaged: {error}") from error
    if list(tables) == [""]:
        return tables[""]
    named = [table.assign(run=name)[["run", *table.columns]] for name, table in tables.items()]
    return pandas.concat(named, ignore_index=True)


def curves_of(table: "pandas.DataFrame") -> "pandas.DataFrame":
    """The table by epochs, which count from 1; by run and epoch where it holds several runs."""
    index = [name for name in ("run", "epoch") if name in table]
    return table.assign(epoch=table["epoch"] + 1).set_index(index) if "epoch" in table else table


def _verdict(folder: Path, result: dict[str, Any]) -> str:
    if result.get("status") == "running" or (result and not of_test(result.get("metrics") or {})):
        return ""
    try:
        lines = (folder / REPORT).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    answers = [line[2:-2] for line in lines if line.startswith("**") and line.endswith("**")]
    headings = [line[3:].strip() for line in lines if line.startswith("## ") and not result.get("runs")]
    found = next(iter(answers or headings), "")  # reports of before have it as their first heading
    return "" if found in PLAIN else re.sub(r"\\([^\w\s])", r"\1", found)
