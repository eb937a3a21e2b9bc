"""What may be typed beside `resume=<folder>`: every argument there is has an entry, and what the entry says happens."""

import inspect
import shutil
import warnings
from dataclasses import fields

import pytest
from helpers import PBPK
from lightning.pytorch import Trainer
from lightning.pytorch.callbacks import EarlyStopping, LearningRateMonitor, ModelCheckpoint
from omegaconf import OmegaConf

from fulmen.callbacks.diagnosis import Diagnosis
from fulmen.callbacks.divergence import DivergenceStop
from fulmen.callbacks.resume import ExactResume, read_checkpoint
from fulmen.config.check import check_overrides
from fulmen.config.resume_table import TABLE, entry, lines
from fulmen.config.schema import TrainConfig, groups
from fulmen.errors import FulmenError
from fulmen.runs.loggers import EpochTable, TensorBoard
from fulmen.runs.reading import read_result
from fulmen.runs.run import run

TINY = ["trainer.accelerator=cpu", "trainer.limit_train_batches=3", "trainer.limit_val_batches=1", "test=false",
        "callbacks.progress=null", "callbacks.summary=null", "logger.tensorboard=null"]  # fmt: skip
SMALL = ["experiment=pbpk_mlp", *PBPK, "data.batch_size=8"]
WHERE = {
    "trainer": Trainer,
    "callbacks.best": ModelCheckpoint,
    "callbacks.early_stopping": EarlyStopping,
    "callbacks.exact_resume": ExactResume,
    "callbacks.diagnosis": Diagnosis,
    "callbacks.divergence": DivergenceStop,
    "callbacks.learning_rate": LearningRateMonitor,
    "logger.tensorboard": TensorBoard,
    "logger.csv": EpochTable,
}
ARGUMENTS = [field.name for field in fields(TrainConfig)] + [
    f"{path}.{name}"
    for path, target in WHERE.items()
    for name in inspect.signature(target.__init__).parameters
    if name not in ("self", "kwargs", "args", "callbacks", "logger")
]


def start(*overrides):
    return run(check_overrides(list(overrides)), overrides)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("trained") / "run"
    start(*SMALL, "trainer.max_epochs=2", *TINY, f"output_dir={folder}")
    return folder


@pytest.fixture
def folder(trained, tmp_path):
    return shutil.copytree(trained, tmp_path / "run")


@pytest.mark.parametrize("key", ARGUMENTS)
def test_every_argument_has_an_entry_and_every_refusal_says_why(key):
    assert key.partition(".")[0] in TABLE
    found = entry(key)
    assert (found.kind == "taken") == (found.why == "")


REFUSED = [key for key in ARGUMENTS if entry(key).kind == "refused"] + ["hydra.run.dir", "hydra.sweep.dir"]


@pytest.mark.parametrize("key", REFUSED)
def test_what_is_refused_changes_nothing(folder, key):
    before = (folder / "config.yaml").read_bytes()
    with pytest.raises(FulmenError, match=r"^\+*" + key) as refused:
        check_overrides([f"resume={folder}", f"{key}=7"])
    assert "\n" not in str(refused.value)
    assert (folder / "config.yaml").read_bytes() == before


@pytest.mark.parametrize("group", [group for group in groups() if group != "experiment"])
def test_config_groups_are_not_chosen_anew(folder, group):
    with pytest.raises(FulmenError, match=f"^{group}=x: a resumed run keeps its {group}; "):
        check_overrides([f"resume={folder}", f"{group}=x"])


TAKEN = [  # what is typed together on resume; all of it is taken, some of it with a line
    ["trainer.limit_train_batches=2", "trainer.limit_val_batches=2", "trainer.accumulate_grad_batches=2",
     "trainer.gradient_clip_val=0.5", "trainer.check_val_every_n_epoch=2", "trainer.log_every_n_steps=1",
     "trainer.deterministic=true", "trainer.max_time=00:01:00:00", "trainer.min_epochs=3", "threads=1",
     "trainer.profiler=simple", "trainer.inference_mode=false", "callbacks.early_stopping.patience=3",
     "callbacks.early_stopping.min_delta=0.01", "callbacks.best.verbose=true", "callbacks.diagnosis.every=1",
     "callbacks.divergence.factor=9", "test=true"],
    ["trainer.val_check_interval=2", "trainer.max_steps=8", "trainer.num_sanity_val_steps=1",
     "trainer.detect_anomaly=true", "trainer.reload_dataloaders_every_n_epochs=1", "callbacks.early_stopping=null",
     "callbacks.diagnosis=null", "logger.csv=null"],
    ["callbacks.early_stopping.monitor=train/loss", "logger=null"],
]  # fmt: skip


