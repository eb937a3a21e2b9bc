"""A training of two processes decides as one: what one rank finds, all act on."""

import json
import re

import pytest
import torch
from processes import on_ranks, trained

from fulmen.callbacks import seen
from fulmen.distributed import ranks

pytestmark = pytest.mark.ddp

EXPERIMENTS = ["pbpk_mlp", "sensors", "stocks", "images_plain", "synthetic_mlp"]  # a line for each kind of module


def validates_21_and_the_second_rank_sees_nothing(data, model):
    setup = data.setup

    def shortened(stage):
        setup(stage)
        data.splits["validation"] = {name: x[:21] for name, x in data.splits["validation"].items()}

    data.setup = shortened
    if ranks.rank_and_world()[0] == 1:
        seen.health.with_health = lambda *_: []


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
