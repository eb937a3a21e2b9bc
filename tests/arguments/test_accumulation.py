"""Every optimizer step follows the mean over the samples it saw, held against gradients of whole windows."""

from itertools import chain

import pytest
import torch
from curves import Curve, Numbers
from helpers import StopAt, quiet_trainer
from lightning.pytorch import LightningModule
from torch import nn
from torch.nn.functional import mse_loss

import fulmen.runs.assembly
import fulmen.runs.run
from fulmen.callbacks.accumulation import WindowMean
from fulmen.config.check import check_overrides
from fulmen.errors import Interrupted
from fulmen.runs.assembly import callbacks


def by_hand(shown, epochs, accumulate, clip=None, lr=0.1):
    """The weight after gradient descent on the mean of (w - x)^2 over each window of batches."""
    w = 0.0
    for epoch in range(epochs):
        for first in range(0, len(shown[epoch]), accumulate):
            window = torch.tensor([*chain(*shown[epoch][first : first + accumulate])], dtype=torch.float64)
            gradient = 2 * (w - float(window.mean()))
            if clip:
                gradient = max(-clip, min(clip, gradient))
            w -= lr * gradient
    return w


@pytest.mark.parametrize("clip", [None, 0.5])
@pytest.mark.parametrize("accumulate", [1, 2, 3, 7])
@pytest.mark.parametrize(("samples", "batch"), [(10, 4), (13, 2)])
def test_steps_follow_the_mean_over_their_samples(train, samples, batch, accumulate, clip):
    data = [f"data.samples={samples}", f"data.batch_size={batch}", "callbacks.best=null", "trainer.max_epochs=3"]
    clipping = [f"trainer.gradient_clip_val={clip}"] if clip else []
    result, model = train(*data, f"trainer.accumulate_grad_batches={accumulate}", *clipping)
    assert float(model.weight.detach()) == pytest.approx(by_hand(model.shown, 3, accumulate, clip), rel=1e-5)
    assert result.steps == 3 * -(-len(model.shown[0]) // accumulate)


def test_full_windows_of_equal_batches_are_lightnings_to_the_bit(train, plain):
    _, model = train("data.samples=16", "callbacks.best=null", "trainer.accumulate_grad_batches=2")
    _, expected = plain(Numbers(samples=16), accumulate_grad_batches=2)
    assert torch.equal(model.weight, expected.weight)


def test_accumulated_gradients_are_those_of_the_whole_part_for_any_network():
    """One epoch, one window: the step is that of full-batch gradient descent."""
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(3, 5), nn.Tanh(), nn.Linear(5, 1))
    x, y = torch.randn(11, 3), torch.randn(11, 1)
    gradient = torch.autograd.grad(mse_loss(network(x), y), network.parameters())
    whole = [p - 0.3 * g for p, g in zip(network.parameters(), gradient, strict=True)]

    class Module(LightningModule):
        def __init__(self):
            super().__init__()
            self.network = network

        def training_step(self, batch, _):
            return mse_loss(self.network(batch[0]), batch[1])

        def configure_optimizers(self):
            return torch.optim.SGD(self.parameters(), 0.3)

    loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(x, y), 4)
    trainer = quiet_trainer(max_epochs=1, accumulate_grad_batches=5, callbacks=[WindowMean()])
    trainer.fit(Module(), loader)
    for found, expected in zip(network.parameters(), whole, strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-6, atol=1e-7)


def test_going_on_in_mid_epoch_with_a_partial_window_ahead_is_bit_equal(train, tmp_path, monkeypatch):
    """5 batches an epoch in windows of 2, 2 and 1; stopped after the fourth step."""
    settings = ["data.batch_size=2", "trainer.accumulate_grad_batches=2", "callbacks.best=null"]
    _, whole = train(*settings)

    monkeypatch.setattr(fulmen.runs.assembly, "callbacks", lambda cfg, *ready: [*callbacks(cfg, *ready), StopAt(3)])
    with pytest.raises(Interrupted, match="after 4 steps"):
        train(*settings, f"output_dir={tmp_path / 'resumed'}")
    monkeypatch.setattr(fulmen.runs.assembly, "callbacks", callbacks)
    typed = [f"resume={tmp_path / 'resumed'}"]
    fulmen.runs.run.run(check_overrides(typed), typed)
    assert torch.equal(Curve.made.weight, whole.weight)
