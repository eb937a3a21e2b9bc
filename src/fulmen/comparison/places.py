"""The order of models that were judged on the same folds, as a table."""

from collections.abc import Mapping, Sequence
from typing import Any

from fulmen.comparison.gains import ALPHA, in_order, interval, leads, scores_of
from fulmen.report.contest import Contest
from fulmen.report.document import Rows
from fulmen.report.leaks import has_error

MEDALS = ("gold", "silver", "bronze")  # in words: not every font has the pictures
ADJUSTED = (
    "not adjusted. The difference is from the first, with its 95 % interval (±) and p, two-sided, both adjusted for "
    "the number of models (Holm; beside the constant predictor at least Bonferroni): ± leaves out 0 where, and only "
    "where, p is below 0.05. A medal is for who is shown to differ from all that follow, if everyone above has one."
)
BOUNDS = (
    "Where all folds agree, or less than half a test unit lies between a score and the end of what is possible, its "
    "interval is that of a share (Clopper & Pearson 1934), if wider, and differences have at least the error of half a "
    "unit either way (Agresti & Min 2005)."
)
AT_RANDOM = (
    "sd: over the folds. Intervals and p: t-distributions with the variance of Nadeau & Bengio (2003), as training "
    f"parts overlap; intervals are cut to what is possible and {ADJUSTED} {BOUNDS}"
)
IN_TIME = (
    "sd: over the folds, which follow each other in time: what one tests, later ones train on. Nadeau & Bengio's "
    "variance is of splits at random and does not hold there. Intervals and p: t-distributions over the folds, each "
    "tested on days of its own, as if they were independent; they are too narrow where training on shared days, or a "
    f"regime that lasts, makes folds resemble each other. Intervals are cut to what is possible and {ADJUSTED} {BOUNDS}"
)


def places(contest: Contest, metric: str, larger: bool) -> Rows:
    """One row per candidate, best mean first: mean, interval, and the paired difference from the first."""
    scores, order = scores_of(contest, metric), in_order(contest, metric, larger)
    ahead, earned = leads(contest, metric, larger), medals(contest, metric, larger)
    way = -1 if larger else 1  # the difference of a row is its score less that of the first
    rows = []
    for place, name in enumerate(order, 1):
        low, high = interval(contest, metric, scores[name])
        gain = ahead.get(name)
        row: dict[str, Any] = {"": f"{place} {earned[name]}" if name in earned else str(place), "model": name}
        row |= {metric: float(scores[name].mean()), "sd": float(scores[name].std(ddof=1))}
        row |= {"from": low, "to (95 %)": high}
        row |= {"difference": gain and way * gain.value, "± (95 %)": gain and gain.half, "p": gain and gain.p}
        rows.append(row | {"CPU s": contest.seconds.get(name)})
    return rows


def medals(contest: Contest, metric: str, larger: bool) -> dict[str, str]:
    """Candidate -> medal: of the first if it is shown to differ from every other, then of the next, and so on.

    Nobody has one where a leak makes the scores unbelievable.
    """
    if has_error(contest.leaks):
        return {}
    order, earned = in_order(contest, metric, larger), {}
    for place, (medal, name) in enumerate(zip(MEDALS, order, strict=False)):
        ahead = leads(contest, metric, larger, place)
        if not ahead or not all(gain.is_shown for gain in ahead.values()):
            break
        earned[name] = medal
    return earned


def level_with_first(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """The models that the first has not been shown to differ from."""
    return [row["model"] for row in rows[1:] if not row["p"] < ALPHA]
