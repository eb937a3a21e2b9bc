"""Canaries: each private part of Lightning that fulmen uses is what it was, or the test says which one is not."""

import ast
from inspect import signature
from pathlib import Path

import lightning
import pytest
import torch
from helpers import quiet_trainer
from lightning.fabric.utilities import data, distributed, rank_zero, types
from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.callbacks import ModelCheckpoint, RichProgressBar
from lightning.pytorch.strategies import DDPStrategy, launchers
from torch.utils.data import DataLoader

from fulmen import lightning_private
from fulmen.data.batches import BatchLoader
from fulmen.lightning_private import log_epoch_mean


class Both(LightningModule):
    """Logs every loss both ways."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.tensor(1.0))
        self.seen: list[tuple[float, float]] = []

    def training_step(self, batch: torch.Tensor, batch_idx: int) -> torch.Tensor:
        loss = (self.weight * batch).square().mean()
        log_epoch_mean(self, "quick", loss, len(batch))
        self.log("slow", loss, on_step=False, on_epoch=True, batch_size=len(batch))
        return loss

    def validation_step(self, batch: torch.Tensor, batch_idx: int) -> None:
        self.log("val", batch.mean(), batch_size=len(batch))

    def on_train_epoch_end(self) -> None:
        metrics = self.trainer.callback_metrics
        self.seen.append((float(metrics["quick"]), float(metrics["slow"])))

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=0.01)


def fit(module, folder, **options):
    x = torch.arange(11.0)
    quiet_trainer(default_root_dir=folder, **options).fit(
        module, DataLoader(x, batch_size=4), DataLoader(x, batch_size=4)
    )


def test_an_epochs_mean_is_that_of_log_over_unequal_batches_and_validations_in_between(tmp_path):
    module = Both()
    fit(module, tmp_path, max_epochs=3, val_check_interval=1)
    quick, slow = zip(*module.seen, strict=True)
    assert quick == slow
    assert len(set(quick)) == 3


def has_counters(loops):
    """Whether a checkpoint's state of the loops has every counter that is rewritten."""
    counts = [loops["epoch_loop.batch_progress"][name] for name in ("current", "total")]
    counts += [loops["epoch_loop.scheduler_progress"]["current"], *loops["epoch_progress"].values()]
    counts += [loops["epoch_loop.val_loop.batch_progress"]["total"]]
    steps = loops["epoch_loop.automatic_optimization.optim_progress"]["optimizer"]
    counts += [each["current"] for each in steps.values()]
    return all(isinstance(each["ready"], int) and isinstance(each["completed"], int) for each in counts)


# What each part must be after the second of three batches of the second epoch, each with a validation at its end.
IN_AN_EPOCH = {
    "LightningModule._current_fx_name": lambda t: "_current_fx_name" in vars(LightningModule()),
    "Trainer._results": lambda t: t._results is t.fit_loop.epoch_loop._results,
    "_TrainingEpochLoop._results, its keys": lambda t: "training_step.slow" in t.fit_loop.epoch_loop._results,
    "_ResultMetric.value, .cumulated_batch_size": lambda t: (
        float(slow(t).cumulated_batch_size) == 8 and bool(slow(t).value > 0)
    ),
    "_ResultMetric.has_reset": lambda t: slow(t).has_reset is False,
    "_ResultMetric._computed": lambda t: slow(t)._computed is None,
    "_ResultMetric.is_tensor, .meta": lambda t: slow(t).is_tensor and slow(t).meta.on_epoch,
    "_ResultMetric.meta.reduce_fx, .is_mean_reduction": lambda t: (
        slow(t).meta.is_mean_reduction and slow(t).meta.reduce_fx.__name__ == "mean"
    ),
    "Trainer._logger_connector.should_reset_tensors": lambda t: (
        t._logger_connector.should_reset_tensors("training_step") is False
    ),
    "Trainer._logger_connector._callback_metrics": lambda t: "val" in t._logger_connector._callback_metrics,
    "_TrainingEpochLoop._num_ready_batches_reached": lambda t: (
        t.fit_loop.epoch_loop._num_ready_batches_reached() is False
    ),
    "_TrainingEpochLoop._should_accumulate": lambda t: t.fit_loop.epoch_loop._should_accumulate() is False,
    "_TrainingEpochLoop._should_check_val_fx": lambda t: not lightning_private.validation_follows(t),
    "_TrainingEpochLoop._batches_that_stepped": lambda t: t.fit_loop.epoch_loop._batches_that_stepped == 4,
    "_TrainingEpochLoop.batch_progress": lambda t: t.fit_loop.epoch_loop.batch_progress.current.ready == 2,
    "_EvaluationLoop._has_run": lambda t: lightning_private.has_validated(t) is True,
    "_FitLoop._restarting": lambda t: t.fit_loop._restarting is False,
    "_FitLoop.is_resuming, .reset_restart_stage": lambda t: (
        t.fit_loop.is_resuming is False and callable(t.fit_loop.reset_restart_stage)
    ),
    "_FitLoop._data_fetcher, a _DataFetcher": lambda t: t.fit_loop._data_fetcher.fetched >= 2,
    "_FitLoop._combined_loader": lambda t: len(lightning_private.training_loaders(t).flattened) == 1,
    "_FitLoop._load_combined_loader_states": lambda t: t.fit_loop._load_combined_loader_states() is None,
    "Trainer._signal_connector.received_sigterm": lambda t: (
        t._signal_connector.received_sigterm is False and t.received_sigterm is False
    ),
    "Trainer._checkpoint_connector.dump_checkpoint": lambda t: (
        {"state_dict", "loops"} <= lightning_private.checkpoint_now(t).keys()
    ),
    "checkpoint['loops']['fit_loop']": lambda t: has_counters(fit_loops(t)),
    "checkpoint['loops']['fit_loop']['epoch_loop.state_dict']['_batches_that_stepped']": lambda t: (
        isinstance(fit_loops(t)["epoch_loop.state_dict"]["_batches_that_stepped"], int)
    ),
    "checkpoint['loops']['fit_loop']['state_dict']": lambda t: isinstance(fit_loops(t)["state_dict"], dict),
}  # fmt: skip


