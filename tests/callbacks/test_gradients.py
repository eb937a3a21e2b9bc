"""What the watch over gradients and updates measures is what torch does."""

import math

import pytest
import torch
from torch import nn

from fulmen.callbacks.gradients import EVERY, GradientWatch
from fulmen.diagnosis import health


def trained(lr, steps, optimizer=torch.optim.SGD):
    torch.manual_seed(0)
    model, watch = nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 1)), GradientWatch()
    before, seen = [], []
    stepper = optimizer(model.parameters(), lr=lr)
    for step in range(steps):
        model(torch.randn(16, 6)).square().mean().backward()
        watch.before_step(model)
        before = [p.detach().clone() for p in model.parameters()]
        seen.append(math.sqrt(sum(float(p.grad.square().sum()) for p in model.parameters())))
        stepper.step()
        watch.after_step()
        if step == 0:
            ratios = [
                float((p.detach() - old).norm() / old.norm()) for p, old in zip(model.parameters(), before, strict=True)
            ]
        stepper.zero_grad()
    return watch, seen, [ratios[0], ratios[2]]


def test_norms_and_updates_of_sampled_steps_are_exact():
    watch, norms, ratios = trained(0.01, 3 * EVERY)
    assert list(watch.norms) == pytest.approx(norms[::EVERY], rel=1e-6)
    assert len(watch.updates) == 3
    assert watch.updates[0] == pytest.approx(max(ratios), rel=1e-5)
    copy = GradientWatch()
    copy.load_state_dict(watch.state_dict())
    assert copy.state_dict() == watch.state_dict()


@pytest.mark.parametrize(
    ("lr", "code"),
    [(1e-7, "updates_too_small"), (1e-3, None), (0.3, "updates_too_large")],
    ids=["low", "right", "high"],
)
def test_updates_that_hardly_touch_or_throw_over_the_weights_are_told(lr, code):
    watch, *_ = trained(lr, 50 * EVERY, torch.optim.Adam)
    verdict = health.updates(watch.updates, watch.largest_update)
    assert (verdict and verdict.code) == code
    assert verdict is None or verdict.severity == "note"


def test_updates_near_the_bound_are_not_called_too_large():
    assert health.updates([0.0101] * 100, largest=0.02) is None
    assert health.updates([0.03] * 100, largest=0.05).code == "updates_too_large"


def test_weights_that_begin_at_zero_are_not_thrown_over():
    torch.manual_seed(0)
    model, watch = nn.Linear(10, 1), GradientWatch()
    nn.init.zeros_(model.weight)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    x = torch.randn(400, 10)
    y = (x.sum(1, keepdim=True) > 0).float()
    for _ in range(50 * EVERY):
        optimizer.zero_grad()
        nn.functional.binary_cross_entropy_with_logits(model(x), y).backward()
        watch.before_step(model)
        optimizer.step()
        watch.after_step()
    assert watch.updates[0] == pytest.approx(0.01 * math.sqrt(30), rel=0.01)  # over uniform weights below 1 / sqrt(10)
    assert health.updates(watch.updates, watch.largest_update) is None


def test_a_schedule_that_ends_at_zero_is_no_small_update():
    assert health.updates([1e-9] * 100, largest=3e-3) is None
    assert health.updates([1e-9] * 5, largest=1e-9) is None
