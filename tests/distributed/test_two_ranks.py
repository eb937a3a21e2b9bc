"""A training of two processes decides as one: what one rank finds, all act on."""

import json
import re

import pytest
import torch
from processes import on_ranks

import fulmen.runs.run
from fulmen.callbacks import diagnosis
from fulmen.config.check import check_overrides
from fulmen.distributed import ranks
from fulmen.errors import FulmenError
from fulmen.runs.run import run

pytestmark = pytest.mark.ddp

EXPERIMENTS = ["pbpk_mlp", "sensors", "stocks", "images_plain", "synthetic_mlp"]  # a line for each kind of module
FEW = ["trainer=ddp_cpu", "trainer.precision=32-true", "trainer.limit_train_batches=4", "trainer.max_epochs=3",
       "test=false", "callbacks.summary=null"]  # fmt: skip


def trained(experiment, folder, change, *overrides):
    """How a run ends on this rank, after `change(data, model)` on what it is made of."""
    assemble = fulmen.runs.run.assemble

    def changed(cfg):
        data, model, trainer = assemble(cfg)
        change(data, model)
        return data, model, trainer

    fulmen.runs.run.assemble = changed  # this process is a fork and ends with its rank
    typed = [f"experiment={experiment}", f"output_dir={folder}", *FEW, *overrides]
    try:
        result = run(check_overrides(typed), typed)
    except FulmenError as error:
        return {"status": error.status, "message": str(error)}
    return {"status": result.status, "message": result.message, "epochs": result.epochs, "verdicts": result.verdicts}


def validates_21_and_the_second_rank_sees_nothing(data, model):
    setup = data.setup

    def shortened(stage):
        setup(stage)
        data.parts["validation"] = {name: x[:21] for name, x in data.parts["validation"].items()}

    data.setup = shortened
    if ranks.rank_and_world()[0] == 1:
        diagnosis.health.with_health = lambda *_: []


def loses_its_loss_on_the_second_rank(data, model):
    step = model.training_step

    def training_step(batch, batch_idx):
        loss = step(batch, batch_idx)
        return loss * torch.nan if ranks.rank_and_world()[0] == 1 and batch_idx == 1 else loss

    model.training_step = training_step


@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_a_verdict_counts_the_samples_of_all_ranks_and_stops_them_together(tmp_path, experiment):
    stop = "callbacks.diagnosis.stop_on=[small_validation_set]"
    change = validates_21_and_the_second_rank_sees_nothing
    first, second = on_ranks(2, trained, experiment, tmp_path / "run", change, stop)
    assert first == second
    assert (first["status"], first["epochs"]) == ("stopped", 1)
    assert "21 validation samples" in first["message"]


@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_a_loss_that_is_no_number_on_one_rank_ends_all_with_its_words(tmp_path, experiment):
    first, second = on_ranks(2, trained, experiment, tmp_path / "run", loses_its_loss_on_the_second_rank)
    assert first == second
    assert re.match("diverged: the loss of step . is nan, first in the loss itself; try model.", first["message"])
    assert json.loads((tmp_path / "run" / "result.json").read_text())["status"] == "diverged"
