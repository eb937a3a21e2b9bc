"""Do other readings still look like those of training? A model is only known to be good where they do."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy.stats import ks_2samp

ALARM = 0.25  # of the PSI; the usual reading: below 0.1 stable, above 0.25 another distribution
FEWEST = 200  # rows of a file; the PSI of so many from the same distribution is about 10 / rows

Bins = dict[str, list[float]]


def bins_of(values: np.ndarray, count: int = 10) -> Bins:
    """Inner borders of `count` bins of about equal share, and the shares: one more, of NaN. values: [N]."""
    known = values[~np.isnan(values)]
    borders = np.unique(np.quantile(known, np.arange(1, count) / count)) if len(known) else np.empty(0)
    return {"borders": borders.tolist(), "shares": shares(values, borders).tolist()}


def shares(values: np.ndarray, borders: Sequence[float] | np.ndarray) -> np.ndarray:
    """Share of `values` [N] in each bin (left of a border or on it: below), the last of NaN: [borders + 2]."""
    gone = np.isnan(values)
    number = np.where(gone, len(borders) + 1, np.searchsorted(borders, values, side="left"))
    return np.bincount(number, minlength=len(borders) + 2) / max(1, len(values))


def psi(expected: np.ndarray, seen: np.ndarray, least: float = 1e-3) -> float:
    """Population stability index of two lists of shares: sum of (seen - expected) ln(seen / expected).

    Twice the mean of the two Kullback-Leibler divergences; shares count as `least` or more.
    """
    p, q = np.maximum(expected, least), np.maximum(seen, least)
    return float(((q - p) * np.log(q / p)).sum())


def compare(reference: np.ndarray, other: np.ndarray) -> tuple[float, float]:
    """PSI and Kolmogorov-Smirnov statistic (of what is not missing) of `other` [M] against `reference` [N]."""
    bins = bins_of(reference)
    stability = psi(np.array(bins["shares"]), shares(other, bins["borders"]))
    a, b = (values[~np.isnan(values)] for values in (reference, other))
    return stability, float(ks_2samp(a, b, method="asymp").statistic) if len(a) and len(b) else float("nan")


def table(names: Sequence[str], train: np.ndarray, test: np.ndarray, time_h: np.ndarray) -> list[dict[str, Any]]:
    """One row a column: the test split against the training split, and the last third of its time against the rest.

    Args:
        names: of the columns.
        train: [N, columns]
        test: [M, columns]
        time_h: of the training rows [N]; NaN where there is none.
    """
    late = time_h > time_h.min() + (time_h.max() - time_h.min()) * 2 / 3
    rows = []
    for i, name in enumerate(names):
        row = dict(zip(("PSI of the test split", "KS"), compare(train[:, i], test[:, i]), strict=True))
        if late.any():
            row |= dict(zip(("PSI of late rows", "KS late"), compare(train[~late, i], train[late, i]), strict=True))
        rows.append({"": name, **row})
    return rows


def alarms(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """A warning for each PSI of `table` above `ALARM`."""
    what = {
        "PSI of the test split": "the test split is distributed unlike the training split",
        "PSI of late rows": "the last third of the training time is distributed unlike the time before",
    }
    return [
        f"drift: {row['']}: {said} (PSI {row[key]:.2f}, above {ALARM:g})"
        for row in rows
        for key, said in what.items()
        if row.get(key, 0.0) > ALARM
    ]


def alarms_of_file(columns: Sequence[Mapping[str, Any]], values: Mapping[str, np.ndarray], source: Any) -> list[str]:
    """The same for columns of a file against the `bins` a schema kept of the training split."""
    found = []
    for column in columns:
        name, bins = column["name"], column.get("bins")
        if bins and name in values and len(values[name]) >= FEWEST:
            index = psi(np.array(bins["shares"]), shares(values[name], bins["borders"]))
            if index > ALARM:
                found.append(
                    f"drift: {source}, column {name}: distributed unlike the training split (PSI {index:.2f}, above "
                    f"{ALARM:g})"
                )
    return found
