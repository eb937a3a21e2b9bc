"""What a ranking shows of its leader, in one sentence: beside the constant predictor, the simple models, the next."""

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from fulmen.comparison.gains import Gain, in_order, leads, reach, scores_of
from fulmen.report.contest import Contest
from fulmen.report.document import number
from fulmen.report.words import counted


@dataclass(frozen=True)
class Standing:
    """What the folds show.

    Attributes:
        findings: names in `fulmen.diagnosis.findings`, the first of them on the leader.
        sentence: the same in words.
        among: how many of the first places are not shown to differ from the first, itself included; 1: it leads alone.
    """

    findings: list[str]
    sentence: str
    among: int


def standing(
    contest: Contest, metric: str, larger: bool, word: str, networks: Collection[str], margin: float = math.nan
) -> Standing:
    """What is shown of the leader.

    Args:
        metric: to rank by.
        larger: whether more of it is better.
        word: the metric in words.
        networks: the candidates that are no baselines.
        margin: by how much the metric has to be better than the constant predictor's to be called a signal; NaN where
            that is not stated.
    """
    order = in_order(contest, metric, larger)
    leader, scores = order[0], scores_of(contest, metric)[order[0]]
    head = f"{leader} has the best mean {word}, {number(float(scores.mean()))} over {counted(len(scores), 'fold')}"
    if len(order) == 1:
        return Standing(["undecided_result"], f"{head}; it stands alone.", 1)
    ahead = leads(contest, metric, larger)
    finding, beside = _beside_constant(contest, metric, larger, ahead, margin)
    simple, beats = _beside_simple(contest, order, ahead, networks)
    if finding == "better_than_constant" and beats:
        finding = "better_than_baselines"
    among = 1
    while among < len(order) and not ahead[order[among]].is_shown:
        among += 1
    parts = [*beside, *simple, _beside_others(order, ahead, among)]
    return Standing([finding] + ["no_difference"] * (among > 1), f"{head}; {'; '.join(filter(None, parts))}.", among)


def _beside_constant(
    contest: Contest, metric: str, larger: bool, ahead: Mapping[str, Gain], margin: float
) -> tuple[str, list[str]]:
    """What is found of the leader beside the constant predictor, and clauses that say it."""
    order = in_order(contest, metric, larger)
    rivals = [name for name in order if name != contest.constant]
    if contest.constant not in order:
        return "undecided_result", ["no constant predictor stands beside it"]
    if order[0] == contest.constant:
        worse = all(gain.is_shown for gain in ahead.values())
        own = "it is the constant predictor, which has learnt nothing"
        shown = "and every model is shown to be worse" if worse else "and no model is shown to be better"
        return "worse_than_constant" if worse else _absent(contest, metric, larger, margin), [f"{own}, {shown}"]
    gain, nothing = ahead[contest.constant], "the constant predictor"
    nothing += f", {contest.constant}"
    if gain.is_shown:
        return "better_than_constant", [f"it is better than {nothing} ({gain})"]
    said = [f"it is not shown to be better than {nothing} ({gain})"]
    finding = _absent(contest, metric, larger, margin)
    if finding == "no_signal":
        said.append(f"that any of {counted(len(rivals), 'model')} gains {number(margin, 2)} or more is ruled out")
    return finding, said


def _absent(contest: Contest, metric: str, larger: bool, margin: float) -> str:
    """Whether the folds rule out that any model is better than the constant predictor by the margin or more."""
    rivals = [name for name in contest.scores if name != contest.constant]
    ruled_out = math.isfinite(margin) and all(reach(contest, metric, larger, name) < margin for name in rivals)
    return "no_signal" if ruled_out else "undecided_result"


def _beside_simple(
    contest: Contest, order: list[str], ahead: Mapping[str, Gain], networks: Collection[str]
) -> tuple[list[str], bool]:
    """A clause on the leader and the best simple model, and whether it is shown to be better than that."""
    leader, *others = order
    simple = next((name for name in others if name not in networks and name != contest.constant), None)
    network = next((name for name in others if name in networks), None)
    if leader == contest.constant:
        return [], False
    rival = simple if leader in networks else network
    if rival is None:
        return [] if leader in networks else ["it is a simple model"], False
    gain, kind = ahead[rival], "simple model" if leader in networks else "network"
    word = "better than" if gain.is_shown else "not shown to differ from"
    own = "it is" if leader in networks else "it is a simple model itself,"
    return [f"{own} {word} the best {kind}, {rival} ({gain})"], leader in networks and gain.is_shown


def _beside_others(order: list[str], ahead: Mapping[str, Gain], among: int) -> str:
    """A clause on who is level with the leader."""
    further = [name for name in order[among:] if not ahead[name].is_shown]
    if among > 1:
        return f"no difference is shown among the first {among}" + f", nor from {', '.join(further)}" * bool(further)
    return f"no difference is shown from {', '.join(further)}" if further else "every other differs from it"
