"""What the folder of a run says of itself, for the list of runs: read without importing anything heavy."""

import os
import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from fulmen.errors import FulmenError
from fulmen.launch.record import OWN
from fulmen.report import known
from fulmen.report.known import is_score
from fulmen.report.leaks import leaks_in, line
from fulmen.runs.damage import damages, parts_of, read_typed
from fulmen.runs.labels import LABELS
from fulmen.runs.ownership import LOCK, TEMPORARY, holder
from fulmen.runs.reading import now, read_environment, read_result
from fulmen.utils.event_files import event_files, event_folder

Facts = dict[str, Any]  # fields of an Entry

SHOWN = 3  # metrics
CONFIG, RESULT = "config.yaml", "result.json"
CEILING = "ceiling"  # a baseline that nothing can beat
DAMAGED: dict[str, Any] = {"status": "damaged"}  # instead of a result.json that is lost
ELSEWHERE = ("experiment", "output_dir", "resume")  # typed keys that other columns show, or that lead to a folder
OF_A_START = {CONFIG, "overrides.txt", "environment.json", "progress.json", "log.txt", LOCK, LABELS, *OWN}
TARGET = re.compile(r"^model:\n(?:(?:  .*)?\n)*?  network:\n(?:    .*\n)*?    _target_: *(\S+)", re.MULTILINE)
TOP_LEVEL = re.compile(r"^(monitor|mode): *(\S+)", re.MULTILINE)


def run_facts(folder: Path) -> Facts | None:
    """What a folder below outputs/runs is, as far as its files can be read; None if it is no run of ours."""
    if not (folder / RESULT).exists() and (begun := _without_result(folder)) != DAMAGED:
        return begun
    result = DAMAGED
    with suppress(FulmenError):
        stored = read_result(folder)
        result = now(folder, stored) if stored.get("status") else DAMAGED
    environment = read_environment(folder)
    config, (typed, _) = _text(folder / CONFIG), read_typed(folder)
    metrics = main_metrics(result.get("metrics", {}), watched(config).get("monitor", ""))
    cost, starts = result.get("cost", {}), environment.get("starts") or [{}]
    runs = parts_of(folder, result if result != DAMAGED else {})
    lost = damages(folder) if result["status"] != "running" else []
    return {
        "experiment": str(result.get("experiment") or folder.parent.name),
        "network": network(config, typed),
        "status": str(result.get("status", "")),
        "created": _first(starts, "time"),
        "ended": None if result.get("status") == "running" else _ended(folder, starts, cost),
        "epochs": int(epochs) if known.is_known(epochs := result.get("epochs")) else None,
        "seconds": _number(cost.get("fit_seconds")),
        "metrics": metrics,
        "baseline": best_baseline(metrics, result.get("baselines", {}), better(result, config)),
        "verdict": _verdict(result.get("verdicts") or []),
        "leaks": [line(leak) for leak in leaks_in(result)],
        "shown": _shown(result.get("shown") or {}),
        "message": "; ".join(filter(None, [result.get("message", ""), *lost])),
        "data": str(data) if (data := environment.get("data_fingerprint")) else None,
        "overrides": overrides_of(typed),
    } | ({"done": _done(folder, runs), "total": len(runs)} if runs else {})


def main_metrics(metrics: Mapping[str, Any], monitor: str = "") -> dict[str, float | None]:
    """The first metrics of the test split; of what was not tested the watched one first, then those of validation.

    Learning rates are none, and losses of training only where nothing else is known.
    """
    measured = [name for name in metrics if is_score(name)]
    tested = [name for name in measured if name.startswith("test/")]
    watching = [name for name in measured if name == monitor]
    watching += [name for name in measured if name.startswith("val/") and name != monitor]
    main = tested or watching or measured
    return {name: _number(metrics[name]) for name in main[:SHOWN]}


def overrides_of(typed: Iterable[str]) -> list[str]:
    """What was typed, the last of each key, without what other columns of a list show."""
    last = {line.partition("=")[0].lstrip("+"): line for line in map(str.strip, typed) if line}
    return [line for key, line in last.items() if key not in ELSEWHERE]


