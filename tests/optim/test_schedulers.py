"""Schedules: values in closed form, and who steps them."""

import math
from functools import partial
from types import SimpleNamespace

import pytest
import torch
from torch.optim.lr_scheduler import OneCycleLR, ReduceLROnPlateau

from fulmen.optim.schedulers import cosine, optimizers, triangular


def rates(make, steps, lr=1.0):
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=lr)
    scheduler, seen = make(optimizer), []
    for _ in range(steps):
        seen.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return seen


def test_cosine_warms_up_and_falls_to_zero():
    seen = rates(partial(cosine, total_steps=110, warmup=10 / 110), 111)
    assert seen[:11] == pytest.approx([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.0])
    assert seen[60] == pytest.approx(0.5)
    assert seen[10:] == pytest.approx([0.5 * (1 + math.cos(math.pi * i / 100)) for i in range(101)])


def test_a_triangle_rises_and_falls_in_straight_lines():
    seen = rates(partial(triangular, total_steps=100, start=0.2, peak=0.2, end=0.1), 101)
    assert [seen[i] for i in (0, 10, 20, 60, 100)] == pytest.approx([0.2, 0.6, 1.0, 0.55, 0.1])


@pytest.mark.parametrize(
    ("scheduler", "interval"),
    [
        (partial(cosine, warmup=0.1), "step"),
        (partial(OneCycleLR, max_lr=0.1), "step"),
        (partial(ReduceLROnPlateau, patience=3), "epoch"),
    ],
)
def test_a_schedule_over_all_steps_is_stepped_by_batch_others_by_epoch(scheduler, interval):
    module = torch.nn.Linear(2, 1)
    module.optimizer, module.scheduler = partial(torch.optim.SGD, lr=0.1), scheduler
    module.trainer = SimpleNamespace(
        estimated_stepping_batches=50, checkpoint_callback=SimpleNamespace(monitor="val/f1")
    )
    made = optimizers(module)["lr_scheduler"]
    assert (made["interval"], made["monitor"]) == (interval, "val/f1")
    if interval == "step":
        assert getattr(made["scheduler"], "total_steps", 50) == 50


def test_no_scheduler_is_just_the_optimizer():
    module = torch.nn.Linear(2, 1)
    module.optimizer, module.scheduler = torch.optim.Adam, None
    assert isinstance(optimizers(module), torch.optim.Adam)
