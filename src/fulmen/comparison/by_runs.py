"""Cross-validation by ordinary runs: one for each variant, seed and fold, as `folds=` and `seeds=` train them.

Runs that were made before with the same config by the same code are used again, and a variant that was interrupted
goes on: the runs themselves are all that a ranking keeps while it is not finished.
"""

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from omegaconf import OmegaConf

from fulmen.comparison import run_scores
from fulmen.comparison.entrants import Entrants, checked
from fulmen.comparison.find_or_run import completed_run, trained
from fulmen.comparison.fold_leaks import leaks_of
from fulmen.config.check import build
from fulmen.config.compose import to_plain
from fulmen.config.mistakes import as_text
from fulmen.config.named_files import files_in_words
from fulmen.data.batches import size
from fulmen.errors import FulmenError, Interrupted
from fulmen.report.behind import behind
from fulmen.report.contest import Contest
from fulmen.report.known import is_known, mean
from fulmen.report.test_predictions import read_items
from fulmen.runs.reading import read_result
from fulmen.runs.repeat import child_folder
from fulmen.utils.progress import Best, ProgressFile
from fulmen.workload import splits_of


class ByRuns:
    """The runs of a ranking.

    Args:
        folds: of the cross-validation.
        seeds: networks for each fold, from the config's seed on.
        outputs: folder that holds runs/.
    """

    def __init__(self, entrants: Entrants, folds: int, seeds: int, outputs: Path):
        self.entrants, self.folds, self.seeds, self.outputs = entrants, folds, seeds, outputs
        self.plans = {name: self._typed(name) for name in entrants.chosen_by}
        self.configs = {name: checked(entrants.experiment, plan[1:]) for name, plan in self.plans.items()}

    @cached_property
    def done(self) -> dict[str, Path]:
        """The variants that were trained before, each with its folder."""
        found = {name: completed_run(cfg, self.outputs) for name, cfg in self.configs.items()}
        return {name: folder for name, folder in found.items() if folder}

    def cost(self) -> str:
        """How much there is to train, in words."""
        runs = self.folds * self.seeds
        each = f"{self.folds} folds" + f" x {self.seeds} seeds" * (self.seeds > 1)
        left = (len(self.plans) - len(self.done)) * runs
        said = f"{_count(len(self.plans), 'variant')} x {each} = {_count(len(self.plans) * runs, 'training')}"
        if self.done:
            said += f", {left} of them still to do"
        seconds = last_speed(self.entrants.experiment, self.outputs)
        return said if seconds is None or not left else f"{said}, about {_time(left * seconds)} at the last run's speed"

    def contest(self, progress: ProgressFile) -> Contest:
        """Train what was not trained before, and collect the scores of variants and baselines.

        Raises:
            Interrupted: asked to stop; the same command goes on.
            FulmenError: a training fails.
        """
        sizes, leaks = self._data()
        results: dict[str, list[list[dict[str, Any]]]] = {}
        folders: dict[str, Path] = {}
        for number, name in enumerate(self.plans):
            progress.update(number, len(self.plans), self._best(results), self._place(name))
            folders[name] = self._folder(name)
            results[name] = self._of_folds(folders[name])
        scores = {name: run_scores.of_variant(seeds) for name, seeds in results.items()}
        contender = self.entrants.contender
        baselines = run_scores.of_baselines(next(iter(results.values()))[0])
        constant = contender.constant_baseline if contender.constant_baseline in baselines else ""
        bounds = dict(contender.score_bounds)
        units = self._units(next(iter(folders.values())))
        return Contest(
            scores | baselines,
            {name: run_scores.seconds(seeds) for name, seeds in results.items()},
            train_rows=sizes["train"],
            test_rows=sizes["test"],
            notes=[
                "Baselines are those that the runs of the first variant and seed were tested beside, fold by fold.",
                "Every fold was a run: CPU s is what fitting took by the clock, other work of the machine included.",
            ],
            in_time=self.entrants.data.folds_in_time,
            seeds=self.seeds,
            counted=behind([one for seeds in results.values() for folds in seeds for one in folds]).counted,
            runs=folders,
            leaks=leaks,
            chance={name: float(values.mean()) for name, values in baselines.get(constant, {}).items()},
            bounds=bounds,
            constant=constant,
            units=dict.fromkeys(bounds, units) if units else {},
            validation=run_scores.watched(results, self.entrants.base.monitor),
            watched_larger=self.entrants.base.mode == "max",
        )

    def _folder(self, name: str) -> Path:
        """Of the runs of a variant, which are trained if they were not before."""
        if name in self.done:
            print(f"{name}: done before, {self.done[name]}", flush=True)
            return self.done[name]
        place = self._place(name)
        try:
            return trained(place, self.configs[name], self.plans[name], self.outputs)
        except Interrupted as error:
            raise Interrupted(f"interrupted in {place}; the same command goes on", error.exit_code) from error

    def _place(self, name: str) -> str:
        return f"{name}, variant {list(self.plans).index(name) + 1} of {len(self.plans)}"

    def _best(self, results: Mapping[str, list[list[dict[str, Any]]]]) -> Best | None:
        """The best variant so far, by the mean of the metric that its runs watch."""
        monitor, mode = self.entrants.base.monitor, self.entrants.base.mode
        values = {}
        for name, seeds in results.items():
            found = [run["metrics"].get(f"best/{monitor}") for folds in seeds for run in folds]
            if all(map(is_known, found)):
                values[name] = float(mean(found))
        if not values:
            return None
        first = (max if mode == "max" else min)(values, key=lambda name: values[name])
        return Best(name=first, metric=monitor, value=values[first])

    def _typed(self, name: str) -> list[str]:
        """What one types for all runs of a variant."""
        own = [f"data.{key}={as_text(value)}" for key, value in self.entrants.data.fold_arguments.items()]
        typed = self.entrants.typed(name, f"folds={self.folds}", *own)
        if self.seeds > 1:
            typed.append(f"seeds={self.seeds}")
        if self.outputs != Path("outputs"):
            folder = (
                self.outputs / "runs" / self.entrants.experiment / Path(self.entrants.configs[name].output_dir).name
            )
            typed.append(f"output_dir={as_text(str(folder))}")
        return typed

    def _of_folds(self, folder: Path) -> list[list[dict[str, Any]]]:
        """`result.json` of each fold of each seed."""
        seed = int(self.entrants.base.seed)
        return [
            [read_result(child_folder(folder, seed + i, fold)) for fold in range(self.folds)] for i in range(self.seeds)
        ]

    def _units(self, folder: Path) -> float:
        """How many independent test items there are in all folds together; 0 where no run says it.

        Of classes of unequal size as many as if all were as small as the smallest: means over classes rest on it.
        """
        found = 0
        for fold in range(self.folds):
            try:
                items = read_items(child_folder(folder, int(self.entrants.base.seed), fold))
            except FulmenError:
                return 0
            unit = np.asarray(items.get("group", items["item"]))
            target = np.asarray(items.get("target", np.zeros(len(unit))))
            each = [len(np.unique(unit[target == label])) for label in np.unique(target)]
            found += min(len(np.unique(unit)), len(each) * min(each))
        return found

    def _data(self) -> tuple[dict[str, float], list[dict[str, Any]] | None]:
        """Samples that train and test, mean over the folds, and the leaks in them, which are told.

        Raises:
            FulmenError: there is one, and that is to be refused.
        """
        cfg = next(iter(self.configs.values()))
        data = [build(OmegaConf.merge(cfg.data, {"fold": k, "folds": self.folds}), "data") for k in range(self.folds)]
        for each in data:
            with files_in_words(to_plain(cfg.data), "data", each):
                each.prepare_data()
                each.setup("test")
        count = {part: [size(splits_of(each)[part]) for each in data] for part in ("train", "test")}
        return {part: sum(counts) / len(counts) for part, counts in count.items()}, leaks_of(data, cfg)


def last_speed(experiment: str, outputs: Path) -> float | None:
    """Seconds of one training of the experiment, by its newest completed run; None: there is none."""
    for path in sorted(outputs.glob(f"runs/{experiment}/*/result.json"), reverse=True):
        try:
            known = read_result(path.parent)
        except FulmenError:
            continue
        seconds = known.get("cost", {}).get("fit_seconds")
        if known.get("status") == "completed" and is_known(seconds):
            return float(seconds) / max(len(known.get("runs") or []), 1)
    return None


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'s' * (number != 1)}"


def _time(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} seconds"
    return f"{seconds / 60:.0f} minutes" if seconds < 5400 else f"{seconds / 3600:.1f} hours"
