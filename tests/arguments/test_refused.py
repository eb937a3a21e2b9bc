"""What the rest of a config contradicts is said before work, with the key's name and a cure that works."""

import pytest
import torch

from fulmen.config.check import check_overrides
from fulmen.config.mistakes import ConfigError
from fulmen.errors import FulmenError
from fulmen.runs.run import run

REFUSED = [  # experiment, what is typed, the place named, what the message says, what the cure keeps or types
    ("sensors", "trainer.max_epochs=-1", "trainer.max_epochs", "cosine spreads over", "trainer.max_epochs=50"),
    ("images_plain", "trainer.max_epochs=-1", "trainer.max_epochs", "OneCycleLR spreads", "trainer.max_epochs=50"),
    ("pbpk_mlp", "trainer.limit_val_batches=0", "trainer.limit_val_batches", "model.scheduler watches val/loss",
     "trainer.limit_val_batches=0 callbacks.early_stopping=null scheduler=null"),
    ("stocks", "trainer.limit_val_batches=0", "trainer.limit_val_batches", "no validation",
     "trainer.limit_val_batches=0 callbacks.early_stopping=null"),
    ("stocks", "trainer.check_val_every_n_epoch=9", "trainer.check_val_every_n_epoch", "trainer.max_epochs=8",
     "trainer.check_val_every_n_epoch=9 callbacks.early_stopping=null"),
    ("stocks", "trainer.check_val_every_n_epoch=0", "trainer.check_val_every_n_epoch", "1 or more", ""),
    ("stocks", "trainer.check_val_every_n_epoch=null", "trainer.check_val_every_n_epoch", "trainer.val_check_interval",
     "trainer.check_val_every_n_epoch=null trainer.val_check_interval=100"),
    ("stocks", "trainer.val_check_interval='00:00:01:00'", "trainer.val_check_interval", "by the clock", ""),
    ("sensors", "trainer.strategy=ddp_spawn", "trainer.strategy", "ddp works", "trainer.strategy=ddp"),
    ("sensors", "trainer.strategy=fsdp", "trainer.strategy", "ddp works", "trainer.strategy=ddp"),
    ("sensors", "trainer.devices=-1 trainer.accelerator=cpu", "trainer.devices", "counts GPUs", "trainer.devices=1"),
    ("sensors", "trainer.num_nodes=2", "trainer.num_nodes", "torchrun or SLURM", "trainer.num_nodes=1"),
    ("sensors", "trainer=ddp_cpu trainer.sync_batchnorm=true", "trainer.sync_batchnorm", "GPUs", "trainer=ddp_cpu"),
    ("sensors", "trainer.min_epochs=60", "trainer.min_epochs", "trainer.max_epochs=40", "trainer.max_epochs=60"),
    ("sensors", "trainer.accumulate_grad_batches=0", "trainer.accumulate_grad_batches", "1 or more", ""),
    ("sensors", "trainer.gradient_clip_val=-1", "trainer.gradient_clip_val", "0 or more", ""),
    ("sensors", "debug=overfit trainer.limit_train_batches=3", "trainer.limit_train_batches", "", "debug=overfit"),
    ("sensors", "trainer.enable_checkpointing=false", "trainer.enable_checkpointing", "", "callbacks.best=null"),
    ("sensors", "trainer.enable_progress_bar=false", "trainer.enable_progress_bar", "", "callbacks.progress=null"),
    ("sensors", "trainer.enable_model_summary=false", "trainer.enable_model_summary", "", "callbacks.summary=null"),
    ("sensors", "trainer.logger=false", "trainer.logger", "part of the config", "logger=null"),
    ("sensors", "trainer.callbacks=[]", "trainer.callbacks", "callbacks.<name>", ""),
    ("sensors", "trainer.barebones=true", "trainer.barebones", "run folder", ""),
    ("sensors", "trainer.default_root_dir=/tmp/x", "trainer.default_root_dir", "output_dir", "output_dir=/tmp/x"),
    ("sensors", "trainer.model_registry=x", "trainer.model_registry", "fulmen models", ""),
    ("sensors", "trainer.limit_predict_batches=1", "trainer.limit_predict_batches", "predicts", ""),
    ("sensors", "callbacks.best.save_last=true", "callbacks.best.save_last", "exact_resume", ""),
    ("sensors", "callbacks.best.save_last=link", "callbacks.best.save_last", "exact_resume", ""),
    ("sensors", "callbacks.best.filename=last", "callbacks.best.filename", "goes on", "callbacks.best.filename=best"),
    ("sensors", "callbacks.best.dirpath=s3://a/b", "callbacks.best.dirpath", "local", ""),
    ("sensors", "callbacks.best.every_n_train_steps=3", "callbacks.best.every_n_train_steps", "earlier weights",
     "callbacks.best.every_n_train_steps=3 callbacks.best.monitor=null"),
    ("stocks", "callbacks.early_stopping.patience=-1", "callbacks.early_stopping.patience", "0 or more", ""),
    ("stocks", "callbacks.early_stopping.check_on_train_epoch_end=true trainer.check_val_every_n_epoch=2",
     "callbacks.early_stopping.check_on_train_epoch_end", "waits", "trainer.check_val_every_n_epoch=2"),
    ("sensors", "callbacks.exact_resume.folder=/tmp/q", "callbacks.exact_resume.folder", "output_dir", ""),
]  # fmt: skip


