"""Every argument stands in the table; those called Lightning's do in our runs what they do in Lightning alone."""

import inspect
from importlib import import_module

import pytest
import torch
from curves import CURVE, Numbers
from lightning.pytorch import Callback, Trainer
from lightning.pytorch.callbacks import EarlyStopping, ModelCheckpoint

from fulmen.config.argument_table import CALLBACKS, CHECKPOINT, STOPPING, TRAINER, Refused
from fulmen.config.mistakes import as_text
from fulmen.config.schema import project_root

HOME = project_root() / "src" / "fulmen"
OURS = [*sorted((HOME / "callbacks").glob("*.py")), HOME / "search" / "pruning.py"]


@pytest.mark.parametrize(
    ("kind", "table"), [(Trainer, TRAINER), (ModelCheckpoint, CHECKPOINT), (EarlyStopping, STOPPING)]
)
def test_every_argument_of_lightning_stands_in_the_table(kind, table):
    assert list(inspect.signature(kind).parameters) == list(table)
    said = {name: how.reason if isinstance(how, Refused) else how for name, how in table.items()}
    assert [name for name, text in said.items() if not text.strip()] == []


def test_every_argument_of_our_callbacks_stands_in_the_table():
    found = {}
    for path in OURS:
        module = import_module(f"fulmen.{path.parent.name}.{path.stem}")
        for name, kind in inspect.getmembers(module, inspect.isclass):
            if issubclass(kind, Callback) and kind.__module__ == module.__name__ and not name.startswith("_"):
                found[f"{path.stem}.{name}"] = kind
    shown = {name for name in found if name.startswith(("progress.", "model_summary.", "notebook_bar."))}
    assert set(found) - shown - {"base.Watcher"} == set(CALLBACKS)
    for name, table in CALLBACKS.items():
        given = [each for each in inspect.signature(found[name]).parameters if each not in ("args", "kwargs")]
        assert given == list(table), name


SAME = [  # arguments of the Trainer; the toy has 3 batches an epoch and, where nothing else is said, 6 epochs
    {}, {"max_epochs": 2}, {"max_steps": 7}, {"max_steps": 9, "max_epochs": -1}, {"max_steps": 3, "max_epochs": None},
    {"limit_train_batches": 2}, {"limit_train_batches": 0.7}, {"limit_val_batches": 1}, {"limit_val_batches": 0.34},
    {"val_check_interval": 2}, {"val_check_interval": 0.5}, {"val_check_interval": 1},
    {"val_check_interval": 5, "check_val_every_n_epoch": None}, {"check_val_every_n_epoch": 2},
    {"check_val_every_n_epoch": 2, "val_check_interval": 2}, {"num_sanity_val_steps": 2},
    {"num_sanity_val_steps": -1}, {"gradient_clip_val": 0.5},
    {"gradient_clip_val": 0.5, "gradient_clip_algorithm": "value"}, {"precision": "64-true"},
    {"precision": "bf16-mixed"}, {"precision": "32-true"}, {"deterministic": True}, {"benchmark": True},
    {"inference_mode": False}, {"use_distributed_sampler": True}, {"detect_anomaly": True}, {"log_every_n_steps": 1},
    {"reload_dataloaders_every_n_epochs": 2}, {"enable_autolog_hparams": False}, {"sync_batchnorm": True},
    {"fast_dev_run": True}, {"fast_dev_run": 2}, {"max_time": "01:00:00:00"}, {"max_time": "00:00:00:00"},
    {"min_epochs": 2}, {"min_steps": 5}, {"max_epochs": 0}, {"max_steps": 0}, {"limit_train_batches": 0},
    {"accelerator": "cpu", "devices": 1, "num_nodes": 1, "strategy": "auto"}, {"profiler": "simple"},
]  # fmt: skip


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("arguments", SAME, ids=str)
def test_a_run_trains_steps_and_validates_as_lightning_does(train, plain, arguments):
    """In our loaders' order: batches, optimizer steps, moments and batches of the validations, and the weight."""
    typed = [f"trainer.{name}={as_text(value)}" for name, value in arguments.items()]
    off = ["callbacks.early_stopping=null", "callbacks.best.monitor=null", "callbacks.best.save_top_k=0"]
    result, model = train(*typed, *off)
    trainer, expected = plain(Numbers(), **arguments)
    assert model.shown == expected.shown
    assert model.validated == expected.validated
    assert result.steps == trainer.global_step
    assert torch.equal(model.weight, expected.weight)


