"""A search as its folder tells it: trials, history, champion. Optuna is not needed for that, and not imported."""

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from statistics import fmean
from typing import Any

from pydantic import BaseModel

from fulmen.errors import FulmenError
from fulmen.report.known import is_known
from fulmen.runs.kinds import objectives, read_leaderboard
from fulmen.runs.reading import now, read_result
from fulmen.runs.run_facts import TOP_LEVEL
from fulmen.serve.results import plain

CONCLUSION = re.compile(r"^## The champion\n\n(.+?)\n\n", re.MULTILINE | re.DOTALL)
OF_THE_RUN = ("place", "trial", "state", "epochs", "seconds")  # columns that are neither objective nor parameter
STATES = {"completed": "complete", "stopped": "complete"}


class Trial(BaseModel):
    """A trial; `place` is its rank among the complete ones, None where it has none."""

    place: int | None
    trial: int
    state: str
    values: dict[str, float | None]
    epochs: int | None
    seconds: float | None
    parameters: dict[str, Any]


class Moment(BaseModel):
    """A trial in the order of time: its value of the first objective, and the best so far."""

    trial: int
    state: str
    value: float | None
    best: float | None


class Champion(BaseModel):
    """The best trial, trained again on new seeds and tested, beside what costs nothing: means over the seeds."""

    trial: int
    runs: list[str]
    conclusion: str
    parameters: dict[str, Any]
    metrics: dict[str, float]
    baselines: dict[str, dict[str, float]]


class Found(BaseModel):
    """What a search has found so far."""

    objectives: dict[str, str]
    settings: dict[str, Any]
    overrides: list[str]
    parameters: list[str]
    leaderboard: list[Trial]
    history: list[Moment]
    champion: Champion | None


def found(folder: Path, going_on: bool) -> Found:
    """What the folder of a search holds.

    Args:
        going_on: the leaderboard is written at its end; while it goes on, the folders of the trials tell.
    """
    plan = _plan(folder)
    watched, way = _watched(folder)
    modes: dict[str, str] = dict(plan["search"].get("objectives") or ({watched: way or "min"} if watched else {}))
    trials = [] if going_on else from_leaderboard(read_leaderboard(folder))
    trials = trials or from_folders(folder, modes, plan["overrides"])
    if trials and not watched and not plan["search"].get("objectives"):
        modes = dict.fromkeys(trials[0].values, way or "min")
    settings = {key: value for key, value in plan["search"].items() if key not in ("space", "storage")}
    return Found(
        objectives=modes, settings=settings, overrides=plan["overrides"],
        parameters=list(dict.fromkeys(key for each in trials for key in each.parameters)),
        leaderboard=trials, history=history(trials, modes), champion=champion(folder, trials),
    )  # fmt: skip


def from_leaderboard(table: list[dict[str, str]]) -> list[Trial]:
    """The rows of leaderboard.csv."""
    named = objectives(table)
    trials = []
    for row in table:
        known = {name: plain(value) for name, value in row.items()}
        facts = {name: known.get(name) for name in OF_THE_RUN}
        parameters = {name: value for name, value in known.items() if name not in facts and name not in named}
        if isinstance(known.get("trial"), int):
            set_ones = {name: value for name, value in parameters.items() if value is not None}
            values = {name: known[name] for name in named}
            trials.append(Trial.model_validate({**facts, "values": values, "parameters": set_ones}))
    return trials


def from_folders(folder: Path, modes: Mapping[str, str], shared: Iterable[str]) -> list[Trial]:
    """The trials by their run folders, complete ones first, the best first."""
    folders = [path for path in sorted(folder.glob("trial_*")) if path.name[6:].isdigit()]
    trials = [_trial(path, list(modes), set(shared)) for path in folders]
    first, mode = next(iter(modes.items()), ("", "min"))
    complete = [each for each in trials if each.state == "complete" and is_known(each.values.get(first))]
    complete.sort(key=lambda each: each.values[first] or 0.0, reverse=mode == "max")
    for place, each in enumerate(complete, 1):
        each.place = place
    return complete + [each for each in trials if each.place is None]


def history(trials: Iterable[Trial], modes: Mapping[str, str]) -> list[Moment]:
    """The trials in the order of time."""
    first, mode = next(iter(modes.items()), ("", "min"))
    best: float | None = None
    moments = []
    for each in sorted(trials, key=lambda each: each.trial):
        value = each.values.get(first)
        if each.state == "complete" and value is not None:
            best = value if best is None else (max if mode == "max" else min)(best, value)
        moments.append(Moment(trial=each.trial, state=each.state, value=value, best=best))
    return moments


def champion(folder: Path, trials: Iterable[Trial]) -> Champion | None:
    """The runs of the newest champion; None if none was trained yet."""
    runs = sorted(path for path in folder.glob("champion/trial_*_seed_*") if (path / "result.json").is_file())
    if not runs:
        return None
    last = runs[-1].name.partition("_seed_")[0]
    runs = [path for path in runs if path.name.startswith(f"{last}_seed_")]
    results = [result for path in runs if (result := _result(path)).get("status") in ("completed", "stopped")]
    number = int(last.removeprefix("trial_"))
    said = CONCLUSION.search(_text(folder / "report.md"))
    names = results[0].get("baselines", {}) if results else {}
    return Champion(
        trial=number, runs=[path.relative_to(folder).as_posix() for path in runs],
        conclusion=" ".join(said[1].split()) if said else "",
        parameters=next((each.parameters for each in trials if each.trial == number), {}),
        metrics=_means([result.get("metrics", {}) for result in results]),
        baselines={name: _means([result.get("baselines", {}).get(name, {}) for result in results]) for name in names},
    )  # fmt: skip


def _trial(folder: Path, named: list[str], shared: set[str]) -> Trial:
    result = now(folder, _result(folder))
    metrics, cost = result.get("metrics", {}), result.get("cost", {})
    state = str(result.get("status", "waiting"))
    values = {name: metrics.get(f"best/{name}", metrics.get(name, cost.get(name))) for name in named}
    lines = [line for line in _text(folder / "overrides.txt").splitlines() if "=" in line and line not in shared]
    typed = {key: plain(value) for key, _, value in (line.partition("=") for line in lines) if "." in key}
    ours = ("callbacks.", "logger.", "+", "~", "hydra.", "trainer.")
    return Trial(
        place=None, trial=int(folder.name[6:]), state=STATES.get(state, state), values=values,
        epochs=result.get("epochs"), seconds=cost.get("fit_seconds"),
        parameters={key: value for key, value in typed.items() if not key.startswith(ours)},
    )  # fmt: skip


def _watched(folder: Path) -> tuple[str | None, str | None]:
    """`monitor` and `mode` of the trainings, by the config of a trial."""
    for path in sorted(folder.glob("trial_*/config.yaml"))[:1]:
        said = dict(TOP_LEVEL.findall(_text(path)))
        return said.get("monitor"), said.get("mode")
    return None, None


def _plan(folder: Path) -> dict[str, Any]:
    try:
        plan = json.loads((folder / "search.json").read_bytes())
        return {"search": dict(plan["search"]), "overrides": [str(each) for each in plan["overrides"]]}
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return {"search": {}, "overrides": []}


def _means(scores: list[dict[str, Any]]) -> dict[str, float]:
    shared = [name for name in (scores[0] if scores else {}) if all(is_known(each.get(name)) for each in scores)]
    return {name: fmean(each[name] for each in scores) for name in shared}


def _result(folder: Path) -> dict[str, Any]:
    try:
        return read_result(folder)
    except FulmenError:
        return {}


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
