import copy

import pytest
import torch

from fulmen.errors import FulmenError
from fulmen.workloads.images.optimizers import LookaheadSGD

START = torch.tensor([1.0, -2.0, 3.0])
OPTIONS = {"lr": 0.1, "momentum": 0.9, "weight_decay": 0.01, "nesterov": True}


def walk(optimizer, weight, steps):
    for _ in range(steps):
        optimizer.zero_grad()
        (weight**2 * torch.arange(1, 4)).sum().backward()
        optimizer.step()


def test_lookahead_is_sgd_that_meets_its_slow_weights():
    """Against plain SGD whose weights are set by hand."""
    ours, plain = (torch.nn.Parameter(START.clone()) for _ in range(2))
    walk(LookaheadSGD([ours], every=3, follow=0.4, **OPTIONS), ours, 8)
    optimizer, slow = torch.optim.SGD([plain], **OPTIONS), START
    for steps in (3, 3, 2):
        walk(optimizer, plain, steps)
        if steps == 3:
            slow = slow + 0.4 * (plain.detach() - slow)
            plain.data.copy_(slow)
    torch.testing.assert_close(ours, plain)


def test_slow_weights_travel_in_the_state():
    one, other = (torch.nn.Parameter(START.clone()) for _ in range(2))
    first = LookaheadSGD([one], **OPTIONS)
    walk(first, one, 3)
    other.data.copy_(one)
    second = LookaheadSGD([other], **OPTIONS)
    second.load_state_dict(copy.deepcopy(first.state_dict()))
    walk(first, one, 4)
    walk(second, other, 4)
    assert torch.equal(one, other)


@pytest.mark.parametrize("setting", [{"every": 0}, {"follow": 0.0}])
def test_impossible_settings_are_refused(setting):
    with pytest.raises(FulmenError, match=f"{next(iter(setting))} is"):
        LookaheadSGD([torch.nn.Parameter(START)], **setting)
