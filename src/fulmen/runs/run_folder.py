"""Finished runs: load one; `list_runs` lists them all."""

from collections.abc import Sequence
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from omegaconf import DictConfig, OmegaConf

from fulmen.config.stored import NoConfig
from fulmen.errors import FulmenError
from fulmen.report.summary import Summary
from fulmen.runs.damage import damages
from fulmen.runs.listing import list_runs as list_runs
from fulmen.runs.moment import curves_of, files_of, read_moment, table_of, unchanged, weight_marks
from fulmen.runs.named import run_named
from fulmen.runs.reading import now
from fulmen.runs.shown import Figures, Shown, as_cell, figures_of, in_a_line
from fulmen.utils.kept_process import kept_process

if TYPE_CHECKING:
    import pandas

    from fulmen.data.predicting import Record
    from fulmen.runs.predicting import Source


class Run:
    """A run folder as an object. Config, result and curves are those of one moment, that at which it was loaded.

    What is gone or damaged is told where it is asked for, and in `lost`; all else can be used.
    """

    def __init__(self, folder: str | Path, overrides: Sequence[str] = ()):
        from fulmen.config.check import load_config

        self._named, self._here, self.overrides = Path(folder), Path.cwd(), list(overrides)
        self._config: DictConfig | NoConfig

        def config() -> DictConfig | NoConfig:
            try:
                return load_config(self.folder)
            except NoConfig as error:
                return error

        self._config, self._moment = unchanged(
            files_of(self.folder, read_moment(self.folder).result), lambda: (config(), read_moment(self.folder))
        )
        if isinstance(self._config, NoConfig) and not (self._moment.result or any(self._moment.weights)):
            raise self._config  # nothing else says that it is a run

    def __repr__(self) -> str:
        return f"Run({self.folder}, {in_a_line(self._shown)})"

    def _repr_html_(self) -> str:
        return as_cell(self._shown)

    @property
    def folder(self) -> Path:
        """Where it lies: as it was named, or by its whole path once the process works in another directory."""
        return self._named if Path.cwd() == self._here else self._here / self._named

    @property
    def config(self) -> DictConfig:
        """The resolved configuration, its targets checked against the allow-list.

        Raises:
            FulmenError: config.yaml is gone or damaged.
        """
        if isinstance(self._config, NoConfig):
            raise self._config
        return self._config

    @property
    def has_config(self) -> bool:
        """Whether config.yaml can be read."""
        return not isinstance(self._config, NoConfig)

    @property
    def has_curves(self) -> bool:
        """Whether there are learning curves that can be read."""
        with suppress(FulmenError):
            return not self.metrics.empty
        return False

    @property
    def known(self) -> dict[str, Any]:
        """`result`, or {} where that is damaged."""
        return self._moment.result

    @property
    def lost(self) -> list[str]:
        """A clause for each file of it, and of its runs, that is gone or damaged; [] while it is still training."""
        found = self._moment
        begun = bool(found.result or found.damage or any(found.weights))
        if not begun or now(self.folder, found.result).get("status") == "running":
            return []
        below = [f"{name}/{clause}" for name in found.runs for clause in damages(self.folder / name)]
        return [*damages(self.folder), *below]

    @property
    def monitor(self) -> str:
        """The metric that was watched; `val/loss` where that is not known."""
        return str(self.config.monitor) if self.has_config else "val/loss"

    @property
    def result(self) -> dict[str, Any]:
        """`result.json`: status, metrics, baselines, cost; {} where it was not written yet.

        Raises:
            FulmenError: it is damaged.
        """
        if self._moment.damage:
            raise self._moment.damage
        return self._moment.result

    @property
    def runs(self) -> list[Path]:
        """The folders of its runs, if it repeats over folds and seeds; else its own."""
        return [self.folder / name for name in self._moment.runs or ["."]]

    @cached_property
    def metrics(self) -> "pandas.DataFrame":
        """`metrics.csv`, one row an epoch, which counts from 0; of folds and seeds all of them, with a column `run`.

        Raises:
            FulmenError: no epoch has ended yet.
        """
        return table_of(self._moment, self.folder)

    def curves(self) -> "pandas.DataFrame":
        """What was logged, a row for each epoch, which counts from 1; of folds and seeds for each run and epoch.

        Raises:
            FulmenError: no epoch has ended yet.
        """
        return curves_of(self.metrics)

    @property
    def figures(self) -> Figures:
        """Name -> file of every figure of its report; a cell of a notebook shows them."""
        return figures_of(self.folder, self._moment.result)

    @cached_property
    @kept_process()
    def model(self) -> Any:
        """The LightningModule with the best weights (the last if there are none), in evaluation mode, on the CPU.

        Raises:
            FulmenError: it stands for several runs, has saved nothing, or has been trained on since it was loaded.
        """
        from fulmen.callbacks.resume import read_checkpoint
        from fulmen.runs.surroundings import kept_surroundings

        if self._moment.runs:
            raise FulmenError(f"{self.folder} stands for {len(self.runs)} runs; load one, such as {self.runs[0]}")
        checkpoints = self.folder / "checkpoints"
        best = checkpoints / "best.ckpt"
        with kept_surroundings():  # initial weights are drawn at random
            model = self._built("model")
        model.load_state_dict(read_checkpoint(best if best.exists() else checkpoints / "last.ckpt")["state_dict"])
        if weight_marks(self.folder) != self._moment.weights:
            again = f"load it again: fulmen.load_run({str(self.folder)!r})"
            raise FulmenError(f"{self.folder} has been trained on since this was loaded; {again}")
        return model.eval()

    @cached_property
    @kept_process()
    def data(self) -> Any:
        """The LightningDataModule, prepared and set up for testing."""
        from fulmen.config.named_files import files_in_words
        from fulmen.runs.surroundings import kept_surroundings

        data = self._built("data")
        with kept_surroundings(), files_in_words(OmegaConf.to_container(self.config.data), "data", data):
            data.prepare_data()
            data.setup("test")
        return data

    @kept_process()
    def predict(
        self, source: "Source", *, table: str | None = None, fallback: str | None = None, **reading: str
    ) -> "pandas.DataFrame":
        """The table that `fulmen predict` makes once the run is kept as a model; what is unusual is a warning.

        Args:
            source: a file such as the workload reads, or records: `[{"light_lux": 300.0, ...}, ...]`, a DataFrame.
            table: which of the tables of its workload, say `pk`; None: the usual one.
            fallback: what answers in the model's place for what is unlike the training, say `solver`.
            reading: how a file is read, as the data take it: `delimiter=";"`.

        Raises:
            FulmenError: the source does not fit, or the workload reads none; no such table or fallback.
        """
        from fulmen.data.answering import Wanted
        from fulmen.runs.predicting import predict

        precision = self.known.get("cost", {}).get("precision")
        return predict(self.model, self.data, source, reading, precision, Wanted(table, fallback))

    @kept_process()
    def example_records(self) -> "list[Record]":
        """Records to start from, which `predict` takes as they stand; [] where the workload knows none.

        Raises:
            FulmenError: the workload reads no input.
        """
        from fulmen.runs.predicting import example_records

        return example_records(self.model, self.data)

    @kept_process()
    def summarize(self, figures: str | Path) -> Summary:
        """The evaluation of the test split made anew, its figures drawn into the folder `figures`."""
        from fulmen.callbacks.outputs import predict_test

        return self.model.summarize(predict_test(self.model, self.data), self.data, Path(figures))

    @property
    def _shown(self) -> Shown:
        found, lost = self._moment, self.lost
        result = now(self.folder, found.result) or ({"status": "damaged"} if lost else {})
        return Shown(self.folder, result, found.curves, self.monitor, found.verdict, lost)

    def _built(self, part: str) -> Any:
        """The object that a part of the config describes; what that names outside the folder must have been typed."""
        from fulmen.config.check import build, said_again
        from fulmen.config.outside import refuse_unsaid

        plain = {part: OmegaConf.to_container(self.config[part])}
        refuse_unsaid(plain, self.folder, said_again(self.overrides, self.config))
        return build(self.config[part], part)


def load_run(folder: str | Path, overrides: Sequence[str] = (), *, outputs: str | Path = "outputs") -> Run:
    """The run in `folder`: config, result, metrics, model and data.

    Args:
        folder: its path, or its name below `outputs`: `sensors/<stamp>` as `fulmen runs` lists it, or what the index of
            `fulmen.runs()` calls it.
        overrides: `key=value` for all that the config names outside the folder and that may be used: databases,
            addresses, folders to write to. Without them such data are not built.

    Raises:
        FulmenError: no run folder, or a configuration that names targets outside the allow-list. A run folder that
            lacks a file is loaded; what needs the file says so.
    """
    return Run(run_named(folder, outputs), overrides)
