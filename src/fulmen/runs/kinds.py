"""What the folders of searches, multiruns, rankings and comparisons say of themselves, for the list of results."""

import csv
import json
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from statistics import fmean
from typing import Any

from fulmen.report.known import is_known
from fulmen.report.leaks import leaks_in, line
from fulmen.runs.ownership import holder
from fulmen.runs.run_facts import Facts, overrides_of

QUIET = 60.0  # seconds without a word after which a search that no trial is at work for has stopped
LEADERBOARD, PROGRESS = "leaderboard.csv", "progress.json"


def search_facts(folder: Path) -> Facts:
    """A study: its experiment, its best trial, how many trials there are, whether somebody is at work."""
    try:
        plan = json.loads((folder / "search.json").read_bytes())
        overrides, search = [str(each) for each in plan["overrides"]], dict(plan["search"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        return {"status": "damaged", "message": f"{folder / 'search.json'} is damaged: {error!r}"}
    progress = _json(folder / PROGRESS)
    table = read_leaderboard(folder)
    best = table[0] if table and table[0].get("place") == "1" else {}
    values: dict[str, float | None] = {
        name: number for name in objectives(table) if (number := _number(best.get(name))) is not None
    }
    if not values and isinstance(first := progress.get("best"), dict):
        values = {str(first.get("metric")): _number(first.get("value"))}
    trials = search.get("trials")
    total = progress.get("total") or (trials if isinstance(trials, int) else None)
    status = _status_of_search(folder, progress)
    return {
        "experiment": chosen(overrides, "experiment") or "",
        "network": chosen(overrides, "network"),
        "status": status,
        "ended": progress.get("ended") or (None if status == "running" else _changed(folder / "report.md")),
        "created": progress.get("started"),
        "seconds": sum(filter(None, (_number(row.get("seconds")) for row in table))) or None,
        "metrics": values,
        "done": _whole(progress.get("done")) if progress else len(table) or None,
        "total": _whole(total),
        "overrides": overrides_of(overrides),
    }


def ranking_facts(folder: Path) -> Facts:
    """Who leads on which metric, and the best of the baselines."""
    try:
        found = json.loads((folder / "ranking.json").read_bytes())
        metric, scores = str(found["metric"]), dict(found["scores"])
        names = [str(row["model"]) for row in found.get("rows", [])] or list(scores)
        means = {name: fmean(scores[name][metric]) for name in names if all(map(is_known, scores[name][metric]))}
        baselines = [str(row["model"]) for row in found.get("rows", []) if row.get("baseline")]
        shared = list(found.get("shared") or [])
        seconds = sum(value for value in dict(found.get("cpu_seconds") or {}).values() if is_known(value))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        return {
            "status": "damaged",
            "message": f"{folder / 'ranking.json'} is damaged: {type(error).__name__}: {error}",
        }
    first = next((name for name in baselines if name in means), None)
    return {
        "experiment": str(found.get("experiment", "")),
        "network": names[0] if names else None,
        "metrics": {metric: means.get(names[0])} if names else {},
        "baseline": {"name": first, "by": metric, "metrics": {metric: means[first]}} if first else None,
        "verdict": str(found.get("verdict", "")),
        "leaks": [line(leak) for leak in leaks_in(found)],
        "seconds": seconds or None,
        "total": len(names),
        "ended": _changed(folder / "ranking.json"),
        "overrides": overrides_of(map(str, shared)),
    }


def multirun_facts(folder: Path) -> Facts:
    """What the tables of a multirun say first."""
    title = _title(folder / "ranking.md")
    return {
        "experiment": title.partition(" of ")[2].partition(",")[0].partition(":")[0],
        "verdict": title,
        "ended": _changed(folder / "ranking.md"),
    }


def comparison_facts(folder: Path) -> Facts:
    """Which models were compared."""
    path = folder / "comparison.md"
    return {"network": _title(path), "verdict": _said_first(path), "ended": _changed(path)}


def read_leaderboard(folder: Path) -> list[dict[str, str]]:
    """The rows of `leaderboard.csv`, all of them text; [] where there is none."""
    try:
        with open(folder / LEADERBOARD, encoding="utf-8", newline="") as file:
            return [{str(key): str(value) for key, value in row.items()} for row in csv.DictReader(file)]
    except (OSError, ValueError, csv.Error):
        return []


def objectives(table: list[dict[str, str]]) -> list[str]:
    """The columns of a leaderboard that trials were judged by: between the number of the trial and its state."""
    columns = list(table[0]) if table else []
    return columns[columns.index("trial") + 1 : columns.index("state")] if {"trial", "state"} <= set(columns) else []


def chosen(overrides: list[str], key: str) -> str | None:
    """The value that was typed last for `key`."""
    found = [each.partition("=")[2].strip("'\"") for each in overrides if each.lstrip("+").partition("=")[0] == key]
    return found[-1] if found else None


def at_work(folder: Path) -> Iterator[Path]:
    """The runs below the folder of a search, trials and champions, that somebody is at work on."""
    for lock in (*folder.glob("trial_*/**/run.lock"), *folder.glob("champion/*/**/run.lock")):
        if holder(lock.parent):
            yield lock.parent


def _status_of_search(folder: Path, progress: Mapping[str, Any]) -> str:
    if any(at_work(folder)):
        return "running"
    if progress.get("ended"):
        return "completed"
    if progress.get("stopped"):
        return "interrupted"
    with suppress(KeyError, TypeError, ValueError):
        if time.time() - datetime.fromisoformat(progress["updated"]).timestamp() < QUIET:
            return "running"
    return "completed" if (folder / "report.md").exists() and not progress else "interrupted"


def _json(path: Path) -> dict[str, Any]:
    with suppress(OSError, ValueError, RecursionError):
        found = json.loads(path.read_bytes())
        return found if isinstance(found, dict) else {}
    return {}


def _number(value: Any) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if is_known(number) else None


def _whole(value: Any) -> int | None:
    number = _number(value)
    return None if number is None else int(number)


def _title(path: Path) -> str:
    return _first_line(path, "# ")


def _said_first(path: Path) -> str:
    return _first_line(path, "- ")


def _first_line(path: Path, mark: str) -> str:
    with suppress(OSError), open(path, encoding="utf-8", errors="replace") as file:
        return next((line.removeprefix(mark).strip() for line in file if line.startswith(mark)), "")
    return ""


def _changed(path: Path) -> str | None:
    with suppress(OSError):
        return datetime.fromtimestamp(path.stat().st_mtime).astimezone().isoformat()
    return None
