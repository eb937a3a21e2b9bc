"""What a network of this workload is."""

from typing import Protocol

from torch import Tensor

from fulmen.data.batches import Batch


class BodyNetwork(Protocol):
    """Curves of concentration of B subjects, in 14 organs at T times.

    `fulmen.workloads.pbpk.networks.inputs.GraphNetwork` has a `fit` for networks that only standardise their inputs.
    """

    def fit(self, train: Batch, target: Tensor) -> None:
        """Take scales, or whatever else is not learned by gradients, from the training split.

        Args:
            train: the inputs of `forward`, and the rest of what `fulmen.workloads.pbpk.data` says of a batch.
            target: [S, 14, T], what `forward` is to give.
        """
        ...

    def forward(self, node: Tensor, edge: Tensor, context: Tensor, dosing: Tensor, time_h: Tensor) -> Tensor:
        """Standardised log concentrations [B, 14, T]; `fulmen.workloads.pbpk.graph` says what the inputs hold."""
        ...
