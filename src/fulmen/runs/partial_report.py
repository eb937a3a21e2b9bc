"""The report of a run that wrote none: interrupted, diverged, not tested, or still training; as far as it goes."""

from pathlib import Path
from typing import Any

from fulmen.report.behind import behind
from fulmen.report.document import Column, Figure, Report, Section, TableOf
from fulmen.report.known import is_known
from fulmen.report.markdown import as_text
from fulmen.report.of_run import answer, facts, next_of
from fulmen.runs.reading import now, read_result

CURVE = "figures/training_curve.svg"


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
    rows = [{"metric": as_text(name), "value": float(value)} for name, value in sorted(metrics.items())]
    missing = lacks(folder, result, bool(tested))
    of = behind([result], ("val", "test"))
    return Report(
        title=str(result["experiment"]),
        question=f"How far did this run of {as_text(str(result['experiment']))} come?",
        answer=answer(tested, result.get("baselines") or {}, result) if tested else f"It is {result.get('status')}.",
        how_sure=as_text(str(result.get("message") or "")),
        facts=facts(result, overrides),
        lead=Figure("Training", CURVE) if (folder / CURVE).is_file() else None,
        main=TableOf("What is known", rows, {"metric": Column("metric")}, behind=of) if rows else None,
        next_command=command,
        next_why=why,
        sections=[Section("What is missing", missing, listed=True)] if missing else [],
        attached={"Configuration": folder / "config.yaml", "All numbers": folder / "result.json"},
    )


def lacks(folder: Path, result: dict[str, Any], tested: bool) -> list[str]:
    """What a report would show besides, a sentence each."""
    found = ["This run has written no report: the page is made of the files that are there."]
    if not tested:
        found.append("Nothing was tested: there are no scores of a test split, and no baselines.")
    if not (folder / "figures").is_dir():
        found.append("There are no figures.")
    if not result.get("verdicts"):
        found.append("There is no diagnosis.")
    return found
