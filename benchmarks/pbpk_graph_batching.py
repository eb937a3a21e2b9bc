"""Ways to compute with a fixed graph of 14 organs and 26 vessels, forward and backward, in CPU milliseconds.

First four ways to batch the messages. Then a whole training iteration (forward, backward, Adam) of the Dynamic GNN on 8
subjects and 99 times, beside two that are plain, a loop over subjects and in it one over times, with the same 159,553
parameters:

- *the same equations*: each subject is encoded once, and a GRU cell goes through the times. Curves are equal to 1e-4,
  which is checked; this ratio is what batches alone buy.
- *messages at every time*: as in the published Dynamic GNN, three rounds of messages are passed before each step of the
  GRU, whose state goes back to all organs. Equal layers, other curves: this ratio is that of the two designs, batches
  included, and no statement on two implementations of one network. The published one has attention and a second layer
  of the GRU at every time besides, so it is dearer than what stands here.

Their messages are gathered and added with index_add, the fastest plain way above; the last is shown with the layers of
torch_geometric too, as the published network has it. Medians of interleaved rounds in one process with one thread;
figures are kept in benchmarks/results/pbpk_graph_batching.json.

    python benchmarks/pbpk_graph_batching.py
"""

import os

os.environ["OMP_NUM_THREADS"] = "1"

import sys
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from statistics import median

import torch
from torch import Tensor, nn
from torch.nn.functional import silu
from torch_geometric.nn import MessagePassing as PyGMessagePassing

sys.path.insert(0, str(Path(__file__).parents[1]))  # it may be started by its path

from benchmarks.proofs import RESULTS, ROOT, machine
from fulmen.runs.provenance import git_state
from fulmen.utils.files import write_json
from fulmen.workloads.pbpk.graph import SOURCE, TARGET, inputs
from fulmen.workloads.pbpk.networks import DynamicGNN, MessagePassing
from fulmen.workloads.pbpk.networks.dynamic_gnn import time_features
from fulmen.workloads.pbpk.simulator.sampling import sample_population

HIDDEN, NODES, EDGES, ROUNDS = 64, 14, 26, 30
SUBJECTS, ITERATIONS = 8, 9
OURS = "dense, incidence product"
INPUTS = ("node", "edge", "context", "dosing")
EDGE_INDEX = torch.stack([SOURCE, TARGET])
INCIDENCE = nn.functional.one_hot(TARGET, NODES).T.float().contiguous()


class Scattered(PyGMessagePassing):
    """torch-geometric's layer, on a big disjoint graph or on a static one."""

    def __init__(self, layer: MessagePassing, node_dim: int):
        super().__init__(aggr="add", node_dim=node_dim)
        self.layer = layer

    def forward(self, h: Tensor, edge_index: Tensor, e: Tensor) -> Tensor:
        layer = self.layer
        received = self.propagate(edge_index, s=layer.source(h), t=layer.target(h), e=layer.edge(e))
        return h + layer.update(layer.norm(torch.cat([h, received], -1)))

    def message(self, s_j: Tensor, t_i: Tensor, e: Tensor) -> Tensor:
        return silu(s_j + t_i + e)


def index_add(layer: MessagePassing, h: Tensor, e: Tensor) -> Tensor:
    message = silu(layer.source(h)[:, SOURCE] + layer.target(h)[:, TARGET] + layer.edge(e))
    received = torch.zeros_like(h).index_add(1, TARGET, message)
    return h + layer.update(layer.norm(torch.cat([h, received], -1)))


def ways(layer: MessagePassing, h: Tensor, e: Tensor) -> dict[str, Callable[[], Tensor]]:
    batch = len(h)
    disjoint = (EDGE_INDEX[:, None] + NODES * torch.arange(batch)[:, None]).reshape(2, -1)
    scattered, static = Scattered(layer, -2), Scattered(layer, -2)
    return {
        OURS: lambda: layer(h, e),
        "dense, index_add": lambda: index_add(layer, h, e),
        "torch-geometric, static graph": lambda: static(h, EDGE_INDEX, e),
        "torch-geometric, disjoint batch": lambda: scattered(h.flatten(0, 1), disjoint, e.flatten(0, 1)).view_as(h),
    }


Pass = Callable[[Tensor, Tensor], Tensor]  # a round of messages: organs [1, 14, H], vessels [1, 26, H] -> organs


def plain(net: DynamicGNN, rounds: Sequence[Pass], anew: bool, batch: Mapping[str, Tensor], time_h: Tensor) -> Tensor:
    """Curves [B, 14, T] by the layers of `net`, subject by subject and time by time.

    Args:
        anew: pass messages before each step, with the state of the GRU added to all organs; False: once, as `net` does.
    """
    curves = []
    for number in range(len(batch["node"])):
        subject = [batch[name][number : number + 1] for name in INPUTS]
        curves.append(_one_subject(net, rounds, anew, net.inputs(*subject), time_h))
    return torch.stack(curves)


