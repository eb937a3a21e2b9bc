"""From the scores of a test split to what it shows: the decision, and its sentence.

Everything is asked at the two-sided level of 0.05. "No signal" is an equivalence test (Schuirmann 1987): the score lies
below the margin at the one-sided level of 0.05, no simple model is better than chance or above the margin, and there is
so much evidence that a score at the margin would be better than chance.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from fulmen.report.estimates import Estimate, lead
from fulmen.report.shown import ALPHA, Gap, Shown
from fulmen.report.words import counted, sentence

FEWEST, FEWEST_GROUPS = 10, 4  # independent items (of a class), and groups of items, below which nothing is judged
MOST = 2  # comparisons with other models in a sentence
IN_TURN = ("signal", "simple", "loss", "persistence", "constant")  # which of them are told
NOTE = (
    "What is shown: at the two-sided level of 0.05. To be better than the best simple model is to be better than each, "
    "so none is chosen on the test split. No signal: the score lies below the margin at the one-sided level of 0.05, "
    "no simple model is better than chance, and a score at the margin would be. `model.margin` sets it."
)


@dataclass(frozen=True)
class Measure:
    """A score that tells knowledge from chance.

    Attributes:
        name: in words.
        chance: what knowing nothing scores.
        margin: a signal counts from there on.
        percent: whether it is told in percent, and differences in points.
        said: the margin in words; by default the score of that much.
    """

    name: str
    chance: float
    margin: float
    percent: bool = False
    said: str = ""

    @property
    def limit(self) -> str:
        """`ROC-AUC 0.56`"""
        if self.said:
            return self.said
        return f"{self.name} {100 * self.margin:.3g} %" if self.percent else f"{self.name} {self.margin:.3g}"

    @property
    def least(self) -> str:
        """`0.56`, the margin as scores are written."""
        return f"{100 * self.margin:.3g} %" if self.percent else f"{self.margin:.3g}"

    def text(self, value: float) -> str:
        return f"{100 * value:.1f} %" if self.percent else f"{value:.3f}"


@dataclass(frozen=True)
class Evidence:
    """What a workload knows of its test split.

    Attributes:
        measure: of `score`.
        score: of the network.
        units: independent ones.
        unit: one of these: "row", "machine".
        others: scores of the simple models by `measure`.
        ahead: how far the network is ahead of each of them, in points of `by`.
        by: what `ahead`, `constant` and `persistence` are measured by.
        constant: how far it is ahead of the constant predictor; None: the constant scores as chance does.
        constant_name: what the constant predictor is called in the table.
        persistence: how far it is ahead of persistence, in a series.
        loss: how much lower its loss is than that of the constant, where that is told beside the score.
        losses: the two losses in words: "log loss is 0.312 against 0.334".
    """

    measure: Measure
    score: Estimate
    units: int
    unit: str
    others: Mapping[str, Estimate] = field(default_factory=dict)
    ahead: Mapping[str, Estimate] = field(default_factory=dict)
    by: str = ""
    constant: Estimate | None = None
    constant_name: str = "the constant"
    persistence: Estimate | None = None
    loss: Estimate | None = None
    losses: str = ""


def judge(evidence: Evidence, reason: str = "") -> Shown:
    """What the test split shows.

    Args:
        reason: why nothing can be judged, as `too_few` has it; "" if it can.
    """
    measure, score = evidence.measure, evidence.score
    bare = Shown(
        "too_few", "", measure.name, score.value, *score.ends(ALPHA), measure.chance, measure.margin, evidence.units,
        plural(evidence.unit), limit=measure.least,
    )  # fmt: skip
    if reason or not np.isfinite(score.pulls).all():
        return _too_few(bare, measure, reason or f"all rows of a class are of one {evidence.unit}")
    value, low, high = (x - measure.chance for x in (score.value, bare.low, bare.high))
    chance = Gap("chance", measure.name, value, low, high)
    constant = replace(chance, name=evidence.constant_name)
    if evidence.constant:
        constant = Gap.make(evidence.constant_name, evidence.by, evidence.constant)
    persistence = Gap.make("persistence", evidence.by, evidence.persistence) if evidence.persistence else None
    first = lead(evidence.ahead, ALPHA)
    simple = Gap(first.name, evidence.by, first.value, first.low, first.high, len(evidence.ahead)) if first else None
    loss = Gap.make(evidence.constant_name, "loss", evidence.loss) if evidence.loss else None
    signal = _signal(evidence) if chance.word != "better" else ""
    absent = chance.word == "open" and not signal and _absent(evidence)
    found = replace(bare, code=_code(chance, constant, simple, loss, absent), constant=constant, simple=simple,
                    persistence=persistence, loss=loss, signal=signal)  # fmt: skip
    return replace(found, sentence=_told(found, chance, evidence))


def not_finite(what: str) -> Shown:
    """Of a network that predicts no finite numbers, which is worse than any constant."""
    return Shown("worse_than_constant", f"The network predicts no finite {what}: it is worse than the constant.")


def too_few(units: int, unit: str, grouped: bool = False, classes: Sequence[int] | None = None) -> str:
    """Why a test split is too small to be judged; "" if it is not.

    Args:
        units: independent ones.
        unit: one of these.
        grouped: whether each holds several items.
        classes: items of each class, where there are some.
    """
    fewest = FEWEST_GROUPS if grouped else FEWEST
    if classes is not None and sum(count > 0 for count in classes) < 2:
        return "the test split has one class alone"
    if units < fewest:
        return f"the test split has {counted(units, unit, plural(unit))}, and {fewest} are the fewest"
    return ""


def too_rare(classes: Sequence[int], of: str) -> str:
    """Why classes are too rare to be judged one by one, each of more than two beside all others; "" if they are not."""
    rarest, fewest = min(classes, default=0), FEWEST if len(classes) == 2 else FEWEST // 2
    return (
        "" if rarest >= fewest else f"the test split has {rarest} {of} of the rarest class, and {fewest} are the fewest"
    )


def plural(unit: str) -> str:
    """`rows`, `spans of 5 days`"""
    first, _, rest = unit.partition(" ")
    return f"{first}s {rest}".strip()


def _signal(evidence: Evidence) -> str:
    """The simple model that has the best score of those that are better than chance, for as many looks as there are."""
    chance, looks = evidence.measure.chance, max(len(evidence.others), 1)
    found = {name: each.value for name, each in evidence.others.items() if each.ends(ALPHA / looks)[0] > chance}
    return max(found, key=lambda name: found[name]) if found else ""


def _absent(evidence: Evidence) -> bool:
    """Whether the score is below the margin, no simple one above it, and a score there would be better than chance."""
    score, measure = evidence.score, evidence.measure
    found = score.ends(ALPHA)[1] - score.value < measure.margin - measure.chance
    others = all(each.value <= measure.margin for each in evidence.others.values())
    return found and others and score.ends(2 * ALPHA)[1] < measure.margin


def _code(chance: Gap, constant: Gap, simple: Gap | None, loss: Gap | None, absent: bool) -> str:
    """The name of the finding."""
    if absent:
        return "no_signal"
    if chance.word == "better" and constant.word == "better":
        if simple is None or simple.word == "better":
            return "better_than_baselines"
        return "worse_than_simple" if simple.word == "worse" else "better_than_constant"
    if constant.word == "worse" or (chance.word == "open" and loss and loss.word == "worse"):
        return "worse_than_constant"
    return "worse_than_simple" if simple and simple.word == "worse" else "undecided_result"


def _too_few(bare: Shown, measure: Measure, reason: str) -> Shown:
    said = f"; {measure.name} is {measure.text(bare.value)}" if math.isfinite(bare.value) else ""
    return replace(bare, sentence=f"Too few for a verdict: {reason}{said}.")


def _told(found: Shown, chance: Gap, evidence: Evidence) -> str:
    """The sentence."""
    measure, limit = evidence.measure, evidence.measure.limit
    at = f"chance {measure.text(measure.chance)}; " if measure.chance else ""
    units = counted(evidence.units, evidence.unit, plural(evidence.unit))
    narrow = " are too few to narrow it" if evidence.units < FEWEST else ""
    parts = [f"{measure.name} is {measure.text(found.value)} ({at}95 % interval {measure.text(found.low)} to "
             f"{measure.text(found.high)}{':' if narrow else ','} {units}{narrow})"]  # fmt: skip
    constant = found.constant
    if chance.word == "open" and (evidence.constant is None or constant is None or constant.word == "better"):
        constant = None  # of a forecast that knows nothing it is luck
    if found.loss and found.code == "worse_than_constant" and chance.word == "open":
        constant = found.loss
    head = _head({"chance": chance, "the constant": constant, "persistence": found.persistence,
                  "the best simple model": found.simple})  # fmt: skip
    signal = ""
    if found.code == "no_signal":
        head = "No signal"
        parts.append(f"a signal above {limit} would have been found")
    elif chance.word == "open":
        if found.code == "undecided_result":
            head = f"Undecided: {head[0].lower()}{head[1:]}"
        if found.signal:
            signal = f"{found.signal} shows a signal ({measure.text(evidence.others[found.signal].value)})"
        else:
            parts.append(f"a signal above {limit} is not ruled out")
    return f"{head}: {'; '.join([*parts, *_compared(found, chance, evidence, signal)])}."


def _compared(found: Shown, chance: Gap, evidence: Evidence, signal: str) -> list[str]:
    """At most `MOST` comparisons with other models, in the order of the sentence; a table of the report has them all.

    Those that are lost go before others, the constant before persistence; then the signal of a simple model, and how
    far the network is from the best of these.
    """
    gaps = {"constant": found.constant if evidence.constant else None, "persistence": found.persistence,
            "simple": found.simple}  # fmt: skip
    told = {"signal": signal, **{name: _beside(gap, evidence.measure) if gap else "" for name, gap in gaps.items()}}
    told["loss"] = _losses(found.loss, chance, evidence.losses) if found.loss else ""
    lost = [name for name, gap in gaps.items() if gap and gap.word == "worse"]
    wanted = [name for name in dict.fromkeys([*lost, *IN_TURN]) if told[name]][:MOST]
    return [said for name, said in told.items() if name in wanted]


def _losses(gap: Gap, chance: Gap, losses: str) -> str:
    """`log loss is 0.312 against 0.334, better than the constant`"""
    word = {"better": ", better than", "worse": ", worse than", "open": ", not shown to differ from"}[gap.word]
    lucky = gap.word == "better" and chance.word != "better"
    return f"{losses}{' of' if lucky else word} the constant"


def _head(gaps: Mapping[str, Gap | None]) -> str:
    """`better than chance and than the constant, not shown to differ from the best simple model`; the worst first."""
    words = {
        word: [name for name, gap in gaps.items() if gap and gap.word == word] for word in ("worse", "better", "open")
    }
    heads = {"better": "better than ", "worse": "worse than ", "open": "not shown to differ from "}
    joint = {"better": "than ", "worse": "than ", "open": "from "}
    return sentence(", ".join(heads[word] + _listed(names, joint[word]) for word, names in words.items() if names))


def _listed(names: Sequence[str], joint: str) -> str:
    """`chance, than persistence and than the best simple model`"""
    first, *rest = names
    if not rest:
        return first
    middle = "".join(f", {joint}{name}" for name in rest[:-1])
    return f"{first}{middle} and {joint}{rest[-1]}"


def _beside(gap: Gap, measure: Measure) -> str:
    """`+0.031 against random forest, the best of 3 simple models (+0.012 to +0.049)`"""
    percent = measure.percent or gap.measure != measure.name
    ends = (gap.value, gap.low, gap.high)
    digits = 2 if max(map(abs, ends)) < 0.01 else 1
    digits, times = (digits, 100) if percent else (3, 1)
    value, low, high = (f"{round(times * each, digits) + 0.0:+.{digits}f}" for each in ends)  # no -0.000
    points = f" points of {gap.measure}" if percent else ""
    which = f", the best of {gap.of} simple models" if gap.of > 1 else ""
    return f"{value}{points} against {gap.called}{which} ({low} to {high})"
