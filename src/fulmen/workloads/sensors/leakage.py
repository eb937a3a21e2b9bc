"""Signs that the answer has leaked into the question."""

from collections.abc import Callable, Mapping

import numpy as np
from scipy import stats

from fulmen.workloads.sensors.io.tables import Columns

FEWEST = 10  # rows of either class, below which an area is mostly chance


def telling_columns(names: list[str], columns: Columns) -> list[str]:
    """A warning where the column of the machine is a feature: under a random split a model learns machines by heart.

    Features that number the rows or go with the time are found by the scan for leaks, FUL-L05.
    """
    if columns.group not in [*names, *columns.categorical]:
        return []
    return [
        f"leakage: the feature {columns.group} is the column of the machine; under a random split a model learns the "
        "rows by heart. Leave it out, or split by group or time"
    ]


def above_ceiling(scores: Mapping[str, float], ceiling: Mapping[str, float], margin: Mapping[str, float]) -> list[str]:
    """A warning for each score that is better than what can be known, by more than its margin if it has one."""
    return [
        f"leakage: {name} is {scores[name]:.4f}, above the known ceiling of {best:.4f}"
        f"{' by more than chance allows' if name in margin else ''}; look for features that give the target away"
        for name, best in ceiling.items()
        if name in scores and scores[name] > best + margin.get(name, 0.0)
    ]


def enough(target: np.ndarray, group: np.ndarray | None) -> bool:
    """Whether so many events [N] of so many machines [N] tell a good ranking from luck."""
    return min(target.sum(), len(target) - target.sum()) >= FEWEST and (group is None or len(np.unique(group)) > 1)


def auc_margin(target: np.ndarray, a: np.ndarray, b: np.ndarray, group: np.ndarray | None) -> float:
    """How far AUC(a) may lie above AUC(b) by chance, once in 40 times; inf where nothing can be said.

    By the t distribution over the machines, and never less than what rows drawn one by one would give: two machines
    may agree by accident.

    Args:
        group: the machine of each row [N]; None where rows are independent.
    """
    if not enough(target, group):
        return float("inf")
    machines = np.arange(len(target)) if group is None else group
    count = len(np.unique(machines))
    se = max(auc_difference_se(target, a, b, each) for each in (machines, np.arange(len(target))))
    return float(stats.t.ppf(0.975, count - 1) * se * np.sqrt(count / (count - 1)))


def auc_difference_se(
    target: np.ndarray, a: np.ndarray, b: np.ndarray, group: np.ndarray, draws: int = 200, seed: int = 0
) -> float:
    """Standard error of AUC(a) - AUC(b), by drawing whole groups with replacement; all arrays [N]."""
    rng = np.random.default_rng(seed)
    _, place = np.unique(group, return_inverse=True)
    areas, count = [weighted_auc(target, each) for each in (a, b)], place.max() + 1
    differences = []
    for _ in range(draws):
        often = np.bincount(rng.integers(count, size=count), minlength=count)[place].astype(float)
        if 0 < often @ target < often.sum():
            differences.append(areas[0](often) - areas[1](often))
    return float(np.std(differences, ddof=1)) if len(differences) > 1 else float("inf")


def weighted_auc(target: np.ndarray, score: np.ndarray) -> Callable[[np.ndarray], float]:
    """The area under the ROC curve as a function of how often each row counts [N]; rows are sorted only once.

    It is the share of pairs of an event and a quiet row that are in order, those of equal scores by half.

    Args:
        target: [N] of 0 and 1.
        score: [N]
    """
    order = np.argsort(score, kind="stable")
    first = np.flatnonzero(np.diff(score[order], prepend=np.nan) != 0)
    event = target[order].astype(bool)

    def area(often: np.ndarray) -> float:
        weight = often[order]
        events = np.add.reduceat(np.where(event, weight, 0.0), first)
        quiet = np.add.reduceat(np.where(event, 0.0, weight), first)
        below = np.cumsum(quiet) - quiet / 2
        return float(events @ below / (events.sum() * quiet.sum()))

    return area
