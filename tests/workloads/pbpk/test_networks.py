"""What holds for every network of the PBPK workload, and that graph layers of two libraries are one equation."""

import pytest
import torch
from torch_geometric.nn import GATv2Conv

from fulmen.errors import FulmenError
from fulmen.workloads.pbpk.graph import inputs
from fulmen.workloads.pbpk.networks import LSTM, MLP, POD, BasisGNN, DynamicGNN
from fulmen.workloads.pbpk.networks.neural_ode import NeuralODE
from fulmen.workloads.pbpk.simulator.sampling import sample_population

TIMES = torch.linspace(0.25, 24, 12, dtype=torch.float64)
NAMES = ("node", "edge", "context", "dosing")
NETWORKS = {
    "gnn": DynamicGNN,
    "gnn, scattered": lambda: DynamicGNN(16, 2, 16, 16, messages="scattered"),
    "gnn, gatv2": lambda: DynamicGNN(16, 2, 16, 16, messages="gatv2"),
    "basis gnn": lambda: BasisGNN(16, 2, 8, 16, times=12),
    "mlp": lambda: MLP(times=12),
    "pod": lambda: POD(8, 16, times=12),
    "lstm": lambda: LSTM(16, 16),
    "neural ode": lambda: NeuralODE(16, 8, 6),
}


@pytest.fixture(scope="module")
def batch():
    return inputs(sample_population(30, seed=3), TIMES)


def fitted(name, batch):
    torch.manual_seed(0)
    network = NETWORKS[name]()
    network.fit(batch, torch.randn(30, 14, 12))
    return network.eval()


@pytest.mark.parametrize("name", NETWORKS)
def test_a_subject_does_not_depend_on_its_batch(batch, name):
    network = fitted(name, batch)
    together = network(*(batch[each] for each in NAMES), TIMES.float())
    alone = network(*(batch[each][4:5] for each in NAMES), TIMES.float())
    assert together.shape == (30, 14, 12)
    torch.testing.assert_close(together[4:5], alone, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", NETWORKS)
def test_every_weight_learns(batch, name):
    network = fitted(name, batch)
    network(*(batch[each] for each in NAMES), TIMES.float()).square().sum().backward()
    idle = [key for key, weight in network.named_parameters() if weight.grad is None or not weight.grad.any()]
    assert idle == []


def test_scattered_messages_are_the_dense_ones_to_1e_5(batch):
    """The whole network and its gradients, with the same weights."""
    dense, scattered = DynamicGNN(), DynamicGNN(messages="scattered")
    scattered.load_state_dict(dense.state_dict())
    found = []
    for network in (dense, scattered):
        network.fit(batch, torch.zeros(1))
        y = network(*(batch[each] for each in NAMES), TIMES.float())
        y.square().sum().backward()
        found.append((y, [weight.grad for weight in network.parameters()]))
    torch.testing.assert_close(found[0][0], found[1][0], rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(found[0][1], found[1][1], rtol=1e-4, atol=1e-3)


def test_attention_is_that_of_torch_geometric_on_one_body(batch):
    network = fitted("gnn, gatv2", batch)
    layer = network.messages[0]
    assert isinstance(layer.attend, GATv2Conv)
    h, e = torch.randn(3, 14, 16), torch.randn(3, 26, 16)
    torch.testing.assert_close(layer(h, e)[2:], layer(h[2:], e[2:]), rtol=1e-5, atol=1e-6)


def test_attention_needs_a_width_for_its_heads():
    with pytest.raises(FulmenError, match="hidden is 30; messages=gatv2 has 4 heads and needs a multiple of 4"):
        DynamicGNN(hidden=30, messages="gatv2")


def test_the_neural_ode_follows_its_equation_whatever_times_are_reported(batch):
    """With steps fine enough, times of one's own change nothing at the others."""
    network = NeuralODE(16, 8, steps=200)
    network.fit(batch, torch.zeros(1))
    dosing = batch["dosing"]
    every = network(*(batch[each] for each in NAMES), TIMES.float())
    some = network(batch["node"], batch["edge"], batch["context"], dosing[:, 1::2], TIMES[1::2].float())
    torch.testing.assert_close(every[:, :, 1::2], some, rtol=1e-3, atol=1e-3)
