"""Convolutional networks for small images: [B, 3, H, W] to logits [B, C]."""

from pathlib import Path
from typing import Annotated, Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import linear, normalize, pad, relu

from fulmen.config.ranges import Count, Share, refuses_out_of_range
from fulmen.config.rules import Rule, is_multiple
from fulmen.errors import FulmenError

Head = Literal["linear", "cosine"]
Pixels = Annotated[int, Rule("that is a multiple of 8", is_multiple, (8,))]


class CosineHead(nn.Linear):
    """Cosines between features and the vector of each class, times `scale`."""

    def __init__(self, features: int, classes: int, scale: float = 30.0):
        super().__init__(features, classes, bias=False)
        self.scale = scale

    def forward(self, x: Tensor) -> Tensor:
        return self.scale * linear(normalize(x), normalize(self.weight))


def head_of(kind: Head, features: int, classes: int) -> nn.Module:
    return nn.Linear(features, classes) if kind == "linear" else CosineHead(features, classes)


class AdvancedCNN(nn.Module):
    """Three convolutions (32, 64, 128) and two dense layers (512, 256), all with batch normalisation.

    1,278,218 parameters with 32 x 32 pixels and 10 classes. The rectifier comes after the pooling: the same function, a
    quarter of the work.

    Args:
        classes: how many it tells apart.
        pixels: width and height of the images, a multiple of 8.
        dropout: after each dense layer.
        head: what gives the logits of the last features.
    """

    @refuses_out_of_range
    def __init__(self, classes: Count = 10, pixels: Pixels = 32, dropout: Share = 0.3, head: Head = "linear"):
        super().__init__()
        self.pixels, self.classes = pixels, classes
        self.features = nn.Sequential(*(_conv_pool(*ends) for ends in ((3, 32), (32, 64), (64, 128))))
        self.dense = nn.Sequential(
            *(_dense(*ends, dropout) for ends in ((128 * (pixels // 8) ** 2, 512), (512, 256)))
        )  # fmt: skip
        self.head = head_of(head, 256, classes)

    def forward(self, image: Tensor) -> Tensor:
        return self.head(self.dense(self.features(image).flatten(1)))


def _conv_pool(inside: int, outside: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(inside, outside, 3, padding=1), nn.BatchNorm2d(outside), nn.MaxPool2d(2), nn.ReLU())


def _dense(inside: int, outside: int, dropout: float) -> nn.Sequential:
    return nn.Sequential(nn.Linear(inside, outside), nn.BatchNorm1d(outside), nn.ReLU(), nn.Dropout(dropout))


class ResNet9(nn.Module):
    """Eight convolutions, two of the pairs with a shortcut, and a linear layer (Page 2019); any image of 16 pixels up.

    Args:
        width: channels of the first convolution.
    """

    def __init__(self, classes: int = 10, width: int = 64, head: Head = "linear"):
        super().__init__()
        self.classes = classes
        w = width
        self.features = nn.Sequential(
            _conv_relu(3, w),
            _conv_relu(w, 2 * w, pool=True), _shortcut(2 * w),
            _conv_relu(2 * w, 4 * w, pool=True),
            _conv_relu(4 * w, 8 * w, pool=True), _shortcut(8 * w),
            nn.AdaptiveMaxPool2d(1), nn.Flatten(),
        )  # fmt: skip
        self.head = head_of(head, 8 * w, classes)

    def forward(self, image: Tensor) -> Tensor:
        return self.head(self.features(image))


class Shortcut(nn.Module):
    """What goes in plus what `inner` makes of it."""

    def __init__(self, inner: nn.Module):
        super().__init__()
        self.inner = inner

    def forward(self, x: Tensor) -> Tensor:
        return x + self.inner(x)


def _shortcut(channels: int) -> Shortcut:
    return Shortcut(nn.Sequential(_conv_relu(channels, channels), _conv_relu(channels, channels)))


def _conv_relu(inside: int, outside: int, pool: bool = False) -> nn.Sequential:
    layers = [nn.Conv2d(inside, outside, 3, padding=1, bias=False), nn.BatchNorm2d(outside)]
    return nn.Sequential(*layers, *([nn.MaxPool2d(2)] if pool else []), nn.ReLU())


class ResNet32(nn.Module):
    """The residual network of the CIFAR experiments in He et al. 2016: 3 stages of 5 blocks, 16 to 64 channels.

    Shortcuts between stages drop every second pixel and add empty channels (option A); 464,154 parameters.

    Args:
        classes: how many it tells apart.
        head: what gives the logits of the last features.
        width: channels of the first stage; twice as many in the second, four times in the third.
    """

    def __init__(self, classes: int = 10, head: Head = "linear", width: Count = 16):
        super().__init__()
        self.classes = classes
        w = width
        ends = [*[(w, w, 1)] * 5, (w, 2 * w, 2), *[(2 * w, 2 * w, 1)] * 4, (2 * w, 4 * w, 2), *[(4 * w, 4 * w, 1)] * 4]
        self.features = nn.Sequential(_conv_relu(3, w), *(Block(*each) for each in ends))
        self.head = head_of(head, 4 * w, classes)
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d | nn.Linear):
                nn.init.kaiming_normal_(layer.weight)

    def forward(self, image: Tensor) -> Tensor:
        return self.head(self.features(image).mean((2, 3)))


class Block(nn.Module):
    """Two convolutions and a shortcut without parameters."""

    def __init__(self, inside: int, outside: int, stride: int):
        super().__init__()
        self.stride, self.new_channels = stride, outside - inside
        self.inner = nn.Sequential(
            nn.Conv2d(inside, outside, 3, stride, 1, bias=False), nn.BatchNorm2d(outside), nn.ReLU(),
            nn.Conv2d(outside, outside, 3, 1, 1, bias=False), nn.BatchNorm2d(outside),
        )  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        short = x[:, :, :: self.stride, :: self.stride]
        half = self.new_channels // 2
        return relu(self.inner(x) + pad(short, (0, 0, 0, 0, half, self.new_channels - half)))


class Pretrained(nn.Module):
    """A network of torchvision as features under a new head, from random weights, torchvision's or a file's.

    Args:
        name: of the network.
        weights: "imagenet" (downloaded once), a file with a state dict, or a checkpoint of a run; null starts anew.
        stem: "small": 3 x 3 convolution of stride 1 and no pooling, for images of 32 pixels; "imagenet": as published.
    """

    def __init__(
        self,
        name: Literal["resnet18", "densenet121"] = "resnet18",
        classes: int = 10,
        weights: str | None = None,
        stem: Literal["small", "imagenet"] = "small",
        head: Head = "linear",
    ):
        super().__init__()
        from torchvision import models

        self.name, self.classes, self.weights, self.frozen = name, classes, weights, False
        self.backbone = getattr(models, name)(weights=None)
        if name == "resnet18":
            features, self.backbone.fc = self.backbone.fc.in_features, nn.Identity()
            if stem == "small":
                self.backbone.conv1, self.backbone.maxpool = nn.Conv2d(3, 64, 3, 1, 1, bias=False), nn.Identity()
        else:
            features, self.backbone.classifier = self.backbone.classifier.in_features, nn.Identity()
            if stem == "small":
                self.backbone.features.conv0 = nn.Conv2d(3, 64, 3, 1, 1, bias=False)
                self.backbone.features.pool0 = nn.Identity()
        self.head = head_of(head, features, classes)

    def forward(self, image: Tensor) -> Tensor:
        with torch.set_grad_enabled(torch.is_grad_enabled() and not self.frozen):
            features = self.backbone(image)
        return self.head(features)

    def load_weights(self) -> None:
        """Take over `weights` for the backbone; the head stays new.

        A first convolution of 7 x 7 is cut to its middle where the stem has 3 x 3.

        Raises:
            FulmenError: there is no such file, it does not fit the network, or the download failed.
        """
        if self.weights is None:
            return
        stored = _downloaded(self.name) if self.weights == "imagenet" else _from_file(Path(self.weights))
        own = self.backbone.state_dict()
        fitting = {}
        for name, value in own.items():
            there = stored.get(name)
            if there is not None and there.ndim == 4 and there.shape[2] > value.shape[2]:
                edge = (there.shape[2] - value.shape[2]) // 2
                there = there[:, :, edge:-edge, edge:-edge]
            if there is None or there.shape != value.shape:
                found = "has none" if there is None else f"has {tuple(there.shape)}"
                shape = tuple(value.shape)
                raise FulmenError(
                    f"weights: {self.weights} does not fit {self.name}: {name} is {shape}, the file {found}"
                )
            fitting[name] = there
        self.backbone.load_state_dict(fitting)

    def freeze(self, frozen: bool) -> None:
        """Leave all but the head as it is, running statistics included."""
        self.frozen = frozen
        self.backbone.train(self.training and not frozen)

    def train(self, mode: bool = True) -> "Pretrained":
        super().train(mode)
        self.backbone.train(mode and not self.frozen)
        return self


def _downloaded(name: str) -> dict[str, Tensor]:
    from torchvision import models

    try:
        return models.get_model_weights(name).DEFAULT.get_state_dict(progress=False, check_hash=True)
    except OSError as error:  # URLError among them
        raise FulmenError(
            f"weights: the imagenet weights of {name} could not be downloaded ({error}); give a local file instead"
        ) from error


def _from_file(path: Path) -> dict[str, Tensor]:
    """The state dict in a file, without the names that a run's checkpoint puts in front."""
    if not path.is_file():
        raise FulmenError(f"weights: there is no file {path}")
    try:
        stored = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise FulmenError(f"weights: {path} is damaged or no plain checkpoint: {first_line(error)}") from error
    stored = stored.get("state_dict", stored) if isinstance(stored, dict) else {}
    prefix = "network.backbone."
    return {name.removeprefix(prefix): value for name, value in stored.items() if isinstance(value, Tensor)}


def first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
