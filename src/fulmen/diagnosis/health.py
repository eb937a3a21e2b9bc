"""What a look into the network and at its predictions says; curves are for `rules.py`.

Every function takes the history of a measurement, one value per look, and returns a verdict or None.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from fulmen.diagnosis.smoothing import hysteresis, in_a_row
from fulmen.diagnosis.texts import Severity
from fulmen.diagnosis.verdicts import Verdict, ordered

IN_A_ROW = 3  # looks before a state is believed
HALF_WIDTH = 0.06  # of a score's 95 % interval: more is too little to compare runs by
FEW = 30  # validation samples without classes
FEW_OF_A_CLASS = 5  # validation samples
HUGE = 5.0  # gradient norm over weight norm, for a loss of about 1
UPDATES = (1e-5, 1e-2)  # of the size of the weights: what a step changes where learning goes well
CLEARLY = 2.0  # times the upper one
SAMPLED = 20  # steps, spread over 100 or more, before their updates mean anything
LOWERING = {
    "a lower learning rate", "a tenth of the learning rate", "a scheduler that lowers the learning rate",
    "learning rate too high", "learning rate too high to settle",
}  # fmt: skip
RARE = 0.5  # times an equal share: a class below is a rare one


def lasting(history: Sequence[float], above: float, below: float, times: int = IN_A_ROW) -> int | None:
    """Where a state began that was raised by `times` values above one threshold and not cleared by the other."""
    x = np.asarray(history, dtype=float)
    if not len(x):
        return None
    on = hysteresis(in_a_row(x > above, times), x < below)
    if not on[-1]:
        return None
    return len(on) - int(np.argmin(on[::-1])) if not on.all() else 0


def dead_units(history: Sequence[dict[str, float]], epochs: Sequence[int]) -> Verdict | None:
    """Of a ReLU layer more than seven (warning) or nine tenths (error) that are 0 for every sample.

    Sparse layers are common: half of a narrow ReLU layer behind a recurrent network is 0 in healthy runs.
    """
    return _worst_layer("dead_units", history, epochs, 0.7, 0.5, error_above=0.9)


def saturated(history: Sequence[dict[str, float]], epochs: Sequence[int]) -> Verdict | None:
    """Of a sigmoid or tanh layer more than a quarter that is near its bounds for nine samples of ten."""
    return _worst_layer("saturated", history, epochs, 0.25, 0.15)


def without_lower_rates(verdict: Verdict) -> Verdict:
    """Without the advice to lower a learning rate that a schedule has lowered already.

    What went wrong while it was high keeps it: a divergence, gradients that exploded, a step that threw weights over.
    """
    thrown = verdict.code == "updates_too_large" and verdict.evidence["ratio"] > 1
    if verdict.code not in ("plateau", "noisy_validation", "updates_too_large") or thrown:
        return verdict
    causes, cures = (tuple(each for each in texts if each not in LOWERING) for texts in (verdict.causes, verdict.cures))
    return replace(verdict, causes=causes, cures=cures)


def _worst_layer(code, history, epochs, above, below, error_above=math.inf) -> Verdict | None:
    if not history or not history[-1]:
        return None
    layer = max(history[-1], key=history[-1].__getitem__)
    begun = lasting([shares.get(layer, 0.0) for shares in history], above, below)
    if begun is None:
        return None
    share = history[-1][layer]
    severity: Severity = "error" if share > error_above else "warning"
    return Verdict.make(code, int(epochs[begun]), severity, share=share, layer=layer)


def vanishing(ratios: Sequence[float], relative: Sequence[float], first: str, last: str) -> Verdict | None:
    """A first layer whose gradient is nothing beside the last one's, and nothing beside its own weights.

    Args:
        ratios: RMS of the gradient of the first weights over that of the last, per sampled step.
        relative: the former over the RMS of the first weights.
    """
    if len(ratios) < 10:
        return None
    ratio = float(np.median(ratios))
    if ratio > 1e-3 or np.median(relative) > 1e-6:
        return None
    return Verdict.make("vanishing", ratio=ratio, first=first, last=last)


def exploding(norms: Sequence[float], relative: Sequence[float], base: float | None) -> Verdict | None:
    """Gradients of sampled steps that jump, or that are far larger than the weights themselves.

    A jump is beyond ten times the median of the latest 100 samples, and of the first ones too: towards the end of a
    training gradients are small, and a batch with a mistake in it stands out without harm.

    Args:
        norms: of all gradients together.
        relative: the same over the norm of the weights.
        base: loss of a constant predictor, which gradients are proportional to.
    """
    x = np.asarray(norms, dtype=float)
    if len(x) < 20:
        return None
    median, start = float(np.median(x)), float(np.median(x[:10]))
    beyond = (x > 10 * max(median, start)) | ~np.isfinite(x)
    jumps = beyond.sum() >= 3 and beyond.mean() > 0.03
    huge = np.median(relative) > HUGE * max(base or 1.0, 1.0)
    if not jumps and not huge:
        return None
    how = f"{beyond.mean():.0%} of the steps beyond 10 times it" if jumps else "far more than the weights themselves"
    return Verdict.make("exploding", largest=float(x.max()), median=median, how=how)


def updates(ratios: Sequence[float], largest: float) -> Verdict | None:
    """Steps that never touched the weights, that still shake them, or one that threw them over.

    Three of four of the latest are twice the bound: steps near it are neither good nor bad. The first steps of a
    healthy training are large, and its last ones small where a schedule ends at 0.

    Args:
        ratios: RMS of what a step changed over that of the weights, of the latest sampled steps.
        largest: of all sampled steps.
    """
    x = np.asarray(ratios, dtype=float)
    latest = float(np.median(x[-SAMPLED:])) if len(x) else math.nan
    low, high = UPDATES
    shaken = len(x) >= 2 * SAMPLED and float(np.quantile(x[-SAMPLED:], 0.25)) > CLEARLY * high
    if largest > 1 or shaken:
        return Verdict.make("updates_too_large", ratio=max(latest, largest) if largest > 1 else latest, bound=high)
    if len(x) >= SAMPLED and largest < low:
        return Verdict.make("updates_too_small", ratio=latest, bound=low)
    return None


def class_collapse(
    recalls: Sequence[dict[int, float]], counts: dict[int, int], epochs: Sequence[int]
) -> Verdict | None:
    """A class that is hardly ever found, look after look, while most of the others are.

    Classes with fewer than five samples are passed over.
    """
    known = [label for label, count in counts.items() if count >= FEW_OF_A_CLASS]
    if not known or len(recalls) < IN_A_ROW or np.median([recalls[-1].get(label, 0.0) for label in known]) < 0.5:
        return None
    label = min(known, key=lambda label: recalls[-1].get(label, 1.0))
    begun = lasting([1 - recall.get(label, 1.0) for recall in recalls], 0.95, 0.85)
    if begun is None:
        return None
    return Verdict.make("class_collapse", int(epochs[begun]), label=label, recall=recalls[-1][label],
                        count=counts[label])  # fmt: skip


def minority_overfitting(
    train: Sequence[dict[int, float]], val: Sequence[dict[int, float]], counts: dict[int, int], epochs: Sequence[int]
) -> Verdict | None:
    """Recall of rare classes that falls from training to validation by 20 points more than that of the others."""
    share = {label: count / sum(counts.values()) * len(counts) for label, count in counts.items()}
    rare = [label for label, times in share.items() if times < RARE]
    common = [label for label in share if label not in rare]
    if not rare or not common:
        return None

    def fall(t: dict[int, float], v: dict[int, float], labels: list[int]) -> float:
        falls = [t[label] - v[label] for label in labels if label in t and label in v]
        return float(np.mean(falls)) if falls else 0.0

    gaps = [fall(t, v, rare) - fall(t, v, common) for t, v in zip(train, val, strict=True)]
    begun = lasting(gaps, 0.20, 0.10)
    return None if begun is None else Verdict.make("minority_overfitting", int(epochs[begun]), gap=100 * gaps[-1])


def miscalibrated(confidence: float, accuracy: float, samples: int) -> Verdict | None:
    """Mean confidence away from accuracy by more than five points and more than three standard errors."""
    error = abs(confidence - accuracy)
    if error < 0.05 or error < 3 * math.sqrt(max(accuracy * (1 - accuracy), 1 / samples) / samples):
        return None
    code = "miscalibrated" if confidence > accuracy else "underconfident"
    return Verdict.make(code, error=100 * error, confidence=confidence, accuracy=accuracy)


def small_validation_set(samples: int, accuracy: float | None) -> Verdict | None:
    """Too few samples to know a share of right answers to five points (Wilson's interval), or fewer than 30."""
    if accuracy is None:
        return Verdict.make("small_validation_set", samples=samples, precision="") if 0 < samples < FEW else None
    half = wilson_half_width(accuracy, samples)
    if half <= HALF_WIDTH:
        return None
    known = f": an accuracy of {accuracy:.0%} is known to ± {100 * half:.0f} points"
    return Verdict.make("small_validation_set", samples=samples, precision=known, half_width=half)


def small_classes(counts: Mapping[int, int]) -> Verdict | None:
    """Classes with fewer validation samples than say anything of them.

    Args:
        counts: of every class that is trained on, in the validation split.
    """
    few = [label for label, count in counts.items() if count < FEW_OF_A_CLASS]
    if not few:
        return None
    least = min(counts.values())
    return Verdict.make("small_classes", few=len(few), classes=len(counts), needed=FEW_OF_A_CLASS, least=least)


def wilson_half_width(share: float, samples: int, z: float = 1.96) -> float:
    """Half the width of the 95 % interval of a share (Wilson 1927)."""
    return z / (1 + z**2 / samples) * math.sqrt(share * (1 - share) / samples + z**2 / (4 * samples**2))


def leak(overlap: float, copies: int) -> Verdict | None:
    """Validation samples that are found, number for number, in the training split; one in a hundred is too many."""
    if overlap <= 0.01:
        return None
    how = f"{copies} validation samples ({overlap:.0%}) stand in the training split, number for number"
    return Verdict.make("validation_too_good", None, "error", how=how, overlap=overlap)


def with_health(found: list[Verdict], health: Sequence[Verdict | None]) -> list[Verdict]:
    """All verdicts, those that warn first; a good fit is one without anything graver than a note beside it."""
    known = [verdict for verdict in health if verdict is not None]
    there = {verdict.code for verdict in known}
    if "small_validation_set" in there:  # too few to say that they are too easy
        there.add("validation_too_good")
    found = [verdict for verdict in found if verdict.code not in there]
    if any(verdict.severity in ("warning", "error") for verdict in known):
        found = [verdict for verdict in found if verdict.code != "good_fit"]
    return ordered([*found, *known])
