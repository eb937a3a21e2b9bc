"""The trials of a study as a table, best first, and how much each parameter has to do with it."""

import csv
import warnings
from typing import Any

import optuna
from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances
from optuna.trial import FrozenTrial, TrialState

from fulmen.report.document import Rows
from fulmen.report.summary import print_table
from fulmen.search.live_display import shown, state
from fulmen.search.study import Study
from fulmen.utils.files import atomic_write

FILE = "leaderboard.csv"
ENOUGH = 8  # complete trials before an importance means anything


def leaderboard(study: Study) -> Rows:
    """One row a finished trial: complete ones, best first, then the pruned, then the failed."""
    last = [t for kind in (TrialState.PRUNED, TrialState.FAIL) for t in study.finished if t.state == kind]
    return [row(study, trial, place) for place, trial in enumerate([*study.ranked(), *last], 1)]


def row(study: Study, trial: FrozenTrial, place: int) -> dict[str, Any]:
    """A trial for a table: its values, its cost, its point."""
    run = trial.user_attrs.get("run", {})
    complete = trial.state == TrialState.COMPLETE
    return {
        "place": place if complete else None,
        "trial": trial.number,
        **dict(zip(study.objectives, trial.values or [None] * len(study.objectives), strict=True)),
        "state": state(trial),
        "epochs": run.get("epochs"),
        "seconds": run.get("seconds"),
        **{p.path: shown(trial.params[p.path]) if p.path in trial.params else None for p in study.parameters},
    }


def write_leaderboard(study: Study, rows: Rows) -> None:
    """leaderboard.csv in the study's folder."""
    with atomic_write(study.folder / FILE) as file:
        table = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        table.writeheader()
        table.writerows(rows)


def print_leaderboard(study: Study) -> None:
    """The best five on the console."""
    rows = [row(study, trial, place) for place, trial in enumerate(study.ranked()[:5], 1)]
    shown = [{key.rpartition(".")[2] or key: value for key, value in row.items() if key != "state"} for row in rows]
    if shown:
        print_table("The best five", shown)


def importances(study: Study) -> dict[str, float]:
    """How much each parameter has to do with the first objective, by PED-ANOVA; {} while that means nothing."""
    complete = [t for t in study.trials if t.state == TrialState.COMPLETE]
    if len(complete) < ENOUGH:
        return {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        warnings.filterwarnings("ignore", "PedAnovaImportanceEvaluator computes")  # which way is better is said below
        try:
            return get_param_importances(
                study.optuna,
                evaluator=PedAnovaImportanceEvaluator(),
                target=lambda trial: trial.values[0] * (1 if study.modes[0] == "min" else -1),
            )
        except (RuntimeError, ValueError):  # a parameter that took only one value, equal values everywhere
            return {}
