"""Series that are another one, at the same time, later, or once more after years; and blocks that come twice."""

from collections.abc import Iterator

import numpy as np

from fulmen.data.leaks.filled import is_filled, rounding
from fulmen.data.leaks.leak import Leak, Severity
from fulmen.data.leaks.samples import TEST, TRAIN, VALIDATION, Samples, Series
from fulmen.data.leaks.steps import EQUAL, Steps, steps_of
from fulmen.report.words import counted

SERIES = 40  # that are compared with each other
LEAST, ODDS = 0.3, 7.5  # correlation of steps at a delay, and times the error of one that is chance
NEAR = 40  # steps of a delay up to which one series foretells the other
BLOCK, SAME = 20, 0.97  # steps of a block, and correlation of two that are one
COARSE = 0.05  # share of the variance of steps that is rounding, from which on blocks repeat by chance
LONGEST = 3_000  # steps of a series in which blocks are compared


def delayed(samples: Samples) -> list[Leak]:
    """Copies of series and of parts of them, told by their steps."""
    if not samples.series:
        return []
    whole = [one for one in samples.series if len(one.time) > 3 * BLOCK]
    if not whole:
        return []
    fine = [one for one in whole[:SERIES] if rounding(one) < COARSE]
    return [*_among(samples, steps_of(whole[:SERIES])), *(_blocks(samples, fine) if fine else ())]


def _among(samples: Samples, steps: Steps) -> Iterator[Leak]:
    """The strongest delay between each two series, told once for each kind."""
    found: dict[str, list[tuple[float, int, str, str]]] = {}
    for i, j, lag, strength in pairs_in(steps):
        first, second = steps.names[i], steps.names[j]
        kind = "same" if lag == 0 else "near" if abs(lag) <= NEAR else "far"
        found.setdefault(kind, []).append((strength, lag, first, second))
    for kind, pairs in found.items():
        strength, lag, first, second = max(pairs)
        more = f"; {counted(len(pairs) - 1, 'more such pair')}" if len(pairs) > 1 else ""
        names = tuple(dict.fromkeys(name for _, _, *both in pairs for name in both))
        evidence = {"correlation": strength, "steps": lag, "pairs": [[a, b] for _, _, a, b in pairs[:10]]}
        early, late = (first, second) if lag > 0 else (second, first)
        foretelling = (b if lag < 0 else a for _, lag, a, b in pairs)
        cures = tuple(samples.without(tuple(dict.fromkeys(foretelling if kind == "near" else (b for *_, b in pairs)))))
        if kind == "same":
            said = f"{first} and {second} are one series: their steps correlate by {strength:.4f}{more}"
            yield Leak("near_copies", "warning", said, names, evidence, cures)
        elif kind == "near":
            said = (
                f"{early} does what {late} does {counted(abs(lag), 'step')} later (correlation {strength:.2f}): "
                f"whoever sees both knows the future of {late}{more}"
            )
            yield Leak("look_ahead", "error", said, names, evidence, cures)
        else:
            said = (
                f"{late} repeats {early} {counted(abs(lag), 'step')} later (correlation {strength:.2f}): what is "
                f"trained on one is tested on the other{more}"
            )
            yield Leak("near_copies", "error", said, names, evidence, cures)


def pairs_in(steps: Steps) -> Iterator[tuple[int, int, int, float]]:
    """Numbers of two series, how many steps the second lags behind the first, and the correlation at that delay."""
    from scipy.fft import irfft, next_fast_len, rfft

    count, length = steps.values.shape
    size = next_fast_len(2 * length, real=True)
    spectrum, there = rfft(steps.values, size, axis=1), rfft(steps.known.astype(np.float32), size, axis=1)
    lags = np.concatenate([np.arange(length), np.arange(length - size, 0)]) if size > length else np.arange(length)
    usable = np.abs(lags) <= length - 2 * BLOCK
    for i in range(count - 1):
        both = irfft(spectrum[i].conj() * spectrum[i + 1 :], size, axis=1)[:, : len(lags)]
        number = np.maximum(irfft(there[i].conj() * there[i + 1 :], size, axis=1)[:, : len(lags)], 1)
        odds = np.where(usable & (number >= 2 * BLOCK), both / np.sqrt(number), 0)
        for row in range(len(odds)):
            if both[row, 0] / number[row, 0] > EQUAL:
                yield i, i + 1 + row, 0, float(min(both[row, 0] / number[row, 0], 1.0))
                continue
            odds[row, 0] = 0
            place = int(odds[row].argmax())
            strength = float(both[row, place] / number[row, place])
            least = LEAST if abs(lags[place]) > 1 else 2 * LEAST  # markets close one after the other
            if odds[row, place] > ODDS and strength > least:
                yield i, i + 1 + row, int(lags[place]), min(strength, 1.0)


def _blocks(samples: Samples, fine: list[Series]) -> Iterator[Leak]:
    """Blocks of steps that come twice in one series; lines between values repeat by themselves."""
    steps = steps_of(fine)
    for row, name in enumerate(steps.names[:10]):
        place = np.flatnonzero(steps.known[row])[-LONGEST:]
        pairs = repeated_blocks(steps.values[row, place])
        if len(pairs) >= 3 and not is_filled(fine[row]):
            one, other = (place[each] for each in pairs[0])
            crossing = _cross(samples, row, place[pairs])
            severity: Severity = "error" if crossing else "warning"
            said = (
                f"{len(pairs):,} stretches of {BLOCK} steps of {name} come twice (first: those that end at {other} "
                f"repeat those that end at {one})"
            )
            told = f"{said}, in several splits" if crossing else said
            evidence = {"count": len(pairs), "places": pairs[:5].tolist()}
            yield Leak("near_copies", severity, told, (name,), evidence)


def _cross(samples: Samples, row: int, pairs: np.ndarray) -> bool:
    """Whether blocks that are the same end in training and beyond it."""
    if samples.time is None:
        return False
    later = samples.time[np.isin(samples.split, (VALIDATION, TEST))]
    trained = samples.time[samples.split == TRAIN]
    if not len(later) or not len(trained):
        return False
    border = (trained.max() + later.min()) / 2
    return bool(((pairs.min(1) <= border) & (pairs.max(1) > border)).any())


def repeated_blocks(step: np.ndarray) -> np.ndarray:
    """First and second end of stretches of `BLOCK` steps [T] that are the same but for their size [n, 2]."""
    if len(step) < 4 * BLOCK:
        return np.empty((0, 2), int)
    block = np.lib.stride_tricks.sliding_window_view(step, BLOCK)
    block = block - block.mean(1, keepdims=True)
    length = np.sqrt(np.square(block).sum(1, keepdims=True))
    lively = (length[:, 0] > 0.5 * np.sqrt(BLOCK)) & ((np.abs(block) > 0.05).sum(1) > BLOCK * 0.7)
    block = np.where(lively[:, None], block / np.maximum(length, 1e-6), 0).astype(np.float32)
    found = []
    for start in range(0, len(block), 512):
        same = block[start : start + 512] @ block[: start + 512].T
        first, second = np.nonzero(same > SAME)
        apart = second + BLOCK <= first + start
        found.append(np.stack([second[apart], first[apart] + start], 1))
    pairs = np.concatenate(found)
    return pairs[np.argsort(pairs[:, 1], kind="stable")] + BLOCK - 1
