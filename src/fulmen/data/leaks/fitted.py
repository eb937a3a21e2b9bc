"""Scalers, fillings, thresholds and choices that were fitted to more than the samples they may know."""

from collections.abc import Iterator, Mapping

import numpy as np

from fulmen.data.leaks.leak import Leak, Severity
from fulmen.data.leaks.samples import TEST, TRAIN, VALIDATION, Fitted, Samples

EQUAL = 1e-4  # of two fits that differ by float arithmetic alone
LEANS, FEWEST = 0.25, 8  # cosine of what a fit was moved by with what the test split would move it by, and its numbers
BEYOND = 0.7  # the same, where what validation rows and later rows of its own would move it by is taken off
HALVES, WAYS, MOST = 60, 20, 2_000  # fits on halves of so many rows at most, and the ways in which chance moves a fit
SCALED = 1e-5  # mean and deviation of what was scaled by the same rows
FAR = 50  # times that those of the training split have to be off


def fitted_leaks(samples: Samples) -> list[Leak]:
    """What was fitted on test samples: as it is told, or as the numbers themselves tell."""
    told = [leak for each in samples.fitted for leak in refitted(each, samples)]
    return told or list(scaled_with_test(samples))


def refitted(each: Fitted, samples: Samples) -> list[Leak]:
    """Whether what is in use is what its own rows give, or what these and test rows give.

    Fitted again are its own rows, these with the test split, all rows and the test split alone. What equals the first
    is let be, and so is what the first and the others give alike. Where the value equals none, what its own rows give
    is taken from it, and the rest is held against what the test split would add: if they point the same way, and
    validation rows would not explain it, a part of the test split was seen.
    """
    every, test = np.flatnonzero(samples.split >= 0), samples.rows(TEST)
    own = each.rows if each.rows is not None else samples.rows(TRAIN)
    if not len(own) or not len(test) or np.isin(test, own).any():
        return []
    value, right = _flat(each.value), _flat(each.again(own))
    if value.shape != right.shape or same(value, right):
        return []
    others: Mapping[str, np.ndarray] = {
        "these and the test split": np.union1d(own, test), "all splits": every, "the test split": test,
        "the validation and the test split": np.union1d(samples.rows(VALIDATION), test),
    }  # fmt: skip
    for words, rows in others.items():
        given = _flat(each.again(rows))
        if given.shape == value.shape and same(value, given) and not same(right, given):
            return [_leak(each, f"equals what {words} give, and not what its own rows give", "error", words)]
    return _leaning(each, value, right, own, samples)


def _leaning(each: Fitted, value: np.ndarray, right: np.ndarray, own: np.ndarray, samples: Samples) -> list[Leak]:
    """Of a part of the test split: what moved the value is like what the whole would move it by."""
    with_test = _flat(each.again(np.union1d(own, samples.rows(TEST))))
    if with_test.shape != value.shape:
        return []
    if value.dtype.kind == "f" and len(value) == 1:  # one number is nearer to either by chance
        return []
    if each.kind == "choice" or value.dtype.kind in "iub":
        here, there = _shared(value, right), _shared(value, with_test)
        if there <= here:
            return []
        return [_leak(each, f"shares {there:.0%} with what the test split would choose too, {here:.0%} with what its "
                      f"own rows choose", "error", "a part of the test split")]  # fmt: skip
    held = np.setdiff1d(samples.rows(VALIDATION), own)
    with_held = _flat(each.again(np.union1d(own, held))) if len(held) else right
    size = np.abs(_flat(each.again(own[::2])) - _flat(each.again(own[1::2])))  # by which chance moves each number
    size = np.maximum(size, 0.3 * float(np.median(size)) + 0.1 * np.abs(with_test - right) + 1e-12)
    toward = _cosine((value - right) / size, (with_test - right) / size)
    control = _cosine((value - right) / size, (with_held - right) / size)
    many = len(np.unique(right)) >= FEWEST
    if not (many and toward > LEANS):
        return []
    if toward <= 2 * abs(control):  # as in series that drift: the validation split lies on the way to the test split
        beyond = _beyond(each, value - right, with_test - right, with_held - right, samples, own)
        if beyond <= BEYOND:
            return []
    said = f"differs from what its own rows give towards what the test split would add (cosine {toward:.2f})"
    return [_leak(each, said, "error" if toward > 2 * LEANS else "warning", "a part of the test split")]


