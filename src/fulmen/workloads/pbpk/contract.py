"""What a network of this workload is."""

from typing import Any, Protocol

from torch import Tensor


class BodyNetwork(Protocol):
    """Curves of concentration of B subjects, in 14 organs at T times.

    Attributes:
        inputs: a module whose `fit(node, edge, context, dosing)` learns scales from the training split, as
            `fulmen.workloads.pbpk.networks.Inputs` does.
    """

    inputs: Any

    def forward(self, node: Tensor, edge: Tensor, context: Tensor, dosing: Tensor, time_h: Tensor) -> Tensor:
        """Standardised log concentrations [B, 14, T]; `fulmen.workloads.pbpk.graph` says what the inputs hold."""
        ...