def best_baseline(
    metrics: Mapping[str, float | None], baselines: Mapping[str, Any], ways: Mapping[str, str]
) -> dict[str, Any] | None:
    """The baseline that is best by the first of `metrics` of which it is known which way is better.

    Args:
        ways: metric -> min or max, of those of which it is known.
    """
    rivals = {name: scores for name, scores in baselines.items() if name != CEILING and isinstance(scores, dict)}
    for metric in metrics:
        short = metric.removeprefix("test/")
        if ways.get(short) in ("min", "max"):
            first = known.best({name: scores.get(short) for name, scores in rivals.items()}, ways[short] == "max")
            if first:
                own = {name: _number(rivals[first].get(name.removeprefix("test/"))) for name in metrics}
                return {"name": first, "by": metric, "metrics": own}
    return None


def better(result: Mapping[str, Any], config: str) -> dict[str, str]:
    """Which way metrics are better: the result says it, and of what was watched the config does."""
    found = watched(config)
    monitored = found.get("monitor", "").rpartition("/")[2]
    return {"loss": "min", monitored: found.get("mode", ""), **result.get("better", {})}


def watched(config: str) -> dict[str, str]:
    """`monitor` and `mode` of a config."""
    return {name: value.strip("'\"") for name, value in TOP_LEVEL.findall(config)}


def network(config: str, typed: Iterable[str]) -> str | None:
    """The network that was typed last, else the name of the class in a config."""
    chosen = [line.partition("=")[2].strip("'\" ") for line in typed if line.startswith("network=")]
    if chosen and chosen[-1]:
        return chosen[-1]
    found = TARGET.search(config)
    return found[1].rpartition(".")[2] if found else None


def _without_result(folder: Path) -> Facts | None:
    """A run that is just beginning, or has never begun, or `DAMAGED`."""
    facts = {"experiment": folder.parent.name, "network": network(_text(folder / CONFIG), ())}
    if holder(folder):
        return facts | {"status": "running"}
    try:
        names = {name for name in os.listdir(folder) if not TEMPORARY.fullmatch(name)}
        saved = any((folder / "checkpoints").iterdir()) if "checkpoints" in names else False
    except OSError:
        return None
    if (saved and CONFIG in names) or parts_of(folder, {}):
        return DAMAGED
    events = {path.name for path in event_files(folder)} | {path.name for path in [event_folder(folder)] if path}
    left = {name for name in names - OF_A_START - events if not name.startswith("seed_")}
    return facts | {"status": "not begun"} if left <= {"checkpoints", "figures"} else None


def _ended(folder: Path, starts: list[Any], cost: Mapping[str, Any]) -> str | None:
    """When the last start ended: a copied folder does not say it by its times."""
    with suppress(KeyError, TypeError, ValueError, AttributeError, OverflowError):
        return (datetime.fromisoformat(starts[-1]["time"]) + timedelta(seconds=float(cost["seconds"]))).isoformat()
    with suppress(OSError):
        return datetime.fromtimestamp((folder / "result.json").stat().st_mtime).astimezone().isoformat()
    return None


def _done(folder: Path, runs: list[Any]) -> int:
    done = 0
    for name in runs:
        with suppress(FulmenError, TypeError):
            done += read_result(folder / name).get("status") in ("completed", "stopped", "diverged")
    return done


def _number(value: Any) -> float | None:
    return value if known.is_known(value) else None


def _first(starts: list[Any], name: str) -> str | None:
    found = starts[0].get(name) if isinstance(starts, list) and isinstance(starts[0], dict) else None
    return found if isinstance(found, str) else None


def _verdict(verdicts: list[Any]) -> str:
    first = verdicts[0] if verdicts and isinstance(verdicts[0], dict) else {}
    return str(first.get("finding", ""))


def _shown(shown: Mapping[str, Any]) -> str:
    return " ".join(str(shown[name]) for name in ("id", "sentence") if shown.get(name))


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
