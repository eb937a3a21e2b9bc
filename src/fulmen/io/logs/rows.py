"""Which rows of a log belong together: those of one run, of training or validation, of one curve of a long table."""

import re
from itertools import pairwise

import numpy as np

from fulmen.errors import FulmenError
from fulmen.io.logs.curve import Curve, curve_of, curves_by_part, part_in
from fulmen.io.logs.named import column_named
from fulmen.io.logs.options import ALL, Ask, LogOptions
from fulmen.io.logs.table import LogTable, is_number
from fulmen.io.logs.words import AXES, EPOCHS, NO_CURVE, PARTS, STEPS, meaning, part_of, plain, words
from fulmen.io.taken import listed

RUN_WORDS = {"fold", "folds", "seed", "run", "trial", "restart", "repeat", "repetition", "rep", "replicate", "kfold",
             "cv", "experiment", "exp", "attempt", "model", "version", "split", "rank", "worker", "job", "estimator",
             "config", "session"}  # fmt: skip
BESIDE = {"id", "name", "number", "no", "nr", "num", "idx", "index", "uuid", "i", "n"}
KEYS = ("metric", "variable", "key", "tag", "name", "metricname", "series", "measure", "quantity", "curve", "type")
VALUES = ("value", "values", "metricvalue", "y")
SETTINGS = {"timestamp", "date", "elapsed", "memory", "wall", "grad", "learning", "rate", "index", "size", "id", "seed",
            "fold"}  # fmt: skip
SPREAD = ("__MIN", "__MAX")  # what wandb adds to the names of its exports
INDEX = "(column 1)"  # without a name: the index of a data frame
SOME = 50  # cells that are looked at before a whole column is


def axis(table: LogTable, options: LogOptions) -> tuple[str | None, str | None]:
    """The columns that count epochs and steps."""
    if options.epoch == "none" and "none" not in table.columns:
        return None, None
    if options.epoch:
        return column_named(table, options.epoch), None
    named = {plain(name.rpartition(" - ")[2] or name): name for name in table.columns}
    epoch = next((named[each] for each in EPOCHS if each in named), None)
    step = next((named[each] for each in STEPS if each in named), None)
    return epoch, step or (INDEX if INDEX in table.columns else None)


def one_run(table: LogTable, options: LogOptions, epoch: str | None, told: list[str]) -> tuple[np.ndarray, bool]:
    """Positions of the rows of one run, by a column that tells runs; and whether such a column was asked for.

    Raises:
        Ask: there are several runs.
    """
    rows = np.arange(len(table))
    wanted = dict(each.split("=", 1) for each in re.split(r",(?=[^,=]+=)", options.run) if "=" in each)
    for name, value in wanted.items():
        column = column_named(table, name)
        cells = [table.text(column, row) for row in rows.tolist()]
        kept = np.array([cell == value or _equal(cell, value) for cell in cells], dtype=bool)
        if not kept.any():
            there = ", ".join(list(dict.fromkeys(cells))[:10])
            raise FulmenError(f"{table.source} has no row with {name}={value}; {name} is {there}")
        rows = rows[kept]
    for name in table.columns:
        if name in wanted or not _tells_runs(name):
            continue
        cells = [table.text(name, row) for row in rows.tolist()]
        values = [value for value in dict.fromkeys(cells) if value]
        if len(values) < 2 or len(values) > max(2, len(rows) / 2) or all(part_of(value) for value in values):
            continue
        if epoch and _goes_on(table, epoch, rows, cells):
            told.append(f"one training through {len(values)} values of {name}")
            continue
        if options.run == ALL:
            continue
        before = f"{options.run}," if wanted else ""
        raise Ask(
            f"{table.source} holds {len(values)} runs, by {name}: {listed(values)}; name one",
            [("", {"run": f"{before}{name}={values[0]}"})],
        )
    return rows, bool(wanted)


def _equal(cell: str, value: str) -> bool:
    try:
        return float(cell) == float(value)
    except ValueError:
        return False


def _tells_runs(name: str) -> bool:
    each = set(words(name))
    return bool(each & RUN_WORDS) and each <= RUN_WORDS | BESIDE | PARTS.keys()


def _goes_on(table: LogTable, epoch: str, rows: np.ndarray, runs: list[str]) -> bool:
    """Whether the epochs of a run begin where those of the run before ended."""
    spans: dict[str, list[float]] = {}
    for row, run in zip(rows.tolist(), runs, strict=True):
        try:
            spans.setdefault(run, []).append(float(table.text(epoch, row) or "nan"))
        except ValueError:
            return False
    ends = [(min(span), max(span)) for span in spans.values()]
    return all(b[0] > a[1] for a, b in pairwise(ends))


