"""From curves to verdicts."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np

from fulmen.diagnosis.confidence import confidence, in_words
from fulmen.diagnosis.curves import Curves
from fulmen.diagnosis.findings import FINDINGS, finding
from fulmen.diagnosis.measured import EXACT, Errors, Measured, measure
from fulmen.diagnosis.outliers import without_outliers
from fulmen.diagnosis.rules import ENOUGH, states
from fulmen.diagnosis.texts import TEXTS, Severity
from fulmen.diagnosis.wording import Said, no_fault, said
from fulmen.errors import FulmenError

ORDER = list(TEXTS)


@dataclass(frozen=True)
class Verdict:
    """One finding about a training.

    Attributes:
        code: its name, a key of `texts.TEXTS`; `id` is its code among all findings.
        severity: ok, note, warning or error.
        since: the epoch (from 1) it holds from; None if it concerns the whole run.
        evidence: the numbers behind it.
        finding: the same in words.
        causes: what usually is behind it, the likeliest first.
        cures: what to try.
        confidence: the share of such verdicts that is right for simulated curves like these; None where more than two
            curves was looked at.
    """

    code: str
    severity: Severity
    since: int | None
    evidence: dict[str, Any] = field(hash=False)
    finding: str
    causes: tuple[str, ...]
    cures: tuple[str, ...]
    confidence: float | None = None

    @classmethod
    def make(cls, code: str, since: int | None = None, severity: Severity | None = None, **evidence: Any) -> "Verdict":
        """The verdict `code` with its words filled in by `evidence`."""
        text, values = TEXTS[code], {"since": since, **evidence}
        plain = {name: value.item() if hasattr(value, "item") else value for name, value in evidence.items()}
        cures = tuple(cure.format(**values) for cure in text.cures)
        return cls(code, severity or text.severity, since, plain, text.finding.format(**values), text.causes, cures)

    @property
    def id(self) -> str:
        """`FUL-D03`, the code that stays; docs/findings has a page of that name."""
        return FINDINGS[self.code].code if self.code in FINDINGS else ""

    @property
    def title(self) -> str:
        """`overfitting since epoch 14`"""
        since = f" since epoch {self.since}" if self.since and self.severity != "note" else ""
        return self.code.replace("_", " ") + since

    @property
    def heading(self) -> str:
        """`FUL-D03 overfitting since epoch 14`"""
        return f"{self.id} {self.title}".strip()

    def __str__(self) -> str:
        """`overfitting since epoch 14: validation loss 9 % over its best ...; try: ...`"""
        cures = f"; try: {', '.join(self.cures)}" if self.cures else ""
        return f"{self.title}: {self.finding}{cures}"

    @classmethod
    def from_dict(cls, plain: dict[str, Any]) -> "Verdict":
        """The opposite of `as_dict`."""
        known = {name: value for name, value in plain.items() if name != "id"}
        return cls(**known | {"causes": tuple(plain["causes"]), "cures": tuple(plain["cures"])})

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return {"id": self.id} | asdict(self) | {"causes": list(self.causes), "cures": list(self.cures)}


class Verdicts(list[Verdict]):
    """Errors and warnings first, then a good fit, then notes; `print` shows a line each.

    `"overfitting" in verdicts`, or `"FUL-D03"`, asks for one.
    """

    def __contains__(self, wanted: object) -> bool:
        name = _name(wanted) if isinstance(wanted, str) else None
        return any(wanted == verdict or name == verdict.code for verdict in self)

    def __str__(self) -> str:
        return "\n".join(map(str, self))


def _name(word: str) -> str:
    """The name of the finding that `word` means; itself where it means none."""
    with suppress(FulmenError):
        return finding(word).name
    return word


RANK = {"ok": 1, "note": 2}  # by severity; what is worse comes first
DOUBTS = {"still_improving", "generalization_gap", "past_its_best", "validation_too_good"}  # notes, but no good fit
ALONE = ("diverged", "no_learning", "plateau", "still_improving")  # what a single curve can show


@np.errstate(over="ignore", invalid="ignore")  # losses near the largest number there is
def diagnose(
    train: Sequence[float | None],
    val: Sequence[float | None],
    base: float | None = None,
    epochs: Sequence[int] | None = None,
    frozen: str = "",
    expected_gain: float = 0.4,
    val_scale: float = 1.0,
    errors: Errors = EXACT,
    comparable: bool = False,
    base_of: str = "a constant predictor",
) -> Verdicts:
    """What two loss curves say: errors and warnings first, then a good fit, then notes; there is always a verdict.

        verdicts = fulmen.diagnose(train=[2.3, 1.1, ...], val=[2.2, 1.4, ...])
        "overfitting" in verdicts, verdicts[0].cures

    Args:
        train: one loss per check (epoch, as a rule); None, or a NaN before a later number, is a gap; NaN or inf at the
            end is not. Where there are accuracies only, give what they leave to 1.
        val: likewise; an empty list where there is none.
        base: loss of a constant predictor; the first losses stand for it where it is unknown.
        epochs: the number of each check; 1, 2, ... by default.
        expected_gain: share of `base` that a good model takes away at least; 0 where little can be predicted.
        val_scale: times the validation loss compares with the training loss; of a constant predictor, one over the
            other.
        errors: how well the levels of the losses are known, where they are those of a sample.
        base_of: whose loss `base` is.
        comparable: the training loss was taken as the validation loss is: in evaluation mode, without further terms.
        frozen: what to add where nothing is learned, such as which parameters do not train.

    Raises:
        FulmenError: a loss is no number, or there are not as many of each, and of epochs, as of checks.
    """
    curves = Curves.of(train, val, epochs)
    broken = []
    if curves.non_finite:
        since = min(curves.non_finite.values())
        what = f"{' and '.join(curves.non_finite)} loss"
        broken = [Verdict.make("non_finite", since, what=what, where=f"epoch {since}")]
    if len(curves.train) < ENOUGH:
        return Verdicts(broken or [Verdict.make("not_enough_data", checks=len(curves.train), needed=ENOUGH)])
    constant = {} if broken or comparable else curves.constant
    logged = curves
    curves, aside = without_outliers(logged)
    measured = measure(
        curves.train, curves.val, base, expected_gain, val_scale, errors, base_of, comparable=comparable,
        before=curves.before,
    )  # fmt: skip
    raised = {code: flags for code, flags in states(measured).items() if flags[-1]}
    made = [said(code, raised[code], measured, curves, frozen, comparable) for code in raised]
    found = ordered(broken + [_verdict(each, measured) for each in made])
    if broken:
        return Verdicts(verdict for verdict in found if verdict.severity != "note")  # nothing else matters now
    if constant:
        still = [each for each in found if each.code == "no_learning" and len(constant) + bool(curves.missing) == 2]
        return Verdicts([*still, _constant(constant)])
    if all(verdict.severity == "note" for verdict in found) and not DOUBTS & raised.keys():
        found.insert(0, _verdict(no_fault(measured, curves, comparable), measured))
        if found[0].code == "still_improving":
            found = [each for each in found if each.code != "plateau"]
    if measured.foreign:
        found.append(Verdict.make("different_units", times=1 / measured.unit))
    if curves.missing:
        found = [_of_one(verdict, curves.missing) for verdict in found if verdict.code in ALONE]
        found.append(Verdict.make("one_curve", missing=curves.missing))
    aside = aside._replace(last=None) if "diverged" in raised else aside
    if words := aside.words(logged):
        evidence = found[0].evidence | {"outliers": aside.epochs(logged)}
        found[0] = replace(found[0], finding=found[0].finding + words, evidence=evidence)
    return Verdicts(found)


def _of_one(verdict: Verdict, missing: str) -> Verdict:
    """The verdict with the name of the loss that there is, in place of the one that it stands for."""
    there = "training" if missing == "validation" else "validation"
    return replace(verdict, finding=verdict.finding.replace(f"{missing} loss", f"{there} loss"))


def _verdict(made: Said, m: Measured) -> Verdict:
    known = confidence(made.code, m)
    return replace(Verdict.make(made.code, made.since, made.severity, **made.evidence), confidence=known)


def _constant(curves: dict[str, float]) -> Verdict:
    """What is to be said of curves that never move, name -> value."""
    if len(set(curves.values())) < len(curves):
        which = f"{' and '.join(curves)} loss are {next(iter(curves.values())):.3g}"
    else:
        which = " and ".join(f"{name} loss is {value:.3g}" for name, value in curves.items())
    them = "them" if len(curves) > 1 else "it"
    return Verdict.make("constant_curve", which=which, them=them, values=curves)


def main_states(train_loss: Sequence[float], val_loss: Sequence[float], base: float | None = None) -> list[str]:
    """The gravest verdict at every check, as somebody who watches the training sees it: [checks].

    Notes are left out: that a loss still falls is no finding before the run is over.
    """
    curves = Curves.of(train_loss, val_loss)
    if not len(curves.train):
        return []
    measured = measure(curves.train, curves.val, base, most=len(curves.train), before=curves.before)
    flags = states(measured)
    flags["noisy_validation"] &= measured.loud  # a note otherwise
    order = [code for code in ORDER if code in flags and TEXTS[code].severity != "note"]
    table = np.stack([flags[code] for code in order] + [np.ones(len(curves.train), bool)])
    return [[*order, "good_fit"][i] for i in table.argmax(0)]


def as_lines(verdicts: Sequence[Verdict]) -> list[str]:
    """One line of Markdown a verdict: what is wrong, then what to try."""
    cures = [f" Try: {', '.join(verdict.cures)}." if verdict.cures else "" for verdict in verdicts]
    known = [f" ({words})" if (words := in_words(verdict.confidence)) else "" for verdict in verdicts]
    return [f"**{v.heading}**: {v.finding}{how}.{cure}" for v, how, cure in zip(verdicts, known, cures, strict=True)]


def as_markdown(verdicts: Sequence[Verdict]) -> str:
    """`as_lines` as a list."""
    return "\n".join(f"- {line}" for line in as_lines(verdicts))


def ordered(verdicts: Sequence[Verdict]) -> list[Verdict]:
    """Errors and warnings first, the gravest of them before the others, then a good fit, then notes."""
    return sorted(verdicts, key=lambda verdict: (RANK.get(verdict.severity, 0), ORDER.index(verdict.code)))
