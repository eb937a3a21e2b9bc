"""What a test split shows: each outcome where it belongs, in one sentence, the same after a file has held it."""

import json

import numpy as np
import pytest
from scipy import stats

from fulmen.report.estimates import Estimate, area, difference, gain
from fulmen.report.evidence import Evidence, Measure, judge, not_finite, too_few, too_rare
from fulmen.report.shown import Shown

AUC = Measure("ROC-AUC", 0.5, 0.56)


def known(value, half):
    """A score with an interval of this half width, normal."""

    def ends(alpha):
        reach = half * stats.norm.ppf(1 - alpha / 2) / stats.norm.ppf(0.975)
        return value - reach, value + reach

    return Estimate(value, ends, np.linspace(-1, 1, 50))  # fmt: skip


def said(score, others=(), ahead=(), **more):
    names = ["forest", "ridge"]
    return judge(Evidence(AUC, score, 500, "row", dict(zip(names, others, strict=False)),
                          dict(zip(names, ahead, strict=False)), "ROC-AUC", **more))  # fmt: skip


@pytest.mark.parametrize(
    ("code", "shown", "words"),
    [
        ("better_than_baselines", said(known(0.8, 0.05), [known(0.7, 0.05)], [known(0.1, 0.03)]),
         "Better than chance, than the constant and than the best simple model: ROC-AUC is 0.800 (chance 0.500; 95 % "
         "interval 0.750 to 0.850, 500 rows); +0.100 against forest (+0.070 to +0.130)."),
        ("better_than_constant", said(known(0.8, 0.05), [known(0.8, 0.05)] * 2, [known(0.0, 0.03), known(0.1, 0.03)]),
         "Better than chance and than the constant, not shown to differ from the best simple model: ROC-AUC is"),
        ("worse_than_simple", said(known(0.8, 0.05), [known(0.9, 0.05)], [known(-0.1, 0.03)]),
         "Worse than the best simple model, better than chance and than the constant:"),
        ("no_signal", said(known(0.5, 0.04), [known(0.51, 0.04)], [known(-0.01, 0.03)]),
         "No signal: ROC-AUC is 0.500 (chance 0.500; 95 % interval 0.460 to 0.540, 500 rows); a signal above ROC-AUC "
         "0.56 would have been found"),
        ("undecided_result", said(known(0.53, 0.06)),
         "Undecided: not shown to differ from chance: ROC-AUC is 0.530 (chance 0.500; 95 % interval 0.470 to 0.590, "
         "500 rows); a signal above ROC-AUC 0.56 is not ruled out."),
        ("undecided_result", said(known(0.5, 0.03), [known(0.7, 0.05)], [known(-0.2, 0.25)]), "forest shows a signal"),
        ("worse_than_constant", said(known(0.4, 0.05)), "Worse than chance"),
        ("worse_than_constant", said(known(0.53, 0.06), loss=known(-0.1, 0.05), losses="log loss is 0.8 against 0.7"),
         "Worse than the constant, not shown to differ from chance:"),
        ("better_than_constant", said(known(0.7, 0.06), [known(0.7, 0.05)], [known(0, 0.05)], loss=known(-0.1, 0.05),
         losses="log loss is 0.8 against 0.7"), "log loss is 0.8 against 0.7, worse than the constant."),
        ("no_signal", said(known(0.5, 0.04), loss=known(-0.1, 0.05), losses="log loss is 0.8 against 0.7"),
         "log loss is 0.8 against 0.7, worse than the constant."),
        ("worse_than_constant", not_finite("returns"), "The network predicts no finite returns"),
    ],
)  # fmt: skip
def test_each_outcome_has_its_finding_and_its_words(code, shown, words):
    assert shown.code == code
    assert words in shown.sentence
    assert shown.sentence.endswith(".")
    assert shown.sentence.count(". ") == 0, "one sentence"


def test_a_forecast_that_knows_something_and_is_worse_than_the_constant_is_called_worse():
    measure = Measure("correlation", 0.0, 0.1, said="R² 1 %")
    shown = judge(Evidence(measure, known(0.2, 0.1), 300, "day", by="R²", constant=known(-0.2, 0.1),
                           constant_name="the historical mean", persistence=known(-0.3, 0.1)))  # fmt: skip
    assert shown.code == "worse_than_constant"
    assert shown.sentence.startswith("Worse than the constant and than persistence, better than chance: correlation is")
    assert "-20.0 points of R² against the historical mean (-30.0 to -10.0)" in shown.sentence
    assert shown.better_than_chance


def test_what_is_shown_is_the_same_after_json():
    shown = said(known(0.8, 0.05), [known(0.7, 0.05)], [known(0.1, 0.03)])
    plain = json.loads(json.dumps(shown.as_dict(), allow_nan=False))
    assert plain["id"] == "FUL-V00"
    assert Shown.from_dict(plain) == shown
    bare = not_finite("returns").as_dict()
    assert bare["value"] is None
    assert Shown.from_dict(json.loads(json.dumps(bare))).as_dict() == bare


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        (too_few(3, "machine", True, [50, 40]), "the test split has 3 machines, and 4 are the fewest"),
        (too_few(1, "machine", True, [50, 40]), "the test split has 1 machine"),
        (too_few(9, "row", classes=[5, 4]), "the test split has 9 rows, and 10 are the fewest"),
        (too_few(90, "row", classes=[90, 0]), "the test split has one class alone"),
        (too_rare([90, 5], "rows"), "the test split has 5 rows of the rarest class, and 10 are the fewest"),
        (too_rare([90, 50, 4], "rows"), "the test split has 4 rows of the rarest class, and 5 are the fewest"),
    ],
)
def test_what_is_too_small_is_said_and_never_judged(reason, words):
    shown = judge(Evidence(AUC, known(0.9, 0.01), 9, "row"), reason)
    assert (shown.id, shown.better_than_chance) == ("FUL-V05", False)
    assert shown.sentence.startswith(f"Too few for a verdict: {words}")
    assert shown.sentence.endswith("; ROC-AUC is 0.900.")


