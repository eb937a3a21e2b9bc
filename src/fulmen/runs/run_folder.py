"""Finished runs: load one; `list_runs` lists them all."""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from fulmen.errors import FulmenError
from fulmen.report.summary import Summary
from fulmen.runs.listing import list_runs as list_runs
from fulmen.runs.reading import now, read_result


class Run:
    """A run folder as an object; nothing is loaded before it is asked for.

    Attributes:
        folder: where it lies.
        config: the resolved configuration, its targets checked against the allow-list.
    """

    def __init__(self, folder: str | Path, overrides: Sequence[str] = ()):
        from fulmen.config.check import load_config

        self.folder, self.overrides = Path(folder), list(overrides)
        self.config: DictConfig = load_config(self.folder)

    def __repr__(self) -> str:
        return f"Run({self.folder}, {now(self.folder, self.result).get('status', 'unknown')})"

    @cached_property
    def result(self) -> dict[str, Any]:
        """`result.json`: status, metrics, baselines, cost."""
        return read_result(self.folder)

    @property
    def runs(self) -> list[Path]:
        """The folders of its runs, if it repeats over folds and seeds; else its own."""
        return [self.folder / name for name in self.result.get("runs") or ["."]]

    @cached_property
    def metrics(self) -> Any:
        """`metrics.csv` as a pandas DataFrame, one row an epoch."""
        import pandas

        return pandas.read_csv(self.folder / "metrics.csv")

    @cached_property
    def model(self) -> Any:
        """The LightningModule with the best weights (the last if there are none), in evaluation mode, on the CPU."""
        from fulmen.callbacks.resume import read_checkpoint

        if self.result.get("runs"):
            raise FulmenError(
                f"{self.folder} stands for {len(self.result['runs'])} runs; load one, such as {self.runs[0]}"
            )
        checkpoints = self.folder / "checkpoints"
        best = checkpoints / "best.ckpt"
        model = self._built("model")
        model.load_state_dict(read_checkpoint(best if best.exists() else checkpoints / "last.ckpt")["state_dict"])
        return model.eval()

    @cached_property
    def data(self) -> Any:
        """The LightningDataModule, prepared and set up for testing."""
        from fulmen.config.named_files import files_in_words

        data = self._built("data")
        with files_in_words(OmegaConf.to_container(self.config.data), "data", data):
            data.prepare_data()
            data.setup("test")
        return data

    def summarize(self, figures: str | Path) -> Summary:
        """The evaluation of the test split made anew, its figures drawn into the folder `figures`."""
        from fulmen.callbacks.outputs import predict_test

        return self.model.summarize(predict_test(self.model, self.data), self.data, Path(figures))

    def _built(self, part: str) -> Any:
        """The object that a part of the config describes; what that names outside the folder must have been typed."""
        from fulmen.config.check import build, said_again
        from fulmen.config.outside import refuse_unsaid

        plain = {part: OmegaConf.to_container(self.config[part])}
        refuse_unsaid(plain, self.folder, said_again(self.overrides, self.config))
        return build(self.config[part], part)


def load_run(folder: str | Path, overrides: Sequence[str] = ()) -> Run:
    """The run in `folder`: config, result, metrics, model and data.

    Args:
        overrides: `key=value` for all that the config names outside the folder and that may be used: databases,
            addresses, folders to write to. Without them such data are not built.

    Raises:
        FulmenError: no run folder, or a configuration that names targets outside the allow-list.
    """
    return Run(folder, overrides)
