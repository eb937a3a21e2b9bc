"""Runs side by side: their metrics, and the settings in which they differ."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from fulmen.errors import FulmenError
from fulmen.runs.entry import Entry
from fulmen.runs.reading import read_result

SAME = ("output_dir", "resume", "format")  # of a config: no setting of the training
FACTS = ("status", "experiment", "network", "created", "epochs", "seconds", "data")
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def side_by_side(outputs: Path, entries: Sequence[Entry]) -> dict[str, dict[str, list[Any]]]:
    """`facts`, `metrics` and `settings`: name -> one value for each entry, None where it has none.

    Of the settings those in which not all agree; of baselines the best one of each run, as `<metric> (baseline)`.
    """
    results = [_result(outputs / entry.path) for entry in entries]
    settings = [dict(_flat(_config(outputs / entry.path))) for entry in entries]
    metrics: dict[str, list[Any]] = {}
    for name in dict.fromkeys(name for result in results for name in result.get("metrics", {})):
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


def _flat(config: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Dotted key -> value; lists as they are."""
    for key, value in config.items():
        name = f"{prefix}{key}"
        if isinstance(value, dict) and value:
            yield from _flat(value, f"{name}.")
        elif name not in SAME:
            yield name, value


def _config(folder: Path) -> dict[str, Any]:
    try:
        found = yaml.load((folder / "config.yaml").read_text(encoding="utf-8"), LOADER)
        where = str(found.get("output_dir")) if isinstance(found, dict) else ""
        return _without(found, where) if isinstance(found, dict) else {}
    except (OSError, ValueError, RecursionError, yaml.YAMLError):
        return {}


def _without(value: Any, folder: str) -> Any:
    """`value` with paths below the run's own folder as they are below it: these differ in every run."""
    if isinstance(value, dict):
        return {key: _without(item, folder) for key, item in value.items()}
    return value.replace(folder, "<run>") if isinstance(value, str) and folder and folder in value else value


def _result(folder: Path) -> dict[str, Any]:
    try:
        return read_result(folder)
    except FulmenError:
        return {}
