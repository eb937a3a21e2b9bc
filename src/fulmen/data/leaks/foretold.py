"""Features of today that tell the next step of a series better than anything of today can."""

from collections.abc import Iterator

import numpy as np

from fulmen.data.leaks.filled import is_filled, rounding
from fulmen.data.leaks.leak import Leak, Severity
from fulmen.data.leaks.made_of import leak_of_values
from fulmen.data.leaks.own_past import of_windows, unforetold
from fulmen.data.leaks.ranges import ranges
from fulmen.data.leaks.samples import SPLITS, TEST, TRAIN, VALIDATION, Samples
from fulmen.data.leaks.steps import foretold as series_foretold
from fulmen.report.words import counted

FEWEST = 200  # windows, below which nothing is said
MOST = 8_000  # windows that are looked at
BINS = 10
SERIES = 40  # that are looked at
PRICES = ("open", "high", "low", "close")
TOO_GOOD, GRAVE = 0.15, 0.2  # of the variance of the next step, which no market tells
COARSE, BOUNCE = 0.03, 0.6  # share of the variance of steps that is rounding, from which on it tells so much at most


def foretold(samples: Samples) -> list[Leak]:
    """Of series: features that know the next step, and splits whose targets overlap."""
    if not samples.series or samples.time is None:
        return []
    found = [*_features(samples), *ranges(samples)]
    return [*found, *_values(samples, {name for leak in found for name in leak.columns}), *_overlap(samples)]


def _features(samples: Samples) -> Iterator[Leak]:
    target = samples.target if samples.target.ndim == 1 else samples.target[:, 0]
    rows = np.flatnonzero(samples.split >= 0)
    rows = rows[np.argsort(samples.time[rows], kind="stable")]  # type: ignore[index]
    rows = rows[np.linspace(0, len(rows) - 1, min(MOST, len(rows))).astype(int)]
    if len(rows) < FEWEST:
        return
    y = target[rows].astype(float)
    left = of_windows(samples, rows)
    left = np.where(np.isfinite(left), left, y)
    shares = {
        name: share_told(np.asarray(x, float)[rows], y, left) for name, x in samples.columns.items() if _is_number(x)
    }
    least = BOUNCE if max(map(rounding, samples.series), default=0) > COARSE else TOO_GOOD
    telling = {name: share for name, share in shares.items() if share > least}
    if telling:
        best = max(telling, key=lambda name: telling[name])
        severity: Severity = "error" if telling[best] > GRAVE else "warning"
        finding = (
            f"the feature {best} tells {telling[best]:.0%} of the variance of the {samples.target_name} beyond what "
            f"its own past does, more than anything known on a day does: it was made of later values"
        )
        cures = tuple(samples.without(tuple(telling)))
        yield Leak("look_ahead", severity, finding, tuple(telling), {"share": telling[best]}, cures)


def _values(samples: Samples, told: set[str]) -> Iterator[Leak]:
    """Other values of a day, such as Open and Volume, that tell the next step, be they features or not.

    Args:
        told: features and values that are told of already.
    """
    found: dict[str, float] = {}
    for one in samples.series[:SERIES]:
        close = series_foretold(one)
        if len(close) < FEWEST or np.nanmin(close) <= 0 or rounding(one) > COARSE:
            continue
        y, left, smooth = np.nan_to_num(np.diff(np.log(close))), unforetold(one), is_filled(one)
        for name, values in list(one.values.items())[1:]:
            known = np.asarray(values, float)
            if np.nanmin(known) > 0 and not (smooth and name in PRICES):  # beside a Close that was smoothed
                x = np.nan_to_num(np.log(known / close) if name in PRICES else np.log(known))[:-1]
                found[name] = max(found.get(name, 0.0), share_told(x, y, left))
    telling = {name: share for name, share in found.items() if share > GRAVE}
    inputs = samples.made_of or {}
    telling = {name: share for name, share in telling.items() if not told & {name, *inputs.get(name, ())}}
    if telling:
        best = max(telling, key=lambda name: telling[name])
        finding = (
            f"{best} tells {telling[best]:.0%} of the variance of the next step beyond what its own past does, more "
            f"than anything known on a day does: it is of a later day"
        )
        yield leak_of_values(samples, finding, tuple(telling), {"share": telling[best]})


def share_told(x: np.ndarray, y: np.ndarray, left: np.ndarray) -> float:
    """The share of the variance of y [n] that x tells of `left`, which is y less what is known without x."""
    y, left = _calm(y), _calm(left)
    return told_by(x, left) * min(1.0, float(left.var() / max(y.var(), 1e-300)))


def _is_number(x: np.ndarray) -> bool:
    return x.dtype.kind in "fiu"


def _calm(y: np.ndarray) -> np.ndarray:
    """Numbers cut off where they are far from the others."""
    size = 1.48 * float(np.median(np.abs(y - np.median(y)))) or float(y.std()) or 1.0
    return np.clip(y, np.median(y) - 5 * size, np.median(y) + 5 * size)


def told_by(x: np.ndarray, y: np.ndarray) -> float:
    """The share of the variance of y [n] that x tells by means of tenths, on the third that these are not taken of."""
    edges = np.unique(np.nanquantile(x, np.linspace(0, 1, BINS + 1)[1:-1]))
    bin_, fold = np.searchsorted(edges, x), np.arange(len(y)) * 3 // len(y)
    guess = np.zeros(len(y))
    for third in range(3):
        fit = fold != third
        count = np.bincount(bin_[fit], minlength=len(edges) + 1)
        mean = np.bincount(bin_[fit], y[fit], minlength=len(edges) + 1) / np.maximum(count, 1)
        guess[~fit] = np.where(count > 0, mean, y[fit].mean())[bin_[~fit]]
    return 1 - float(np.square(y - guess).sum() / max(np.square(y - y.mean()).sum(), 1e-300))


def _overlap(samples: Samples) -> list[Leak]:
    """Training windows whose targets end after those of another split have begun."""
    if samples.horizon <= 0 or samples.splitting != "time":
        return []
    assert samples.time is not None
    found = []
    for one, other in ((TRAIN, TEST), (TRAIN, VALIDATION), (VALIDATION, TEST)):
        a, b = samples.rows(one), samples.rows(other)
        if not len(a) or not len(b):
            continue
        begin = samples.time[b].min()
        late, inside = samples.time[a] >= begin, samples.time[a] + samples.horizon > begin
        count = int(inside.sum())
        if count:
            what = "begin" if late.any() else "end"
            finding = (
                f"the targets of {counted(count, samples.sample)} of the {SPLITS[one]} split {what} after the first "
                f"target of the {SPLITS[other]} split has begun: what is tested on is trained on"
            )
            evidence = {"splits": [SPLITS[one], SPLITS[other]], "count": count, "later": int(late.sum())}
            code = "time_order" if late.mean() > 0.05 else "look_ahead"
            cures = tuple(samples.cures.get(code, ()))
            found.append(Leak(code, "error", finding, (), evidence, cures))
    return found[:1]
