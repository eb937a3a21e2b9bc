"""Where the numbers of a training go: TensorBoard and `metrics.csv`."""

import csv
import os
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from lightning.pytorch.loggers import Logger, TensorBoardLogger
from lightning.pytorch.loggers.logger import rank_zero_experiment
from lightning.pytorch.utilities import rank_zero_only, rank_zero_warn
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.record_writer import RecordWriter
from torch.utils.tensorboard import SummaryWriter
from torch.utils.tensorboard.summary import hparams

from fulmen.callbacks.base import RunLogger
from fulmen.distributed.ranks import is_first
from fulmen.report.known import of_test
from fulmen.runs.named_by import Flat, folder_name, typed_beside
from fulmen.runs.run_facts import main_metrics
from fulmen.utils.event_files import PATTERN, SETTINGS, event_folder
from fulmen.utils.files import as_scalar, atomic_write, set_aside

MAIN = "main"  # group of the final main metrics: TensorBoard sorts groups and columns by name, so it comes first


class TensorBoard(RunLogger, TensorBoardLogger):
    """TensorBoard events below the run folder, in a folder named by what was typed.

    TensorBoard calls a run by the path of the folder that its events lie in: below `outputs` that tells the experiment,
    the time and what was typed. `train/x` and `val/x` share one chart under CUSTOM SCALARS. HPARAMS has the settings
    from the start on, and at the end the main metrics, `main/test/x` and `main/best/x`. Test metrics come with those
    alone: a run that is only evaluated again would log them at step 0.

    Args:
        folder: the run folder.
    """

    def __init__(self, folder: str):
        super().__init__(save_dir=folder, name="", version="", default_hp_metric=False)
        self._tags: set[str] = set()
        self._charts: list[str] = []
        self._place: Path | None = None
        self._writer: SummaryWriter | None = None
        self._hidden_from: int | None = None

    @property
    def place(self) -> Path:
        """The folder of the events: that of the run's earlier starts, or a new one. Events of earlier releases, and
        those of a training that nobody typed, lie in the run folder itself."""
        if self._place is None:
            folder = Path(self.log_dir)
            typed = folder / "overrides.txt"
            overrides = typed.read_text().splitlines() if typed.is_file() else None
            named = folder if overrides is None else folder / folder_name(overrides, folder.parts, typed_beside(folder))
            self._place = event_folder(folder) or named
        return self._place

    @property
    @rank_zero_experiment
    def experiment(self) -> SummaryWriter:
        if self._writer is None:
            self._writer = SummaryWriter(log_dir=str(self.place), purge_step=self._hidden_from)
        return self._writer

    def state_dict(self) -> dict[str, Any]:
        """Bytes of each event file so far, written out, and what is known of the charts."""
        if self._writer is not None:
            self._writer.flush()
        sizes = {path.name: path.stat().st_size for path in self._event_files()}
        return {"sizes": sizes, "tags": sorted(self._tags), "charts": self._charts}

    def resume(self, step: int, state: dict[str, Any] | None = None) -> None:
        """Take back what an interrupted run logged after its last checkpoint: it will be logged again.

        Args:
            step: of the checkpoint, for one without `state`: events from there on are hidden.
            state: what `state_dict` gave when the checkpoint was taken.
        """
        if state is None:
            self._hidden_from = step
            return
        self._tags, self._charts = set(state["tags"]), state["charts"]
        for path in self._event_files() if is_first() else []:
            size = state["sizes"].get(path.name, 0)
            if not size:
                path.unlink()
            elif path.stat().st_size > size:
                os.truncate(path, size)
        if is_first():
            self._wait_for_a_later_name()

    def _wait_for_a_later_name(self) -> None:
        """TensorBoard reads files in the order of their names: the second of their making, then host and process."""
        made = [path.name.split(".")[3] for path in self._event_files()]
        ahead = max([int(second) for second in made if second.isdigit()], default=0) + 1 - time.time()
        if ahead > 1:
            rank_zero_warn(
                f"the clock of this machine is {ahead:.0f} s behind the one that {self.log_dir} was begun by: "
                f"TensorBoard may draw the curves out of order (metrics.csv is right)"
            )
        elif ahead > 0:
            time.sleep(ahead)

    def _event_files(self) -> list[Path]:
        return [path for path in sorted(self.place.glob(PATTERN)) if path.name != SETTINGS]

    @rank_zero_only
    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        if of_test(metrics):
            return
        named = {board_name(name): value for name, value in metrics.items() if name != "epoch"}
        super().log_metrics(named, step)
        self._tags.update(named)
        quantities = {tag.partition("/")[2] for tag in self._tags if tag.startswith("train/")}
        charts = sorted(quantity for quantity in quantities if f"val/{quantity}" in self._tags)
        if charts != self._charts:
            self._charts = charts
            layout = {chart: ["Multiline", [f"train/{chart}", f"val/{chart}"]] for chart in charts}
            self.experiment.add_custom_scalars({"train and validation": layout})

    @rank_zero_only
    def log_settings(self, settings: Mapping[str, Any]) -> None:
        """Give HPARAMS the settings of the run, in a file of their own: a resumed run writes it anew.

        There is no list of columns (`_hparams_/experiment`) in it: one such list anywhere below TensorBoard's folder
        would be that of all runs there, and hide what it does not name.
        """
        _, begun, _ = hparams(dict(settings), {})
        (value,) = begun.value
        event = Event(wall_time=time.time(), summary=Summary(value=[value]))
        with atomic_write(self.place / SETTINGS, "wb") as file:
            for record in (Event(wall_time=event.wall_time, file_version="brain.Event:2"), event):
                RecordWriter(file).write(record.SerializeToString())

    @rank_zero_only
    def log_result(self, hyperparameters: dict[str, Any], metrics: dict[str, float], step: int) -> None:
        """The settings and the main metrics of the run for HPARAMS, once, when they are known."""
        self.log_settings(hyperparameters)
        for name, value in metrics.items():
            self.experiment.add_scalar(f"{MAIN}/{name}", value, step)  # an earlier step would hide all before
        self.experiment.close()

    @rank_zero_only
    def save(self) -> None:  # the run folder holds config.yaml; hparams.yaml would be a second truth
        self.experiment.flush()

    @rank_zero_only
    def finalize(self, status: str) -> None:  # after fit and again after test: closing would begin another file
        self.experiment.flush()


