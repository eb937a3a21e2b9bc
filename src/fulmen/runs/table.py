"""`fulmen.runs(...)`: every run below an outputs folder as a table, with what was typed and what came of it."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pandas

from fulmen.config.mistakes import key_of
from fulmen.errors import FulmenError
from fulmen.report.known import is_known
from fulmen.runs.choices import STATUSES, refuse_unknown
from fulmen.runs.damage import parts_of, read_typed
from fulmen.runs.entry import Entry
from fulmen.runs.index import Index
from fulmen.runs.listing import chosen, in_order
from fulmen.runs.parts import read_parts
from fulmen.runs.reading import read_result
from fulmen.runs.run_facts import run_facts
from fulmen.runs.settings import settings_of

MAIN = (
    "network",
    "seed",
    "data.fold",
    "model.optimizer.lr",
    "data.batch_size",
    "trainer.max_epochs",
)  # shown whoever typed them
MACHINERY = (
    "callbacks",
    "logger",
    "hydra",
    "findings",
)  # parts of a config that say how a run is watched, not what it learns
OURS = ("experiment", "output_dir", "resume", "test", "folds", "seeds", "threads")
KINDS = ("run", "mean", "fold", "seed", "trial", "champion")
FACTS = ("kind", "part_of", "experiment", "status", "created", "epochs", "seconds", "overrides")
SCORES = ("best/", "test/")


@dataclass(frozen=True)
class Row:
    """A run for the table.

    Attributes:
        place: of its folder below the outputs folder.
        kind: run, mean (of the runs of folds and seeds), fold, seed, trial, champion.
        part_of: the place of the run, search or multirun that it belongs to.
        facts: as an `Entry` has them.
    """

    place: str
    kind: str
    part_of: str
    facts: Mapping[str, Any]
    typed: list[str] = field(default_factory=list)
    config: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, Any] = field(default_factory=dict)


def runs(
    experiment: str = "*", outputs: str | Path = "outputs", *, kind: str | Sequence[str] = (),
    status: str | Sequence[str] = (), tags: Sequence[str] = (), archived: bool | None = False,
) -> pandas.DataFrame:  # fmt: skip
    """A row for every run, run of folds and seeds, trial and champion below `outputs`, the oldest first.

    The index is the folder below `outputs`; `fulmen.load_run(f"outputs/{name}")` opens it. Columns are facts, the
    `overrides` that were typed, a column for each setting that anybody typed and the main ones, the final scores, and
    what there is to say: `verdict` of the diagnosis, `message` where a run did not complete or cannot be read.

    Args:
        experiment: may hold `*`, `?` and `[...]`.
        kind: some of run, mean, fold, seed, trial, champion; all by default.
        status: some of completed, interrupted, ...; all by default.
        tags: all of these.
        archived: only those, or None for all; by default those that are not.

    Raises:
        FulmenError: there is no folder `outputs`, no such kind, or no such status.
    """
    outputs = Path(outputs)
    if not outputs.is_dir():
        raise FulmenError(f"there is no folder {outputs}; fulmen.runs(outputs=...) takes the one that holds runs/")
    entries = chosen(Index(outputs).entries(), kind="all", tags=tags, archived=archived)
    multiruns = {part: entry.path for entry in entries if entry.kind == "multirun"
                 for part in read_parts(outputs, entry.path)}  # fmt: skip
    found = [row for entry in in_order(entries, "created") for row in _rows(outputs, entry, multiruns)]
    kinds, states = _several(kind), _several(status)
    refuse_unknown("kind", kinds, KINDS)
    refuse_unknown("status", states, [*STATUSES, *(str(row.facts.get("status")) for row in found)])
    found = [row for row in found if fnmatchcase(str(row.facts.get("experiment", "")), experiment)]
    found = [row for row in found if not kinds or row.kind in kinds]
    return as_table([row for row in found if not states or row.facts.get("status") in states], outputs)


def as_table(rows: Sequence[Row], outputs: Path) -> pandas.DataFrame:
    """The rows with a column for each setting that one of them typed and each score that one of them has."""
    settings = _settings(rows)
    scores = dict.fromkeys(name for row in rows for name in row.metrics)
    lines = []
    for row in rows:
        facts = {**row.facts, "kind": row.kind, "part_of": row.part_of, "overrides": " ".join(row.typed)}
        said = str(facts.get("message") or "").partition("\n")[0].replace("{folder}", str(outputs / row.place))
        lines.append(
            {name: facts.get(name) for name in FACTS}
            | {name: _plain(_setting(row, name)) for name in settings}
            | {name: value if is_known(value := row.metrics.get(name)) else None for name in scores}
            | {"verdict": facts.get("verdict", ""), "message": said}
        )
    columns = [*FACTS, *settings, *scores, "verdict", "message"]
    table = pandas.DataFrame(lines, columns=columns, index=pandas.Index([row.place for row in rows], name="run"))
    table["created"] = pandas.to_datetime(table["created"], utc=True, errors="coerce", format="ISO8601")
    for name in ("epochs", "seconds", *scores):
        table[name] = pandas.to_numeric(table[name], errors="coerce")
    return table


def _rows(outputs: Path, entry: Entry, multiruns: Mapping[str, str]) -> Iterator[Row]:
    """The runs that an entry of the list stands for; none of a comparison, a ranking or the table of a multirun.

    Args:
        multiruns: place of a run -> that of the multirun which started it.
    """
    if entry.kind == "run":
        yield from _with_parts(outputs, entry.path, "run", multiruns.get(entry.path, ""), vars(entry))
    if entry.kind == "search":
        for pattern, kind in (("trial_*", "trial"), ("champion/*", "champion")):
            for folder in sorted((outputs / entry.path).glob(pattern)):
                yield from _with_parts(outputs, folder.relative_to(outputs).as_posix(), kind, entry.path)


def _with_parts(
    outputs: Path, place: str, kind: str, part_of: str, facts: Mapping[str, Any] | None = None
) -> Iterator[Row]:
    """A run, and below it those of its folds and seeds."""
    folder = outputs / place
    facts = facts or run_facts(folder)
    if not facts or facts.get("status") == "not begun":
        return
    result = {}
    with suppress(FulmenError):  # of one that is damaged the facts say so
        result = read_result(folder)
    parts = parts_of(folder, result)
    config = settings_of(folder)
    scores = {name: value for name, value in (result.get("metrics") or {}).items() if name.startswith(SCORES)}
    experiment = facts.get("experiment") if kind in ("run", "fold", "seed") else config.get("experiment")
    facts = {**facts, "experiment": experiment or facts.get("experiment")}
    yield Row(place, "mean" if parts and kind == "run" else kind, part_of, facts, _typed(folder), config, scores)
    for name in parts:
        yield from _with_parts(outputs, f"{place}/{name}", "fold" if "/fold_" in f"/{name}" else "seed", place)


def _typed(folder: Path) -> list[str]:
    """What was typed at the start and at every resume, without what says where, and how it is watched."""
    keys = [(line, key_of(line)) for line in read_typed(folder)[0] if line.strip()]
    hidden = ("output_dir", "resume")
    return [line for line, key in keys if key not in hidden and key.partition(".")[0] not in MACHINERY]


def _settings(rows: Sequence[Row]) -> list[str]:
    """The main settings that any run has, and those that were typed for any."""
    typed = dict.fromkeys(key_of(line) for row in rows for line in row.typed)
    named = [name for name in dict.fromkeys([*MAIN, *typed]) if name not in OURS]
    return [name for name in named if any(_setting(row, name) is not None for row in rows)]


def _setting(row: Row, name: str) -> Any:
    """Its value in the configuration; of a choice what was typed."""
    if name == "network":
        return row.facts.get("network")
    chosen = [line.partition("=")[2] for line in row.typed if key_of(line) == name]
    return row.config.get(name, chosen[-1] if chosen else None)


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, int | float | str) else str(value)


def _several(given: str | Sequence[str]) -> Sequence[str]:
    return [given] if isinstance(given, str) else given
