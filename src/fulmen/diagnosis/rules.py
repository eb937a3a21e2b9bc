"""What losses over the checks (epochs, as a rule) say: one state per rule and check, with hysteresis.

With t and v the training and validation loss, T and V their trailing means, `base` the loss of a constant predictor.
What is said to be larger or smaller is so by more than twice the standard error of levels that come from a sample:

=================== ================================================== =====================
state               is raised by                                       is cleared by
=================== ================================================== =====================
diverged            T > 1.5 best T, T > 0.9 base; or T > 3 base        T < 1.2 best T
no_learning         T within 2 % of base or above, or where it began   gain > 5 %, or surely > 2 %
overfitting         V > 5 % over its best, beyond noise, while T       V < 3 % over its best
                    explains less than half of the rise, several
                    checks in a row; or V > 5 % over its best, V > 2 T
                    and the ratio has grown since half of the run ago
past_its_best       V > 2 % over its best, likewise                    that not being so
underfitting        at rest, gain < 40 %, V near T                     gain > 42 %
validation_too_good V of the check before < 0.7 T                      V > 0.8 T
noisy_validation    noise of v > 15 % of what was gained and 10 % of   < 10 %, 3 %
                    V, or 7 % and 32 %
still_improving     as many checks again promise > 25 %                < 15 %
generalization_gap  V > 2 T, V > 0.1 base; or V > 5 T, V > 0.02 base   V < 1.5 T
plateau             v no better than half of the run ago               > 2 % better
=================== ================================================== =====================

A rise is relative to the best loss; where losses are negative (log densities), to what was gained since the start.
"""

import numpy as np

from fulmen.diagnosis.measured import FIRST, Measured, size
from fulmen.diagnosis.smoothing import Flags, hysteresis, in_a_row, lagged

ENOUGH = 6  # checks before curves mean anything
STEEP = 8  # checks in which the first fall of a loss looks like noise
SETTLED = 0.05  # of a loss, over a quarter of the run
SURE = 3.0  # standard errors that a difference of two smoothed losses has to exceed


def states(m: Measured) -> dict[str, Flags]:
    """Every state at every check."""
    found = {name: rule(m) for name, rule in RULES.items()}
    found["diverged"] &= ~found["no_learning"] | (m.t > 3 * m.base)
    found["overfitting"] &= ~found["diverged"]
    found["noisy_validation"] &= ~found["diverged"]
    found["generalization_gap"] &= ~(found["diverged"] | found["overfitting"])
    found["past_its_best"] &= ~(found["diverged"] | found["overfitting"] | found["no_learning"])
    found["plateau"] &= ~(found["diverged"] | found["overfitting"] | found["no_learning"] | found["past_its_best"])
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
    """Training loss near that of a constant predictor, or where it began, by more than chance leaves open."""
    few = m.gain + 2 * m.errors.gain < m.expected_gain
    still = (np.maximum.accumulate(np.abs(m.t - m.t[0])) < 0.005 * size(m.base)) & few  # first weights may be lucky
    least = min(0.02, m.expected_gain)
    error = np.hypot(m.errors.gain, m.t_noise / np.sqrt(m.width) / size(m.base))
    shown = (m.gain > 0.05) | (m.gain - 2 * error > least + 0.003)
    learned = np.maximum.accumulate(shown) & ~still
    none = (m.gain < least) & (m.gain + 2 * error < min(0.05, m.expected_gain))
    return hysteresis(in_a_row(none | still, 3) & ~learned, learned)


def overfitting(m: Measured) -> Flags:
    """A rise counts where training does not explain it: at most half of it is shared by the training loss.

    Half in what the losses are measured in, or in shares of them, which also holds where their units differ. How far
    the two losses are apart says nothing: dropout, noise and penalties in the training loss shift it. What does is that
    they part: a rise that is lost in its noise counts where validation loss is more than twice the training loss and
    was less of a multiple half of the run ago.
    """
    times = np.clip(np.ceil(0.15 * np.arange(1, len(m.v) + 1)), 2, 5)
    raised = in_a_row(_own_rise(m, 0.05), times)
    slowly = m.v_wide - m.v_wide_best > 0.5 * m.v_noise * np.sqrt(2 / m.wide)  # likelier than not
    apart = _far_above(m) & (m.ratio_growth > np.maximum(0.25, 2 * m.ratio_noise))
    parted = (m.rise > 0.05) & slowly & apart & ~m.loud
    return hysteresis(raised | in_a_row(parted, 2), m.rise < 0.03)


def past_its_best(m: Measured) -> Flags:
    return in_a_row(_own_rise(m, 0.02), 3)


def _own_rise(m: Measured, least: float) -> Flags:
    """Validation loss is so much over its best, beyond noise, and training loss does not explain it."""
    shared = m.t - m.t_then
    own = (shared < 0.5 * (m.v - m.v_best)) | (shared / m.t_scale < 0.5 * m.rise)
    above, slowly_above = m.v - m.v_best, m.v_wide - m.v_wide_best
    error = np.where(m.loud, 1.5, 1.0) * SURE * m.v_wander  # loud noise has long tails
    beyond = (m.rise > least) & (above > error * np.sqrt(2 / m.width))
    slowly = (slowly_above / m.v_scale > least) & (slowly_above > error * np.sqrt(2 / m.wide))
    return own & (beyond | slowly)