@pytest.mark.parametrize(("experiment", "typed", "place", "says", "cure"), REFUSED, ids=[row[1] for row in REFUSED])
def test_a_contradiction_names_its_place_and_a_command_that_works(experiment, typed, place, says, cure):
    with pytest.raises(ConfigError) as caught:
        check_overrides([f"experiment={experiment}", *typed.split()])
    message = str(caught.value)
    assert message.startswith(f"{place}: ")
    assert says in message
    assert cure in " ".join(caught.value.overrides)
    check_overrides(caught.value.overrides)


ACCEPTED = [
    "trainer.enable_progress_bar=true trainer.enable_checkpointing=true",
    "trainer.max_epochs=-1 trainer.max_steps=9",
    "trainer.max_epochs=0",
    "trainer.limit_val_batches=0",
    "trainer.val_check_interval=99 trainer.check_val_every_n_epoch=null",
    "trainer.strategy=ddp",
    "callbacks.best.every_n_train_steps=3 callbacks.best.monitor=null",
    "callbacks.exact_resume=null callbacks.best.save_last=true",
]


@pytest.mark.parametrize("typed", ACCEPTED)
def test_what_nothing_contradicts_is_accepted(typed):
    check_overrides(["experiment=sensors", *typed.split()])


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        (["trainer.max_steps=2"], "trainer.max_steps=2 ends before the first validation, after 3 steps"),
        (
            ["trainer.max_steps=2", "trainer.accumulate_grad_batches=2", "trainer.check_val_every_n_epoch=2"],
            "after 4 steps",
        ),
        (["trainer.val_check_interval=9"], "an epoch has only 3 batches; trainer.check_val_every_n_epoch=null"),
        (["monitor=val/lss"], "the model logs no val/lss; did you mean val/loss?"),
        (["callbacks.early_stopping.monitor=val/lss"], "the model logs no val/lss; did you mean val/loss?"),
    ],
    ids=str,
)
def test_what_only_the_data_tell_is_said_with_the_key_that_was_typed(train, typed, says):
    with pytest.raises(FulmenError, match=says.replace("?", r"\?")):
        train(*typed)


@pytest.mark.skipif(torch.cuda.is_available() or torch.backends.mps.is_available(), reason="needs a machine without")
def test_an_accelerator_that_is_not_here_is_said_to_be_missing(train):
    with pytest.raises(FulmenError, match=r"trainer\.accelerator=gpu: none here; auto takes what there is"):
        train("trainer.accelerator=gpu")


NEVER_VALIDATED = [
    ["trainer.limit_val_batches=0"],
    ["trainer.max_steps=2"],
    ["trainer.val_check_interval=99", "trainer.check_val_every_n_epoch=null"],
]


@pytest.mark.parametrize("typed", NEVER_VALIDATED, ids=str)
def test_without_a_validation_the_best_checkpoint_is_said_to_be_missing(train, typed):
    with pytest.warns(UserWarning, match="no best checkpoint") as told:
        result, _ = train(*typed, "trainer.max_epochs=2", "callbacks.early_stopping=null", "model.scheduler=null")
    said = [str(each.message) for each in told if "checkpoint" in str(each.message).lower()]
    assert len(said) == 1
    assert typed[0] in said[0]
    assert said[0].endswith("there is no best checkpoint, the last weights count")
    assert not (result.folder / "checkpoints" / "best.ckpt").exists()


def test_a_contradiction_typed_on_resume_is_refused_and_an_old_one_goes_on(train, tmp_path):
    result, _ = train("trainer.max_epochs=1")
    resume = f"resume={result.folder}"
    with pytest.raises(ConfigError, match="gradient_clip_val") as caught:
        check_overrides([resume, "trainer.max_epochs=2", "trainer.gradient_clip_val=-1"])
    assert caught.value.overrides == [resume, "trainer.max_epochs=2"]
    config = result.folder / "config.yaml"
    config.write_text(config.read_text().replace("trainer:\n", "trainer:\n  enable_model_summary: true\n"))
    assert run(check_overrides([resume, "trainer.max_epochs=2"]), [resume, "trainer.max_epochs=2"]).epochs == 2
