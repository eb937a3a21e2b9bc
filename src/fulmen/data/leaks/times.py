"""Time order that a split breaks: test rows among training rows that are near in time and resemble them."""

import re
from collections.abc import Sequence

import numpy as np

from fulmen.data.leaks.columns import classes, columns_of, drawn, standardised, used
from fulmen.data.leaks.leak import Leak
from fulmen.data.leaks.neighbours import QUERIES, REFERENCES, Gain, flat, gain, targets
from fulmen.data.leaks.resemblance import Residuals, following, standard, without_level
from fulmen.data.leaks.samples import TEST, TRAIN, VALIDATION, Samples
from fulmen.data.leaks.sorting import goes_one_way, sorted_by

FEWEST = 60  # samples below which nothing is said
SORTED = 3  # changes of the class from row to row, for each class, below which a file is sorted by it
TIMES = re.compile("time|date|when|stamp|day|hour|taken|recorded|measured")
BLOCKS = 5  # pieces of a long series that are looked at


def time_leaks(samples: Samples) -> list[Leak]:
    """A split that deals rows near in time, or in the file, to training and to test."""
    rows = used(samples)
    if samples.splitting not in ("random", "given") or len(rows) < FEWEST or samples.target.ndim != 1:
        return []
    rows, place = series(samples, rows)
    between = _between(samples.split[rows])
    if between < 0.2:
        return []
    by_class = samples.kind == "classes"
    y = classes(samples, rows) if by_class else np.asarray(samples.target, float)[rows]
    if y is None or y.std() == 0:
        return []
    left = Residuals.of(samples, rows, y)
    known = has_times(samples)
    by_column = not known and sorted_by(samples, rows)
    rest_of_target = standard(without_level(left.target)) if by_column else left.target
    target, target_z = following(rest_of_target, place)
    inputs = following(left.inputs, place)[0]
    strongest = np.sort(inputs)[-2:].mean() if len(inputs) else 0.0
    rest = float(target[target_z > 5].max(initial=0.0))
    worth = _worth(samples, rows, place, rest_of_target if by_column else targets(y, by_class))
    by_kin = worth is not None and worth.leaks() and worth.near and (known or worth.before - worth.after > 0.02)
    sorted_by_target = by_class and int((np.diff(y) != 0).sum()) < SORTED * (y.max() + 1)
    if not by_kin and (sorted_by_target or strongest < 0.3 or rest < (0.08 if known else 0.12)):
        return []
    what = "time" if known else f"the order of the {samples.sample}s"
    errors = (
        f"; squared error of nearest neighbours {worth.after:.3g} with those and {worth.before:.3g} without"
        if worth and worth.after < worth.before
        else ""
    )
    finding = (
        f"{samples.sample}s near in {what} resemble each other and stand in several splits: {between:.0%} of those to "
        f"be judged by lie between training {samples.sample}s that tell {samples.target_name} of them (its rest, "
        f"without what the inputs tell, has an autocorrelation of {rest:.2f}{errors})"
    )
    evidence = {"share": between, "autocorrelation": rest, "autocorrelation_of_inputs": float(strongest)}
    if worth is not None:
        evidence |= {"error_with": worth.after, "error_without": worth.before}
    cures = tuple(samples.cures.get("time_order", ()) if known else by_other_column(samples, rows))
    return [Leak("time_order", "error" if known else "warning", finding, (), evidence, cures)]


def has_times(samples: Samples) -> bool:
    return samples.time is not None and bool(np.isfinite(np.asarray(samples.time, float)).mean() > 0.5)


def by_other_column(samples: Samples, rows: np.ndarray) -> Sequence[str]:
    """Overrides that split by a column which is no input and by which the file is sorted: times, or groups."""
    rising = {name: values[rows] for name, values in samples.also.items() if goes_one_way(values[rows])}
    times = [name for name, values in rising.items() if len(np.unique(values)) > 0.5 * len(rows)]
    if times:
        return samples.by_time(next((name for name in times if TIMES.search(name.lower())), times[0]))
    groups = [name for name, values in rising.items() if 3 <= len(np.unique(values)) <= 0.3 * len(rows)]
    return samples.by_group(groups[0]) if groups else ()


def series(samples: Samples, rows: np.ndarray, most: int = REFERENCES) -> tuple[np.ndarray, np.ndarray]:
    """Rows by group and time, and the place of each: next to each other where they follow. Of many rows, a few pieces.

    Returns:
        Numbers of samples [n], and places [n], which leave a gap of `n` between groups.
    """
    when = np.asarray(samples.time, float) if has_times(samples) else samples.order
    when = np.arange(len(samples)) if when is None else np.asarray(when, float)
    group = np.zeros(len(samples), int) if samples.group is None else np.unique(samples.group, return_inverse=True)[1]
    order = rows[np.lexsort((when[rows], group.reshape(-1)[rows]))]
    parts = group.reshape(-1)[order]
    place = np.arange(len(order)) + np.cumsum(np.diff(parts, prepend=parts[:1]) != 0) * len(order)
    if len(order) <= most:
        return order, place
    size = most // BLOCKS
    starts = np.linspace(0, len(order) - size, BLOCKS).astype(int)
    picked = np.unique(np.concatenate([np.arange(start, start + size) for start in starts]))
    return order[picked], place[picked]


def _between(split: np.ndarray) -> float:
    """The share of the rows that are judged by, in their order [n], with training rows before and after them."""
    train = np.flatnonzero(split == TRAIN)
    judged = np.flatnonzero((split == TEST) | (split == VALIDATION))
    if not len(train) or not len(judged):
        return 0.0
    return float(((judged > train[0]) & (judged < train[-1])).mean())


def _worth(samples: Samples, rows: np.ndarray, place: np.ndarray, values: np.ndarray) -> Gain | None:
    x = standardised(columns_of(samples.columns, rows), len(rows)) if samples.columns else flat(samples, rows)
    asked = samples.split[rows]
    judged = asked == TEST if (asked == TEST).sum() >= 20 else asked == VALIDATION
    query, reference = drawn(np.flatnonzero(judged), QUERIES), np.flatnonzero(asked == TRAIN)
    if not x.shape[1] or len(query) < 20 or len(reference) < 40:
        return None
    window = max(8, len(rows) // 100)
    kin = np.abs(place[query][:, None] - place[reference][None]) <= window
    return gain(x, values, query, reference, kin, place[query] // (2 * window))
