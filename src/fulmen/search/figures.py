"""Figures of a study: how it went, what mattered, where the good points lie."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator
from optuna.trial import FrozenTrial, TrialState

from fulmen.report.document import number
from fulmen.report.figures import COOL, MODEL, MUTED, WIDTH, figure
from fulmen.report.words import spoken
from fulmen.search.live_display import shown
from fulmen.search.parameters import Parameter

FAINT = {"color": COOL[0], "linewidth": 0.7, "alpha": 0.3}  # a trial among many


def history(path: Path, trials: Sequence[FrozenTrial], objective: str, mode: str) -> None:
    """Every trial's value in the order of their numbers, the best so far as a line; far-off values at the edge."""
    complete = [t for t in trials if t.state == TrialState.COMPLETE]
    pruned = [t for t in trials if t.state == TrialState.PRUNED and t.values]
    values = np.array([trial.values[0] for trial in complete])
    best = (np.minimum if mode == "min" else np.maximum).accumulate(values)
    low, high = limits(values, mode)
    with figure(path) as ax:
        if values.min() > 0 and high > 20 * values.min():
            ax.set_yscale("log")
        for each, color, label in ((pruned, MUTED, "pruned"), (complete, COOL[0], "complete")):
            inside = [t for t in each if low <= t.values[0] <= high]
            if inside:
                at, y = zip(*((t.number, t.values[0]) for t in inside), strict=True)
                ax.scatter(at, y, s=18, color=color, label=label)
            if off := [t for t in each if t not in inside]:
                edges = [high if t.values[0] > high else low for t in off]
                ax.scatter([t.number for t in off], edges, s=24, marker="x", color=color, label=f"{label}, far off")
        ax.step([t.number for t in complete], best, where="post", color=MODEL, label="best so far")
        ax.set(xlabel="trial", ylabel=spoken(objective))
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
        ax.legend(ncols=2, loc="lower left", bbox_to_anchor=(-0.05, 1), borderaxespad=0.2)


def limits(values: np.ndarray, mode: str) -> tuple[float, float]:
    """What of the values [N] is shown: all but those far worse than most, which would press the others together."""
    low, high = float(values.min()), float(values.max())
    first, third = np.percentile(values, [25, 75])
    reach = 3 * (third - first) or np.inf
    return (low, min(high, float(third + reach))) if mode == "min" else (max(low, float(first - reach)), high)


def importances(path: Path, shares: Mapping[str, float]) -> None:
    """One bar a parameter, the most important on top."""
    names = list(shares)[:12][::-1]
    with figure(path, size=(WIDTH, 0.8 + 0.32 * len(names))) as ax:
        ax.barh([name.rpartition(".")[2] for name in names], [shares[name] for name in names], color=COOL[0])
        ax.set_xlabel("share of importance (PED-ANOVA)")
        ax.grid(axis="y", visible=False)


def parallel(
    path: Path, trials: Sequence[FrozenTrial], parameters: Sequence[Parameter], objective: str, mode: str
) -> None:
    """One line a complete trial through its parameters to its value; the best tenth in orange."""
    complete = [trial for trial in trials if trial.state == TrialState.COMPLETE]
    sign = 1 if mode == "min" else -1
    worst_first = sorted(complete, key=lambda trial: -sign * trial.values[0])
    best = {trial.number for trial in worst_first[-max(1, len(worst_first) // 10) :]}
    values = [trial.values[0] for trial in complete]
    low, high = min(values), max(values)
    with figure(path, size=(max(WIDTH, 0.9 * len(parameters) + 1.5), 4)) as ax:
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
            ax.annotate(text, (x, y), xytext=(3, 0), textcoords="offset points", color=MUTED)
    for y, value in ((0, low), (1, high)):
        ax.annotate(number(value), (len(parameters), y), xytext=(3, 0), textcoords="offset points")
    places = range(len(parameters) + 1)
    for x in places:
        ax.axvline(x, color=MUTED, linewidth=0.8)
    ax.set_xticks(
        places, [*(p.path.rpartition(".")[2] for p in parameters), spoken(objective)], rotation=20, ha="right"
    )
    ax.set_yticks([])
    ax.grid(visible=False)


def ticks(parameter: Parameter) -> list[tuple[float, str]]:
    """What to write along an axis: both ends of a range, up to twelve choices."""
    values = parameter.extremes()
    step = -(-len(values) // 12)
    return [(parameter.position(value), number(shown(parameter.stored(value)))) for value in values[::step]]
