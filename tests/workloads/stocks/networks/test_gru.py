"""Our GRU is PyTorch's: states, last states and every gradient."""

import pytest
import torch
from torch import nn

from fulmen.workloads.stocks.networks.gru import GRU


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("days", [1, 7])
def test_states_and_gradients_are_those_of_pytorch(bidirectional, days):
    torch.manual_seed(0)
    theirs = nn.GRU(3, 5, batch_first=True, bidirectional=bidirectional, dtype=torch.float64)
    ours = GRU(3, 5, batch_first=True, bidirectional=bidirectional, dtype=torch.float64)
    ours.load_state_dict(theirs.state_dict())
    x = torch.randn(4, days, 3, dtype=torch.float64)
    found = []
    for layer in (theirs, ours):
        window = x.clone().requires_grad_()
        states, last = layer(window)
        ((states**3).sum() + last.exp().sum()).backward()
        found.append([states, last, window.grad, *(parameter.grad for parameter in layer.parameters())])
    for expected, value in zip(*found, strict=True):
        torch.testing.assert_close(value, expected, rtol=1e-12, atol=1e-12)


def test_without_gradients_it_is_pytorchs_own(monkeypatch):
    called = []
    monkeypatch.setattr(nn.GRU, "forward", lambda self, x: called.append(x.shape) or (x, x))
    with torch.no_grad():
        GRU(3, 5, batch_first=True)(torch.zeros(2, 4, 3))
    assert called == [(2, 4, 3)]


def test_unused_states_and_frozen_weights_are_no_trouble():
    layer = GRU(3, 5, batch_first=True)
    layer.weight_hh_l0.requires_grad_(False)
    _, last = layer(torch.randn(2, 4, 3))
    last.sum().backward()
    assert layer.weight_hh_l0.grad is None
    assert layer.weight_ih_l0.grad.abs().sum() > 0


@pytest.mark.parametrize("trained", [True, False])
def test_autocast_changes_nothing(trained):
    layer, x = GRU(3, 5, batch_first=True), torch.randn(2, 4, 3)
    with torch.set_grad_enabled(trained):
        states, _ = layer(x.bfloat16().float())
        with torch.autocast("cpu", torch.bfloat16):
            under_autocast, _ = layer(x.bfloat16())
    assert torch.equal(states, under_autocast)
