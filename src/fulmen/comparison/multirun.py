"""The tables that end a multirun: its runs in the order of what they were chosen by, the validation score.

A ranking is of one task: runs of different experiments, unless these share data and score, stand in tables of their
own. There are medals where two runs or more have a score on the same data, unless their test items show that
several can be the best.
"""

import atexit
import os
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from hydra.experimental.callback import Callback
from omegaconf import DictConfig

from fulmen.comparison.ended import Ended, best_score, has_score, over_seeds, saw_other_data, seeds_ahead
from fulmen.comparison.multirun_report import Task, draw, write_report
from fulmen.comparison.multirun_table import folders_of, heading, in_order, labels, notes_on, only_seeds, table
from fulmen.comparison.tries import tries_of, write_tries
from fulmen.config.directions import fill_modes
from fulmen.config.mistakes import key_of
from fulmen.config.overrides import implicit
from fulmen.errors import FulmenError
from fulmen.report.behind import behind
from fulmen.report.document import Rows
from fulmen.report.many_tries import Tries
from fulmen.report.summary import print_table
from fulmen.runs.parts import write_parts
from fulmen.runs.reading import read_environment, read_result
from fulmen.utils.progress import Best, ProgressFile


class Ranking(Callback):
    """Ranks the runs of a multirun and leaves `ranking.md`, `report.html` and a figure in a folder, and how far it is.

    Args:
        folder: by default outputs/sweeps/<experiment>_<stamp>.
    """

    def __init__(self, folder: str | None = None) -> None:
        self.runs: list[Ended] = []
        self.folder = Path(folder) if folder else None
        self.progress: ProgressFile | None = None
        self._several = False

    def on_multirun_start(self, config: DictConfig, **_: Any) -> None:
        chosen = [override for override in config.hydra.overrides.task if key_of(override) == "experiment"]
        self._several = any(mark in override for override in chosen for mark in ",*")
        atexit.register(self.show)  # Hydra skips on_multirun_end if one run has failed

    def on_job_start(self, config: DictConfig, **_: Any) -> None:
        count = config.hydra.sweeper.get("runs")
        if not count or count < 2:  # started elsewhere by a launcher, or alone
            return
        if self.progress is None:
            name = "multirun" if self._several else str(config.hydra.runtime.choices.get("experiment"))
            folder = self.folder or _place(name)
            self.folder, self.progress = folder, ProgressFile(folder, "runs", count).open()
        self.progress.update(len(self.runs), best=self._best(), what=f"run {len(self.runs) + 1} of {count}")

    def on_job_end(self, config: DictConfig, job_return: Any, **_: Any) -> None:
        fill_modes(config)
        folder = Path(config.hydra.runtime.output_dir)
        overrides = [implicit(override) for override in config.hydra.overrides.task]
        experiment = str(config.hydra.runtime.choices.get("experiment"))
        found = read_environment(folder).get("data_fingerprint")
        data = found if isinstance(found, str) else None
        self.runs.append(Ended(experiment, overrides, config.monitor, config.mode, read(folder), data, folder))

    def show(self) -> None:
        """Print the tables and write them down."""
        if self.progress:
            self.progress.update(len(self.runs), best=self._best())
            self.progress.close(ended=len(self.runs) == self.progress.total)
        if len(self.runs) < 2:
            return
        found = tasks(self.runs)
        folder = self.folder or _place(found[0][0].experiment if len(found) == 1 else "multirun")
        written: list[Task] = []
        counted: list[Tries] = []
        for number, runs in enumerate(found, 1):
            settings = over_seeds(runs) or runs
            of_all, sentences = tries_of(folders_of(runs, settings))
            differ = of_all is None or len(of_all.confident) == 1
            said, rows, notes = heading(settings), table(settings, differ), notes_on(settings)
            drawn = draw(folder / f"ranking{f'_{number}' * (number > 1)}.svg", rows, runs[0].monitor)
            print_table(said, rows)
            counted += [of_all] if of_all else []
            print("\n".join([*notes, *sentences]), end="\n" * bool(notes or sentences))
            written.append(replace(_task(runs, settings, said, rows, notes, drawn, folder), tries=sentences))
        write_tries(counted, folder)
        path = write_report(written, folder)
        write_parts(folder, [run.folder for run in self.runs if run.folder])
        print(f"ranking: {path.with_name('report.html')}, the same in {path.name}")

    def _best(self) -> Best | None:
        """The best of two runs or more so far, where all are of one task and saw the same data."""
        scored = [run for run in self.runs if has_score(run)]
        if len(scored) < 2 or len(tasks(self.runs)) > 1 or saw_other_data(self.runs):
            return None
        monitor, mode = scored[0].monitor, scored[0].mode
        scores = {number: best_score(run) or 0.0 for number, run in enumerate(scored)}
        first = (max if mode == "max" else min)(scores, key=lambda number: scores[number])
        return Best(name=labels([run.overrides for run in scored])[first], metric=monitor, value=scores[first])


def _place(name: str) -> Path:
    return Path("outputs", "sweeps", f"{name}_{datetime.now():%Y-%m-%d_%H-%M-%S}")


def _task(
    runs: Sequence[Ended], settings: Sequence[Ended], said: str, rows: Rows, notes: list[str], drawn: Path | None,
    folder: Path,
) -> Task:  # fmt: skip
    """What the report says of the runs of one task, whose rows are `settings`."""
    scored = in_order(settings)
    each = len(scored[0].scores) if scored else 0
    of = behind([run.result for run in settings], ("val", "test"), runs=max(each, 1), unit="seed" if each else "run")
    names = labels([run.overrides for run in runs]) if len(runs) > 1 else [runs[0].experiment]
    best = in_order(runs)
    task = Task(
        said, rows, notes, runs[0].experiment, runs[0].monitor, scored[0].overrides if scored else None,
        seeds=len(runs) if only_seeds(runs) else 0, figure=drawn.name if drawn else "", behind=of, each=each,
        shared=[override for override in runs[0].overrides if all(override in run.overrides for run in runs)],
        links={name: os.path.relpath(run.folder / "report.html", folder)
               for name, run in zip(names, runs, strict=True) if run.folder},
        best_run=best[0].folder if best else None,
    )  # fmt: skip
    if not each:
        return task
    won = seeds_ahead(*scored[:2]) if len(scored) > 1 else 0
    return replace(task, won=won, every=table(runs), every_behind=behind([run.result for run in runs], ("val", "test")))


def tasks(runs: Sequence[Ended]) -> list[list[Ended]]:
    """The runs of each task: those of one experiment and score, and of others with the same data and score."""
    alike: dict[tuple[str, str, str], list[Ended]] = {}
    for run in runs:
        alike.setdefault((run.experiment, run.monitor, run.mode), []).append(run)
    found: dict[Any, list[Ended]] = {}
    for key, each in alike.items():
        data = {run.data for run in each if run.data}
        same = (next(iter(data)), *key[1:]) if len(data) == 1 else key
        found.setdefault(same, []).extend(each)
    return list(found.values())


def read(folder: Path) -> dict[str, Any]:
    """`result.json` of a run folder; {} if the run did not come so far."""
    try:
        return read_result(folder)
    except FulmenError:  # damaged
        return {}
