"""What a network of this workload is."""

from typing import Protocol

from torch import Tensor

from fulmen.workloads.sensors.networks.encoder import Inputs


class TableNetwork(Protocol):
    """K classifiers of table rows with M members each; K is 1 in a training of its own.

    Attributes:
        inputs: the encoding of the columns; it is fitted to the training split.
        stackable: whether all parameters and buffers have K in front, so that K networks can be trained at once.
    """

    inputs: Inputs
    stackable: bool

    def forward(self, x: Tensor, category: Tensor) -> Tensor:
        """Numeric columns [K, B, n], NaN where missing, and level numbers [K, B, c] -> logits [K, B, M, O]."""
        ...
