"""The list of results as a table: which rows are asked for, in which order, with which columns."""

from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from fulmen.errors import FulmenError
from fulmen.runs.choices import ORDERS
from fulmen.runs.entry import Entry
from fulmen.runs.index import Index
from fulmen.runs.values import Values


def list_runs(outputs: str | Path = "outputs", experiment: str = "*") -> list[dict[str, Any]]:
    """One row per run below `outputs`, oldest first: run, status, epochs, seconds and the main test metrics.

    A run that did not come to its end, or that lacks a file, has a `message`; one whose result.json cannot be read has
    the status `damaged`, and one whose process has died without a word `killed`.
    """
    entries = chosen(Index(outputs).entries(), experiment=experiment, archived=None)
    return [row(entry, Path(outputs)) for entry in in_order(entries, "stamp")]


def row(entry: Entry, outputs: Path) -> dict[str, Any]:
    """A result for a table."""
    message = entry.said(outputs / entry.path)
    shown = {"run": entry.name, "status": entry.status, "epochs": entry.epochs, "seconds": entry.seconds}
    return shown | entry.metrics | ({"message": message} if message else {})


def chosen(
    entries: Iterable[Entry], kind: str = "run", experiment: str = "*", status: Sequence[str] = (),
    tags: Sequence[str] = (), archived: bool | None = False, text: str = "",
) -> list[Entry]:  # fmt: skip
    """Those that are asked for.

    Args:
        kind: or "all".
        experiment: may hold `*`, `?` and `[...]`.
        status: any of these; of runs that have never begun only if it is asked for.
        tags: all of these.
        archived: only those, or None for all; by default those that are not.
        text: somewhere in path, network, overrides, tags, note or message, whatever its case.
    """
    found = []
    for each in entries:
        seen = each.status in status if status else each.status != "not begun"
        labelled = (archived is None or each.archived == archived) and set(tags) <= set(each.tags)
        named = kind in ("all", each.kind) and (experiment == "*" or fnmatchcase(_experiment(each), experiment))
        if seen and labelled and named and (not text or text.lower() in _words(each)):
            found.append(each)
    return found


def in_order(entries: Iterable[Entry], by: str = "created", values: Values | None = None) -> list[Entry]:
    """Sorted by one of `ORDERS` or a metric, those without a value last; `-seconds`: the largest first.

    Args:
        values: knows further names, those of hyperparameters and of all metrics.

    Raises:
        FulmenError: there is no such order, and no entry has such a metric.
    """
    entries, down, key = list(entries), by.startswith("-"), by.lstrip("-")
    if key == "stamp":
        return sorted(entries, key=lambda entry: (entry.path.rpartition("/")[2], entry.path), reverse=down)
    if values:
        key = values.key(key, "sort")
        known = {entry.path: _sortable(values.of(entry, key)) for entry in entries}
    else:
        if key not in ORDERS and entries and not any(key in entry.metrics for entry in entries):
            metrics = dict.fromkeys(name for entry in entries for name in entry.metrics)
            raise FulmenError(f"sort: there is {', '.join([*ORDERS, *metrics])}; got {key}")
        known = {entry.path: getattr(entry, key) if key in ORDERS else entry.metrics.get(key) for entry in entries}
    first = [entry for entry in entries if known[entry.path] is not None]
    last = [entry for entry in entries if known[entry.path] is None]
    return sorted(first, key=lambda entry: (known[entry.path], entry.path), reverse=down) + last


def _sortable(value: Any) -> Any:
    """Numbers come before texts; what is unknown stays None."""
    if value is None or value == []:
        return None
    if isinstance(value, bool | int | float):
        return 0, value
    return 1, ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _experiment(entry: Entry) -> str:
    """Of a run the folder that it lies in, by which people find it."""
    return entry.path.split("/")[1] if entry.kind == "run" else entry.experiment


def _words(entry: Entry) -> str:
    return "\n".join(
        [entry.path, entry.network or "", *entry.overrides, *entry.tags, entry.note, entry.message]
    ).lower()
