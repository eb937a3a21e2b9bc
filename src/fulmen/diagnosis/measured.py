"""Everything the rules look at, measured of two curves once."""

from dataclasses import dataclass

import numpy as np

from fulmen.diagnosis.smoothing import (
    APART,
    MEMORY,
    Flags,
    Series,
    best_mean,
    block_ends,
    block_means,
    bounded,
    far_noises,
    noise,
    noise_of_means,
    noises,
    remembered,
    running_best,
    trailing_mean,
    wandering,
    window,
)

UNITS = 8.0  # times apart, two losses have different units
BEGAN = 0.8  # of the gain expected below a constant predictor, where the first losses stand for it: they lie below it
LOUD = 0.32  # of the validation loss: noise beyond that hides what it does
MANY = 200  # checks; of more, blocks are looked at
SOME = 100  # checks behind the first, whose noise these are seen through
LEFT = 2.0  # times a second difference of the noise: more by which a mean of three checks differs is no noise
FIRST = "the first epoch"  # whose loss stands for that of a constant predictor where none is known
MOST = 3.0  # times more is asked of noise with a long memory
FALLS = 0.15  # of the training loss, since the best of the other: then a rise that lasts has a cause, and is no memory
WIDE = 3  # times the smoothing, to find rises that are slow


@dataclass(frozen=True)
class Errors:
    """Standard errors of levels that are those of a sample, as shares; 0 where all samples were measured.

    Attributes:
        train: of the training loss.
        val: of the validation loss.
        gain: of what training took away of the loss of a constant predictor on the same samples, as a share of that.
    """

    train: float = 0.0
    val: float = 0.0
    gain: float = 0.0


EXACT = Errors()
NONE: Series = np.zeros(0)


@dataclass(frozen=True)
class Measured:
    """Everything the rules look at, each [checks]."""

    t: Series  # training loss, smoothed
    v: Series  # validation loss, smoothed
    t_best: Series
    v_best: Series
    best_at: np.ndarray  # where v_best stood
    t_then: Series  # t there, smoothed over as many checks
    v_noise: Series
    t_noise: Series
    loudness: Series  # noise of the validation loss as a share of it; of one that is not positive, of what was gained
    v_wander: Series  # noise that has the memory of v's counts for more in a mean
    v_scale: Series  # what a change of v is relative to
    t_scale: Series
    base: float
    width: np.ndarray  # of the smoothing
    v_wide: Series  # smoothed over `wide` checks: `WIDE` times the width where that is a third of those so far at most
    v_wide_best: Series
    wide: np.ndarray
    nearness_lost: Series  # what t / v, so smoothed, fell by since half of the run ago; 0 where it means nothing
    nearness_noise: Series  # standard error of that
    jumps: Series  # noise of v between checks that are 1 or 3 apart, the larger one
    positive: Flags  # neither loss was ever below 0: how many times one is the other means something
    v_now: Series  # not smoothed
    ends: np.ndarray  # which checks of the curves these are: all of them, or those that blocks end with
    expected_gain: float  # share of base that a good model takes away at least
    val_scale: float  # times v compares with t: how the losses of the untrained model compare
    foreign: bool  # v and t have different units: nothing is known about one from the other
    unit: float  # of the validation loss, times which it is v
    errors: Errors
    base_of: str  # whose loss the base is
    t_start: float  # the first three training losses, validated or not
    v_start: float  # likewise
    late: bool  # validation began after training

    @property
    def loud(self) -> Flags:
        """Noise of the validation loss is so large a part of it that little can be seen."""
        return self.loudness > LOUD

    @property
    def rise(self) -> Series:
        """Of the validation loss over its best."""
        return (self.v - self.v_best) / self.v_scale

    @property
    def gain(self) -> Series:
        """What training took away of the loss of a constant predictor."""
        return (self.base - self.t) / size(self.base)