def test_enough_is_not_too_few():
    assert too_few(4, "machine", True, [50, 40]) == too_few(10, "row") == too_rare([10, 80], "rows") == ""


@pytest.mark.parametrize(("shift", "lowest", "highest"), [(0.0, 85, 100), (0.62, 0, 12), (0.56, 0, 12)])
def test_no_signal_is_said_of_noise_and_not_of_signals_at_the_margin_or_at_twice_it(shift, lowest, highest):
    """Rows for a power of .95 at ROC-AUC .56, two-sided; a network and three models that know as much as it does."""
    z = stats.norm.ppf(0.975) + stats.norm.ppf(0.95)
    half = round(z**2 / (6 * 0.06**2)) + 1
    apart = np.sqrt(2) * stats.norm.ppf(shift) if shift else 0.0
    rng, named = np.random.default_rng(0), 0
    target = np.repeat([1, 0], half)
    for _ in range(100):
        shared = rng.normal(size=2 * half)
        scores = [0.6 * shared + 0.8 * rng.normal(size=2 * half) + apart * target for _ in range(4)]
        found = [area(target, np.stack([-each, each], 1)) for each in scores]
        ahead = [difference(found[0], each) for each in found[1:]]
        named += said(found[0], found[1:3], ahead[:2]).code == "no_signal"
    assert lowest <= named <= highest


def test_an_overconfident_network_without_a_signal_is_no_better_than_the_constant():
    rng, better = np.random.default_rng(0), 0
    for _ in range(100):
        target, logit = rng.integers(2, size=100), 3 * rng.normal(size=100)
        p = 1 / (1 + np.exp(-logit))
        loss = -np.log(np.where(target == 1, p, 1 - p))
        shown = said(area(target, np.stack([1 - p, p], 1)), loss=gain(loss, np.full(100, np.log(2))),
                     losses="log loss is 1 against 0.7")  # fmt: skip
        better += shown.better_than_chance or shown.loss.word == "better"
    assert better <= 8


def test_a_network_that_a_simple_model_beats_is_a_warning_that_names_it_and_names_with_commas_are_quoted():
    beaten = known(-0.3, 0.03)
    shown = judge(Evidence(AUC, known(0.8, 0.05), 500, "row", {"linear, weighted": known(0.9, 0.03)},
                           {"linear, weighted": beaten}, "ROC-AUC"))  # fmt: skip
    assert (shown.severity, shown.as_dict()["severity"]) == ("warning", "warning")
    assert shown.heading == "FUL-V09 worse than simple"
    assert '-0.300 against "linear, weighted" (-0.330 to -0.270)' in shown.sentence
    better = said(known(0.8, 0.05), [known(0.7, 0.05)], [known(0.1, 0.03)])
    assert (better.severity, better.heading) == ("ok", "FUL-V00 better than baselines")
    assert said(known(0.53, 0.06)).severity == "note"


def test_what_a_sentence_rests_on_is_said_in_english():
    shown = judge(Evidence(AUC, known(0.8, 0.3), 4, "machine"))
    assert shown.basis == (
        "judged by ROC-AUC over 4 independent machines; a value of 0.56 or more would count as a signal."
    )
    percent = judge(Evidence(Measure("balanced accuracy", 0.1, 0.13, percent=True), known(0.8, 0.05), 360, "image"))
    assert "360 independent images; a value of 13 % or more would" in percent.basis
    one = judge(Evidence(AUC, known(0.8, 0.3), 1, "span of 5 days"), "the test split has 1 span of 5 days")
    assert one.basis == "not judged: the test split has 1 independent span of 5 days."


def test_few_units_are_said_to_be_too_few_to_narrow_an_interval():
    few = judge(Evidence(AUC, known(0.888, 0.1), 4, "machine")).sentence
    assert "95 % interval 0.788 to 0.988: 4 machines are too few to narrow it)" in few
    assert "too few" not in said(known(0.888, 0.1)).sentence


def test_a_sentence_holds_two_comparisons_at_most_those_lost_first():
    measure = Measure("correlation", 0.0, 0.1, said="R² 1 %")
    rest = {"by": "R²", "constant_name": "the mean", "persistence": known(-0.1, 0.2)}
    names = {"one lag": known(0.4, 0.1)}
    few = judge(Evidence(measure, known(0.0, 0.2), 300, "day", names, {"one lag": known(-0.1, 0.2)},
                         constant=known(-0.1, 0.2), **rest)).sentence  # fmt: skip
    assert "one lag shows a signal (0.400); -10.0 points of R² against one lag (-30.0 to +10.0)." in few
    assert "against persistence" not in few
    lost = judge(Evidence(measure, known(0.0, 0.2), 300, "day", names, {"one lag": known(-0.1, 0.2)},
                          constant=known(-0.4, 0.2), **rest)).sentence  # fmt: skip
    assert "against the mean (-60.0 to -20.0)" in lost
