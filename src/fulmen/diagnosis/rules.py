"""What losses over the checks (epochs, as a rule) say: one state per rule and check, with hysteresis.

With t and v the training and validation loss, T and V their trailing means, `base` the loss of a constant predictor:

=================== ================================================== =====================
state               is raised by                                       is cleared by
=================== ================================================== =====================
diverged            T > 1.5 best T, T > 0.9 base; or T > 3 base        T < 1.2 best T
no_learning         T or V within 2 % of base, or T where it began     gain > 5 %
overfitting         V > 5 % over its best while T explains less than   V < 3 % over its best
                    half of the rise, several checks in a row
underfitting        at rest, gain < 40 %, V near T                     gain > 50 %
validation_too_good V of the check before < 0.7 T                         V > 0.8 T
noisy_validation    noise of v > 15 % of what was gained               < 10 %
still_improving     as many checks again promise > 25 %                < 15 %
generalization_gap  V > 2 T, V > 0.1 base                              V < 1.5 T
plateau             v no better than half of the run ago               > 2 % better
=================== ================================================== =====================

A rise is relative to the best loss; where losses are negative (log densities), to what was gained since the start.
"""

from dataclasses import dataclass

import numpy as np

from fulmen.diagnosis.smoothing import (
    Flags,
    Series,
    best_mean,
    bounded,
    hysteresis,
    in_a_row,
    lagged,
    noise,
    running_best,
    trailing_mean,
    window,
)

ENOUGH = 6  # checks before curves mean anything
STEEP = 8  # checks in which the first fall of a loss looks like noise
UNITS = 8.0  # times apart, two losses have different units
SETTLED = 0.05  # of a loss, over a quarter of the run
SURE = 3.0  # standard errors that a difference of two smoothed losses has to exceed


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
    v_scale: Series  # what a change of v is relative to
    t_scale: Series
    base: float
    width: np.ndarray  # of the smoothing
    expected_gain: float  # share of base that a good model takes away at least
    val_scale: float  # times v compares with t: how the losses of the untrained model compare
    foreign: bool  # v and t have different units: nothing is known about one from the other
    unit: float  # of the validation loss, times which it is v

    @property
    def rise(self) -> Series:
        """Of the validation loss over its best."""
        return (self.v - self.v_best) / self.v_scale

    @property
    def gain(self) -> Series:
        """What training took away of the loss of a constant predictor."""
        return (self.base - self.t) / _size(self.base)


def measure(
    train: Series, val: Series, base: float | None, expected_gain: float = 0.4, val_scale: float = 1.0
) -> Measured:
    """Smooth two finite curves of one length; without `base` the first losses stand for it.

    Logs of other tools sum one loss and average the other. Curves that begin a factor of 8 apart, where no base says
    what the unit is, are brought to the same beginning.
    """
    unit, foreign = 1.0, False
    if base is None and train[:3].min() > 0 and val[:3].min() > 0:
        ratio = float(np.median(val[:3] / train[:3]))
        foreign = not 1 / UNITS < ratio < UNITS
        unit = 1 / ratio if foreign else 1.0
    val = val * unit
    start = max(train[0], val[0])
    base = start if base is None or not np.isfinite(base) else base
    train, val = bounded(train), bounded(val)
    width = window(len(train))
    t, v = trailing_mean(train, width), trailing_mean(val, width)
    t_best, (v_best, best_at) = running_best(t)[0], best_mean(val, width)
    return Measured(
        t, v, t_best, v_best, best_at, trailing_mean(train, width, best_at), noise(val), noise(train),
        _scale(val, v_best), _scale(train, t_best), float(base), width, expected_gain, val_scale, foreign, unit,
    )  # fmt: skip


def states(m: Measured) -> dict[str, Flags]:
    """Every state at every check."""
    found = {name: rule(m) for name, rule in RULES.items()}
    found["diverged"] &= ~found["no_learning"] | (m.t > 3 * m.base)
    found["overfitting"] &= ~found["diverged"]
    found["noisy_validation"] &= ~found["diverged"]
    found["generalization_gap"] &= ~(found["diverged"] | found["overfitting"])
    found["plateau"] &= ~(found["diverged"] | found["overfitting"] | found["no_learning"])
    found["underfitting"] &= ~(found["diverged"] | found["no_learning"] | found["overfitting"])
    found["still_improving"] &= ~(found["diverged"] | found["overfitting"] | found["no_learning"])
    for flags in found.values():
        flags[: ENOUGH - 1] = False
    return found


def diverged(m: Measured) -> Flags:
    risen = (m.t - m.t_best) / m.t_scale
    raised = (risen > 0.5) & (m.t > 0.9 * m.base) & (m.t - m.t_best > 3 * m.t_noise / np.sqrt(m.width))
    if m.base > 0:
        raised |= m.t > 3 * m.base
    return hysteresis(raised, risen < 0.2)


