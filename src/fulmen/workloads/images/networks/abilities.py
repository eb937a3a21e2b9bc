"""What a network for images may be able to do besides [B, 3, H, W] -> [B, C]; the module asks for each by its class."""

from typing import Any, Protocol, runtime_checkable

from torch import Tensor


@runtime_checkable
class Freezes(Protocol):
    """Trains its head alone for some epochs."""

    def freeze(self, frozen: bool) -> None: ...


@runtime_checkable
class LoadsWeights(Protocol):
    """Takes weights from elsewhere before the first step."""

    def load_weights(self) -> None: ...


@runtime_checkable
class FitsImages(Protocol):
    """Takes some of its weights from standardised training images [N, 3, H, W]."""

    def fit(self, image: Tensor) -> None: ...


@runtime_checkable
class GroupsParameters(Protocol):
    """Wants other learning rates for some of its parameters."""

    def groups(self, lr: float, weight_decay: float = 0.0) -> list[dict[str, Any]]: ...


@runtime_checkable
class FixedSize(Protocol):
    """Reads images of one size.

    Attributes:
        pixels: on each side.
    """

    pixels: int
