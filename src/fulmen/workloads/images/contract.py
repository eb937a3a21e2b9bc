"""What a network of this workload is."""

from typing import Protocol

from torch import Tensor


class ImageNetwork(Protocol):
    """A classifier of images.

    Attributes:
        classes: C, how many classes it tells apart.
    """

    classes: int

    def forward(self, image: Tensor) -> Tensor:
        """Normalised images [B, 3, H, W] -> logits [B, C]."""
        ...
