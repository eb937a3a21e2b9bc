"""Features that number the rows: ids that rise with the file or the time, with ties or shuffled, texts of their own."""

import re

import numpy as np
import pandas as pd

from fulmen.data.leaks.columns import classes, column, drawn, used
from fulmen.data.leaks.leak import Leak
from fulmen.data.leaks.samples import Samples
from fulmen.data.leaks.single import told
from fulmen.data.leaks.sorting import evenly, rises
from fulmen.data.leaks.times import has_times

FEWEST = 30  # samples below which nothing is said
LARGEST = 2.0**53  # whole numbers beyond are not told apart
STAMPS = (9e8, 9e11, 9e14)  # the year 1998 in seconds, milliseconds and microseconds
EVEN = 0.5  # of the pairs of equal whole numbers that chance would make: fewer were given out, not measured
GIVEN_OUT = "is a whole number of its own, or almost, in every one, with fewer repeated than measured numbers have"
NAMES = re.compile(r"(^|[^a-z])(id|ids|uid|uuid|guid|udi|index|idx|rowid|rownum|row|nr|no|number|serial|key|record)$")


def identifiers(samples: Samples) -> list[Leak]:
    """Features by which a model learns rows by heart."""
    rows = used(samples)
    if samples.splitting == "time" or len(rows) < FEWEST:
        return []
    place = np.arange(len(rows)) if samples.order is None else np.asarray(samples.order)[rows]
    order = np.argsort(place, kind="stable")
    how = {}
    for name, values in samples.columns.items():
        values = np.asarray(values)[rows]
        how[name] = _texts(values) if values.dtype.kind not in "f" else _numbers(samples, name, values, rows, order)
    if 2 <= sum(each == GIVEN_OUT for each in how.values()) > len(how) / 2:  # set values of a design
        how = {name: each for name, each in how.items() if each != GIVEN_OUT}
    found = [
        _leak(samples, name, np.asarray(samples.columns[name])[rows], each, rows) for name, each in how.items() if each
    ]
    if samples.splitting == "group":  # where rows of others are told by numbers alone, those have to tell something
        found = [leak for leak in found if leak.severity == "error"]
    return found


def _texts(values: np.ndarray) -> str:
    """How texts or levels number the rows; "": they do not."""
    distinct = len(pd.unique(values))
    return "has a value of its own in almost every one" if distinct > max(10, 0.9 * len(values)) else ""


def _numbers(samples: Samples, name: str, values: np.ndarray, rows: np.ndarray, order: np.ndarray) -> str:
    """How numbers number the rows; "": they do not."""
    if not np.isfinite(values).mean() > 0.99 or len(np.unique(values[:1000])) < min(10, 0.05 * len(values)):
        return ""
    values = np.where(np.isfinite(values), values, np.nanmedian(values)).astype(float)
    if rises(values[order]) and evenly(values[order]):
        return f"only rises or only falls from {samples.sample} to {samples.sample}, as an id or a time does"
    if (
        samples.splitting != "group"
        and has_times(samples)
        and _with_time(values, np.asarray(samples.time, float)[rows])
    ):
        return "only rises or only falls with the time"
    if np.abs(values).max() > LARGEST or not (values == np.round(values)).all():
        return ""
    if not counts_up(values[order]) and given_out(values):
        return GIVEN_OUT
    if any(low < np.median(values) < 2.4 * low for low in STAMPS) and len(np.unique(values)) > 0.5 * len(values):
        return "is the time of each in seconds since 1970 or in parts of them"
    if NAMES.search(_plain(name)) and len(np.unique(values)) > 0.98 * len(values):
        return "has a number of its own in almost every one"
    return ""


def _with_time(values: np.ndarray, time: np.ndarray) -> bool:
    """Whether numbers rise or fall with the time, of some of the rows first."""
    some = drawn(np.arange(len(values)), 500)
    if not rises(values[some][np.argsort(time[some])]):
        return False
    return rises(values[np.lexsort((values, time))]) and rises(time[np.lexsort((time, values))])


def _plain(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower().strip()


def counts_up(values: np.ndarray) -> bool:
    """Whether numbers in their order go up by one and the same step for long, and then fall: hours since a repair."""
    steps = np.diff(values)
    kinds, counts = np.unique(steps, return_counts=True)
    usual = kinds[counts.argmax()]
    return bool(usual > 0 and counts.max() > 0.5 * len(steps) and (steps < 0).any())


def given_out(values: np.ndarray) -> bool:
    """Whether whole numbers [N] repeat less evenly than any that are measured do: each once, or each as often.

    Numbers that are drawn from a smooth law repeat by chance: of N within a span with n expected at each number, pairs
    of equal ones are n / 2 to each drawn one. Ids have fewer of them, and ids with ties have the same number each.
    """
    values = np.sort(values).astype(np.int64)
    span = int(values[-1] - values[0]) + 1
    if span > 200 * len(values):
        return False
    counts = np.bincount(values - values[0])
    width = max(20, int(20 * span / len(values)))
    pieces = max(1, len(counts) // width)
    cut = counts[: pieces * width].reshape(pieces, -1)
    expected = cut.sum(1, keepdims=True) / cut.shape[1]
    pairs, chance = float((cut * (cut - 1)).sum() / 2), float((expected**2).sum() * cut.shape[1] / 2)
    if chance >= 10 and pairs < EVEN * chance and pairs < chance - 5 * np.sqrt(chance):
        return True
    present = counts[counts > 0]
    return bool(present.mean() >= 1.5 and present.std() < 0.25 * np.sqrt(present.mean()) and len(present) > 0.9 * span)


def _leak(samples: Samples, name: str, values: np.ndarray, how: str, rows: np.ndarray) -> Leak:
    some = drawn(np.arange(len(rows)), 20_000)
    by_class, area = samples.kind == "classes", None
    if samples.target.ndim == 1 and values.dtype.kind == "f":
        y = classes(samples, rows[some]) if by_class else np.asarray(samples.target, float)[rows[some]]
        area = told(column(name, values[some]), y, by_class) if y is not None and y.std() > 0 else None
    word = "area under the ROC curve" if by_class else "R2"
    tells = "" if area is None else f" (alone it tells {samples.target_name} with {word} {area:.3f})"
    finding = f"the feature {name} {how}{tells}: a model learns {samples.sample}s by heart with it"
    grave = area is not None and area > (0.6 if by_class else 0.1)
    evidence = {"rows": len(rows), **({} if area is None else {"score": area})}
    cures = tuple(samples.without((name,)))
    return Leak("identifier", "error" if grave else "warning", finding, (name,), evidence, cures)