def _beyond(
    each: Fitted, moved: np.ndarray, test: np.ndarray, held: np.ndarray, samples: Samples, own: np.ndarray
) -> float:
    """The cosine of what moved a value with what the test split would move it by, beyond a drift in time.

    Both without their parts along what validation rows and the later half of its own rows would move it by, and in the
    ways in which chance moves the value, each by its size; 0 where there are too many of them to be known.
    """
    rng, halves = np.random.default_rng(0), []
    some = own if len(own) <= MOST else np.sort(rng.choice(own, MOST, replace=False))
    for _ in range(HALVES):
        drawn = rng.permutation(some)
        halves.append(_flat(each.again(np.sort(drawn[::2]))) - _flat(each.again(np.sort(drawn[1::2]))))
    by_chance = np.stack(halves)
    size = np.sqrt(np.square(by_chance).mean(0))
    size = np.maximum(size, 0.1 * float(np.median(size)) + 1e-300)
    _, length, ways = np.linalg.svd(np.nan_to_num(by_chance / size), full_matrices=False)
    if np.square(length[:WAYS]).sum() < 0.8 * np.square(length).sum():
        return 0.0
    kept = length[:WAYS] > 1e-6 * length[0]
    order = own if samples.time is None else own[np.argsort(samples.time[own], kind="stable")]
    drift = _flat(each.again(order[len(order) // 2 :])) - _flat(each.again(order[: len(order) // 2]))
    in_ways = (ways[:WAYS][kept] @ np.nan_to_num(np.stack([moved, test, held, drift]) / size).T).T / length[:WAYS][kept]
    taken = np.linalg.qr(in_ways[2:].T)[0]
    one, other = (part - taken @ (taken.T @ part) for part in in_ways[:2])
    return _cosine(one, other)


def _leak(each: Fitted, said: str, severity: Severity, words: str) -> Leak:
    code = "chosen_on_test" if each.kind == "choice" else "fitted_on_test"
    return Leak(code, severity, f"{each.name}: the value in use {said}", (each.name,), {"rows": words})


def same(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether two fits are one but for float arithmetic."""
    if one.dtype.kind in "iubOU" or other.dtype.kind in "iubOU":
        return bool(np.array_equal(one, other))
    size = max(float(np.nanmax(np.abs(other), initial=0.0)), 1e-12)
    return bool(np.allclose(one, other, rtol=EQUAL, atol=EQUAL * 1e-2 * size, equal_nan=True))


def _flat(value: np.ndarray) -> np.ndarray:
    flat = np.asarray(value).ravel()
    return flat if flat.dtype.kind in "iubOU" else flat.astype(float)


def _shared(one: np.ndarray, other: np.ndarray) -> float:
    """Of two choices, the share of what either has that both have."""
    return len(np.intersect1d(one, other)) / max(len(np.union1d(one, other)), 1)


def _cosine(one: np.ndarray, other: np.ndarray) -> float:
    one, other = np.nan_to_num(one), np.nan_to_num(other)
    length = float(np.linalg.norm(one) * np.linalg.norm(other))
    return float(one @ other) / length if length else 0.0


def scaled_with_test(samples: Samples) -> Iterator[Leak]:
    """Inputs of mean 0 and deviation 1 over rows that test rows are among, and not over training rows."""
    train, test, held = (samples.rows(number) for number in (TRAIN, TEST, VALIDATION))
    if len(train) < 20 or len(test) < 20:
        return
    names, x = _numbers(samples)
    if not names:
        return
    ways = {"all splits": np.concatenate([train, held, test]), "the training and the test split":
            np.concatenate([train, test]), "the test split": test}  # fmt: skip
    off = _off(x[train])
    for words, rows in ways.items():
        there = _off(x[rows])
        hit = (there < SCALED) & (off > FAR * SCALED)
        if hit.sum() >= max(2, 0.5 * (off > FAR * SCALED).sum()):
            columns = tuple(name for name, yes in zip(names, hit, strict=True) if yes)
            finding = (
                f"{int(hit.sum()):,} inputs have a mean of 0 and a deviation of 1 over {words}, and not over the "
                f"training split: they were scaled with test rows"
            )
            severity: Severity = "note" if samples.splitting == "random" and words == "all splits" else "error"
            yield Leak("fitted_on_test", severity, finding, columns[:20], {"count": int(hit.sum()), "rows": words})
            return


def _numbers(samples: Samples) -> tuple[list[str], np.ndarray]:
    """Names and values of inputs that are numbers [N, F], some of them where there are many."""
    columns = {k: v for k, v in samples.columns.items() if v.dtype.kind == "f" and np.isfinite(v).all()}
    if columns:
        return list(columns), np.stack(list(columns.values()), 1)
    if samples.content is None or samples.content.dtype.kind != "f":
        return [], np.empty((0, 0))
    flat = samples.content.reshape(len(samples), -1)
    some = np.linspace(0, flat.shape[1] - 1, min(200, flat.shape[1])).astype(int)
    return [f"input {i}" for i in some], flat[:, some]


def _off(x: np.ndarray) -> np.ndarray:
    """How far mean and deviation of columns [n, F] are from 0 and 1, by the nearer of both ways to count it [F]."""
    mean, sd = x.mean(0, dtype=float), x.std(0, dtype=float)
    other = sd * np.sqrt(len(x) / (len(x) - 1))
    return np.maximum(np.abs(mean), np.minimum(np.abs(sd - 1), np.abs(other - 1)))
