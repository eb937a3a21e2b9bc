"""Runs, searches, rankings and comparisons as the interface shows them."""

import os
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Annotated, Any

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field

from fulmen.registry.origins import origins
from fulmen.runs.deleting import InUse, delete, models_from
from fulmen.runs.entry import Entry, read_run
from fulmen.runs.index import Index
from fulmen.runs.labels import LONGEST, MOST, TAG, label
from fulmen.runs.listing import chosen, in_order
from fulmen.serve.problems import Problem
from fulmen.serve.settings import Settings

Tag = Annotated[str, Field(pattern=f"^{TAG.pattern}$")]
Limit = Annotated[int, Query(ge=1, le=500, description="how many at most")]
Offset = Annotated[int, Query(ge=0, description="how many to leave out first")]
Paths = Annotated[list[str], Query(min_length=2, max_length=20, description="of runs, two or more")]


class Baseline(BaseModel):
    """What costs nothing, beside a result."""

    name: str
    by: str
    metrics: dict[str, float | None]


class Listed(BaseModel):
    """One line of a list of results.

    `path` is that of its folder below the outputs folder, `name` the same without `runs/`. Times are ISO 8601 in UTC.
    """

    path: str
    name: str
    kind: str
    experiment: str
    network: str | None
    status: str
    created: str | None
    ended: str | None
    epochs: int | None
    seconds: float | None
    metrics: dict[str, float | None]
    baseline: Baseline | None
    verdict: str
    leaks: list[str]
    message: str
    data: str | None
    done: int | None
    total: int | None
    job: str | None
    archived: bool
    tags: list[str]
    note: str
    bytes: int


class Listing(BaseModel):
    """A part of a list, and what the whole of it could be filtered by."""

    items: list[Listed]
    total: int
    limit: int
    offset: int
    experiments: list[str] = []
    statuses: dict[str, int] = {}
    tags: list[str] = []


class Labels(BaseModel):
    """What to say of a folder; what is left out stays as it is."""

    model_config = ConfigDict(extra="forbid")

    archived: bool | None = None
    tags: list[Tag] | None = Field(None, max_length=MOST)
    note: str | None = Field(None, max_length=LONGEST)


class Results:
    """The results below the outputs folder, for whoever asks by HTTP."""

    def __init__(self, settings: Settings):
        self.outputs, self.registry = settings.outputs, settings.registry
        self.index = Index(settings.outputs)

    def find(self, path: str, *kinds: str) -> Entry:
        """A result by its path below the outputs folder; of a run without `runs/` too.

        Only what the index lists is found, and runs within that: no other path leads anywhere.

        Raises:
            Problem: 404, there is none.
        """
        for find in (self.index.entry, self._within):
            for place in (path, f"runs/{path}"):
                if (entry := find(place)) and (not kinds or entry.kind in kinds):
                    return entry
        raise Problem(404, f"there is no {' or '.join(kinds) or 'result'} {path}")

    def _within(self, place: str) -> Entry | None:
        """A trial, a champion or a fold within a result that the index lists."""
        folder = self.outputs / place
        if not os.path.isdir(folder) or folder.resolve() != self.outputs.resolve() / place:  # a link, or a step up
            return None
        listed = any(self.index.entry(str(above)) for above in PurePosixPath(place).parents)
        return read_run(self.outputs, place) if listed else None

    def newest(self, kind: str, experiment: str, limit: int, offset: int) -> Listing:
        """A part of the list of one kind, the newest first."""
        among = chosen(self.index.entries(), kind=kind)
        return self.listing(in_order(chosen(among, kind, experiment), "-created"), among, limit, offset)

    def folder(self, entry: Entry) -> Path:
        """Where it lies."""
        return self.outputs / entry.path

    def listed(self, entry: Entry) -> Listed:
        """Its line."""
        facts = vars(entry) | {"name": entry.name, "message": self.without_places(entry.said(entry.path))}
        return Listed.model_validate(sendable(facts | {"bytes": self.index.bytes(entry)}))

    def listing(self, chosen: Sequence[Entry], among: Sequence[Entry], limit: int, offset: int) -> Listing:
        """A part of the chosen ones.

        Args:
            among: what they were chosen from: its experiments, statuses and tags can be filtered by.
        """
        statuses = [entry.status for entry in among]
        return Listing(
            items=[self.listed(entry) for entry in chosen[offset : offset + limit]],
            total=len(chosen), limit=limit, offset=offset,
            experiments=sorted({entry.experiment for entry in among} - {""}),
            statuses={status: statuses.count(status) for status in sorted(set(statuses))},
            tags=sorted({tag for entry in among for tag in entry.tags}),
        )  # fmt: skip

    def label(self, entry: Entry, labels: Labels) -> Listed:
        """Change what is said of it."""
        label(self.folder(entry), **labels.model_dump())
        return self.listed(self.find(entry.path))

    def delete(self, entry: Entry, force: bool) -> None:
        """Delete its folder.

        Raises:
            Problem: 409, somebody is at work there, or it is kept.
        """
        try:
            delete(self.outputs, entry.path, self.kept(), force)
        except InUse as error:
            why = self.without_places(str(error)).replace("--force deletes it", "force=true deletes it")
            raise Problem(409, why) from None

    def kept(self) -> dict[Path, list[str]]:
        """The models that are kept, by the run folder that each came from."""
        return origins(self.registry)

    def models_of(self, entry: Entry) -> list[str]:
        """The models that came from it."""
        return models_from(self.folder(entry), self.kept())

    def without_places(self, text: str) -> str:
        """A message without the path of the outputs folder, which is the machine's own matter."""
        for place in (str(self.outputs.resolve()), str(self.outputs)):
            text = text.replace(f"{place}/", "")
        return text


def sendable(value: Any) -> Any:
    """A value of a file that anybody may have written, as JSON can hold it: no NaN, no broken text, text as keys."""
    if isinstance(value, dict):
        return {str(sendable(key)): sendable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [sendable(item) for item in value]
    if isinstance(value, float) and value - value != 0:
        return None
    return value.encode(errors="replace").decode() if isinstance(value, str) else value


def plain(value: Any) -> Any:
    """A value of a table of texts: a number where it is one, None where it is empty."""
    if value is None or value == "":
        return None
    try:
        number = float(value)
    except (TypeError, ValueError):
        return value
    if number - number != 0:  # JSON has no NaN and no infinity
        return None
    return int(number) if number.is_integer() and "." not in str(value) and "e" not in str(value).lower() else number
