"""Percentiles of the curves of many people, as rows of a CSV and as a figure."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from fulmen.workloads.pbpk.simulate.answers import Answers
from fulmen.workloads.pbpk.simulate.curves import together
from fulmen.workloads.pbpk.simulate.hours import usual_times
from fulmen.workloads.pbpk.simulate.people import Trial
from fulmen.workloads.pbpk.simulate.pool import Pool
from fulmen.workloads.pbpk.simulate.writing import as_cells, as_number
from fulmen.workloads.pbpk.simulator.outputs import units

PANELS = 12  # rows of a table that are drawn
DECADES = 4  # of concentration that are drawn below the highest


@dataclass(frozen=True)
class Bands:
    """Percentiles of one row of a table.

    Attributes:
        time_h: [T].
        values: [O, K, T] by the outputs and the percentiles in their order.
    """

    trial: Trial
    time_h: Tensor
    values: np.ndarray


def bands_of(
    trials: Sequence[Trial], number: int, seed: int, shares: Sequence[float], answers: Answers,
    asked_h: Tensor | None, folder: Path, advance: Callable[[int], None],
) -> Iterator[Bands]:  # fmt: skip
    """Percentiles of each row, given to `number` people; memory does not grow with them.

    Args:
        shares: percentiles, in percent.
        asked_h: times [T]; None: those that the first of the people want.
        folder: for curves that wait on disk.
        advance: is told how many people have been solved.
    """
    for trial in trials:
        time_h = asked_h
        with Pool(folder) as pool:
            for people in trial.people(number, seed):
                time_h = usual_times(people) if time_h is None else time_h
                for part in torch.arange(len(people)).split(together(len(time_h))):
                    places = torch.full_like(part, trial.row)
                    values, _ = answers(places, people[part], time_h, trial.kinetics)
                    pool.add(values["surrogate" if answers.alone else "solver"])
                    advance(len(part))
            found = [pool.percentiles(output, shares) for output in range(len(answers.outputs))]
        assert time_h is not None
        yield Bands(trial, time_h, np.stack(found))


class BandSheet:
    """The rows of percentiles.

    Args:
        outputs: in the order of the curves.
        shares: percentiles, in percent.
    """

    def __init__(self, outputs: Sequence[str], shares: Sequence[float]):
        self.outputs, self.shares, self.unit = outputs, shares, units(outputs)

    def header(self) -> str:
        """The first line."""
        endings = [ending for unit, ending in (("mg/L", "mg_per_l"), ("mg", "mg")) if unit in self.unit.values()]
        names = [f"p{share:g}_{ending}" for ending in endings for share in self.shares]
        return ",".join(["subject", "compound", "output", "time_h", *names]) + "\n"

    def rows(self, bands: Bands) -> str:
        """The lines of one row of the table."""
        both, lines = len(set(self.unit.values())) > 1, []
        who, empty = as_cells([bands.trial.name, bands.trial.compound]), [""] * len(self.shares)
        for output, values in zip(self.outputs, bands.values, strict=True):
            for time, column in zip(bands.time_h.tolist(), values.T.tolist(), strict=True):
                cells = [as_number(each) for each in column]
                if both:
                    cells = [*cells, *empty] if self.unit[output] == "mg/L" else [*empty, *cells]
                lines.append(f"{who},{output},{as_number(time)},{','.join(cells)}\n")
        return "".join(lines)


def draw(path: Path, bands: Sequence[Bands], output: str, row: int, shares: Sequence[float]) -> None:
    """A panel for each of the first rows: bands between the percentiles from outside in, and the median.

    Args:
        output: what is drawn.
        row: its place among the outputs.
    """
    from fulmen.report.figures import COOL, MODEL, WIDTH, figure

    shown, order = bands[:PANELS], np.argsort(shares)
    columns = min(len(shown), 2)
    rows = -(-len(shown) // columns)
    with figure(path, rows, columns, (WIDTH if columns == 1 else 1.6 * WIDTH, 0.6 + 2.4 * rows), squeeze=False) as axes:
        for ax, each in zip(axes.flat, shown, strict=False):
            values, time_h = each.values[row][order], each.time_h.numpy()
            for low in range(len(shares) // 2):
                ends = f"{shares[order[low]]:g} to {shares[order[-1 - low]]:g} %"
                ax.fill_between(
                    time_h,
                    values[low],
                    values[-1 - low],
                    color=COOL[0],
                    alpha=0.2 + 0.15 * low,
                    linewidth=0,
                    label=ends,
                )
            if 50 in shares:
                ax.plot(time_h, values[list(np.array(shares)[order]).index(50)], color=MODEL, label="median")
            top, end = float(values.max()), float(values[0, len(time_h) // 2 :].min())
            ax.set_yscale("log")
            ax.set_ylim(max(top / 10**DECADES, end / 3), top * 2)
            ax.set_title(_title(each.trial))
            ax.set_xlabel("time (h)")
            ax.set_ylabel(f"{output} ({units([output])[output]})")
        for ax in axes.flat[len(shown) :]:
            ax.axis("off")
        axes[0, 0].legend(loc="best")


def _title(trial: Trial) -> str:
    dose = f"{float(trial.regimen['dose_mg']):g} mg"
    often = f", {trial.n_doses} times every {trial.interval_h:g} h" if trial.n_doses > 1 else ""
    return f"{trial.compound or trial.name}, {dose}{often}"