def curves_of(table: LogTable, rows: np.ndarray, options: LogOptions, told: list[str]) -> list[Curve]:
    """Every column of a loss or metric at `rows`; by parts where a column says the part of a row.

    Raises:
        Ask: the columns are of several runs.
    """
    if (long := _long(table, rows)) is not None:
        return long
    phase = _phase(table, rows, options)
    names = _short_names(table, options)
    found: list[Curve] = []
    asked = {each for each in (options.train, options.val) if each}
    for name, short in names.items():
        own = meaning(short)
        named = {name, short, str(list(table.columns).index(name) + 1)} & asked
        useful = bool(own.quantities or own.part or named or plain(name) == "value")
        if name == phase or (not useful and not _may_be_curve(table, name)):
            continue
        if not _holds_numbers(table, name, rows):
            told += [f"{short} holds texts"] if own.part and own.quantities else []
            continue
        if words(short)[-1:] and words(short)[-1] in AXES and not own.quantities:
            continue
        filled = rows[table.filled(name)[rows]]
        if phase is None or own.part:
            found.append(curve_of(table, short, name, filled, own))
            continue
        found += curves_by_part(table, short, name, filled, phase)
    if phase is not None:
        told.append(f"rows parted by {phase}")
    return found


def _may_be_curve(table: LogTable, name: str) -> bool:
    """Whether a person might name a column: none of times, settings and counts."""
    each = words(name)
    axis_ = plain(name) in (*EPOCHS, *STEPS)
    return bool(each) and not axis_ and not set(each) & (NO_CURVE | SETTINGS)


def _holds_numbers(table: LogTable, name: str, rows: np.ndarray) -> bool:
    """Whether most of the first cells have a digit, or are NaN."""
    some = [cell for row in rows[: 40 * SOME].tolist() if (cell := table.text(name, row))][:SOME]
    numeric = [
        cell for cell in some if any(map(str.isdigit, cell)) or cell.lower().lstrip("+-") in ("nan", "inf", "infinity")
    ]
    return 2 * len(numeric) >= len(some)


def _phase(table: LogTable, rows: np.ndarray, options: LogOptions) -> str | None:
    """The column whose cells say nothing but train, val or test."""
    if options.phase:
        return column_named(table, options.phase)
    some = rows[:SOME].tolist()
    for name, column in table.columns.items():
        named = bool(part_of(name.lower().removeprefix("is")))
        first = [cell for row in some if (cell := column[row]) is not None and cell != ""]
        if not first or any(is_number(cell) and not named for cell in first):
            continue
        if not all(part_in(name, str(cell)) for cell in first):
            continue
        values = {str(column[row]) for row in rows.tolist()}
        parts = {part_in(name, value) for value in values if value.strip() not in ("", "None")}
        if "" not in parts and len(parts) > 1:
            return name
    return None


def _long(table: LogTable, rows: np.ndarray) -> list[Curve] | None:
    """A table with a row for every value: the name of a curve in one column, its value in another."""
    named = {plain(name): name for name in table.columns}
    key = next((named[each] for each in KEYS if each in named), None)
    value = next((named[each] for each in VALUES if each in named), None)
    if key is None or value is None or key == value:
        return None
    cells = np.array([table.text(key, row) for row in rows.tolist()], dtype=object)
    tags = [tag for tag in dict.fromkeys(cells.tolist()) if tag]
    if not 1 <= len(tags) <= max(SOME, 1) or not any(meaning(tag).quantities or meaning(tag).part for tag in tags):
        return None
    phase = _phase(table, rows, LogOptions())
    filled = table.filled(value)
    found = []
    for tag in tags:
        own = rows[(cells == tag) & filled[rows]]
        if phase is None or phase == key or meaning(tag).part:
            found.append(curve_of(table, tag, value, own, meaning(tag)))
        else:
            found += curves_by_part(table, tag, value, own, phase)
    return found


def _short_names(table: LogTable, options: LogOptions) -> dict[str, str]:
    """Columns by what they are called without the name of the run, as in wandb's `train-bert-7 - val_loss`.

    Raises:
        Ask: they are of several runs.
    """
    names = list(table.columns)
    names = [name for name in names if not name.endswith(SPREAD)]
    split = {name: tuple(name.rsplit(" - ", 1)) for name in names if " - " in name}
    split = {name: each for name, each in split.items() if meaning(each[1]).quantities or meaning(each[1]).part}
    runs = list(dict.fromkeys(run for run, _ in split.values()))
    if runs and all(part_of(run) for run in runs) and len(runs) > 1:
        return {name: name for name in names}
    if len(runs) > 1 and options.run not in runs:
        raise Ask(f"{table.source} holds {len(runs)} runs: {listed(runs)}; name one", [("", {"run": runs[0]})])
    kept = {name: each[1] for name, each in split.items() if len(runs) == 1 or each[0] == options.run}
    shown = {name: kept.get(name, name) for name in names if name in kept or name not in split}
    return shown if split else _without_common(shown)


def _without_common(names: dict[str, str]) -> dict[str, str]:
    """Without what all names of losses have in front, if that has words of parts and the parts are told without it."""
    own = [name for name in names if meaning(name).quantities]
    common = _common_start(own)
    if len(own) < 2 or not any(word in PARTS for word in words(common)):
        return names
    parts = {meaning(name.removeprefix(common)).part for name in own}
    if not {"train", "val"} <= parts and not {"train", "test"} <= parts:
        return names
    return {name: name.removeprefix(common) if name in own else name for name in names}


def _common_start(names: list[str]) -> str:
    if not names:
        return ""
    first, last = min(names), max(names)
    same = next((i for i, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), min(len(first), len(last)))
    return first[: max((first[:same].rfind(sign) for sign in "/_-.:| "), default=-1) + 1]