def _far_above(m: Measured) -> Flags:
    """Validation loss is a multiple of the training loss, and of a size that matters."""
    if m.base <= 0 or m.foreign:
        return np.zeros(len(m.v), bool)
    v, t = m.val_scale * m.v * (1 - min(2 * m.errors.val, 0.9)), m.t * (1 + 2 * m.errors.train)
    return ((v > 2 * t) & (v > 0.1 * m.base)) | ((v > 5 * t) & (v > 0.02 * m.base))


def underfitting(m: Measured) -> Flags:
    if m.base <= 0:  # log densities: how much could be gained is unknown
        return np.zeros(len(m.t), bool)
    back = np.maximum(5, np.ceil(0.15 * np.arange(1, len(m.t) + 1))).astype(np.int64)
    progress = (lagged(m.t, back) - m.t) / size(m.base)
    resting = progress < np.clip(2 * m.t_noise / np.sqrt(m.width) / size(m.base), 0.01, 0.03)
    together = (m.v - m.t) < 0.25 * np.abs(m.t)
    low = m.gain + 2 * m.errors.gain < m.expected_gain
    raised = in_a_row(resting & low & (m.gain >= 0.02) & together, 5)
    return hysteresis(raised, (m.gain > 1.05 * m.expected_gain) | ~together)


def validation_too_good(m: Measured) -> Flags:
    if m.base <= 0 or m.foreign:
        return np.zeros(len(m.v), bool)
    before = m.val_scale * lagged(
        m.v, np.ones(len(m.v), np.int64)
    )  # a loss taken while an epoch goes on is one of older weights
    below = before * (1 + 2 * m.errors.val) < 0.7 * m.t * (1 - 2 * m.errors.train)
    return hysteresis(in_a_row(below & (m.t > 0), 5), m.val_scale * m.v > 0.8 * m.t)


def noisy_validation(m: Measured) -> Flags:
    share = m.v_noise / np.maximum(np.maximum(m.base - m.v_best, 0.4 * np.abs(m.base)), 1e-12)
    share[:STEEP] = 0.0
    much = (share > 0.15) & (m.v_noise > 0.1 * m.v_scale) | m.loud & (share > 0.07)
    return hysteresis(in_a_row(much, 3), share < np.where(m.loud, 0.03, 0.10))


def generalization_gap(m: Measured) -> Flags:
    return hysteresis(in_a_row(_far_above(m), 5), m.val_scale * m.v < 1.5 * m.t)


def still_improving(m: Measured) -> Flags:
    """Each quarter of the run gains a constant share of what the quarter before gained."""
    quarter = np.maximum(1, np.arange(1, len(m.v) + 1) // 4)
    last = lagged(m.v, quarter) - m.v
    before = lagged(m.v, 2 * quarter) - lagged(m.v, quarter)
    ratio = np.clip(last / np.where(before > 0, before, np.inf), 0, 0.98)
    to_come = last * (ratio + ratio**2 + ratio**3 + ratio**4) / m.v_scale
    sure = last > SURE * m.v_noise * np.sqrt(2 / m.width)
    return hysteresis(in_a_row((to_come > 0.25) & sure, 3), to_come < 0.15)


def unsettled(m: Measured) -> Flags:
    """Validation loss fell by more over the latest quarter of the run than a good fit leaves, and than noise does."""
    last = lagged(m.v, np.maximum(1, np.arange(1, len(m.v) + 1) // 4)) - m.v
    noise = np.where(np.arange(len(m.v)) < STEEP, 0.0, m.v_wander)
    return (last / m.v_scale > SETTLED) & (last > SURE * noise * np.sqrt(2 / m.width))


def fell(m: Measured) -> bool:
    """Both losses ended below where they began, beyond noise."""
    lower = m.v[0] - m.v[-1] > max(2 * m.v_noise[-1] / np.sqrt(m.width[-1]), 0.01 * m.v_scale[-1])
    return bool(lower and m.t[0] - m.t[-1] > 0.01 * m.t_scale[-1])


def fits(m: Measured) -> bool:
    """Both losses are as far below that of a constant predictor as a good model takes them."""
    gain = (m.base - np.maximum(m.t[-1], m.val_scale * m.v[-1])) / size(m.base)
    return bool(m.base_of != FIRST and m.base > 0 and gain > max(m.expected_gain, 0.02))


def falls_short(m: Measured) -> bool:
    """Training took away less of the loss of a constant predictor than a good model does."""
    return bool(m.base_of != FIRST and m.base > 0 and m.gain[-1] + 2 * m.errors.gain < m.expected_gain)


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
    "past_its_best": past_its_best,
    "noisy_validation": noisy_validation,
    "underfitting": underfitting,
    "generalization_gap": generalization_gap,
    "still_improving": still_improving,
    "plateau": plateau,
}
