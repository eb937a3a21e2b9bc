"""The report of a run that came to no whole one: interrupted, diverged, failed or not tested; as far as it goes."""

import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from fulmen.config.stored import read_stored
from fulmen.errors import FulmenError
from fulmen.io.taken import points_of_plain
from fulmen.report.behind import behind
from fulmen.report.document import Column, Figure, Report, Rows, Section, TableOf, number
from fulmen.report.gap import gap_of
from fulmen.report.known import is_known, is_score
from fulmen.report.markdown import as_text
from fulmen.report.next_of_run import next_of
from fulmen.report.of_run import answer, facts, sections
from fulmen.report.summary import Summary
from fulmen.report.words import counted, spoken
from fulmen.runs.reading import now, read_result

PAGE = "report.html"
CURVE = "figures/training_curve.svg"
STANDS = {
    "completed": "The training has come to its end and was not tested",
    "interrupted": "The run was interrupted",
    "killed": "The run was killed",
    "diverged": "The training diverged",
    "failed": "The run failed",
    "pruned": "The search ended this trial early",
    "stopped": "The training was stopped early",
}


def stamp(folder: Path) -> tuple[int, int] | None:
    """What changes whenever the report in a folder is written; None without one."""
    try:
        status = (folder / PAGE).stat()
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns


def write_partial(folder: Path) -> None:
    """Write report.md and report.html of the run in `folder` as far as it came, and its curve.

    That is the last that a run does, whatever ended it: what goes wrong here is a line on the console, and an error
    that is on its way already stays the one that is told.
    """
    first = sys.exc_info()[1]
    try:
        from fulmen.report.html import write
        from fulmen.report.training_curve import training_curve  # matplotlib: not for those who look into folders

        with suppress(FulmenError, ValueError, KeyError):  # a config or a table of epochs that is damaged
            stored = read_stored(folder)
            training_curve(folder, str(stored["monitor"]), str(stored["mode"]))
        if report := partial_report(folder):
            path = write(report, folder)
            print(f"report, as far as the run came: {path.with_name(PAGE)}, the same in {path.name}", flush=True)
    except BaseException as error:
        if first is None and not isinstance(error, Exception):
            raise
        with suppress(Exception):
            print(f"no report was written: {type(error).__name__}: {error}", flush=True)


def partial_report(folder: Path) -> Report | None:
    """What the files in a folder say of a run, with a line on what is missing; None without a result.

    Raises:
        FulmenError: its result.json is damaged.
    """
    stored = read_result(folder)
    if not stored:
        return None
    result: dict[str, Any] = {"experiment": folder.parent.name} | dict(now(folder, stored))
    typed = folder / "overrides.txt"
    overrides = typed.read_text(encoding="utf-8", errors="replace").splitlines() if typed.is_file() else []
    metrics = {name: value for name, value in result.get("metrics", {}).items() if is_known(value)}
    tested = {name.removeprefix("test/"): value for name, value in metrics.items() if name.startswith("test/")}
    why, command = next_of(folder, result, overrides)
    missing = lacks(folder, result, bool(tested))
    runs = {name: folder / name / PAGE for name in map(str, result.get("runs") or [])}
    return Report(
        title=str(result["experiment"]),
        question=f"How far did this run of {as_text(str(result['experiment']))} come?",
        answer=answer(tested, result.get("baselines") or {}, result) if tested else how_it_stands(result, metrics),
        how_sure=as_text(str(result.get("message") or "")),
        facts=facts(result, overrides),
        lead=Figure("Training", CURVE) if (folder / CURVE).is_file() else None,
        main=of_runs(folder, list(runs)) if runs else of_one(result, metrics),
        next_command=command,
        next_why=why,
        sections=[
            *([Section("What is missing", missing, listed=True)] if missing else []),
            *further(folder, result),
        ],
        attached={"Configuration": folder / "config.yaml", "Environment": folder / "environment.json",
                  "All numbers": folder / "result.json"},
        links={name: f"{name}/{PAGE}" for name, page in runs.items() if page.is_file()},
    )  # fmt: skip


def further(folder: Path, result: Mapping[str, Any]) -> list[Section]:
    """The diagnosis, as far as it can be read, and where the rest is."""
    gap, data = gap_of(folder, str(result.get("losses_differ") or "")), points_of_plain(result.get("taken") or [])
    with suppress(KeyError, TypeError, ValueError):
        return sections(Summary({}), result, gap=gap, data=data)
    return sections(Summary({}), {**result, "verdicts": []}, gap=gap, data=data)


def how_it_stands(result: Mapping[str, Any], metrics: Mapping[str, float]) -> str:
    """How a run without a test has ended, and the best that it has reached, in a sentence."""
    status = str(result.get("status"))
    best = next(
        (f": {spoken(name)} is {number(float(metrics[name]))}" for name in metrics if name.startswith("best/")), ""
    )
    if status == "running":
        return f"The run goes on{best}."
    epochs = int(result.get("epochs") or 0)
    after = f" after {counted(epochs, 'epoch')}" if epochs else " before its first epoch was over"
    after = after if status != "completed" else ""
    return f"{STANDS.get(status, f'The run has ended as {as_text(status)}')}{after}{best}."


def of_one(result: Mapping[str, Any], metrics: Mapping[str, float]) -> TableOf | None:
    """What is known of a single run."""
    rows: Rows = [{"metric": as_text(spoken(name)), "value": float(value)} for name, value in sorted(metrics.items())
                  if is_score(name)]  # fmt: skip
    of = behind([result], ("val", "test"))
    return TableOf("What is known", rows, {"metric": Column("metric")}, behind=of) if rows else None


def of_runs(folder: Path, names: list[str]) -> TableOf:
    """How far each run of several came: those that were not begun have no status."""
    results = [_read(folder / name) for name in names]
    columns = dict.fromkeys(
        key for one in results for key in one.get("metrics", {}) if key.startswith(("best/", "test/"))
    )
    rows = [{"run": name, "status": one.get("status", "not begun")} |
            {key: one.get("metrics", {}).get(key) for key in columns}
            for name, one in zip(names, results, strict=True)]  # fmt: skip
    return TableOf("The runs", rows, {"run": Column("run")}, behind=behind(results, ("val", "test")))


def _read(folder: Path) -> dict[str, Any]:
    with suppress(FulmenError):
        return now(folder, read_result(folder))
    return {"status": "damaged"}


def lacks(folder: Path, result: Mapping[str, Any], tested: bool) -> list[str]:
    """What a whole report would show besides, a sentence each."""
    found = []
    if runs := result.get("runs"):
        left = [name for name in map(str, runs) if _read(folder / name).get("status") != "completed"]
        return (
            [f"Nothing can be said of mean and spread while {', '.join(map(as_text, left))} did not complete."]
            if left
            else []
        )
    if not tested:
        found.append("Nothing was tested: there are no scores of a test split, and no baselines.")
    if not (folder / "figures").is_dir():
        found.append("There are no figures: a learning curve takes two epochs.")
    if not result.get("verdicts"):
        found.append("There is no diagnosis: too little of the training was seen.")
    return found
