"""One line of the list of results: what a folder below an outputs folder is, and what it says of itself."""

import re
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from fulmen.launch.found import Entry as Work
from fulmen.launch.found import Found
from fulmen.launch.record import JOB, OPEN
from fulmen.runs import kinds
from fulmen.runs.labels import read_labels
from fulmen.runs.run_facts import Facts, run_facts

Kind = Literal["run", "multirun", "search", "ranking", "comparison"]
OF_JOB: dict[str, Kind] = {
    "train": "run", "keep": "run", "multirun": "multirun", "sweep": "search", "rank": "ranking",
    "compare": "comparison",
}  # fmt: skip
KINDS: dict[str, Kind] = {"sweeps": "search", "rankings": "ranking", "comparisons": "comparison"}  # below outputs
FOLDER = "{folder}"  # in a message: wherever it now lies
STAMP = re.compile(r"(\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d)(?:-(\d{6}))?(?:_\d+)?$")


@dataclass(frozen=True)
class Entry:
    """A run, multirun, search, ranking or comparison.

    Attributes:
        path: of its folder below the outputs folder, such as `runs/sensors/2026-11-28_12-00-00-000000`.
        network: the choice that was typed, else the class; of a ranking the first model.
        status: of runs as `fulmen.runs.reading.now` says it, of what is queued or running its job's state; `damaged`
            where its files cannot be read, `not begun` where nothing came of a start.
        created, ended: ISO 8601 in UTC; `ended` is None while it lasts.
        epochs, seconds: of training.
        metrics: the main ones: three of the test split; of a search the objectives of its best trial.
        baseline: of what costs nothing, what the best one has of the same metrics; None where there is none.
        verdict: the gravest finding of the diagnosis, or who leads a ranking, in words.
        shown: what its test split shows, under its code.
        leaks: a line for each leak that was found in the data, the gravest first.
        message: why it did not complete; `said` puts the folder into it.
        data: fingerprint of the data.
        done, total: trials of a search, runs of folds and seeds.
        job: the id of its job, where it is one's.
        overrides: what was typed, the last of each key, without what chooses experiment and folder.
    """

    path: str
    kind: Kind
    experiment: str = ""
    network: str | None = None
    status: str = "completed"
    created: str | None = None
    ended: str | None = None
    epochs: int | None = None
    seconds: float | None = None
    metrics: dict[str, float | None] = field(default_factory=dict)
    baseline: dict[str, Any] | None = None
    verdict: str = ""
    message: str = ""
    data: str | None = None
    done: int | None = None
    total: int | None = None
    job: str | None = None
    archived: bool = False
    tags: list[str] = field(default_factory=list)
    note: str = ""
    overrides: list[str] = field(default_factory=list)
    leaks: list[str] = field(default_factory=list)
    shown: str = ""

    @property
    def name(self) -> str:
        """As `fulmen runs` lists it: the path of a run without `runs/`."""
        return self.path.removeprefix("runs/")

    @property
    def is_settled(self) -> bool:
        """Whether it stays like that as long as its folder does."""
        return self.status not in OPEN

    def said(self, folder: str | Path) -> str:
        """The first line of its message, with the folder as its reader knows it."""
        return self.message.partition("\n")[0].replace(FOLDER, str(folder))


def read_entry(outputs: Path, place: str, jobs: Found) -> Entry | None:
    """What the folder at `place` below `outputs` says of itself; None if it holds nothing of ours.

    Whatever its files hold that nobody has foreseen, it is listed as damaged: one folder hides no other.
    """
    try:
        return _read(outputs, place, jobs)
    except (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError) as error:
        what = f"its files hold what they should not: {type(error).__name__}: {error}"
        return Entry(place, KINDS.get(place.partition("/")[0], "run"), status="damaged", message=what[:200])


def _read(outputs: Path, place: str, jobs: Found) -> Entry | None:
    folder = outputs / place
    work = jobs.at(folder) if (folder / JOB).exists() else None
    found = _facts(folder, place)
    if found is None and work is None:
        return None
    kind, facts = found or (OF_JOB[work.job.kind] if work else "run", {})
    return _entry(folder, place, kind, _with_job(facts, work) if work else facts)


def read_run(outputs: Path, place: str) -> Entry | None:
    """A run within another result, such as a trial, a champion or a fold; None if there is no run at `place`."""
    facts = run_facts(outputs / place)
    return None if facts is None else _entry(outputs / place, place, "run", facts)


def _entry(folder: Path, place: str, kind: Kind, facts: Facts) -> Entry:
    facts = {**facts, "message": str(facts.get("message", "")).replace(str(folder), FOLDER)}
    labels = read_labels(folder)
    entry = Entry(path=place, kind=kind, **facts)
    entry = replace(entry, archived=labels.archived, tags=list(labels.tags), note=labels.note)
    return replace(entry, created=_utc(entry.created) or _stamped(folder), ended=_utc(entry.ended))


def _facts(folder: Path, place: str) -> tuple[Kind, Facts] | None:
    top = place.partition("/")[0]
    if top == "runs":
        facts = run_facts(folder)
        return None if facts is None else ("run", facts)
    if top == "sweeps" and (folder / "search.json").exists():
        return "search", kinds.search_facts(folder)
    if top == "sweeps" and (folder / "ranking.md").exists():
        return "multirun", kinds.multirun_facts(folder)
    if top == "rankings" and (folder / "ranking.json").exists():
        return "ranking", kinds.ranking_facts(folder)
    if top == "comparisons" and (folder / "comparison.md").exists():
        return "comparison", kinds.comparison_facts(folder)
    return None


def _with_job(facts: Facts, work: Work) -> Facts:
    """The facts of a folder that a job fills: how the work stands is the job's word, until the folder has a later one.

    A run says itself how it ended: stopped early, pruned, diverged; of everything else the job knows.
    """
    job, attempt = work.job, work.attempt
    facts = {"created": job.created, **facts, "job": job.id, "experiment": facts.get("experiment") or job.experiment}
    own, at_end = facts.get("status", "not begun"), bool(attempt and attempt.ended)
    silent = own in ("not begun", "running", "killed", "queued")
    later = attempt is None or (_utc(facts.get("ended")) or "") >= (_utc(attempt.began) or "")
    if job.kind in ("train", "keep") and not work.is_open and not silent and later:
        return facts
    facts = {**facts, "status": work.state, "message": work.message or (facts.get("message", "") if at_end else "")}
    return facts | {"ended": attempt.ended if attempt and not work.is_open else None}


def _utc(time: str | None) -> str | None:
    """An ISO time as one in UTC to the second, so that texts are in the order of times."""
    try:
        return datetime.fromisoformat(time).astimezone(UTC).isoformat(timespec="seconds") if time else None
    except (ValueError, TypeError, OverflowError):
        return None


def _stamped(folder: Path) -> str | None:
    """When a folder was begun by its name, else when it was changed last."""
    found = STAMP.search(folder.name)
    try:
        when = datetime.strptime(found[1], "%Y-%m-%d_%H-%M-%S") if found else None
        return (when or datetime.fromtimestamp(folder.stat().st_mtime)).astimezone(UTC).isoformat(timespec="seconds")
    except (ValueError, OSError, OverflowError):
        return None
