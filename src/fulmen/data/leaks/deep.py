"""The second tier of the search for leaks: models are fitted with and without what is suspected.

Every suspect of the first tier gets the score of the test rows with it and without it, and an interval of the
difference over independent units. Labels are permuted through the whole split, so that rows which belong together
keep what they share: who can still foretell them has seen the test.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from fulmen.data.leaks.copies import kinds
from fulmen.data.leaks.leak import Leak, Severity, ordered
from fulmen.data.leaks.refit import Problem, gain, predicted, problem_of, score
from fulmen.data.leaks.samples import TEST, TRAIN, Samples

OF_COLUMNS = ("identifier", "target_copy", "target_proxy", "look_ahead")
NO_COPIES, HELD_OUT, LATEST = "without their copies", "with these groups held out", "of the latest rows alone"
FOLDS = 5
PERMUTATIONS = 8
KNOWN, NEAR = 8, 0.2  # nearest rows that are looked at, and how much nearer than the last of them a near copy is
SECONDS = 45.0  # after which no more are begun
NOTHING = 0.005  # of a score: a suspect whose removal costs less changes nothing
MUCH = 0.02  # of a score that its removal costs for sure: then it is an error
ABOVE_CHANCE = 0.04, 4.0  # of permuted labels: how far above, and how many standard errors


@dataclass(frozen=True)
class Dealt:
    """A way to deal labels anew.

    Attributes:
        alike: which rows get the same, in words.
        cured_as: the finding whose cure is one for this too.
        targets: of all samples [N, ...], by a generator.
    """

    alike: str
    cured_as: str
    targets: Callable[[np.random.Generator], np.ndarray]


def deepened(samples: Samples, leaks: Sequence[Leak]) -> list[Leak]:
    """The leaks of the first tier with the scores with and without them, and what permuted labels show.

    Where nothing can be fitted (no inputs, fewer than 20 rows in a split) they come back as they are.
    """
    until = time.monotonic() + SECONDS
    problem = problem_of(samples)
    if problem is None:
        return list(leaks)
    whole = predicted(problem, problem.train, problem.test)
    found = [*with_columns(samples, problem, leaks), *with_rows(samples, problem, leaks, whole)]
    refitted = {id(before): after for before, after in found}
    return ordered([*(refitted.get(id(leak), leak) for leak in leaks), *permuted(samples, problem, leaks, until)])


def with_columns(samples: Samples, problem: Problem, leaks: Sequence[Leak]) -> Iterator[tuple[Leak, Leak]]:
    """Suspected columns: the score without any of them, and with one alone added."""
    suspects = [leak for leak in leaks if leak.code in OF_COLUMNS and set(leak.columns) & set(problem.columns)]
    names = list(dict.fromkeys(name for leak in suspects for name in leak.columns if name in problem.columns))
    if not suspects:
        return
    bare = predicted(problem, problem.train, problem.test, names)
    for leak in suspects:
        added = predicted(problem, problem.train, problem.test, [name for name in names if name not in leak.columns])
        yield leak, judged(leak, problem, added, bare, units(samples)[problem.test])


def with_rows(
    samples: Samples, problem: Problem, leaks: Sequence[Leak], whole: np.ndarray
) -> Iterator[tuple[Leak, Leak]]:
    """Copies, groups and order in time: the score where each test row is foretold without its like."""
    of_time = [leak for leak in leaks if leak.code == "time_order"]
    of_groups = [leak for leak in leaks if leak.code == "group_in_several_splits"]
    of_copies = [leak for leak in leaks if leak.code == "copies" and leak.evidence.get("splits") == ["train", "test"]]
    if of_copies and (same := kinds(samples)) is not None:
        apart = held_out(problem, same)
        yield from ((leak, judged(leak, problem, whole, apart, same[problem.test], NO_COPIES)) for leak in of_copies)
    for leak in [leak for leak in leaks if leak.code == "near_copies"]:
        if (apart_from_near := without_near(problem, float(leak.evidence.get("share", 1.0)))) is not None:
            yield leak, judged(leak, problem, whole, apart_from_near, problem.test, NO_COPIES)
    for leak in of_groups:
        if (group := group_of(samples, leak)) is not None:
            apart = held_out(problem, group)
            yield leak, judged(leak, problem, whole, apart, group[problem.test], HELD_OUT)
    if of_time and samples.time is not None:
        yield from ((leak, later(samples, problem, leak, whole)) for leak in of_time)


def held_out(problem: Problem, unit: np.ndarray) -> np.ndarray:
    """Predictions for the test rows, each by a model that has seen no row of its unit.

    Units are dealt to five parts; for the test rows of one the training rows of the others are used, and as many test
    rows of theirs as the training loses.
    """
    rng = np.random.default_rng(0)
    names, number = np.unique(unit, return_inverse=True)
    part = rng.permutation(len(names))[number] % FOLDS
    found = np.zeros((len(problem.test), problem.classes or problem.y.shape[1]))
    for fold in range(FOLDS):
        here = np.flatnonzero(part[problem.test] == fold)
        if not len(here):
            continue
        train = problem.train[part[problem.train] != fold]
        spare = problem.test[part[problem.test] != fold]
        lacking = min(len(problem.train) - len(train), len(spare))
        train = np.concatenate([train, rng.choice(spare, lacking, replace=False)]) if lacking else train
        found[here] = predicted(problem, train, problem.test[here])
    return found


def without_near(problem: Problem, share: float) -> np.ndarray | None:
    """Predictions for the test rows by models that have not seen what is almost equal to them.

    Args:
        share: of the test rows that are said to have a near copy; None where far fewer are seen in these numbers.
    """
    from sklearn.neighbors import NearestNeighbors

    x = problem.x - problem.x[problem.train].mean(0)
    x = x / np.maximum(x[problem.train].std(0), 1e-12)
    near = NearestNeighbors(n_neighbors=KNOWN).fit(x[problem.train])
    distance, which = near.kneighbors(x[problem.test])
    copied = distance < NEAR * distance[:, -1:]
    if copied.any(1).mean() < share / 2:
        return None
    found = np.zeros((len(problem.test), problem.classes or problem.y.shape[1]))
    part = np.random.default_rng(0).integers(0, FOLDS, len(problem.test))
    for fold in range(FOLDS):
        here = part == fold
        lost = np.unique(which[here][copied[here]])
        found[here] = predicted(problem, np.delete(problem.train, lost), problem.test[here])
    return found


def later(samples: Samples, problem: Problem, leak: Leak, whole: np.ndarray) -> Leak:
    """Time: the score of the last rows, by a model of those before; they are other rows, so there is no interval."""
    assert samples.time is not None
    rows = np.concatenate([problem.train, problem.test])
    rows = rows[np.isfinite(samples.time[rows])]
    rows = rows[np.argsort(samples.time[rows], kind="stable")]
    cut = round(len(rows) * len(problem.train) / (len(problem.train) + len(problem.test)))
    after = score(problem, predicted(problem, rows[:cut], rows[cut:]), problem.y[rows[cut:]])
    own = score(problem, whole, problem.y[problem.test])
    return told(leak, problem, own, after, (own - after, own - after), LATEST)


def judged(
    leak: Leak, problem: Problem, with_it: np.ndarray, without: np.ndarray, unit: np.ndarray, how: str = "without it"
) -> Leak:
    """A leak with both scores; one whose removal changes nothing is a note, one whose removal costs much an error."""
    y = problem.y[problem.test]
    between = gain(problem, with_it, without, y, unit)
    return told(leak, problem, score(problem, with_it, y), score(problem, without, y), between, how)


def told(
    leak: Leak, problem: Problem, own: float, without: float, between: tuple[float, float], how: str
) -> Leak:  # fmt: skip
    """The sentence with both scores: `...; AUC .991 with it, .683 without it`."""
    nothing = not own - without > NOTHING or between[0] <= 0
    severity: Severity = "note" if nothing else "error" if between[0] > MUCH else leak.severity
    said = f"{problem.score_name} {_short(own)}, {_short(without)} {how}{': it changes nothing' if nothing else ''}"
    evidence = {**leak.evidence, "with": own, "without": without, "score": problem.score_name, "interval": [*between]}
    return replace(leak, severity=severity, finding=f"{leak.finding}; {said}", evidence=evidence)


def permuted(samples: Samples, problem: Problem, leaks: Sequence[Leak], until: float = float("inf")) -> list[Leak]:
    """Labels dealt anew, alike for what belongs together: scores above chance come from the split alone.

    Args:
        until: the moment of `time.monotonic` after which half as many permutations have to do.
    """
    for deal in deals(samples, problem, leaks):
        scores: list[float] = []
        for number in range(PERMUTATIONS):
            if time.monotonic() > until and number >= PERMUTATIONS / 2:
                break
            y = deal.targets(np.random.default_rng(number))
            scores.append(above(problem, predicted(problem, problem.train, problem.test, y=y), y[problem.test]))
        known = np.array([each for each in scores if np.isfinite(each)])
        if len(known) < PERMUTATIONS / 2:
            continue
        mean, error = float(known.mean()), float(known.std(ddof=1) / np.sqrt(len(known)))
        if mean > ABOVE_CHANCE[0] and mean > ABOVE_CHANCE[1] * error:
            finding = (
                f"labels that were dealt anew, alike for {deal.alike}, are still foretold in the test split: "
                f"concordance {_short(0.5 + mean)}, where chance is .5 (standard error {_short(error)})"
            )
            evidence = {"alike": deal.alike, "concordance": 0.5 + mean, "error": error, "permutations": len(known)}
            cures = tuple(samples.cures.get("learns_permuted_labels", samples.cures.get(deal.cured_as, ())))
            return [Leak("learns_permuted_labels", "error", finding, evidence=evidence, cures=cures)]
    return []


def deals(samples: Samples, problem: Problem, leaks: Sequence[Leak]) -> Iterator[Dealt]:
    """Ways to deal labels that leave rows alike which belong together.

    Equal rows do where a scan calls them copies: of few levels, equal rows are nothing special. Groups and times do
    where the splits were not made by them.
    """
    same, group, taken = kinds(samples), samples.group, samples.time
    if same is not None and any(leak.code == "copies" for leak in leaks):
        yield Dealt("copies of a row", "copies", lambda rng: among(problem.y, same, rng))
    if samples.splitting not in ("random", "given"):
        return
    if group is not None and _straddles(samples, group):
        yield Dealt("rows of a group", "group_in_several_splits", lambda rng: of_groups(problem.y, group, rng))
    elif group is None and taken is not None and np.isfinite(taken).all():
        yield Dealt("rows near in time", "time_order", lambda rng: shifted(problem.y, taken, rng))


def among(y: np.ndarray, same: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Each kind of row gets the label of a row drawn by chance [N, ...]."""
    number = np.unique(same, return_inverse=True)[1]
    return y[rng.integers(0, len(y), number.max() + 1)[number]]