def _one_subject(
    net: DynamicGNN, rounds: Sequence[Pass], anew: bool, subject: Sequence[Tensor], time_h: Tensor
) -> Tensor:
    node, edge, context, dosing = subject
    c = net.encode_context(context)  # [1, H]
    start, e = net.encode_node(node) + net.organ + c[:, None], net.encode_edge(edge) + net.vessel
    h = _passed(rounds, start, e)  # [1, 14, H]
    body = net.body(torch.cat([h.mean(1), h.amax(1), c], -1))
    state, clocks, curves = net.initial(body).tanh(), time_features(time_h), []
    for step in range(len(time_h)):
        if anew:
            h = _passed(rounds, start + state[:, None], e)
            body = net.body(torch.cat([h.mean(1), h.amax(1), c], -1))
        clock = net.clock(torch.cat([clocks[step], dosing[0, step]])[None])
        gru = (net.gru.weight_ih_l0, net.gru.weight_hh_l0, net.gru.bias_ih_l0, net.gru.bias_hh_l0)
        state = torch.gru_cell(net.drive(body) + clock, state, *gru)
        y = (net.read_organ(h) @ net.read_time(state)[:, :, None])[..., 0]  # [1, 14]
        curves.append(y / net.read_time.out_features**0.5 + net.offset(h)[..., 0])
    return torch.stack(curves, -1)[0]  # [14, T]


def _passed(rounds: Sequence[Pass], h: Tensor, e: Tensor) -> Tensor:
    for passed in rounds:
        h = passed(h, e)
    return h


def _by_pyg(layer: Scattered, h: Tensor, e: Tensor) -> Tensor:
    return layer(h[0], EDGE_INDEX, e[0])[None]


def iterations() -> dict[str, float]:
    """CPU milliseconds of a training iteration on `SUBJECTS` subjects, each way."""
    torch.manual_seed(0)
    time_h = torch.linspace(0, 24, 100)[1:]
    batch = inputs(sample_population(SUBJECTS, seed=1), time_h)
    net = DynamicGNN()
    net.fit(batch, torch.zeros(SUBJECTS, NODES, len(time_h)))
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-4)
    added = [partial(index_add, layer) for layer in net.messages]
    scattered = [partial(_by_pyg, Scattered(layer, -2)) for layer in net.messages]
    made: dict[str, Callable[[], Tensor]] = {
        "batched": lambda: net(*(batch[name] for name in INPUTS), time_h),
        "plain, the same equations": lambda: plain(net, added, False, batch, time_h),
        "plain, messages at every time": lambda: plain(net, added, True, batch, time_h),
        "the same by torch_geometric": lambda: plain(net, scattered, True, batch, time_h),
    }
    torch.testing.assert_close(made["plain, the same equations"](), made["batched"](), rtol=1e-4, atol=1e-4)
    anew = [made[name]() for name in ("plain, messages at every time", "the same by torch_geometric")]
    torch.testing.assert_close(*anew, rtol=1e-4, atol=1e-4)
    seconds: dict[str, list[float]] = {name: [] for name in made}
    for _ in range(ITERATIONS):
        for name, curves in made.items():
            begun = time.process_time()
            optimizer.zero_grad()
            curves().square().mean().backward()
            optimizer.step()
            seconds[name].append(time.process_time() - begun)
    return {name: 1e3 * median(values) for name, values in seconds.items()}


def batchings(batch: int) -> dict[str, float]:
    """CPU milliseconds of the messages of a batch, each way."""
    layer = MessagePassing(HIDDEN, INCIDENCE)
    h, e = torch.randn(batch, NODES, HIDDEN, requires_grad=True), torch.randn(batch, EDGES, HIDDEN)
    candidates = ways(layer, h, e)
    expected = candidates[OURS]()
    seconds: dict[str, list[float]] = {name: [] for name in candidates}
    for way in candidates.values():
        torch.testing.assert_close(way(), expected, rtol=1e-4, atol=1e-5)
    for _ in range(ROUNDS):
        for name, way in candidates.items():
            begun = time.process_time()
            way().sum().backward()
            seconds[name].append(time.process_time() - begun)
    return {name: 1e3 * median(values) for name, values in seconds.items()}


def main() -> None:
    torch.set_num_threads(1)
    torch.manual_seed(0)
    kept = {}
    for batch in (32, 256):
        kept[f"messages, batch {batch}"] = shown(batchings(batch), OURS, f"messages, batch {batch}")
    kept[f"training iteration, batch {SUBJECTS}"] = shown(iterations(), "batched", f"iteration, batch {SUBJECTS}")
    about = {**git_state(ROOT), "date": f"{datetime.now():%Y-%m-%d}", "machine": machine(), "load": os.getloadavg()}
    about |= {"n": {"messages": ROUNDS, "training iteration": ITERATIONS}}
    about |= {"parameters": sum(parameter.numel() for parameter in DynamicGNN().parameters())}
    write_json(RESULTS / "pbpk_graph_batching.json", about | {"cpu_ms": kept})


def shown(cpu_ms: Mapping[str, float], ours: str, title: str) -> dict[str, dict[str, float]]:
    """Print a column and give what is kept of it: milliseconds, and the ratio to ours."""
    print(f"{title:34}{'CPU ms':>10}{'ratio':>8}")
    for name, value in cpu_ms.items():
        print(f"{name:34}{value:10.2f}{value / cpu_ms[ours]:8.2f}")
    return {name: {"ms": round(value, 3), "ratio": round(value / cpu_ms[ours], 2)} for name, value in cpu_ms.items()}


if __name__ == "__main__":
    main()
