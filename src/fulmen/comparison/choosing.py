"""What "choose the best" is worth: the score of the choice on folds that it was not made by, beside the naive best.

The first of a table is there because it was lucky too, so that its own mean flatters it. Nested folds (Stone 1974;
Varma & Simon 2006, BMC Bioinformatics 7:91) judge each choice on rows that it has not seen: within each outer fold the
choice is made by inner ones alone. Without them the other folds choose, which costs nothing and flatters less than the
table but still some, as their models have trained on the fold that judges.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from fulmen.comparison.gains import compared, in_order, interval, scores_of
from fulmen.report import known
from fulmen.report.contest import Contest
from fulmen.report.document import number
from fulmen.report.words import counted

By = Literal["inner folds", "the validation split", "the other folds", "the folds before"]


@dataclass(frozen=True)
class Choice:
    """Choosing the best, judged fold by fold.

    Attributes:
        by: what the choice of each fold was made by.
        folds: numbers of the folds that judge it; the first of a series has none before it.
        chosen: candidate of each of them.
        scores: of these on their folds, the honest ones.
        naive: mean score, on the same folds, of that candidate which is first in the table.
        of: how many candidates there were.
    """

    by: By
    folds: list[int]
    chosen: list[str]
    scores: np.ndarray
    naive: float
    of: int

    @property
    def is_nested(self) -> bool:
        """Whether no choice has seen anything of the fold that judges it."""
        return self.by in ("inner folds", "the validation split")

    def optimism(self, larger: bool) -> float:
        """By how much the naive best is better than what choosing it was worth."""
        return (1 if larger else -1) * (self.naive - float(self.scores.mean()))

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for ranking.json."""
        mean = float(self.scores.mean())
        return {"by": self.by, "folds": self.folds, "chosen": self.chosen, "scores": self.scores.tolist(),
                "mean": mean, "naive": self.naive}  # fmt: skip


def by_inner_folds(contest: Contest, inner: Sequence[Contest], metric: str, larger: bool) -> Choice:
    """The best of the inner folds of each outer one.

    Args:
        contest: of the outer folds.
        inner: of each of them, among the rows that do not test.
    """
    chosen = [next(name for name in in_order(each, metric, larger) if name in contest.scores) for each in inner]
    return _choice(contest, "inner folds", list(range(len(inner))), chosen, metric, larger)


def by_validation(contest: Contest, metric: str, larger: bool) -> Choice:
    """In each fold the variant with the best score of its validation split."""
    folds = range(len(next(iter(contest.validation.values()))))
    names = [name for name in contest.validation if name in contest.scores]
    chosen = [min(names, key=lambda name: known.place(float(contest.validation[name][k]), contest.watched_larger))
              for k in folds]  # fmt: skip
    return _choice(contest, "the validation split", list(folds), chosen, metric, larger)


def by_other_folds(contest: Contest, metric: str, larger: bool) -> Choice:
    """In each fold the best of the others; of folds in time, of those before it."""
    scores = scores_of(contest, metric)
    count = len(next(iter(scores.values())))
    folds = list(range(1 if contest.in_time else 0, count))
    chosen = []
    for fold in folds:
        others = slice(0, fold) if contest.in_time else np.arange(count) != fold
        chosen.append(min(scores, key=lambda name: known.place(float(scores[name][others].mean()), larger)))
    by: By = "the folds before" if contest.in_time else "the other folds"
    return _choice(contest, by, folds, chosen, metric, larger)


def in_words(choice: Choice, contest: Contest, metric: str, larger: bool, word: str) -> str:
    """What choosing is worth, in a sentence or two.

    Args:
        word: the metric in words.
    """
    naive, mean = number(choice.naive, 3), number(float(choice.scores.mean()), 3)
    what = f"Choosing the best of {choice.of} by {choice.by} scores {word} {mean}"
    low, high = interval(contest, metric, choice.scores)
    if choice.is_nested and known.is_known(low):
        what += f" (95 % interval {number(low, 3)} to {number(high, 3)}) on folds that the choice has not seen"
    found = choice.optimism(larger)
    beside = f"that of them which is first in the table {naive} on the same"
    said = f"{what}, {beside}: "
    least = "" if choice.is_nested else "at least "
    said += f"it flatters itself by {least}{number(found, 2)}." if found > 0 else "no optimism is seen."
    often = ", ".join(f"{name} {counted(times, 'time')}" for name, times in Counter(choice.chosen).most_common())
    said += f" Chosen: {often}."
    if choice.is_nested and contest.constant in contest.scores:
        way = 1 if larger else -1
        gain = way * (choice.scores - scores_of(contest, metric)[contest.constant][choice.folds])
        test = compared(contest, gain, metric)
        shown = "better than" if test.p < 0.05 and test.mean > 0 else "not shown to be better than"
        said += f" What is chosen is {shown} the constant predictor (gain {number(test.mean, 2)}, p = {test.p:.2g})."
    return said


def _choice(contest: Contest, by: By, folds: list[int], chosen: list[str], metric: str, larger: bool) -> Choice:
    scores = scores_of(contest, metric)
    honest = np.array([scores[name][fold] for name, fold in zip(chosen, folds, strict=True)])
    candidates = [name for name in in_order(contest, metric, larger)
                  if by != "the validation split" or name in contest.validation]  # fmt: skip
    return Choice(by, folds, chosen, honest, float(scores[candidates[0]][folds].mean()), len(candidates))
