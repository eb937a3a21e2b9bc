"""What fulmen relies on in an experiment, tried out on small trainings; what is not kept is told in a sentence."""

import math
import os
import signal
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from inspect import signature
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from lightning.pytorch import Callback, LightningModule, Trainer

from fulmen.callbacks.resume import read_checkpoint
from fulmen.config.allow_list import locate
from fulmen.config.check import check_overrides, compose
from fulmen.errors import Interrupted
from fulmen.registry import load_model, save_run, verify
from fulmen.runs.result import Result
from fulmen.runs.run import run
from fulmen.runs.run_folder import Run, load_run
from fulmen.workload import Workload, WorkloadData

ALIKE = ("trainer.accelerator=cpu", "trainer.precision=32-true", "logger.tensorboard=null")
FEW = ("trainer.limit_train_batches=4", "trainer.limit_val_batches=1", "trainer.limit_test_batches=1",
       "trainer.max_epochs=2")  # fmt: skip
PROMISED = {
    "config.yaml", "overrides.txt", "metrics.csv", "result.json", "environment.json", "report.md", "report.html",
    "checkpoints/best.ckpt", "checkpoints/last.ckpt", "figures/training_curve.svg",
}  # fmt: skip


class BrokenPromise(AssertionError):
    """An experiment does not keep what fulmen relies on; the message says what, and how to keep it."""


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


