"""The table that ends a multirun: its runs in the order of what they were chosen by, the validation score."""

import atexit
import math
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from hydra.experimental.callback import Callback
from omegaconf import DictConfig

from fulmen.config.directions import fill_modes
from fulmen.errors import FulmenError
from fulmen.report import known
from fulmen.report.summary import Rows, markdown_table, print_table
from fulmen.runs.result import read_result
from fulmen.utils.files import atomic_write

MEDALS = ("🥇", "🥈", "🥉")
NOTE = "p-values (..._p) are adjusted for the number of runs (Holm)."
SHOWN = 5  # test metrics in the table


class Ranking(Callback):
    """Ranks the runs of a multirun and leaves `ranking.md` and `ranking.png` in outputs/sweeps/<experiment>_<stamp>."""

    def __init__(self) -> None:
        self.runs: list[tuple[Path, list[str]]] = []

    def on_multirun_start(self, config: DictConfig, **_: Any) -> None:
        atexit.register(self.show)  # Hydra skips on_multirun_end if one run has failed

    def on_job_end(self, config: DictConfig, **_: Any) -> None:
        self.runs.append((Path(config.hydra.runtime.output_dir), list(config.hydra.overrides.task)))
        fill_modes(config)
        self.monitor, self.mode = config.monitor, config.mode

    def show(self) -> None:
        """Print the table and write it down."""
        if len(self.runs) < 2:
            return
        names = labels([overrides for _, overrides in self.runs])
        results = [read(folder) for folder, _ in self.runs]
        rows = rank(names, results, self.monitor, self.mode)
        runs = len(rows)
        rows += baselines(results, list(rows[0]))
        experiment = next((result["experiment"] for result in results if result), "runs")
        folder = Path("outputs", "sweeps", f"{experiment}_{datetime.now():%Y-%m-%d_%H-%M-%S}")
        title = f"{runs} runs of {experiment}, best {self.monitor} first"
        with atomic_write(folder / "ranking.md") as file:
            file.write(f"# {title}\n\n{markdown_table(rows)}\n\n{NOTE}\n")
        draw(folder / "ranking.png", rows, self.monitor)
        print_table(title, rows)
        print(f"{NOTE}\nranking: {folder / 'ranking.md'}")


def read(folder: Path) -> dict[str, Any]:
    """`result.json` of a run folder; {} if the run did not come so far."""
    try:
        return read_result(folder)
    except FulmenError:  # damaged
        return {}


def labels(overrides: Sequence[Sequence[str]]) -> list[str]:
    """What tells each run from the others: the overrides that not all share, without the name if it is always one."""
    own = [[o.lstrip("+") for o in run if any(o not in other for other in overrides)] for run in overrides]
    if all(len(run) == 1 for run in own):
        return [run[0].partition("=")[2] for run in own]
    return [" ".join(run) for run in own]


def rank(names: Sequence[str], results: Sequence[dict[str, Any]], monitor: str, mode: str = "min") -> Rows:
    """One row per run, best score first, runs without one last.

    A metric `..._p` is a p-value; among n runs it is adjusted for n looks (Holm 1979).
    """
    rows = []
    for name, result in zip(names, results, strict=True):
        metrics = result.get("metrics", {})
        test = {key: value for key, value in metrics.items() if key.startswith("test/") and key != "test/loss"}
        row = {"": "", "run": name, f"best {monitor}": metrics.get(f"best/{monitor}")}
        row |= dict(list(test.items())[:SHOWN])
        row |= {"parameters": result.get("cost", {}).get("parameters"), "s": result.get("cost", {}).get("fit_seconds")}
        rows.append(row | ({} if result.get("status") == "completed" else {"": result.get("status", "failed")}))
    rows.sort(key=lambda row: (bool(row[""]), known.place(row[f"best {monitor}"], larger=mode == "max")))
    columns = dict.fromkeys(column for row in rows for column in row)
    rows = [{column: row.get(column) for column in columns} for row in rows]
    for column in [column for column in columns if column.endswith("_p")]:
        tested = [row for row in rows if row[column] is not None]
        for row, p in zip(tested, holm([row[column] for row in tested]), strict=True):
            row[column] = p
    for place, row in enumerate(rows, 1):
        row[""] = row[""] or (f"{MEDALS[place - 1]} {place}" if place <= len(MEDALS) else str(place))
    return rows


def baselines(results: Sequence[dict[str, Any]], columns: Sequence[str]) -> Rows:
    """One row per baseline, if all runs that have any have the same: they saw the same data."""
    found = [result["baselines"] for result in results if result.get("baselines")]
    if not found or any(each != found[0] for each in found):
        return []
    blank = dict.fromkeys(columns)
    return [
        blank | {"": "", "run": name} | {column: scores.get(column.removeprefix("test/")) for column in columns[3:]}
        for name, scores in found[0].items()
    ]


def holm(p: Sequence[float]) -> list[float]:
    """p-values adjusted for as many looks as there are (Holm 1979); NaN where there is none."""
    adjusted, largest = [math.nan] * len(p), 0.0
    order = sorted((i for i in range(len(p)) if known.is_known(p[i])), key=lambda i: p[i])
    for before, i in enumerate(order):
        largest = max(largest, min((len(p) - before) * p[i], 1.0))
        adjusted[i] = largest
    return adjusted


def draw(path: Path, rows: Rows, monitor: str) -> None:
    """The scores of the runs as dots, best at the top."""
    from fulmen.report.figures import COOL, MODEL, figure

    scored = [row for row in rows if row[f"best {monitor}"] is not None]
    with figure(path, 1, 1, (7, 1 + 0.2 * len(scored))) as ax:
        colors = [MODEL if place < len(MEDALS) else COOL[0] for place in range(len(scored))]
        ax.scatter([row[f"best {monitor}"] for row in scored], range(len(scored)), color=colors, s=26, zorder=3)
        ax.set_yticks(range(len(scored)), [row["run"] for row in scored])
        ax.invert_yaxis()
        ax.set_xlabel(f"best {monitor}")