@pytest.mark.parametrize("typed", TAKEN, ids=["settings", "switched off", "no logger"])
def test_what_is_taken_trains_on_and_says_what_changes(folder, typed):
    before, stored = read_result(folder)["steps"], OmegaConf.load(folder / "config.yaml")
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        result = start(f"resume={folder}", "trainer.max_epochs=4", *typed)
    assert (result.status, result.steps > before) == ("completed", True)
    said = {one: [str(each.message) for each in told if str(each.message).startswith(one)] for one in typed}
    changes = {one: str(OmegaConf.select(stored, one.partition("=")[0])) != one.partition("=")[2] for one in typed}
    assert said == {one: lines([one]) if changes[one] else [] for one in typed}


def test_patience_typed_on_resume_is_obeyed(tmp_path):
    hopeless = [*SMALL, *TINY, "callbacks.early_stopping.min_delta=100"]
    start(*hopeless, "trainer.max_epochs=3", f"output_dir={tmp_path / 'run'}")  # two checks without improvement
    result = start(f"resume={tmp_path / 'run'}", "trainer.max_epochs=30", "callbacks.early_stopping.patience=4")
    assert result.epochs == 5


@pytest.mark.slow
def test_a_run_that_stopped_early_trains_no_epoch_more(tmp_path):
    small = ["data.days=500", "data.batch_size=32", "trainer.limit_train_batches=4", "model.figures=false"]
    stops = ["callbacks.early_stopping.min_delta=100", "callbacks.early_stopping.patience=1"]
    start("experiment=stocks", "network=06_gru_classic", *small, *stops, f"output_dir={tmp_path / 'run'}")
    before = {name: (tmp_path / "run" / name).read_bytes() for name in ("metrics.csv", "checkpoints/best.ckpt")}
    (tmp_path / "run" / "result.json").unlink()  # died right after training
    assert start(f"resume={tmp_path / 'run'}").epochs == 2
    assert before == {name: (tmp_path / "run" / name).read_bytes() for name in before}


def test_a_decision_to_stop_stands_until_its_rule_is_changed(tmp_path):
    hopeless = [*SMALL, *TINY, "callbacks.early_stopping.min_delta=100"]
    stops = [
        *hopeless,
        "callbacks.early_stopping.patience=2",
        "trainer.max_epochs=30",
        f"output_dir={tmp_path / 'run'}",
    ]
    assert start(*stops).epochs == 3
    (tmp_path / "run" / "result.json").unlink()  # died right after training
    assert start(f"resume={tmp_path / 'run'}").epochs == 3
    with pytest.warns(UserWarning, match=r"early stopping has ended this run: .*early_stopping\.patience=4"):
        assert start(f"resume={tmp_path / 'run'}", "trainer.max_epochs=40").epochs == 3
    assert start(f"resume={tmp_path / 'run'}", "callbacks.early_stopping.patience=4").epochs == 5
    assert start(f"resume={tmp_path / 'run'}", "callbacks.early_stopping=null", "trainer.max_epochs=6").epochs == 6


SCHEDULES = ["one_cycle", "cosine", "triangular"]


@pytest.mark.slow
@pytest.mark.parametrize("name", SCHEDULES)
@pytest.mark.parametrize("optimizer", [[], ["model.optimizer._target_=torch.optim.SGD", "~model.optimizer.betas"]])
def test_a_schedule_by_steps_goes_on_over_the_new_length(tmp_path, name, optimizer):
    typed = ["experiment=synthetic_mlp", *TINY, f"scheduler={name}", *optimizer]
    start(*typed, "trainer.max_epochs=2", f"output_dir={tmp_path / 'run'}")
    with pytest.warns(UserWarning, match=r"covers 12 steps, 6 of them done: the learning rate jumps from \S+ to \S+$"):
        start(f"resume={tmp_path / 'run'}", "trainer.max_epochs=4")
    start(*typed, "trainer.max_epochs=4", f"output_dir={tmp_path / 'whole'}")
    ends = [read_checkpoint(tmp_path / each / "checkpoints" / "last.ckpt") for each in ("run", "whole")]
    assert ends[0]["lr_schedulers"] == ends[1]["lr_schedulers"]
    groups_ = [end["optimizer_states"][0]["param_groups"] for end in ends]
    assert groups_[0] == groups_[1]


@pytest.mark.parametrize("key", ["trainer.max_epochs=1", "trainer.max_steps=1"])
def test_less_than_was_trained_is_refused(folder, key):
    with pytest.raises(FulmenError, match=f"^{key}: .* already"):
        start(f"resume={folder}", key)