def no_learning(m: Measured) -> Flags:
    still = np.maximum.accumulate(np.abs(m.t - m.t[0])) < 0.005 * _size(m.base)  # first weights may be lucky
    learned = (np.maximum.accumulate(m.gain) > 0.05) & ~(still & (m.gain < m.expected_gain))
    return hysteresis(in_a_row((m.gain < min(0.02, m.expected_gain)) | still, 3) & ~learned, learned)


def overfitting(m: Measured) -> Flags:
    """A rise counts where training does not explain it: at most half of it is shared by the training loss.

    Half in what the losses are measured in, or in shares of them, which also holds where their units differ. How far
    the two losses are apart says nothing: dropout, noise and penalties in the training loss shift it.
    """
    shared = m.t - m.t_then
    own = (shared < 0.5 * (m.v - m.v_best)) | (shared / m.t_scale < 0.5 * m.rise)
    beyond_noise = m.v - m.v_best > SURE * m.v_noise * np.sqrt(2 / m.width)
    times = np.clip(np.ceil(0.15 * np.arange(1, len(m.v) + 1)), 2, 5)
    raised = in_a_row((m.rise > 0.05) & own & beyond_noise, times)
    return hysteresis(raised, m.rise < 0.03)


def underfitting(m: Measured) -> Flags:
    if m.base <= 0:  # log densities: how much could be gained is unknown
        return np.zeros(len(m.t), bool)
    back = np.maximum(5, np.ceil(0.15 * np.arange(1, len(m.t) + 1))).astype(np.int64)
    progress = (lagged(m.t, back) - m.t) / _size(m.base)
    resting = progress < np.clip(2 * m.t_noise / np.sqrt(m.width) / _size(m.base), 0.01, 0.03)
    together = (m.v - m.t) < 0.25 * np.abs(m.t)
    raised = in_a_row(resting & (m.gain < m.expected_gain) & (m.gain >= 0.02) & together, 5)
    return hysteresis(raised, (m.gain > m.expected_gain + 0.1) | ~together)


def validation_too_good(m: Measured) -> Flags:
    if m.base <= 0 or m.foreign:
        return np.zeros(len(m.v), bool)
    before = m.val_scale * lagged(
        m.v, np.ones(len(m.v), np.int64)
    )  # a loss taken while an epoch goes on is one of older weights
    return hysteresis(in_a_row((before < 0.7 * m.t) & (m.t > 0), 5), m.val_scale * m.v > 0.8 * m.t)


def noisy_validation(m: Measured) -> Flags:
    share = m.v_noise / np.maximum(np.maximum(m.base - m.v_best, 0.4 * np.abs(m.base)), 1e-12)
    share[:STEEP] = 0.0
    return hysteresis(in_a_row(share > 0.15, 3), share < 0.10)


def generalization_gap(m: Measured) -> Flags:
    if m.base <= 0 or m.foreign:
        return np.zeros(len(m.v), bool)
    v = m.val_scale * m.v
    return hysteresis(in_a_row((v > 2 * m.t) & (v > 0.1 * m.base), 5), v < 1.5 * m.t)


def still_improving(m: Measured) -> Flags:
    """Each quarter of the run gains a constant share of what the quarter before gained."""
    quarter = np.maximum(1, np.arange(1, len(m.v) + 1) // 4)
    last = lagged(m.v, quarter) - m.v
    before = lagged(m.v, 2 * quarter) - lagged(m.v, quarter)
    ratio = np.clip(last / np.where(before > 0, before, np.inf), 0, 0.98)
    to_come = last * (ratio + ratio**2 + ratio**3 + ratio**4) / m.v_scale
    sure = last > 3 * m.v_noise / np.sqrt(m.width)
    return hysteresis(in_a_row((to_come > 0.25) & sure, 3), to_come < 0.15)


def unsettled(m: Measured) -> Flags:
    """Validation loss fell by more over the latest quarter of the run than a good fit leaves, and than noise does."""
    last = lagged(m.v, np.maximum(1, np.arange(1, len(m.v) + 1) // 4)) - m.v
    return (last / m.v_scale > SETTLED) & (last > SURE * m.v_noise / np.sqrt(m.width))


def plateau(m: Measured) -> Flags:
    half = np.arange(1, len(m.v) + 1) // 2
    progress = (lagged(m.v_best, half) - m.v_best) / m.v_scale
    sure = np.maximum(0.005, 2 * m.v_noise / np.sqrt(m.width) / m.v_scale)
    return hysteresis(in_a_row(progress < sure, 5), progress > np.maximum(0.02, 2 * sure))


RULES = {
    "diverged": diverged,
    "no_learning": no_learning,
    "validation_too_good": validation_too_good,
    "overfitting": overfitting,
    "noisy_validation": noisy_validation,
    "underfitting": underfitting,
    "generalization_gap": generalization_gap,
    "still_improving": still_improving,
    "plateau": plateau,
}


def _scale(x: Series, best: Series) -> Series:
    """The best loss so far; what was gained since the start where losses are not positive."""
    if x.min() > 0:
        return best
    return np.maximum(np.maximum.accumulate(x) - best, 1e-12)


def _size(x: float) -> float:
    return max(abs(x), 1e-12)
