from dataclasses import replace

import pytest
import torch
from torch_geometric.data import Batch
from torch_geometric.utils import scatter

from fulmen.workloads.pbpk.graph import (
    CONTEXT_FEATURES,
    DOSING_FEATURES,
    EDGE_FEATURES,
    NODE_FEATURES,
    SOURCE,
    TARGET,
    features,
    inputs,
    to_pyg,
)
from fulmen.workloads.pbpk.module import PBPKSurrogate
from fulmen.workloads.pbpk.networks import DynamicGNN, MessagePassing
from fulmen.workloads.pbpk.simulator.physiology import CONNECTIONS, ORGANS
from fulmen.workloads.pbpk.simulator.population import INFUSION
from fulmen.workloads.pbpk.simulator.sampling import sample_population

TIMES = torch.linspace(0.25, 24, 12, dtype=torch.float64)


@pytest.fixture(scope="module")
def population():
    return sample_population(30, seed=3)


def test_shapes_follow_the_names(population):
    batch = inputs(population, TIMES)
    assert batch["node"].shape == (30, 14, len(NODE_FEATURES))
    assert batch["edge"].shape == (30, 26, len(EDGE_FEATURES))
    assert batch["context"].shape == (30, len(CONTEXT_FEATURES))
    assert batch["dosing"].shape == (30, 12, len(DOSING_FEATURES))
    assert batch["reduced"].shape == (30, 14, 12)
    assert [name for name, value in batch.items() if not value.isfinite().all()] == []


def test_what_passes_the_gut_wall_is_all_that_a_network_sees_of_an_oral_dose(population):
    passed = replace(population, gut_extraction=torch.full((30,), 0.25).double())
    less = replace(population, bioavailability=0.75 * population.bioavailability)
    for name, value in inputs(passed, TIMES).items():
        torch.testing.assert_close(value, inputs(less, TIMES)[name], rtol=1e-6, atol=1e-6, msg=name)
    assert not torch.equal(inputs(passed, TIMES)["context"], inputs(population, TIMES)["context"])


def test_what_flows_into_an_organ_flows_out(population):
    log_share = features(population)["edge"][..., 0].exp()  # [S, E], share of cardiac output
    inflow, outflow = (torch.zeros(30, 14).index_add(1, ends, log_share) for ends in (TARGET, SOURCE))
    torch.testing.assert_close(inflow, outflow, rtol=1e-5, atol=1e-5)
    assert log_share.sum(1).min() > 0


def test_pyg_data_holds_the_same_graph(population):
    graphs, parts = to_pyg(population), features(population)
    batch = Batch.from_data_list(graphs)
    assert batch.num_nodes == 30 * 14
    assert torch.equal(batch.x.view(30, 14, -1), parts["node"])
    assert torch.equal(batch.edge_attr.view(30, 26, -1), parts["edge"])
    assert torch.equal(batch.context, parts["context"])
    ends = [(ORGANS[i], ORGANS[j]) for i, j in graphs[0].edge_index.T.tolist()]
    assert tuple(ends) == CONNECTIONS
    assert graphs[0].validate()


def test_dense_messages_equal_scattered_ones():
    torch.manual_seed(0)
    incidence = torch.nn.functional.one_hot(TARGET, 14).T.float()
    layer = MessagePassing(8, incidence)
    h, e = torch.randn(5, 14, 8), torch.randn(5, 26, 8)
    message = torch.nn.functional.silu(layer.source(h[:, SOURCE]) + layer.target(h[:, TARGET]) + layer.edge(e))
    received = scatter(message, TARGET, dim=1, dim_size=14)
    expected = h + layer.update(layer.norm(torch.cat([h, received], -1)))
    torch.testing.assert_close(layer(h, e), expected)


def test_surrogate_predicts_subjects_of_your_own(population):
    model = PBPKSurrogate(DynamicGNN())
    batch = inputs(population, TIMES)
    model.network.inputs.fit(*(batch[name] for name in ("node", "edge", "context", "dosing")))
    predicted = model.predict_population(population[:3], TIMES)
    assert predicted.shape == (3, 14, 12)
    assert (predicted >= 0).all()
    expected = model.concentration({name: value[:3] for name, value in batch.items()} | {"time_h": TIMES.float()})
    torch.testing.assert_close(predicted, expected.detach(), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("asked_h", [TIMES, TIMES[2:5] + 0.1], ids=["grid", "between"])
def test_many_subjects_are_predicted_in_blocks_as_all_at_once(population, asked_h, monkeypatch):
    model = PBPKSurrogate(DynamicGNN())
    clint = population.clint_l_per_h.clone().requires_grad_()
    watched = replace(population, clint_l_per_h=clint)
    said = []
    for at_once in (30, 7):
        monkeypatch.setattr("fulmen.workloads.pbpk.module.EVALUATION_BATCH", at_once)
        curves = model.predict_population(watched, asked_h, grid_h=TIMES)
        said.append((curves, *torch.autograd.grad(curves.sum(), clint)))
    assert said[0][0].shape == (30, 14, len(asked_h))
    torch.testing.assert_close(said[0], said[1], rtol=1e-4, atol=1e-6)
    plain = model.predict_population(population, asked_h, grid_h=TIMES)
    torch.testing.assert_close(plain, said[0][0].detach(), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("name", ["clint_l_per_h", "dose_mg", "infusion_h"])
def test_a_prediction_has_the_gradients_of_central_differences(population, name):
    """Of the exposure of blood, of which the reduced model, the features and the network each have a part."""
    torch.manual_seed(0)
    model = PBPKSurrogate(DynamicGNN(hidden=8, layers=1, recurrent=8, rank=8)).double()
    batch = inputs(population, TIMES)
    model.network.inputs.fit(*(batch[name] for name in ("node", "edge", "context", "dosing")))
    infused = population[population.route == INFUSION]
    infused = replace(infused, infusion_h=torch.full_like(infused.infusion_h, 1.3))  # ends between two times
    value = getattr(infused, name)

    def exposure(value):
        predicted = model.predict_population(replace(infused, **{name: value}), TIMES)
        return torch.trapezoid(predicted[:, 0], TIMES)

    watched = value.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(exposure(watched).log().sum(), watched)
    ends = [exposure(value * (1 + d)).log() for d in (5e-3, -5e-3)]
    torch.testing.assert_close(gradient * value, (ends[0] - ends[1]) / 1e-2, rtol=1e-2, atol=2e-3)
    assert not exposure(value).requires_grad


def test_message_passing_reaches_across_the_body(population):
    """Three rounds carry what happens in the gut to the brain: gut, liver, blood, brain."""
    batch = inputs(population, TIMES)
    network = DynamicGNN()
    node = batch["node"].clone().requires_grad_()
    network(node, batch["edge"], batch["context"], batch["dosing"], TIMES.float())[
        :, ORGANS.index("brain")
    ].sum().backward()
    assert (node.grad[:, ORGANS.index("gut")].abs().sum(-1) > 0).all()


def test_default_size_is_that_of_the_published_network():
    parameters = sum(p.numel() for p in DynamicGNN().parameters())
    assert abs(parameters / 156_000 - 1) < 0.05
