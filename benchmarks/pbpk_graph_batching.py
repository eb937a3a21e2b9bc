"""Four ways to batch a fixed graph of 14 organs and 26 vessels: the same messages, forward and backward.

Prints CPU milliseconds per step (median of interleaved rounds, one thread) and the ratio to the way the network uses.

    python benchmarks/pbpk_graph_batching.py
"""

import os

os.environ["OMP_NUM_THREADS"] = "1"

import time
from statistics import median

import torch
from torch import Tensor, nn
from torch.nn.functional import silu
from torch_geometric.nn import MessagePassing as PyGMessagePassing

import fulmen  # noqa: F401  (quiet threads)
from fulmen.workloads.pbpk.graph import SOURCE, TARGET
from fulmen.workloads.pbpk.networks import MessagePassing

HIDDEN, NODES, EDGES, ROUNDS = 64, 14, 26, 30
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


def ways(layer: MessagePassing, h: Tensor, e: Tensor) -> dict:
    batch = len(h)
    disjoint = (EDGE_INDEX[:, None] + NODES * torch.arange(batch)[:, None]).reshape(2, -1)
    scattered, static = Scattered(layer, -2), Scattered(layer, -2)
    return {
        "dense, incidence product": lambda: layer(h, e),
        "dense, index_add": lambda: index_add(layer, h, e),
        "torch-geometric, static graph": lambda: static(h, EDGE_INDEX, e),
        "torch-geometric, disjoint batch": lambda: scattered(h.flatten(0, 1), disjoint, e.flatten(0, 1)).view_as(h),
    }


def main() -> None:
    torch.set_num_threads(1)
    torch.manual_seed(0)
    print(f"{'way':34}" + "".join(f"{f'ms, batch {b}':>14}{'ratio':>8}" for b in (32, 256)))
    columns = []
    for batch in (32, 256):
        layer = MessagePassing(HIDDEN, INCIDENCE)
        h, e = torch.randn(batch, NODES, HIDDEN, requires_grad=True), torch.randn(batch, EDGES, HIDDEN)
        candidates = ways(layer, h, e)
        expected = candidates["dense, incidence product"]()
        seconds = {name: [] for name in candidates}
        for way in candidates.values():
            torch.testing.assert_close(way(), expected, rtol=1e-4, atol=1e-5)
        for _ in range(ROUNDS):
            for name, way in candidates.items():
                begun = time.process_time()
                way().sum().backward()
                seconds[name].append(time.process_time() - begun)
        columns.append({name: 1e3 * median(values) for name, values in seconds.items()})
    for name in columns[0]:
        cells = "".join(f"{c[name]:14.2f}{c[name] / c['dense, incidence product']:8.2f}" for c in columns)
        print(f"{name:34}{cells}")


if __name__ == "__main__":
    main()
