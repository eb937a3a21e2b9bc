"""The promises that every experiment keeps, as tests. In a project of one's own, in a file of tests:

    from fulmen.testing import Conformance

    class TestLine(Conformance):
        experiment = "line"
        typed = ("data.samples=50",)     # whatever makes it small

They train the experiment four times, in seconds where the data are small. pytest has to be installed.
"""

import os
import signal
from collections.abc import Sequence
from inspect import signature
from pathlib import Path
from typing import Any, ClassVar

import pytest
import torch
from lightning.pytorch import Callback, LightningModule, Trainer

from fulmen.callbacks.resume import read_checkpoint
from fulmen.config.allow_list import locate
from fulmen.config.check import check_overrides, compose
from fulmen.errors import Interrupted
from fulmen.registry import load_model, save_run, verify
from fulmen.runs.result import Result
from fulmen.runs.run import run
from fulmen.runs.run_folder import load_run
from fulmen.workload import Workload, WorkloadData

ALIKE = ("trainer.accelerator=cpu", "trainer.precision=32-true", "logger.tensorboard=null")
FEW = ("trainer.limit_train_batches=4", "trainer.limit_val_batches=1", "trainer.limit_test_batches=1",
       "trainer.max_epochs=2")  # fmt: skip
PROMISED = {
    "config.yaml", "overrides.txt", "metrics.csv", "result.json", "environment.json", "report.md", "report.html",
    "checkpoints/best.ckpt", "checkpoints/last.ckpt", "figures/training_curve.png",
}  # fmt: skip


class StopAt(Callback):
    """Sends this process SIGTERM before the batch after so many optimizer steps, once."""

    def __init__(self, step: int):
        self.step, self.sent = step, False

    def on_train_batch_start(self, trainer: Trainer, *_: Any) -> None:
        if trainer.global_step == self.step and not self.sent:
            self.sent = True
            os.kill(os.getpid(), signal.SIGTERM)


class ByHeart(Callback):
    """Notes the loss of each epoch and ends the training where nine tenths of the first are gone."""

    def __init__(self) -> None:
        self.losses: list[float] = []

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.losses.append(float(trainer.callback_metrics["train/loss"]))
        trainer.should_stop = trainer.should_stop or self.losses[-1] < 0.1 * self.losses[0]


def train(experiment: str, folder: Path, *overrides: str, **ready: Callback) -> Result:
    """What `python train.py experiment=<experiment> output_dir=<folder> ...` does, on the CPU.

    Args:
        ready: callbacks that take the place of those of that name in the config.
    """
    typed = [f"experiment={experiment}", f"output_dir={folder}", *ALIKE, *overrides]
    return run(check_overrides(typed), typed, ready)


def without_figures(experiment: str) -> list[str]:
    """What switches off the figures, which take most of a small run, where a model can do without."""
    model = locate(compose([f"experiment={experiment}"]).model["_target_"])
    return ["model.figures=false"] if "figures" in signature(model).parameters else []


class Conformance:
    """Subclass it with the name of an experiment.

    Attributes:
        experiment: as typed.
        typed: overrides that make it small.
        steps: on one batch, after which less than a tenth of its first loss is left, at the latest.
    """

    experiment: ClassVar[str]
    typed: ClassVar[Sequence[str]] = ()
    steps: ClassVar[int] = 200

    @pytest.fixture(scope="class")
    @classmethod
    def finished(cls, tmp_path_factory: pytest.TempPathFactory) -> Result:
        folder = tmp_path_factory.mktemp(cls.experiment) / "run"
        return train(cls.experiment, folder, *cls.typed, *FEW)

    def test_a_run_leaves_the_whole_folder(self, finished: Result) -> None:
        files = {path.relative_to(finished.folder).as_posix() for path in finished.folder.rglob("*")}
        assert PROMISED - files == set()
        assert finished.status == "completed"
        assert [name for name in finished.metrics if name.startswith("test/")] != []
        assert finished.baselines, "a number means something beside what costs nothing"

    def test_one_batch_can_be_learned_by_heart(self, tmp_path: Path) -> None:
        quick = ["scheduler=null", "callbacks.diagnosis=null", "test=false", "trainer.limit_val_batches=0",
                 "callbacks.early_stopping=null", f"trainer.max_epochs={self.steps}"]  # fmt: skip
        learning = ByHeart()
        result = train(self.experiment, tmp_path / "run", *self.typed, "debug=overfit", *quick, progress=learning)
        first, last = learning.losses[0], learning.losses[-1]
        assert result.steps == len(learning.losses) <= self.steps, "one batch in every epoch"
        assert last < 0.1 * first, f"from {first:.3g} to {last:.3g} in {result.steps} steps"

    def test_resumed_equals_uninterrupted(self, finished: Result, tmp_path: Path) -> None:
        folder = tmp_path / "run"
        with pytest.raises(Interrupted) as interruption:
            train(self.experiment, folder, *self.typed, *FEW, *without_figures(self.experiment), progress=StopAt(2))
        assert interruption.value.exit_code == 128 + signal.SIGTERM
        assert load_run(folder).result["status"] == "interrupted"
        typed = [f"resume={folder}"]
        resumed = run(check_overrides(typed), typed)
        weights = [read_checkpoint(each.folder / "checkpoints" / "last.ckpt")["state_dict"]
                   for each in (finished, resumed)]  # fmt: skip
        assert [name for name, value in weights[0].items() if not torch.equal(value, weights[1][name])] == []
        assert (finished.folder / "metrics.csv").read_text() == (folder / "metrics.csv").read_text()
        tested = [{name: value for name, value in each.metrics.items() if name.startswith("test/")}
                  for each in (finished, resumed)]  # fmt: skip
        assert tested[0] == pytest.approx(tested[1], nan_ok=True)

    def test_checkpoints_hold_plain_values(self, finished: Result) -> None:
        for name in ("best", "last"):
            torch.load(finished.folder / "checkpoints" / f"{name}.ckpt", weights_only=True)

    def test_the_folder_is_enough_to_predict(self, finished: Result, tmp_path: Path) -> None:
        found = load_run(finished.folder)
        assert isinstance(found.model, Workload)
        assert isinstance(found.data, WorkloadData)
        assert len(found.metrics) == 2
        batch = found.data.on_after_batch_transfer(next(iter(found.data.predict_dataloader())), 0)
        with torch.no_grad():
            first, second = found.model.predict_step(batch, 0), found.model.predict_step(batch, 0)
        assert {type(value) for value in first.values()} == {torch.Tensor}
        assert [name for name, value in first.items() if not torch.equal(value, second[name])] == []
        finished.folder.rename(tmp_path / "moved")
        try:
            assert load_run(tmp_path / "moved").config.output_dir == str(tmp_path / "moved")
        finally:
            (tmp_path / "moved").rename(finished.folder)

    def test_a_kept_model_predicts_the_same(self, finished: Result, tmp_path: Path) -> None:
        version = save_run(finished.folder, "kept", registry=tmp_path)
        assert [row["state"] for row in verify(version, registry=tmp_path)] == [""]
        model, schema = load_model(version, registry=tmp_path), version.manifest["input_schema"]
        assert isinstance(model, Workload)
        reads = type(model).predict_file is not Workload.predict_file
        assert (schema is not None) == reads, "input_schema and predict_file belong together"
        assert schema is None or schema["format"]
