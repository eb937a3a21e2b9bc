"""Columns of samples as numbers, and rows drawn from many, as the detectors look at them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from fulmen.data.leaks.samples import Samples

SEED = 0  # of whatever is drawn: a scan says the same twice


@dataclass(frozen=True)
class Column:
    """One column of N rows.

    Attributes:
        name: as a person knows it.
        values: numbers [N], NaN where missing; of levels and texts their codes.
        code: number of the value of each row in `distinct`, int64 [N]; a missing value has one of its own, the last.
        count: how many different values there are, a missing one among them.
        levels: whether it holds levels or texts, whose codes have no order.
    """

    name: str
    values: np.ndarray
    code: np.ndarray
    count: int
    levels: bool

    @property
    def missing(self) -> np.ndarray:
        """Where nothing stands [N]."""
        return np.isnan(self.values)

    @property
    def whole(self) -> bool:
        """Whether all numbers are whole."""
        known = self.values[~self.missing]
        return bool(len(known)) and not self.levels and bool((known == np.round(known)).all())


def column(name: str, values: np.ndarray) -> Column:
    """A column of numbers, levels (whole numbers, -1 where missing) or texts."""
    values = np.asarray(values)
    if values.dtype.kind == "f":
        numbers = values.astype(np.float64)
        numbers = np.where(np.isfinite(numbers), numbers, np.nan)
        known, code = np.unique(numbers, return_inverse=True)
        return Column(name, numbers, code.reshape(-1), len(known), False)
    if values.dtype.kind in "iub":
        known, code = np.unique(values, return_inverse=True)
        numbers = np.where(values < 0, np.nan, values.astype(float)) if values.dtype.kind == "i" else values + 0.0
        return Column(name, numbers, code.reshape(-1), len(known), True)
    code, known = pd.factorize(values.astype(object), sort=False, use_na_sentinel=True)
    gone = code < 0
    count = len(known) + bool(gone.any())
    return Column(name, np.where(gone, np.nan, code), np.where(gone, len(known), code), count, True)


def columns_of(named: Mapping[str, np.ndarray], rows: np.ndarray) -> list[Column]:
    """Those columns in these rows that hold more than one value."""
    found = [column(name, np.asarray(values)[rows]) for name, values in named.items()]
    return [each for each in found if each.count > 1 and not each.missing.all()]


def used(samples: Samples) -> np.ndarray:
    """Numbers of the samples that are in a split and whose target is known."""
    known = np.isfinite(np.asarray(samples.target, float)) if samples.target.ndim == 1 else samples.split >= 0
    return np.flatnonzero((samples.split >= 0) & known)


def drawn(rows: np.ndarray, most: int) -> np.ndarray:
    """At most so many of the rows, in their order, always the same ones."""
    if len(rows) <= most:
        return rows
    return np.sort(np.random.default_rng(SEED).choice(rows, most, replace=False))


def at(samples: Samples, rows: np.ndarray) -> Samples:
    """Some of the samples alone."""

    def taken(values: np.ndarray | None) -> np.ndarray | None:
        return None if values is None else np.asarray(values)[rows]

    return replace(
        samples,
        target=samples.target[rows],
        split=samples.split[rows],
        columns={name: np.asarray(values)[rows] for name, values in samples.columns.items()},
        content=taken(samples.content),
        group=taken(samples.group),
        time=taken(samples.time),
        order=taken(samples.order),
        line=taken(samples.line),
        also={name: np.asarray(values)[rows] for name, values in samples.also.items()},
        fitted=(),
    )


def classes(samples: Samples, rows: np.ndarray) -> np.ndarray | None:
    """Number of the class of each row, from 0 without gaps; None: the target is no single class or number."""
    if samples.target.ndim != 1:
        return None
    return np.unique(samples.target[rows], return_inverse=True)[1].reshape(-1)


def standardised(columns: Sequence[Column], count: int, without: Sequence[str] = ()) -> np.ndarray:
    """Columns as numbers of mean 0 and standard deviation 1 [N, F]: levels one by one, missing values as means.

    Args:
        count: of rows, N.
        without: names of columns to leave out.
    """
    parts = []
    for each in columns:
        if each.name in without:
            continue
        if each.levels and each.count > 2:
            if each.count <= 12:
                parts += [(each.code == level).astype(float) for level in range(each.count)]
            continue
        values = np.where(each.missing, np.nanmedian(each.values), each.values)
        parts.append(values)
        if each.missing.mean() > 0.02:
            parts.append(each.missing.astype(float))
    if not parts:
        return np.empty((count, 0))
    x = np.stack(parts, 1)
    low, high = np.quantile(x, [0.005, 0.995], axis=0)
    x = np.where(high > low, np.clip(x, low, high), x)
    sd = x.std(0)
    return ((x - x.mean(0)) / np.where(sd > 0, sd, 1.0))[:, sd > 0]
