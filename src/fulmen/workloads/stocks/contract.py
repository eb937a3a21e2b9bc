"""What a network of this workload is."""

from collections.abc import Sequence
from typing import Protocol

from torch import Tensor


class SequenceNetwork(Protocol):
    """Forecasts of H days from windows of L days.

    Attributes:
        inputs: the names of its F features.
        horizon_days: H.
    """

    inputs: Sequence[str]
    horizon_days: int

    def forward(self, window: Tensor) -> Tensor:
        """Standardised features [B, L, F] -> standardised forecasts [B, H]."""
        ...