def slow(trainer):
    return trainer.fit_loop.epoch_loop._results["training_step.slow"]


def fit_loops(trainer):
    return lightning_private.checkpoint_now(trainer)["loops"]["fit_loop"]


class Look(Callback):
    def __init__(self):
        self.found = {}

    def on_train_batch_end(self, trainer, module, outputs, batch, batch_idx):
        if trainer.current_epoch == 1 and batch_idx == 1:
            for part, as_before in IN_AN_EPOCH.items():
                try:
                    self.found[part] = as_before(trainer)
                except Exception as error:  # whatever it is, it is for the canary to say
                    self.found[part] = f"{type(error).__name__}: {error}"


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    look = Look()
    fit(Both(), tmp_path_factory.mktemp("canary"), max_epochs=2, callbacks=[look])
    return look.found


def as_before(part, found):
    assert found is True, f"Lightning {lightning.__version__} has changed {part}, see fulmen.lightning_private: {found}"


def test_a_canary_names_the_part_that_has_changed():
    with pytest.raises(AssertionError, match=r"has changed Trainer\._results.*AttributeError: gone"):
        as_before("Trainer._results", "AttributeError: gone")


@pytest.mark.parametrize("part", IN_AN_EPOCH)
def test_a_private_part_of_a_training_is_as_before(part, found):
    as_before(part, found.get(part, "the training did not come to it"))


# What each part must be outside of a training.
ELSEWHERE = {
    "ModelCheckpoint._every_n_train_steps": lambda folder: (
        [ModelCheckpoint(every_n_train_steps=n)._every_n_train_steps for n in (None, 7)] == [0, 7]
    ),
    "rank_zero._get_rank": lambda folder: rank_zero._get_rank() in (None, 0),
    "data._set_sampler_epoch": lambda folder: deals_epoch(7) == 7,
    "types._Stateful": lambda folder: (
        isinstance(BatchLoader({"x": torch.zeros(2)}, 1), types._Stateful)
        and not isinstance(DataLoader([1]), types._Stateful)
    ),
    "distributed._set_num_threads_if_needed": lambda folder: (
        list(signature(distributed._set_num_threads_if_needed).parameters) == ["num_processes"]
    ),
    "launchers._SubprocessScriptLauncher": lambda folder: (
        list(signature(launchers._SubprocessScriptLauncher).parameters)
        == ["cluster_environment", "num_processes", "num_nodes"]
        and launchers._SubprocessScriptLauncher(None, 2, 1).procs == []
    ),
    "RichProgressBar._get_train_description": lambda folder: (
        list(signature(RichProgressBar._get_train_description).parameters) == ["self", "current_epoch"]
        and first_epoch_of_a_bar(folder) == "Epoch 1/1"
    ),
    "Strategy._launcher": lambda folder: is_launched_by_what_took_over(),
}


def deals_epoch(epoch):
    loader = BatchLoader({"x": torch.zeros(2)}, 1)
    data._set_sampler_epoch(loader, epoch)
    return loader.epoch


def first_epoch_of_a_bar(folder):
    bar, seen = lightning_private.CountingFromOne(), []

    class See(Callback):
        def on_train_batch_end(self, *_):
            seen.append(bar.progress.tasks[bar.train_progress_bar_id].description.strip())

    quiet = {"logger": False, "enable_checkpointing": False, "enable_model_summary": False, "accelerator": "cpu"}
    trainer = Trainer(max_epochs=1, default_root_dir=folder, callbacks=[bar, See()], **quiet)
    trainer.fit(Both(), DataLoader(torch.arange(4.0), batch_size=4))
    return seen[0]


def is_launched_by_what_took_over():
    strategy = DDPStrategy()
    own = lightning_private.ScriptLauncher(None, 2, 1)
    own.take_over(strategy)
    return strategy.launcher is own and own.replaces(strategy)


@pytest.mark.parametrize("part", ELSEWHERE)
def test_a_private_part_is_as_before(part, tmp_path):
    try:
        found = ELSEWHERE[part](tmp_path)
    except Exception as error:
        found = f"{type(error).__name__}: {error}"
    as_before(part, found)


def test_every_private_part_that_is_used_has_a_canary():
    nodes = list(ast.walk(ast.parse(Path(lightning_private.__file__).read_text())))
    used = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    used |= {alias.name for node in nodes if isinstance(node, ast.ImportFrom) for alias in node.names}
    parts = " ".join([*IN_AN_EPOCH, *ELSEWHERE])
    assert [name for name in used if name.startswith("_") and not name.startswith("__") and name not in parts] == []