@dataclass
class Promises:
    """Those of one experiment: each public method is a check; `finished` is the run that they share."""

    experiment: str
    overrides: Sequence[str] = ()
    steps: int = 200
    place: TemporaryDirectory[str] = field(default_factory=lambda: TemporaryDirectory(prefix="fulmen-checks-"))

    @cached_property
    def finished(self) -> Result:
        return train(self.experiment, Path(self.place.name, "run"), *self.overrides, *FEW)

    @cached_property
    def loaded(self) -> Run:
        return load_run(self.finished.folder)

    def leaves_a_whole_folder(self) -> None:
        folder, status = self.finished.folder, self.finished.status
        keep(status == "completed", f"a short training ends as {status}", f"see {folder}/result.json")
        missing = [name for name in sorted(PROMISED) if not (folder / name).is_file()]
        keep(
            not missing, f"the run folder lacks {', '.join(missing)}", "leave the callbacks of conf/callbacks in place"
        )
        epochs = len(self.loaded.metrics)
        keep(epochs == 2, f"metrics.csv has {epochs} rows after 2 epochs", "log something in training and validation")
        tested = [name for name in self.finished.metrics if name.startswith("test/")]
        keep(tested, "nothing is said of the test split", "log something in test_step, as Workload does")

    def has_baselines(self) -> None:
        keep(
            self.finished.baselines,
            "a result stands alone, and a number means something beside what costs nothing",
            "give `summarize` the scores of baselines, the constant forecast among them: fulmen.Summary(baselines=...)",
        )

    def learns_one_batch_by_heart(self) -> None:
        quick = ["scheduler=null", "callbacks.diagnosis=null", "test=false", "trainer.limit_val_batches=0",
                 "callbacks.early_stopping=null", f"trainer.max_epochs={self.steps}"]  # fmt: skip
        with TemporaryDirectory() as place:
            learning = ByHeart()
            folder = Path(place, "run")
            result = train(self.experiment, folder, *self.overrides, "debug=overfit", *quick, progress=learning)
        steps = len(learning.losses)
        keep(
            result.steps == steps, f"{steps} epochs of one batch took {result.steps} steps", "step once for each batch"
        )
        first, last = learning.losses[0], learning.losses[-1]
        keep(
            last < 0.1 * first,
            f"on one batch its loss falls from {first:.3g} to {last:.3g} only in {steps} steps",
            "see that inputs and targets belong together, are standardised and reach the loss; then the learning rate",
        )

    def resumes_exactly(self) -> None:
        with TemporaryDirectory() as place:
            folder = Path(place, "run")
            status = self._interrupted(folder)
            keep(status == "interrupted", f"a training that is asked to stop ends as {status}", "let SIGTERM through")
            resumed = run(check_overrides([f"resume={folder}"]), [f"resume={folder}"])
            where = differences(self.finished, resumed)
        keep(
            not where,
            f"a training that was interrupted and resumed ends elsewhere than one that was not: {', '.join(where[:3])}",
            "what changes while training belongs into buffers or the state dict, and chance into torch's generators",
        )

    def _interrupted(self, folder: Path) -> str:
        with suppress(Interrupted):
            train(self.experiment, folder, *self.overrides, *FEW, *without_figures(self.experiment), progress=StopAt(2))
        return str(load_run(folder).result["status"])

    def checkpoints_hold_plain_values(self) -> None:
        for name in ("best", "last"):
            try:
                torch.load(self.finished.folder / "checkpoints" / f"{name}.ckpt", weights_only=True)
            except Exception as error:
                raise broken(
                    f"{name}.ckpt holds more than tensors and plain values ({str(error).splitlines()[0]})",
                    "save no objects: leave out save_hyperparameters, return numbers from state_dict",
                ) from error

    def predicts_from_its_folder(self) -> None:
        data, model = self.loaded.data, self.loaded.model
        keep(isinstance(model, Workload), f"{type(model).__name__} is no fulmen.Workload", "derive it from that")
        keep(isinstance(data, WorkloadData), f"{type(data).__name__} is no fulmen.WorkloadData", "derive it from that")
        batch = data.on_after_batch_transfer(next(iter(data.predict_dataloader())), 0)
        with torch.no_grad():
            first, second = model.predict_step(batch, 0), model.predict_step(batch, 0)
        kinds = {name: type(value).__name__ for name, value in first.items() if not isinstance(value, torch.Tensor)}
        keep(not kinds, f"predict_step returns no tensors: {kinds}", "return a dict of tensors [B, ...]")
        other = [name for name, value in first.items() if not torch.equal(value, second[name])]
        keep(not other, f"the same inputs are predicted twice as different {other}", "draw no random numbers there")

    def its_folder_can_be_moved(self) -> None:
        with TemporaryDirectory() as place:
            there = Path(place, "moved")
            self.finished.folder.rename(there)
            try:
                said = load_run(there).config.output_dir
            finally:
                there.rename(self.finished.folder)
        keep(said == str(there), f"a run folder that was moved believes to lie in {said}", "write no absolute paths")

    def a_kept_model_predicts_the_same(self) -> None:
        with TemporaryDirectory() as registry:
            version = save_run(self.finished.folder, "kept", registry=Path(registry))
            (row,) = verify(version, registry=Path(registry))
            load_model(version, registry=Path(registry))
        keep(not row["state"], f"a kept model predicts otherwise: {row['state']}",
             "what is fitted to the data belongs into buffers, which are kept with the weights")  # fmt: skip

    def predicts_files(self) -> None:
        model, schema = self.loaded.model, self.loaded.model.input_schema(self.loaded.data)
        reads = any(getattr(type(model), name) is not getattr(Workload, name) for name in ("predict_file", "read_file"))
        keep(schema is not None and schema.get("format"), "fulmen predict takes no files",
             "say in `input_schema` what a file has to look like, with a sentence as `format`")  # fmt: skip
        keep(reads, "input_schema speaks of files, and nothing reads them", "write `read_file` and `answer`")


def differences(finished: Result, resumed: Result) -> list[str]:
    """Where two runs of the same config differ: weights, figures of the epochs, scores of the test split."""
    weights = [read_checkpoint(each.folder / "checkpoints" / "last.ckpt")["state_dict"] for each in (finished, resumed)]
    found = [name for name, value in weights[0].items() if not torch.equal(value, weights[1][name])]
    logs = [(each.folder / "metrics.csv").read_text() for each in (finished, resumed)]
    tested = {name: value for name, value in finished.metrics.items() if name.startswith("test/")}
    found += ["metrics.csv"] if logs[0] != logs[1] else []
    return found + [name for name, value in tested.items() if not isclose(value, resumed.metrics[name])]


def isclose(one: float, other: float) -> bool:
    """Equal but for the last digits, or both no numbers."""
    return math.isclose(one, other, rel_tol=1e-6, abs_tol=1e-12) or (math.isnan(one) and math.isnan(other))


def broken(what: str, how: str) -> BrokenPromise:
    return BrokenPromise(f"{what}. To keep it: {how}.")


def keep(kept: Any, what: str, how: str) -> None:
    if not kept:
        raise broken(what, how)
