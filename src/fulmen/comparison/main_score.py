"""The score that one model of a comparison is said to be better by: the main one of their workload."""

import inspect
import math
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from fulmen.comparison.paired import Items, minority, scores
from fulmen.config.allow_list import locate
from fulmen.errors import FulmenError
from fulmen.report.known import is_known
from fulmen.report.words import spoken
from fulmen.runs.run_folder import Run
from fulmen.workload import Workload

BALANCED = "balanced accuracy"
IN_WORDS = {"balanced_accuracy": BALANCED}  # metrics that `paired.scores` names as they are spoken


@dataclass(frozen=True)
class Main:
    """What decides.

    Attributes:
        name: one of `paired.scores`.
        larger: whether more of it is better.
        margin: differences that are smaller do not matter; NaN where the workload states none.
    """

    name: str
    larger: bool
    margin: float = math.nan

    @property
    def word(self) -> str:
        return spoken(self.name)

    def gain(self, difference: float) -> float:
        """By how much it is better: above 0 for better, whichever way the score goes."""
        return difference if self.larger else -difference


def main_of(runs: Iterable[Run], models: Iterable[Items]) -> Main:
    """The first of the workload's `ranking_metrics`, if every model has it item by item; else as `plain_main`.

    The workload is that of the first run that still has its config.
    """
    models = list(models)
    found = [scores(items) for items in models]
    for run in runs:
        with suppress(FulmenError, KeyError, TypeError, ImportError, AttributeError):
            kind: Any = locate(run.config.model["_target_"])
            if not (isinstance(kind, type) and issubclass(kind, Workload)):
                break
            for metric, larger in list(kind.ranking_metrics.items())[:1]:
                name = IN_WORDS.get(metric, metric)
                if all(name in each and math.isfinite(float(each[name])) for each in found):
                    return Main(name, larger, margin_of(run.config.model, metric))
            break
    return plain_main(models[0])


def margin_of(model: Mapping[str, Any], metric: str) -> float:
    """By how much a metric has to be better to matter, as the config of a module says or its class; NaN if neither."""
    kind: Any = locate(model["_target_"])
    argument = inspect.signature(kind).parameters.get("margin")
    default = argument.default if argument and is_known(argument.default) else math.nan
    asked = model.get("margin")
    return float(kind.signal_margins(float(asked) if is_known(asked) else default).get(metric, math.nan))


def plain_main(items: Items) -> Main:
    """Accuracy of classifiers, each class counting alike where they are of unequal size; of all others the loss."""
    if items.probability is None:
        return Main("loss", False)
    small = minority(items)
    return Main(BALANCED if small is not None and small.any() else "accuracy", True)
