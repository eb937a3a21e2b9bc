"""The tables that end a multirun: its runs in the order of what they were chosen by, the validation score.

A ranking is of one task: runs of different experiments, unless these share data and score, stand in tables of their
own. There are medals where two runs or more have a score on the same data, unless their test items show that
several can be the best.
"""

import atexit
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from hydra.experimental.callback import Callback
from omegaconf import DictConfig

from fulmen.comparison.ended import SEED, Ended, best_score, has_score, over_seeds, saw_other_data, sd, seeds_ahead
from fulmen.comparison.multirun_report import Task, draw, mean_and_sd, write_report
from fulmen.comparison.places import MEDALS
from fulmen.comparison.statistics import holm
from fulmen.comparison.tries import tries_of, write_tries
from fulmen.config.directions import fill_modes
from fulmen.config.mistakes import key_of
from fulmen.config.overrides import implicit
from fulmen.errors import FulmenError
from fulmen.report import known
from fulmen.report.behind import behind
from fulmen.report.document import Rows
from fulmen.report.many_tries import Tries
from fulmen.report.summary import print_table
from fulmen.report.words import spoken
from fulmen.runs.parts import write_parts
from fulmen.runs.reading import read_environment, read_result
from fulmen.utils.progress import Best, ProgressFile

HOLM = "p-values are adjusted for the number of runs (Holm)."
OTHER_DATA = "The runs saw different data, so that their scores do not rank them."
SHOWN = 5  # test metrics in the table


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


def folders_of(runs: Sequence[Ended], settings: Sequence[Ended]) -> dict[str, list[Path]]:
    """Row of the table -> the folders of its runs; {} where rows do not compete: seeds alone, or other data."""
    if len(settings) < 2 or only_seeds(settings) or saw_other_data(settings):
        return {}
    found: dict[str, list[Path]] = {}
    for name, setting in zip(labels([run.overrides for run in settings]), settings, strict=True):
        own = [setting] if setting.folder else [run for run in runs if _but_seed(run) == setting.overrides]
        found[name] = [run.folder for run in own if run.folder and has_score(run)]
    return {name: folders for name, folders in found.items() if folders}


def _but_seed(run: Ended) -> list[str]:
    return [override for override in run.overrides if key_of(override) != SEED]


def in_order(runs: Sequence[Ended]) -> list[Ended]:
    """Those that have a score, the best first."""
    scored = [run for run in runs if has_score(run)]
    return sorted(scored, key=lambda run: known.place(best_score(run), run.mode == "max"))


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


def heading(runs: Sequence[Ended]) -> str:
    """What ran, and what the order is by."""
    monitor, scored = runs[0].monitor, [run for run in runs if has_score(run)]
    of = " and ".join(dict.fromkeys(run.experiment for run in runs))
    if runs[0].scores:
        seeds = len(runs[0].scores)
        return f"{len(runs)} settings of {of}, each with the same {seeds} seeds, best mean {spoken(monitor)} first"
    count = f"{len(runs)} run{'s' * (len(runs) > 1)} of {of}"
    if not scored:
        return f"{count}, without a score (best {spoken(monitor)}): not ranked"
    if only_seeds(runs):
        return f"{count}, which differ in their seed alone"
    return f"{count}, best {spoken(monitor)} first" if len(runs) > 1 else f"{count}: nothing to rank it against"


def table(runs: Sequence[Ended], differ: bool = True) -> Rows:
    """The runs of one task in their order, and below them the baselines if all saw the same data.

    Args:
        differ: whether they are not known to be alike, so that the first have medals.
    """
    names = labels([run.overrides for run in runs]) if len(runs) > 1 else [runs[0].experiment]
    results = [run.result for run in runs]
    alike = only_seeds(runs)
    rows = rank(names, results, runs[0].monitor, runs[0].mode, medals=differ and not alike and not saw_other_data(runs))
    if alike:
        rows += mean_and_sd(rows)
    if runs[0].scores:
        spread = dict(zip(names, map(sd, runs), strict=True))
        rows = [dict([*list(row.items())[:3], ("sd", spread[row["run"]]), *list(row.items())[3:]]) for row in rows]
    return rows + baselines(results, list(rows[0]))


def only_seeds(runs: Sequence[Ended]) -> bool:
    """Whether runs differ in their seed alone: chance, of which none is better than another."""
    own = labels([run.overrides for run in runs]) if len(runs) > 1 else []
    return bool(own) and all(label.partition("=")[0] == "seed" and " " not in label for label in own)


def notes_on(runs: Sequence[Ended]) -> list[str]:
    """Sentences that a reader of the table needs."""
    shown = table(runs)
    adjusted = any(name.endswith("_p") and known.is_known(row[name]) for row in shown for name in row)
    return [HOLM] * adjusted + [OTHER_DATA] * (saw_other_data(runs) and not only_seeds(runs))


def read(folder: Path) -> dict[str, Any]:
    """`result.json` of a run folder; {} if the run did not come so far."""
    try:
        return read_result(folder)
    except FulmenError:  # damaged
        return {}


def labels(overrides: Sequence[Sequence[str]]) -> list[str]:
    """What tells each run from the others: the overrides that not all share, `parameter=value`."""
    own = [[o.lstrip("+") for o in run if any(o not in other for other in overrides)] for run in overrides]
    return [" ".join(run) for run in own]


def rank(
    names: Sequence[str], results: Sequence[Mapping[str, Any]], monitor: str, mode: str = "min", medals: bool = True
) -> Rows:
    """One row per run, best score first, runs without one last, which have no place.

    A metric `..._p` is a p-value; among n runs it is adjusted for n looks (Holm 1979).
    """
    rows = []
    for name, result in zip(names, results, strict=True):
        metrics = result.get("metrics", {})
        test = {key: value for key, value in metrics.items() if key.startswith("test/") and key != "test/loss"}
        row = {"": "", "run": name, f"best {monitor}": _best(result, monitor)}
        row |= dict(list(test.items())[:SHOWN])
        row |= {"parameters": result.get("cost", {}).get("parameters"), "s": result.get("cost", {}).get("fit_seconds")}
        status = result.get("status", "failed")
        scored = known.is_known(row[f"best {monitor}"])
        rows.append(row | {"": status if status != "completed" else "" if scored else "no score"})
    rows.sort(key=lambda row: (bool(row[""]), known.place(row[f"best {monitor}"], larger=mode == "max")))
    columns = dict.fromkeys(column for row in rows for column in row)
    rows = [{column: row.get(column) for column in columns} for row in rows]
    for column in [column for column in columns if column.endswith("_p")]:
        tested = [row for row in rows if row[column] is not None]
        for row, p in zip(tested, holm([row[column] for row in tested]), strict=True):
            row[column] = p
    placed = [row for row in rows if not row[""]]
    medals = medals and len(placed) > 1
    for place, row in enumerate(placed, 1):
        row[""] = f"{place} {MEDALS[place - 1]}" if medals and place <= len(MEDALS) else str(place)
    return rows


def _best(result: Mapping[str, Any], monitor: str) -> float | None:
    return result.get("metrics", {}).get(f"best/{monitor}")


def baselines(results: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> Rows:
    """One row per baseline, if all runs that have any have the same: they saw the same data."""
    found = [result["baselines"] for result in results if result.get("baselines")]
    if not found or any(each != found[0] for each in found):
        return []
    blank = dict.fromkeys(columns)
    return [
        blank | {"": "", "run": name} | {column: scores.get(column.removeprefix("test/")) for column in columns[3:]}
        for name, scores in found[0].items()
    ]
