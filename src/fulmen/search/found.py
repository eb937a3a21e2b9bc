"""`fulmen.sweep(...)`: a search as a function, and what it found."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas

from fulmen.config.overrides import listed
from fulmen.errors import FulmenError
from fulmen.registry.start_from import resolved
from fulmen.report import cell
from fulmen.report.document import number
from fulmen.report.words import spoken
from fulmen.runs.run_folder import Run
from fulmen.search.controller import run_searches
from fulmen.search.leaderboard import FILE, importances
from fulmen.search.plans import plans
from fulmen.search.study import Study
from fulmen.signals import interruptible
from fulmen.utils.kept_process import kept_process

SHOWN = 5  # trials in a cell of a notebook


@dataclass(frozen=True)
class Found:
    """What a study found.

    Attributes:
        name: of the study.
        folder: of the study, with report.html and a run folder for each trial.
        best: what the best trial was trained with, dotted path -> value; {} where no trial is complete.
        values: what it reached, objective -> value.
        trial: its number; None where no trial is complete.
        importances: how much each parameter has to do with the first objective, the most important first, together 1;
            {} while that means nothing, with fewer than 8 complete trials.
    """

    name: str
    folder: Path
    best: dict[str, Any]
    values: dict[str, float]
    trial: int | None
    importances: dict[str, float] = field(default_factory=dict)

    def _repr_html_(self) -> str:
        return found_as_cell(self)

    @cached_property
    def trials(self) -> pandas.DataFrame:
        """A row for each finished trial: place, state, objectives, cost, and what it was trained with; best first."""
        return pandas.read_csv(self.folder / FILE)

    @cached_property
    def champion(self) -> list[Run]:
        """The runs in which the best trial was trained again, a run for each seed, and only then tested."""
        pattern = "champion/none" if self.trial is None else f"champion/trial_{self.trial:04d}_seed_*"
        folders = sorted(self.folder.glob(pattern))
        return [Run(folder) for folder in folders if (folder / "config.yaml").is_file()]


@dataclass(frozen=True)
class Sweep:
    """What a search found: that of its one study, or by `studies` of each.

    Attributes:
        studies: name -> what it found; several where `search.each` asked for a study of each choice.
    """

    studies: dict[str, Found]

    @property
    def folder(self) -> Path:
        """See `Found`, as all that follows; a search of several studies has none of these."""
        return self._only().folder

    @property
    def best(self) -> dict[str, Any]:
        return self._only().best

    @property
    def values(self) -> dict[str, float]:
        return self._only().values

    @property
    def trials(self) -> pandas.DataFrame:
        return self._only().trials

    @property
    def importances(self) -> dict[str, float]:
        return self._only().importances

    @property
    def champion(self) -> list[Run]:
        return self._only().champion

    def _repr_html_(self) -> str:
        return "\n".join(map(found_as_cell, self.studies.values()))

    def _only(self) -> Found:
        if len(self.studies) == 1:
            return next(iter(self.studies.values()))
        raise FulmenError(
            f"the search has {len(self.studies)} studies; take one of .studies: {', '.join(self.studies)}"
        )


def sweep(*overrides: str | Iterable[str]) -> Sweep:
    """What `python sweep.py <overrides>` does, as a function: `sweep("experiment=pbpk_mlp", "search.trials=20")`.

    The same call again goes on where the search stopped.

    Raises:
        FulmenError: no experiment, a mistake in an override, or whatever ends the search.
        Interrupted: it was asked to stop.
    """
    with kept_process(), interruptible(lambda: "interrupted; the same call begins or goes on with the search"):
        studies = run_searches(plans(resolved(listed(overrides, "sweep"))))
        return Sweep({study.plan.name: _found(study) for study in studies})


def _found(study: Study) -> Found:
    best = next(iter(study.ranked()), None)
    if best is None:
        return Found(study.plan.name, study.folder, {}, {}, None)
    values = dict(zip(study.objectives, best.values, strict=True))
    return Found(study.plan.name, study.folder, study.point(best), values, best.number, importances(study))


def found_as_cell(found: Found) -> str:
    """The best trial and the first rows of the table, for a cell of a notebook; its figures are folded away."""
    values = ", ".join(f"{spoken(name)} {number(value)}" for name, value in found.values.items())
    best = "no trial is complete" if found.trial is None else f"trial {found.trial} is the best: {values}"
    point = [", ".join(f"{path}={number(value)}" for path, value in found.best.items())]
    table = found.trials.head(SHOWN) if (found.folder / FILE).is_file() else pandas.DataFrame()
    rows = [{str(name): "" if pandas.isna(value) else number(value) for name, value in row.items()}
            for row in table.to_dict("records")]  # fmt: skip
    short = [{name.rpartition(".")[2] or name: value for name, value in row.items()} for row in rows]
    figures = {path.stem: path for path in sorted((found.folder / "figures").glob("*.[ps][nv]g"))}
    return cell.whole(found.name, [best], list(filter(None, point)), short, None, figures, [], str(found.folder))
