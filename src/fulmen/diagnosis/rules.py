"""What losses over the checks (epochs, as a rule) say: one state per rule and check, with hysteresis.

With t and v the training and validation loss, T and V their trailing means, `base` the loss of a constant predictor.
What is said to be larger or smaller is so by more than twice the standard error of levels that come from a sample:

=================== ================================================== =====================
state               is raised by                                       is cleared by
=================== ================================================== =====================
diverged            T > 1.5 best T, T > 0.9 base; or T > 3 base        T < 1.2 best T
no_learning         T within 2 % of base or above, or where it began   gain > 5 %, or surely > 2 %
                    (base unknown: T and V within 2 % of there)        (T or V moved by > 5 %)
overfitting         V > 5 % over its best, beyond noise, while T       V < 3 % over its best
                    explains less than half of the rise, several
                    checks in a row; or V > 5 % over its best, V > 2 T
                    and T / V has fallen by 7 points since half the run
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

from fulmen.diagnosis.measured import FIRST, Measured, size, wander
from fulmen.diagnosis.smoothing import (
    APART,
    Flags,
    Series,
    beginning_medians,
    bendless_noise,
    bendless_noise_of_means,
    hysteresis,
    in_a_row,
    lagged,
)

ENOUGH = 6  # checks before curves mean anything
SHORT = 16  # checks
STEEP = 8  # checks in which the first fall of a loss looks like noise
CLEARLY = 0.7  # of the gain expected below a first loss, which stands for that of a constant predictor with some error
SETTLED = 0.05  # of a loss, over a quarter of the run
BENT = 4.0  # times, noise of checks 3 apart over that of neighbours: no memory makes as much, a bend of the loss does
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
    found["plateau"] &= ~found["still_improving"]
    found["validation_too_good"] &= ~found["diverged"]
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
    if m.base_of == FIRST:  # no level to be compared with: both losses are where they began
        none, shown = _unmoved(m)
        learned = np.maximum.accumulate(shown)
    return hysteresis(in_a_row((none | still) & ~_far_from_start(m), 3) & ~learned, learned | _far_from_start(m))


def _far_from_start(m: Measured) -> Flags:
    """Training loss is above that of a constant predictor and yet far below where it began: something was learned."""
    fallen = np.maximum.accumulate(m.t) - m.t
    return (m.gain < -0.05) & (fallen > 0.05 * np.maximum(m.t, size(m.base)))


def _unmoved(m: Measured) -> tuple[Flags, Flags]:
    """Both losses are within 2 % of where they began, and surely within 5 %; one of them has surely left it."""
    near, left = np.ones(len(m.t), bool), np.zeros(len(m.t), bool)
    for x, noise, start in ((m.t, m.t_noise, m.t_start), (m.v, m.v_noise, m.v_start)):
        error = noise / np.sqrt(m.width)
        moved, error = np.abs(x - start) / size(start), error / size(start)
        share = np.minimum.accumulate(x) > 0  # else a log density, of which a small part may be much
        near &= moved < np.where(share, 0.02, 0.005) + np.minimum(error, 0.01)
        left |= np.where(share, (moved > 0.05) | (moved - 3 * error > 0.03), moved - 5 * error > 0.01)
    return near, left


def overfitting(m: Measured) -> Flags:
    """A rise counts where training does not explain it: at most half of it is shared by the training loss.

    Half in what the losses are measured in, or in shares of them, which also holds where their units differ. How far
    the two losses are apart says nothing: dropout, noise and penalties in the training loss shift it. What does is that
    they part: a rise that is lost in its noise counts where validation loss is more than twice the training loss and
    was less of a multiple half of the run ago.
    """
    back = m.rise < 0.03
    risen = hysteresis(in_a_row(_own_rise(m, 0.05), few(m)) | _climbs(m), back)
    slowly = m.v_wide - m.v_wide_best > 0.5 * m.v_noise * np.sqrt(2 / m.wide)  # likelier than not
    apart = _far_above(m) & (m.nearness_lost > np.maximum(0.07, 2 * m.nearness_noise))
    parted = in_a_row((m.rise > 0.05) & slowly & apart & ~m.loud, 2)
    return risen | hysteresis(parted, back | (m.nearness_lost < 0.05))


def _climbs(m: Measured) -> Flags:
    """In a short curve, whose few checks hardly make a mean: a rise of three checks in a row, training loss unmoved."""
    v, index = m.v_now, np.arange(len(m.v))
    above = v - np.minimum.accumulate(v)
    rising = in_a_row(np.diff(v, prepend=v[:1]) > 0, 3)
    still = m.t - m.t_then < 0.25 * above
    return rising & still & (above > np.maximum(0.1 * m.v_scale, SURE * m.v_noise)) & (index < SHORT)


def few(m: Measured, most: int = 5) -> np.ndarray:
    """Checks in a row before a state is believed: a seventh of those so far, two at least: [checks]."""
    return np.clip(np.ceil(0.15 * np.arange(1, len(m.v) + 1)), 2, most).astype(np.int64)


def past_its_best(m: Measured) -> Flags:
    """By less than overfitting; where noise is small, also a rise that is no more than likely."""
    likely = m.v - m.v_best > 2.5 * m.v_wander * np.sqrt(2 / m.width)
    small = (m.rise > 0.03) & likely & (m.v_noise < 0.03 * m.v_scale) & (m.t - m.t_then < 0.5 * (m.v - m.v_best))
    return in_a_row(_own_rise(m, 0.02), 3) | in_a_row(small, 2)


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
    far = ((v > 2 * t) & (v > 0.1 * m.base)) | ((v > 5 * t) & (v > 0.02 * m.base))
    return np.asarray(far & m.positive)


def underfitting(m: Measured) -> Flags:
    if m.base <= 0:  # log densities: how much could be gained is unknown
        return np.zeros(len(m.t), bool)
    index = np.arange(1, len(m.t) + 1)
    back = np.maximum(np.clip(index // 3, 2, 5), np.ceil(0.15 * index)).astype(np.int64)
    progress = (lagged(m.t, back) - m.t) / size(m.base) * np.maximum(5 / back, 1.0)
    resting = progress < np.clip(2 * m.t_noise / np.sqrt(m.width) / size(m.base), 0.01, 0.03)
    together = (m.v - m.t) < 0.25 * np.abs(m.t)
    low = m.gain + 2 * m.errors.gain < m.expected_gain
    some = (m.gain >= 0.02) | _far_from_start(m)
    raised = in_a_row(resting & low & some & together, few(m))
    return hysteresis(raised, (m.gain > 1.05 * m.expected_gain) | ~together)


def validation_too_good(m: Measured) -> Flags:
    if m.base <= 0 or m.foreign:
        return np.zeros(len(m.v), bool)
    before = m.val_scale * lagged(
        m.v, np.ones(len(m.v), np.int64)
    )  # a loss taken while an epoch goes on is one of older weights
    below = before * (1 + 2 * m.errors.val) < 0.7 * m.t * (1 - 2 * m.errors.train)
    back = m.val_scale * m.v > 0.8 * m.t
    return hysteresis(in_a_row(below & ~back & (m.t > 0) & m.positive, few(m)), back)


def noisy_validation(m: Measured) -> Flags:
    share = m.jumps / np.maximum(np.maximum(m.base - m.v_best, 0.4 * np.abs(m.base)), 1e-200)
    share[: ENOUGH - 1] = 0.0
    much = (share > 0.15) & (m.jumps > 0.1 * m.v_scale) | m.loud & (share > 0.07)
    return hysteresis(in_a_row(much, few(m, 3)), share < np.where(m.loud, 0.03, 0.10))


def generalization_gap(m: Measured) -> Flags:
    return hysteresis(in_a_row(_far_above(m), few(m)), m.val_scale * m.v < 1.5 * m.t)


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
    noise = np.where(np.arange(len(m.v)) < STEEP, 0.0, _noise_of_falls(m))
    return (last / m.v_scale > SETTLED) & (last > SURE * noise * np.sqrt(2 / m.width))


def _noise_of_falls(m: Measured) -> Series:
    """Noise of the validation loss from third differences, which its fall does not raise; of few, their median."""
    near, far = (bendless_noise(m.v_now, lag) for lag in (1, 3))
    far = np.where((far > BENT * near) | (np.arange(len(far)) < APART), near, far)
    means = bendless_noise_of_means(m.v, m.width)
    means = np.where(means > 1.5 * np.sqrt(m.width) * near, near / np.sqrt(m.width), means)  # likewise no memory
    noise = wander(near, far, means, m.width)
    third = beginning_medians(np.abs(np.diff(m.v_now[:SHORT], 3))) / (0.6745 * np.sqrt(20))
    noise[3:SHORT] = np.minimum(noise[3:SHORT], third)
    return noise


def fell(m: Measured) -> bool:
    """Both losses ended below where they began, beyond noise; where validation began later, below that of training."""
    train, val = (max(x[0], m.t_start) if m.late else x[0] for x in (m.t, m.v))
    lower = val - m.v[-1] > max(2 * m.v_noise[-1] / np.sqrt(m.width[-1]), 0.01 * m.v_scale[-1])
    return bool(lower and train - m.t[-1] > 0.01 * m.t_scale[-1])


def fits(m: Measured) -> bool:
    """Both losses are as far below that of a constant predictor as a good model takes them."""
    gain = (m.base - np.maximum(m.t[-1], m.val_scale * m.v[-1])) / size(m.base)
    return bool(m.base_of != FIRST and m.base > 0 and gain > max(m.expected_gain, 0.02))


def falls_short(m: Measured) -> bool:
    """Training took away less of the loss of a constant predictor than a good model does; clearly less of the first."""
    least = m.expected_gain if m.base_of != FIRST else CLEARLY * m.expected_gain
    return bool(m.base > 0 and m.gain[-1] + 2 * m.errors.gain < least)


def plateau(m: Measured) -> Flags:
    index = np.arange(1, len(m.v) + 1)
    half = np.where(index < SHORT, 2 * index // 5, index // 2)
    progress = (lagged(m.v_best, half) - m.v_best) / m.v_scale
    least = np.where(half < SHORT // 2, 0.02, 0.005)  # the mean of few checks has the first fall in it
    sure = np.maximum(least, 2 * m.v_noise / np.sqrt(m.width) / m.v_scale)
    return hysteresis(in_a_row(progress < sure, few(m)), progress > np.maximum(0.02, 2 * sure))


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
