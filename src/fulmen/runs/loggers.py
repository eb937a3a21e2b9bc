"""Where the numbers of a training go: TensorBoard and `metrics.csv`."""

import csv
import os
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from lightning.pytorch.loggers import Logger, TensorBoardLogger
from lightning.pytorch.utilities import rank_zero_only, rank_zero_warn
from omegaconf import DictConfig
from torch.utils.tensorboard.summary import hparams

from fulmen.callbacks.base import RunLogger
from fulmen.config.compose import to_plain
from fulmen.distributed.ranks import is_first
from fulmen.lightning_private import hide_events_from, open_writer
from fulmen.utils.files import as_scalar, atomic_write, set_aside


class TensorBoard(RunLogger, TensorBoardLogger):
    """TensorBoard events in the run folder itself.

    `train/x` and `val/x` share one chart under CUSTOM SCALARS, and the HPARAMS tab gets one line, with final metrics.
    Test metrics come once, with those: a run that is only evaluated again would log them at step 0.

    Args:
        folder: the run folder.
    """

    def __init__(self, folder: str):
        super().__init__(save_dir=folder, name="", version="", default_hp_metric=False)
        self._tags: set[str] = set()
        self._charts: list[str] = []

    def state_dict(self) -> dict[str, Any]:
        """Bytes of each event file so far, written out, and what is known of the charts."""
        if (writer := open_writer(self)) is not None:
            writer.flush()
        sizes = {path.name: path.stat().st_size for path in self._event_files()}
        return {"sizes": sizes, "tags": sorted(self._tags), "charts": self._charts}

    def resume(self, step: int, state: dict[str, Any] | None = None) -> None:
        """Take back what an interrupted run logged after its last checkpoint: it will be logged again.

        Args:
            step: of the checkpoint, for one without `state`: events from there on are hidden.
            state: what `state_dict` gave when the checkpoint was taken.
        """
        if state is None:
            hide_events_from(self, step)
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
        return sorted(Path(self.log_dir).glob("events.out.tfevents.*"))

    @rank_zero_only
    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        if any(name.startswith("test/") for name in metrics):
            return
        super().log_metrics(metrics, step)
        self._tags.update(metrics)
        quantities = {tag.partition("/")[2] for tag in self._tags if tag.startswith("train/")}
        charts = sorted(quantity for quantity in quantities if f"val/{quantity}" in self._tags)
        if charts != self._charts:
            self._charts = charts
            layout = {chart: ["Multiline", [f"train/{chart}", f"val/{chart}"]] for chart in charts}
            self.experiment.add_custom_scalars({"train and validation": layout})

    @rank_zero_only
    def log_result(self, hyperparameters: dict[str, Any], metrics: dict[str, float], step: int) -> None:
        """Fill the HPARAMS tab, once, when the final metrics are known (in the one event file of the run)."""
        for summary in hparams(hyperparameters, metrics):
            self.experiment.file_writer.add_summary(summary)
        for name, value in metrics.items():
            self.experiment.add_scalar(name, value, step)  # an earlier step would hide all before
        self.experiment.close()

    @rank_zero_only
    def save(self) -> None:  # the run folder holds config.yaml; hparams.yaml would be a second truth
        self.experiment.flush()

    @rank_zero_only
    def finalize(self, status: str) -> None:  # after fit and again after test: closing would begin another file
        self.experiment.flush()


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


def log_hyperparameters(loggers: Iterable[Logger], cfg: DictConfig, metrics: dict[str, float], step: int) -> None:
    """Give the loggers of a run the settings beside the final metrics."""
    plain = to_plain(cfg)
    flat = flatten({name: plain[name] for name in ("data", "model", "trainer", "seed")})
    final = {name: value for name, value in metrics.items() if name.startswith(("best/", "test/"))}
    for logger in [each for each in loggers if isinstance(each, RunLogger)]:
        logger.log_result(flat, final, step)


def flatten(tree: dict[str, Any], prefix: str = "") -> dict[str, str | int | float | bool]:
    """`{"a": {"_target_": "x.Y", "b": 1}}` as `{"a": "Y", "a.b": 1}`; lists as text; null and private keys left out."""
    flat: dict[str, Any] = {}
    for name, value in tree.items():
        if isinstance(value, dict):
            flat |= flatten(value, f"{prefix}{name}.")
        elif name == "_target_":
            flat[prefix.rstrip(".")] = value.rpartition(".")[2]
        elif value is not None and not name.startswith("_"):
            flat[prefix + name] = value if isinstance(value, str | int | float | bool) else str(value)
    return flat
