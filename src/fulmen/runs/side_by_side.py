"""Runs side by side: their metrics, and the settings in which they differ."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fulmen.errors import FulmenError
from fulmen.report.known import is_score
from fulmen.runs.entry import Entry
from fulmen.runs.reading import read_result
from fulmen.runs.settings import settings_of

FACTS = ("status", "experiment", "network", "created", "epochs", "seconds", "data")


def side_by_side(outputs: Path, entries: Sequence[Entry]) -> dict[str, dict[str, list[Any]]]:
    """`facts`, `metrics` and `settings`: name -> one value for each entry, None where it has none.

    Of the settings those in which not all agree; of baselines the best one of each run, as `<metric> (baseline)`.
    """
    results = [_result(outputs / entry.path) for entry in entries]
    settings = [settings_of(outputs / entry.path) for entry in entries]
    metrics: dict[str, list[Any]] = {}
    for name in dict.fromkeys(name for result in results for name in result.get("metrics", {}) if is_score(name)):
        metrics[name] = [result.get("metrics", {}).get(name) for result in results]
        beside = [(entry.baseline or {}).get("metrics", {}).get(name) for entry in entries]
        if any(value is not None for value in beside):
            metrics[f"{name} (baseline)"] = beside
    keys = dict.fromkeys(key for each in settings for key in each)
    differing = {key: [each.get(key) for each in settings] for key in keys}
    return {
        "facts": {name: [getattr(entry, name) for entry in entries] for name in FACTS},
        "metrics": metrics,
        "settings": {key: values for key, values in differing.items() if any(v != values[0] for v in values)},
    }


def _result(folder: Path) -> dict[str, Any]:
    try:
        return read_result(folder)
    except FulmenError:
        return {}
