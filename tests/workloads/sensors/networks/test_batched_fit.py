"""A stack of networks is exactly its networks."""

from functools import partial

import pytest
import torch
from helpers import quiet_trainer

from fulmen.callbacks.resume import ExactResume
from fulmen.optim.schedulers import cosine
from fulmen.workloads.sensors.data import SensorData
from fulmen.workloads.sensors.module import SensorClassifier
from fulmen.workloads.sensors.networks.batched_fit import Fit, fit_all, predict
from fulmen.workloads.sensors.networks.encoder import Inputs
from fulmen.workloads.sensors.networks.tabular import MLP, DeepMLP, FTTransformer, TabM, probability

ADAMW = partial(torch.optim.AdamW, lr=5e-3, weight_decay=1e-2)
COSINE = partial(cosine, warmup=0.1)
MAKE = {
    "mlp": lambda inputs: MLP(inputs, width=16),
    "logistic": lambda inputs: MLP(inputs, layers=0),
    "tabm": lambda inputs: TabM(inputs, members=3, width=12),
    "ft": lambda inputs: FTTransformer(inputs, layers=1, width=8, heads=2),
    "deep": lambda inputs: DeepMLP(inputs, hidden=[16, 8]),
}


@pytest.fixture(scope="module")
def folds():
    made = [SensorData(machines=7, days=7, seed=3, folds=5, fold=fold, split="random") for fold in range(3)]
    made.append(SensorData(machines=7, days=7, seed=3, folds=3, fold=0, split="random"))  # fewer steps an epoch
    for data in made:
        data.setup()
    return made


def network(kind, data, seed):
    torch.manual_seed(seed)
    return MAKE[kind](Inputs(data.features.columns.numeric, bins=4))


@pytest.mark.parametrize("kind", MAKE)
def test_networks_trained_together_equal_those_trained_alone(kind, folds):
    jobs = [(data, seed) for data in folds for seed in (1, 2)]
    together = [Fit(network(kind, d, s), d.splits["train"], s, d.splits["validation"]) for d, s in jobs]
    curves = fit_all(together, ADAMW, COSINE, epochs=2, batch_size=96)
    for fit, curve, (data, seed) in zip(together, curves, jobs, strict=True):
        alone = Fit(network(kind, data, seed), data.splits["train"], seed, data.splits["validation"])
        assert curve == pytest.approx(fit_all([alone], ADAMW, COSINE, 2, 96)[0], abs=1e-5)
        test = data.splits["test"]
        a, b = (probability(predict(each.network, test)) for each in (fit, alone))
        assert torch.allclose(a, b, atol=1e-4)


@pytest.mark.parametrize("kind", ["tabm", "ft"])
def test_networks_trained_together_equal_lightning(kind, folds, tmp_path):
    """Dropout, order, schedule and weight decay included."""
    curves = fit_all([Fit(network(kind, d, 3), d.splits["train"], 3) for d in folds[:2]], ADAMW, COSINE, 2, 256)
    for curve, data in zip(curves, folds[:2], strict=True):
        module = SensorClassifier(network(kind, data, 3), ADAMW, COSINE)
        losses = Losses(str(tmp_path), seed=3)
        quiet_trainer(max_epochs=2, use_distributed_sampler=False, callbacks=[losses]).fit(module, data)
        assert curve == pytest.approx(losses.each, abs=1e-5)


class Losses(ExactResume):
    def __init__(self, folder, seed):
        super().__init__(folder, seed)
        self.each = []

    def on_train_epoch_end(self, trainer, module):
        super().on_train_epoch_end(trainer, module)
        self.each.append(float(trainer.callback_metrics["train/loss"]))


def test_the_epoch_with_the_lowest_validation_loss_is_kept(folds):
    data = folds[0]
    wild = partial(torch.optim.AdamW, lr=0.3)
    kept = Fit(network("mlp", data, 1), data.splits["train"], 1, data.splits["validation"])
    fit_all([kept], wild, None, 6, 96)
    losses = []
    for epochs in range(1, 7):
        last = Fit(network("mlp", data, 1), data.splits["train"], 1)
        fit_all([last], wild, None, epochs, 96)
        losses.append((loss(last.network, data), last.network))
    lowest = min(losses, key=lambda pair: pair[0])
    assert loss(kept.network, data) == pytest.approx(lowest[0], abs=1e-6)


def loss(net, data):
    part = data.splits["validation"]
    return float(torch.nn.functional.nll_loss(probability(predict(net, part)).log(), part["target"]))


def test_parameter_counts_of_the_published_settings():
    numeric = [f"x{i}" for i in range(5)]
    inputs = Inputs(numeric, {"type": ["L", "M", "H"]}, missing=False)
    assert sum(p.numel() for p in TabM(inputs).parameters()) == 23_504
    single = MLP(Inputs(numeric, {"type": ["L", "M", "H"]}, missing=False, bins=0))
    assert sum(p.numel() for p in single.parameters()) == 34_945