def of_groups(y: np.ndarray, group: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Each row gets a label of another group, the same one for its whole group [N, ...]."""
    names, number = np.unique(group, return_inverse=True)
    other = rng.permutation(len(names))
    members = [np.flatnonzero(number == i) for i in range(len(names))]
    drawn = np.empty(len(y), int)
    for i, rows in enumerate(members):
        drawn[rows] = rng.choice(members[other[i]], len(rows))
    return y[drawn]


def shifted(y: np.ndarray, taken: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Labels of other times, from a quarter to three quarters of all rows away, in their order [N, ...]."""
    order = np.argsort(taken, kind="stable")
    found = y.copy()
    found[order] = np.roll(y[order], rng.integers(len(y) // 4, 3 * len(y) // 4 + 1), axis=0)
    return found


def above(problem: Problem, found: np.ndarray, y: np.ndarray) -> float:
    """How far above chance labels are foretold: AUC less a half; of numbers half their rank correlation."""
    if problem.classes:
        return score(problem, found, y) - 0.5
    from scipy.stats import spearmanr

    each = [
        spearmanr(found[:, i], y[:, i]).statistic for i in range(y.shape[1]) if np.ptp(y[:, i]) * np.ptp(found[:, i])
    ]
    return 0.5 * float(np.mean(each)) if each else float("nan")


def _straddles(samples: Samples, group: np.ndarray) -> bool:
    train, test = (np.unique(group[samples.split == split]) for split in (TRAIN, TEST))
    return bool(np.isin(test, train).any())


def group_of(samples: Samples, leak: Leak) -> np.ndarray | None:
    """The groups that a leak is about: a column of its name, or those of the samples."""
    for name in leak.columns:
        for known in (samples.also, samples.columns):
            if name in known:
                return np.unique(np.asarray(known[name]).astype(str), return_inverse=True)[1]
    return samples.group


def units(samples: Samples) -> np.ndarray:
    """What is independent: groups, kinds of equal rows, or rows [N]."""
    if samples.group is not None:
        return samples.group
    same = kinds(samples)
    return np.arange(len(samples)) if same is None else same


def _short(value: float) -> str:
    """`.683`, `1.000`"""
    return f"{value:.3f}".replace("0.", ".", 1) if abs(value) < 1 else f"{value:.3f}"