def board_name(metric: str) -> str:
    """What TensorBoard calls a metric of a training: of those without a group that is `train/`, learning rates too."""
    if metric.startswith("lr-"):
        return f"train/{metric.replace('/', '_')}"
    return metric if "/" in metric else f"train/{metric}"


class EpochTable(RunLogger):
    """`metrics.csv` with one row an epoch; a resumed run keeps the rows of the epochs it does not repeat.

    Test metrics are no part of an epoch; they stand in result.json.

    Args:
        folder: the run folder.
    """

    def __init__(self, folder: str):
        super().__init__()
        self.path = Path(folder) / "metrics.csv"
        self._rows: dict[int, dict[str, Any]] = {}

    name = "csv"
    version = ""

    def state_dict(self) -> dict[str, Any]:
        """The last row, which the next metrics may still change."""
        last = max(self._rows, default=None)
        return {"row": {} if last is None else {name: as_scalar(value) for name, value in self._rows[last].items()}}

    def resume(self, step: int, state: dict[str, Any] | None = None) -> None:
        """Read the rows back that the checkpoint of optimizer step `step` had seen.

        Args:
            state: what `state_dict` gave when it was taken.
        """
        self._read(step)
        if state is not None:
            last = {int(state["row"]["epoch"]): state["row"]} if state["row"] else {}
            self._rows = {epoch: row for epoch, row in self._rows.items() if last and epoch < max(last)} | last

    def _read(self, step: int) -> None:
        if not self.path.exists():
            return
        try:
            with self.path.open(newline="") as file:
                table = csv.DictReader(file)
                if not {"epoch", "step"} <= set(table.fieldnames or ()):
                    raise ValueError("no columns epoch and step")
                rows = [{key: value for key, value in row.items() if value != ""} for row in table]
            self._rows = {int(row["epoch"]): row for row in rows if int(row["step"]) <= step}
        except (ValueError, KeyError, csv.Error) as error:
            set_aside(self.path, error)

    @rank_zero_only
    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        values = {name: value for name, value in metrics.items() if name != "epoch" and not name.startswith("test/")}
        if not values:
            return
        begun = [epoch for epoch, row in self._rows.items() if any("/" in name for name in row)]
        epoch = int(metrics.get("epoch", max(begun, default=-1) + 1))  # learning rates come before their epoch begins
        row = self._rows.setdefault(epoch, {"epoch": epoch, "step": 0})
        row |= values
        row["step"] = max(int(row["step"]), (step or 0) + ("epoch" in metrics))
        self.save()

    @rank_zero_only
    def log_hyperparams(self, *_: Any, **__: Any) -> None:
        """They stand in config.yaml."""

    @rank_zero_only
    def save(self) -> None:
        if not self._rows:
            return
        columns = list(dict.fromkeys(["epoch", "step", *sorted({name for row in self._rows.values() for name in row})]))
        with atomic_write(self.path) as file:
            table = csv.DictWriter(file, columns, restval="", lineterminator="\n")
            table.writeheader()
            table.writerows(self._rows[epoch] for epoch in sorted(self._rows))

    def finalize(self, status: str) -> None:
        self.save()


def log_settings(loggers: Iterable[Logger], settings: Flat) -> None:
    """Tell the loggers of a run by what it is compared with others."""
    for logger in [each for each in loggers if isinstance(each, RunLogger)]:
        logger.log_settings(settings)


def log_result(loggers: Iterable[Logger], settings: Flat, metrics: Mapping[str, float], step: int) -> None:
    """Give the loggers of a run its settings beside its main metrics: those that the list of runs shows, and the best
    of what was watched."""
    tested = {name: value for name, value in main_metrics(metrics).items() if name.startswith("test/")}
    final = {name: value for name, value in metrics.items() if name.startswith("best/")} | tested
    known = {name: value for name, value in final.items() if value is not None}
    for logger in [each for each in loggers if isinstance(each, RunLogger)]:
        logger.log_result({**settings}, known, step)
