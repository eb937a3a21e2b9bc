"""The order of models that were judged on the same folds, and what the folds allow one to say of it."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from fulmen.comparison.statistics import Comparison, corrected_t_test, holm, t_test
from fulmen.report import known
from fulmen.report.contest import Contest
from fulmen.report.document import Rows

ALPHA = 0.05
MEDALS = ("gold", "silver", "bronze")  # in words: not every font has the pictures
ADJUSTED = (
    "not adjusted; p is of the difference from the first, two-sided, adjusted for the number of models (Holm): where "
    "the two disagree, p counts."
)
AT_RANDOM = (
    "sd: over the folds. Intervals and p: t-distributions with the variance of Nadeau & Bengio (2003), as training "
    f"parts overlap; intervals are cut to what is possible and {ADJUSTED}"
)
IN_TIME = (
    "sd: over the folds, which follow each other in time: what one tests, later ones train on. Nadeau & Bengio's "
    "variance is of splits at random and does not hold there. Intervals and p: t-distributions over the folds, each "
    "tested on days of its own, as if they were independent; they are too narrow where training on shared days, or a "
    f"regime that lasts, makes folds resemble each other. Intervals are cut to what is possible and {ADJUSTED}"
)


def places(contest: Contest, metric: str, larger: bool) -> Rows:
    """One row per candidate, best mean first: mean, interval, and the paired difference from the first.

    There are medals only where the first is shown to differ from any other.
    """
    scores = {name: np.asarray(each[metric], dtype=float) for name, each in contest.scores.items()}
    order = sorted(scores, key=lambda name: known.place(float(scores[name].mean()), larger))
    first = scores[order[0]]
    behind = {name: compared(contest, scores[name] - first) for name in order[1:]}
    p = dict(zip(behind, holm([each.p for each in behind.values()]), strict=True))
    medals = MEDALS if any(each < ALPHA for each in p.values()) else ()
    low, high = contest.bounds.get(metric, (-math.inf, math.inf))
    rows = []
    for place, name in enumerate(order, 1):
        own = compared(contest, scores[name])
        row: dict[str, Any] = {
            "": f"{place} {medals[place - 1]}" if place <= len(medals) else str(place),
            "model": name,
        }
        row |= {metric: own.mean, "sd": float(scores[name].std(ddof=1))}
        row |= {"from": max(own.low, low), "to (95 %)": min(own.high, high)}
        apart = behind.get(name)
        row |= {"difference": apart and apart.mean, "± (95 %)": apart and apart.high - apart.mean, "p": p.get(name)}
        rows.append(row | {"CPU s": contest.seconds.get(name)})
    return rows


def compared(contest: Contest, differences: Sequence[float] | np.ndarray) -> Comparison:
    """Whether the mean over the folds is other than 0, with the variance that these folds have."""
    if contest.in_time:
        return t_test(differences)
    return corrected_t_test(differences, contest.train_rows, contest.test_rows)


def level_with_first(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """The models that the first has not been shown to differ from."""
    return [row["model"] for row in rows[1:] if not row["p"] < ALPHA]


def conclusion(rows: Sequence[Mapping[str, Any]], metric: str) -> str:
    """Who leads, and whom the leader has not been shown to differ from.

    Args:
        metric: in words.
    """
    leader, level = rows[0]["model"], level_with_first(rows)
    if len(rows) == 1:
        return f"{leader} stands alone."
    if not level:
        return f"{leader} has the best {metric}, and every other differs from it (p < {ALPHA:g})."
    of = f"any of the {len(level)} others" if len(level) == len(rows) - 1 > 1 else ", ".join(level)
    return f"{leader} has the best mean {metric}; it is not shown to differ from {of} (p >= {ALPHA:g})."
