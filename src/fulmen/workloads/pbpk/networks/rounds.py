"""Rounds of messages along the blood vessels: node states [B, 14, H] and edge states [B, 26, H] to node states."""

from collections.abc import Callable
from typing import Literal

from torch import nn

from fulmen.workloads.pbpk.graph import TARGET
from fulmen.workloads.pbpk.networks.messages import MessagePassing
from fulmen.workloads.pbpk.simulator.physiology import ORGANS

Messages = Literal["dense", "scattered", "gatv2"]


def rounds(kind: Messages, hidden: int, layers: int) -> nn.ModuleList:
    """`layers` rounds of messages between states of the width `hidden`.

    Args:
        kind: "dense", products with a constant matrix; "scattered", the same equations by torch_geometric on its
            batches; "gatv2", attention between the ends of a vessel (Brody et al. 2022), by torch_geometric.
        hidden: H; with "gatv2" a multiple of its 4 heads.
        layers: number of rounds.
    """
    make: Callable[..., nn.Module] = MessagePassing
    if kind != "dense":  # importing torch_geometric takes a second
        from fulmen.workloads.pbpk.networks.pyg_messages import GATv2, ScatteredMessagePassing

        make = {"scattered": ScatteredMessagePassing, "gatv2": GATv2}[kind]
    incidence = nn.functional.one_hot(TARGET, len(ORGANS)).T.float().contiguous()
    return nn.ModuleList(make(hidden, incidence) for _ in range(layers))