def measure(
    train: Series,
    val: Series,
    base: float | None,
    expected_gain: float = 0.4,
    val_scale: float = 1.0,
    errors: Errors = EXACT,
    base_of: str = "a constant predictor",
    most: int = MANY,
    comparable: bool = False,
    before: Series = NONE,
) -> Measured:
    """Smooth two finite curves of one length; without `base` the first losses stand for it.

    Of more than `most` checks, means of as many blocks are looked at; what jumps between checks is measured before.

    Logs of other tools sum one loss and average the other. Curves that begin a factor of 8 apart, in each of the first
    three checks, are brought to the same beginning; with a base, those whose validation loss is 8 times, or an eighth,
    of both that and the training loss, unless both were taken in the same way (`comparable`).

    Args:
        before: training losses of the checks before the first of these, where validation began later.
    """
    based = base is not None and bool(np.isfinite(base))
    unit = _unit(train[:3], val[:3], base if based else None, comparable)
    val, foreign = val * unit, unit != 1
    base, base_of = (
        (base, base_of) if based and base is not None else (max(before[0] if len(before) else train[0], val[0]), FIRST)
    )
    expected_gain = expected_gain if based else BEGAN * expected_gain
    train, val = bounded(train), bounded(val)
    starts = _start(np.concatenate([before[:3], train]), most), _start(val, most)
    near = noises(val, 1, (0.3, 0.6))
    jumps, loud_jumps = map(remembered, near, far_noises(val, near, (0.3, 0.6)))
    ends = block_ends(len(train), most)
    train, val = block_means(train, ends), block_means(val, ends)
    width = window(len(train))
    t, v = trailing_mean(train, width), trailing_mean(val, width)
    t_best, (v_best, best_at) = running_best(t)[0], best_mean(val, width)
    wide = np.where(3 * WIDE * width <= np.arange(1, len(val) + 1), WIDE * width, width)
    v_wide, t_noise = trailing_mean(val, wide), noise(train)
    v_noise = noise(val)
    parting = _nearness_lost(train, val, t_noise, v_noise, wide)
    v_scale = _scale(val, v_best)
    loudness = loud_jumps[ends] / np.maximum(np.where(np.minimum.accumulate(val) > 0, v_wide, 0.4 * v_scale), 1e-300)
    positive = np.minimum.accumulate(np.minimum(train, val)) >= 0
    t_then, t_scale = trailing_mean(train, width, best_at), _scale(train, t_best)
    far = far_noises(val, [v_noise], (0.3,))[0]
    lasting = wander(v_noise, far, noise_of_means(v, width), width)
    v_wander = np.where(t_then - t < FALLS * t_scale, lasting, remembered(v_noise, far))
    return Measured(
        t, v, t_best, v_best, best_at, t_then, v_noise, t_noise, loudness, v_wander, v_scale,
        t_scale, float(base), width, v_wide, best_mean(val, wide)[0], wide, *parting, jumps[ends],
        positive, val, ends, expected_gain, val_scale, foreign, unit, errors, base_of,
        *starts, len(before) > 0,
    )  # fmt: skip


def _start(x: Series, most: int) -> float:
    """Where a loss began: the mean of its first three checks.

    Of a long curve that is looked at in blocks, of three blocks, unless the first checks are surely another level.
    """
    first = float(x[:3].mean())
    if len(x) <= most:
        return first
    blocks = float(x[: 3 * -(-len(x) // most)].mean())
    steps = np.abs(np.diff(x[3 : 3 + SOME], 2))
    return first if abs(first - blocks) > LEFT * float(np.median(steps)) else blocks


def wander(near: Series, far: Series, of_means: Series, width: np.ndarray) -> Series:
    """Standard deviation that white noise would have to have for means of a loss to be as uncertain as they are.

    What `wandering` tells of checks, or where the means themselves say clearly more, that: the longer a memory is, the
    less of it do they show, and the more is asked.

    Args:
        near: noise of the loss between neighbours: [checks]; `far` that of checks 3 apart.
        of_means: noise of its means of `width` checks.
    """
    means = of_means * np.sqrt(width)
    times = np.where(means > MEMORY * near, means / np.maximum(near, 1e-6 * means + 1e-300), 0.0)
    long = (times > MEMORY) & (np.arange(len(near)) >= APART)
    wandered = wandering(near, far)
    return np.where(long, np.maximum(wandered, means * np.minimum(1 + times - MEMORY, MOST)), wandered)


def _unit(train: Series, val: Series, base: float | None, comparable: bool) -> float:
    """What makes a validation loss of another unit begin as the training loss does, of their first checks; or 1."""
    if min(train.min(), val.min()) <= 0 or (base is not None and base <= 0):
        return 1.0
    times = val / train
    ratios = times if base is None else val / base
    below = max(times.max(), ratios.max()) <= 1 / UNITS and not (comparable and base is not None)
    foreign = min(times.min(), ratios.min()) >= UNITS or below
    return 1 / float(np.median(val / train)) if foreign else 1.0


def _nearness_lost(
    train: Series, val: Series, t_noise: Series, v_noise: Series, wide: np.ndarray
) -> tuple[Series, Series]:
    """What t / v fell by since half of the run ago, and the standard error of that; 0 where v is not above 0."""
    then = (np.arange(len(val)) + 1) // 2
    t, v = trailing_mean(train, wide), trailing_mean(val, wide)
    t_before, v_before = trailing_mean(train, wide, then), trailing_mean(val, wide, then)
    v, v_before = np.where(v > 0, v, np.inf), np.where(v_before > 0, v_before, np.inf)
    return t_before / v_before - t / v, np.hypot(t_noise, t / v * v_noise) / v * np.sqrt(2 / wide)


def _scale(x: Series, best: Series) -> Series:
    """The best loss so far; what was gained since the start where losses are not positive."""
    gained = np.maximum(np.maximum.accumulate(x) - best, 1e-200)
    return np.where(np.minimum.accumulate(x) > 0, best, gained)


def size(x: float) -> float:
    return max(abs(x), 1e-200)