STOPPED = [  # arguments of EarlyStopping and of the Trainer
    {}, {"patience": 1}, {"patience": 2}, {"min_delta": 1.5, "patience": 1}, {"stopping_threshold": 3.5},
    {"divergence_threshold": 5.5}, {"patience": 1, "check_on_train_epoch_end": False},
    {"mode": "max", "monitor": "val/score"}, {"patience": 1, "trainer": {"min_epochs": 5}},
    {"patience": 1, "trainer": {"min_steps": 14}}, {"patience": 1, "trainer": {"check_val_every_n_epoch": 2}},
    {"patience": 1, "trainer": {"val_check_interval": 2}}, {"monitor": "absent", "strict": False},
    {"check_finite": False}, {"patience": 1, "log_rank_zero_only": True},
]  # fmt: skip


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("arguments", STOPPED, ids=str)
def test_early_stopping_ends_the_training_where_lightning_does(train, plain, arguments):
    own = {name: value for name, value in arguments.items() if name != "trainer"}
    more = arguments.get("trainer", {})
    typed = [f"callbacks.early_stopping.{name}={as_text(value)}" for name, value in own.items()]
    typed += [f"trainer.{name}={as_text(value)}" for name, value in more.items()]
    result, model = train(*typed, "callbacks.best=null")
    trainer, expected = plain(callbacks=[EarlyStopping(**{"monitor": "val/loss", "patience": 10} | own)],
                              enable_checkpointing=False, **more)  # fmt: skip
    assert (result.epochs, result.steps) == (trainer.current_epoch, trainer.global_step)
    assert model.validated == expected.validated


def test_what_is_asked_to_speak_speaks(train, caplog):
    with caplog.at_level("INFO"):
        train("callbacks.early_stopping.verbose=true", "callbacks.best.verbose=true", "trainer.profiler=simple")
    said = " ".join(record.getMessage() for record in caplog.records)
    assert "Metric val/loss improved" in said
    assert "saving model to" in said
    assert "Profiler Report" in said


@pytest.mark.parametrize("typed", ["max_epochs=0", "max_steps=0", "limit_train_batches=0"])
def test_an_untrained_network_is_evaluated_as_such(train, typed):
    result, _ = train(f"trainer.{typed}", "test=true")
    assert result.message == f"untrained network: no optimizer step was taken (trainer.{typed})"
    report = (result.folder / "report.md").read_text()
    assert f"## U{result.message[1:]}\n" in report
    assert "Diagnosis" not in report
    assert (result.status, result.verdicts, result.metrics["test/loss"]) == ("completed", [], 38.5)


@pytest.mark.parametrize(("more", "looks"), [
    ({}, 6), ({"check_val_every_n_epoch": 2}, 3), ({"val_check_interval": 5, "check_val_every_n_epoch": None}, 3),
])  # fmt: skip
def test_plateau_steps_after_validations(train, more, looks):
    """Without patience it halves the rate each time that a value is no better than the best: 5, 3, 4, 2, 6, 7."""
    plateau = "{_target_:torch.optim.lr_scheduler.ReduceLROnPlateau,_partial_:true,factor:0.5,patience:0}"
    typed = [f"trainer.{name}={as_text(value)}" for name, value in more.items()]
    _, model = train(f"model.scheduler={plateau}", *typed, "callbacks.best.save_top_k=0")
    assert len(model.validated) == looks
    seen = [CURVE[-(-steps // 3) - 1] for steps, _ in model.validated]
    worse = sum(value >= min(seen[:i]) for i, value in enumerate(seen) if i)
    assert model.trainer.optimizers[0].param_groups[0]["lr"] == pytest.approx(0.1 * 0.5**worse)
