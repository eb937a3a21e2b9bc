"""`fulmen.compare(...)` and `fulmen.rank(...)`: what the verbs of these names do, as functions."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas

from fulmen.callbacks.taken import told_once
from fulmen.comparison import benchmark
from fulmen.comparison import compare as comparing
from fulmen.comparison.find_or_run import find_or_run
from fulmen.comparison.found import Comparison
from fulmen.errors import FulmenError
from fulmen.report import cell
from fulmen.report.document import number
from fulmen.runs.run_folder import Run
from fulmen.signals import interruptible
from fulmen.utils.kept_process import kept_process
from fulmen.utils.progress import ProgressFile


def compare(*runs: str | Path | Run, overrides: Sequence[str] = (), folder: str | Path | None = None) -> Comparison:
    """Runs on the test items they share, the first of them the reference; what is missing is trained.

    Args:
        runs: two or more: run folders, or experiments with or without overrides ("images_plain loss=focal").
        overrides: for all experiments.
        folder: of the report; by default outputs/comparisons/<stamp>.

    Returns:
        What came of it: `answer`, `table`, `report`; the last line of a notebook's cell shows it.

    Raises:
        FulmenError: fewer than two runs, neither a run nor an experiment, no test items in common, a failed training.
    """
    names = list(dict.fromkeys(str(each.folder if isinstance(each, Run) else each) for each in runs))
    if len(names) < 2:
        raise FulmenError("a comparison takes two different runs or more: compare(run, run, ...)")
    with kept_process(), interruptible(lambda: "interrupted; what has been trained is kept, the same call goes on"):
        return compare_named(names, overrides, Path(folder) if folder else None)


@told_once()
def compare_named(
    names: Sequence[str], overrides: Sequence[str], folder: Path | None = None, outputs: Path = Path("outputs"),
    averaged: bool = False,
) -> Comparison:  # fmt: skip
    """As `compare`, with the progress of what is trained in the folder of the report.

    Args:
        averaged: whether the mean of the predictions of all runs takes part too, as a run of its own.
        outputs: folder that holds runs/ and, unless `folder` is said, comparisons/.
    """
    folder = folder or outputs / "comparisons" / f"{datetime.now():%Y-%m-%d_%H-%M-%S}"
    with ProgressFile(folder, "runs", len(names)) as progress:
        runs = find_or_run(names, overrides, outputs, progress)
        if averaged:
            from fulmen.runs.ensemble import NAME, ensemble_of

            runs[NAME] = Run(ensemble_of([run.folder for run in runs.values()], outputs).folder)
        return comparing.compare(runs, folder)


@dataclass(frozen=True)
class Ranking:
    """A ranking that was held.

    Attributes:
        folder: with ranking.md, report.html, ranking.json and ranking.svg.
    """

    folder: Path

    @cached_property
    def content(self) -> dict[str, Any]:
        """`ranking.json`: experiment, metric, verdict, the scores of every model on every fold."""
        content: dict[str, Any] = json.loads((self.folder / "ranking.json").read_text())
        return content

    @property
    def verdict(self) -> str:
        """What can be said of the first place."""
        return str(self.content["verdict"])

    def _repr_html_(self) -> str:
        table = self.table.round(4).iloc[:, :6]
        rows = [{"": str(name)} | {metric: number(value) for metric, value in row.items()}
                for name, row in zip(table.index, table.to_dict("records"), strict=True)]  # fmt: skip
        drawn = [self.folder / f"ranking.{kind}" for kind in ("svg", "png")]  # PNG in earlier releases
        figures = {"ranking": next((path for path in drawn if path.is_file()), drawn[0])}
        experiment = str(self.content.get("experiment", ""))
        return cell.whole(experiment, [self.verdict], [], rows, None, figures, [], str(self.folder))

    @cached_property
    def table(self) -> pandas.DataFrame:
        """The mean of each metric over the folds; a row for each model and baseline, the best first."""
        scores = self.content["scores"]
        means = {row["model"]: {metric: pandas.Series(values).mean() for metric, values in scores[row["model"]].items()}
                 for row in self.content["rows"]}  # fmt: skip
        return pandas.DataFrame.from_dict(means, orient="index")


def rank(
    experiment: str, *overrides: str, metric: str | None = None, folds: int = 5, seeds: int = 1, save_top: int = 0,
    nested: int = 0,
) -> Ranking:  # fmt: skip
    """All variants of an experiment and its baselines on the same folds: `rank("sensors", "network=mlp,tabm")`.

    Args:
        overrides: as train.py takes them; a sweep over the choices of one group gives the variants.
        metric: to rank by; by default the first of the experiment's.
        folds: of the cross-validation.
        seeds: networks for each fold.
        save_top: so many of the best are trained as runs and kept as models.
        nested: so many folds within each fold choose the best, which says what choosing is worth; 0: none do.

    Raises:
        FulmenError: the experiment cannot be ranked, or a mistake in an override.
        Interrupted: asked to stop; the same call goes on.
    """
    with kept_process(), interruptible(lambda: "interrupted; what has been trained is kept, the same call goes on"):
        return Ranking(benchmark.rank(experiment, overrides, metric, folds, seeds, save_top=save_top, nested=nested))
