"""What a network of this workload is."""

from typing import Protocol

from torch import Tensor, nn

from fulmen.errors import FulmenError


class ImageNetwork(Protocol):
    """A classifier of images.

    Attributes:
        classes: C, how many classes it tells apart.
    """

    classes: int

    def forward(self, image: Tensor) -> Tensor:
        """Normalised images [B, 3, H, W] -> logits [B, C]."""
        ...


def classes_of(network: nn.Module) -> int:
    """How many classes it tells apart.

    Raises:
        FulmenError: it does not say so.
    """
    if not isinstance(network.classes, int):
        raise FulmenError(f"{type(network).__name__} has to say how many classes it tells apart, as `classes`")
    return network.classes
