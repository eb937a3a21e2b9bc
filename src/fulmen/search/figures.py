"""Figures of a study: how it went, what mattered, where the good points lie."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from optuna.trial import FrozenTrial, TrialState

from fulmen.report.figures import COOL, MODEL, MUTED, figure
from fulmen.report.summary import number
from fulmen.search.live_display import shown
from fulmen.search.parameters import Parameter

FAINT = {"color": COOL[0], "linewidth": 0.7, "alpha": 0.3}  # a trial among many


def history(path: Path, trials: Sequence[FrozenTrial], objective: str, mode: str) -> None:
    """Every trial's value in the order of their numbers, the best so far as a line."""
    complete = [t for t in trials if t.state == TrialState.COMPLETE]
    pruned = [t for t in trials if t.state == TrialState.PRUNED and t.values]
    values = np.array([trial.values[0] for trial in complete])
    best = (np.minimum if mode == "min" else np.maximum).accumulate(values)
    with figure(path, size=(7, 3.6)) as ax:
        ax.scatter([t.number for t in pruned], [t.values[0] for t in pruned], s=12, color=MUTED, label="pruned")
        ax.scatter([t.number for t in complete], values, s=18, color=COOL[0], label="complete")
        ax.step([t.number for t in complete], best, where="post", color=MODEL, label="best so far")
        if len(values) and values.min() > 0 and values.max() > 20 * values.min():
            ax.set_yscale("log")
        ax.set_xlabel("trial")
        ax.set_ylabel(objective)
        ax.legend(ncols=3, loc="lower left", bbox_to_anchor=(0, 1))


def importances(path: Path, shares: Mapping[str, float]) -> None:
    """One bar a parameter, the most important on top."""
    names = list(shares)[:12][::-1]
    with figure(path, size=(7, 0.8 + 0.32 * len(names))) as ax:
        ax.barh(names, [shares[name] for name in names], color=COOL[0])
        ax.set_xlabel("share of importance (PED-ANOVA)")
        ax.grid(axis="y", visible=False)


def parallel(
    path: Path, trials: Sequence[FrozenTrial], parameters: Sequence[Parameter], objective: str, mode: str
) -> None:
    """One line a complete trial through its parameters to its value; the best tenth in red."""
    complete = [trial for trial in trials if trial.state == TrialState.COMPLETE]
    sign = 1 if mode == "min" else -1
    worst_first = sorted(complete, key=lambda trial: -sign * trial.values[0])
    best = {trial.number for trial in worst_first[-max(1, len(worst_first) // 10) :]}
    values = [trial.values[0] for trial in complete]
    low, high = min(values), max(values)
    with figure(path, size=(max(6, 1.3 * len(parameters) + 2), 4)) as ax:
        for trial in worst_first:
            points = [
                (x, p.position(p.plain(trial.params[p.path])))
                for x, p in enumerate(parameters)
                if p.path in trial.params
            ]
            points.append((len(parameters), (trial.values[0] - low) / ((high - low) or 1)))
            look = {"color": MODEL, "linewidth": 1.6, "alpha": 0.9} if trial.number in best else FAINT
            ax.plot(*zip(*points, strict=True), **look)
        _label_axes(ax, parameters, objective, low, high)


def _label_axes(ax: Axes, parameters: Sequence[Parameter], objective: str, low: float, high: float) -> None:
    """An upright axis a parameter and one for the objective, with their names and what lies where."""
    for x, parameter in enumerate(parameters):
        for y, text in ticks(parameter):
            ax.annotate(text, (x, y), xytext=(3, 0), textcoords="offset points", fontsize=7, color=MUTED)
    for y, value in ((0, low), (1, high)):
        ax.annotate(number(value), (len(parameters), y), xytext=(3, 0), textcoords="offset points", fontsize=7)
    places = range(len(parameters) + 1)
    for x in places:
        ax.axvline(x, color=MUTED, linewidth=0.8)
    ax.set_xticks(places, [*(p.path.rpartition(".")[2] for p in parameters), objective], rotation=20, ha="right")
    ax.set_yticks([])
    ax.grid(visible=False)


def ticks(parameter: Parameter) -> list[tuple[float, str]]:
    """What to write along an axis: both ends of a range, up to twelve choices."""
    values = parameter.extremes()
    step = -(-len(values) // 12)
    return [(parameter.position(value), number(shown(parameter.stored(value)))) for value in values[::step]]
