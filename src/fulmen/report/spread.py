"""Scores of several runs: how far they lie apart, as words and as a figure."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from fulmen.report.document import number, plus_minus
from fulmen.report.known import Score, deviation, is_known, mean
from fulmen.report.words import spoken


def spread(values: Sequence[Score]) -> str:
    """`0.913 ± 0.021`, mean and standard deviation; "" where one is missing."""
    if not is_known(mean(values)):
        return ""
    return plus_minus(mean(values), deviation(values)) if len(values) > 1 else number(mean(values))


def draw(path: Path, scores: Mapping[str, Sequence[Score]], metric: str, of: str) -> None:
    """A dot for each run and a line for their mean, a row for each model, the first in another colour.

    Args:
        scores: model -> its score in each run; what is missing is left out.
        of: what the dots are: "fold", "seed".
    """
    from matplotlib.ticker import MaxNLocator

    from fulmen.report.figures import COOL, MODEL, WIDTH, figure

    with figure(path, size=(WIDTH, 0.9 + 0.34 * len(scores))) as ax:
        for place, values in enumerate(scores.values()):
            known, color = [value for value in values if is_known(value)], COOL[0] if place else MODEL
            ax.scatter(known, [place] * len(known), s=26, color=color, alpha=0.55, linewidth=0, zorder=3)
            if known:
                ax.plot([mean(known)] * 2, [place - 0.3, place + 0.3], color=color, linewidth=2.2)
        ax.set_yticks(range(len(scores)), list(scores))
        ax.set_ylim(len(scores) - 0.5, -0.5)
        ax.grid(False, axis="y")
        ax.margins(x=0.08)
        ax.xaxis.set_major_locator(MaxNLocator(4))
        ax.set_xlabel(f"{spoken(metric)}\ndot: a {of}, line: the mean")
