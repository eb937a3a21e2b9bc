"""Per-image changes to whole batches of uint8 images, on whatever device they are.

Flips, rotations, shifts and holes only move pixels: each is a table of source positions, and a batch is changed by one
`gather`. The tables of flips and rotations are what PIL does to an image of positions, so the result is PIL's, bit by
bit. Position H * W, behind the last pixel, stands for black.
"""

from functools import cache
from typing import Annotated, Literal

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torchvision.transforms.v2 import functional as F

from fulmen.config.ranges import Natural, between, refuses_out_of_range

STEP_DEGREES = 0.05  # between the tabulated angles


class Augmentation(nn.Module):
    """Random changes of uint8 images [B, 3, H, W], drawn for each image from torch's generator of its device.

    Args:
        flip: left and right swapped in half of the images; for photographs, not for digits. "alternating": half of
            the images in one epoch, the others in the next, so that two epochs show each both ways.
        rotate_degrees: largest angle to either side, nearest neighbour, corners black.
        crop_pixels: largest shift in either direction, as of a crop from an image with a black border of that width.
        cutout_pixels: side of a black square somewhere (DeVries & Taylor 2017).
        randaugment: operations per image (Cubuk et al. 2020).
        magnitude: of these, 0 to 30.
    """

    @refuses_out_of_range
    def __init__(
        self,
        flip: bool | Literal["alternating"] = False,
        rotate_degrees: Annotated[float, between(0, 180)] = 10.0,
        crop_pixels: Natural = 0,
        cutout_pixels: Natural = 0,
        randaugment: Natural = 0,
        magnitude: Annotated[int, between(0, 30)] = 9,
    ):
        super().__init__()
        self.flip, self.rotate_degrees, self.crop_pixels = flip, rotate_degrees, crop_pixels
        self.cutout_pixels, self.randaugment, self.magnitude = cutout_pixels, randaugment, magnitude
        self._tables: dict[tuple[int, int, torch.device], tuple[Tensor, Tensor]] = {}

    def forward(self, image: Tensor, item: Tensor | None = None, epoch: int = 0) -> Tensor:
        """Changed images; `item` [B], the place of each in its source, and the epoch matter to alternating flips."""
        if self.randaugment:
            image = randaugment(image, self.randaugment, self.magnitude)
        source = self.source(image, item, epoch)
        return image if source is None else move(image, source)

    def source(self, image: Tensor, item: Tensor | None = None, epoch: int = 0) -> Tensor | None:
        """Where each pixel of the changed images comes from: [B, H * W], or None if nothing moves."""
        batch, _, height, width = image.shape
        turns, shifts = self._tables_for(height, width, image.device)
        source = None
        if self.flip == "alternating" and item is not None:
            angle = torch.randint(len(turns) // 2, (batch,), device=image.device)
            source = turns.index_select(0, angle + len(turns) // 2 * flipped(item, epoch))
        elif len(turns) > 1:
            source = turns.index_select(0, torch.randint(len(turns), (batch,), device=image.device))
        if len(shifts) > 1:
            shift = shifts.index_select(0, torch.randint(len(shifts), (batch,), device=image.device))
            source = shift if source is None else behind(source).gather(1, shift)
        if self.cutout_pixels:
            hole = holes(batch, height, width, self.cutout_pixels, image.device)
            if source is None:
                source = torch.arange(height * width, device=image.device).expand(batch, -1)
            source = torch.where(hole, height * width, source)
        return source

    def _tables_for(self, height: int, width: int, device: torch.device) -> tuple[Tensor, Tensor]:
        key = (height, width, device)
        if key not in self._tables:
            turns = turn_table(height, width, self.rotate_degrees, bool(self.flip))
            shifts = shift_table(height, width, self.crop_pixels)
            self._tables[key] = turns.to(device), shifts.to(device)
        return self._tables[key]


def flipped(item: Tensor, epoch: int) -> Tensor:
    """Which items [B] are flipped in an epoch, 0 or 1: a hash in the first, then each the other way every time.

    K. Jordan, arXiv 2404.00498.
    """
    mixed = (item + 1) * 0x9E3779B1 & 0xFFFFFFFF
    mixed = (mixed ^ mixed >> 15) * 0x2C1B3C6D & 0xFFFFFFFF
    return (mixed ^ mixed >> 12) + epoch & 1


def move(image: Tensor, source: Tensor) -> Tensor:
    """Images [B, C, H, W] whose pixel p is their pixel `source` [B, H * W], black where that is H * W."""
    pixels = behind(image.flatten(2))
    return pixels.gather(2, source[:, None].expand(-1, image.shape[1], -1)).view(image.shape)


def behind(x: Tensor) -> Tensor:
    """`x` [..., N] with one more column: black for pixels (uint8), its own position N for sources."""
    column = x.new_full((*x.shape[:-1], 1), 0 if x.dtype == torch.uint8 else x.shape[-1])
    return torch.cat([x, column], -1)


def angles(rotate_degrees: float) -> np.ndarray:
    """The tabulated angles, counter-clockwise."""
    steps = round(rotate_degrees / STEP_DEGREES)
    return np.arange(-steps, steps + 1) * STEP_DEGREES


@cache
def turn_table(height: int, width: int, rotate_degrees: float, flip: bool) -> Tensor:
    """Sources [flips * angles, H * W] of a flip (second half of the rows) followed by a rotation, as PIL makes them."""
    position = np.arange(1, height * width + 1, dtype=np.int32).reshape(height, width)
    rows = []
    for start in (position, position[:, ::-1]) if flip else (position,):
        image = Image.fromarray(np.ascontiguousarray(start))
        rows += [np.asarray(image.rotate(float(angle))).ravel() for angle in angles(rotate_degrees)]
    table = torch.from_numpy(np.stack(rows)).long() - 1
    return torch.where(table < 0, height * width, table)


@cache
def shift_table(height: int, width: int, pixels: int) -> Tensor:
    """Sources [(2 pixels + 1)^2, H * W] of crops from an image with a black border."""
    position = np.pad(np.arange(height * width).reshape(height, width), pixels, constant_values=height * width)
    span = range(2 * pixels + 1)
    return torch.from_numpy(np.stack([position[y : y + height, x : x + width].ravel() for y in span for x in span]))


def holes(batch: int, height: int, width: int, side: int, device: torch.device) -> Tensor:
    """Squares of `side` pixels around random centres, cut off at the border: [B, H * W], True inside."""

    def near(size: int) -> Tensor:
        centre = torch.randint(size, (batch, 1), device=device)
        from_first = torch.arange(size, device=device) - centre + side // 2
        return (from_first >= 0) & (from_first < side)

    return (near(height)[:, :, None] & near(width)[:, None, :]).flatten(1)


def randaugment(image: Tensor, operations: int, magnitude: int) -> Tensor:
    """Each image gets `operations` of `OPERATIONS`, drawn for it alone; those that got the same are changed together.

    The magnitudes are torchvision's for 31 steps and 32 pixels; signs are random.
    """
    image = image.clone()
    for _ in range(operations):
        drawn = torch.randint(2 * len(OPERATIONS), (len(image),), device=image.device)
        for choice in drawn.unique().tolist():
            operation, sign = OPERATIONS[choice // 2], 1 - 2 * (choice % 2)
            chosen = drawn == choice
            image[chosen] = operation(image[chosen], sign * magnitude / 30)
    return image


def _affine(image: Tensor, angle: float = 0.0, shift: tuple[int, int] = (0, 0), shear: tuple[float, float] = (0, 0)):
    return F.affine(image, angle=angle, translate=list(shift), scale=1.0, shear=list(shear))


def _shear(strength: float) -> float:
    return float(np.degrees(np.arctan(0.3 * strength)))


OPERATIONS = (
    lambda x, s: x,
    lambda x, s: _affine(x, shear=(_shear(s), 0.0)),
    lambda x, s: _affine(x, shear=(0.0, _shear(s))),
    lambda x, s: _affine(x, shift=(round(150 / 331 * x.shape[-1] * s), 0)),
    lambda x, s: _affine(x, shift=(0, round(150 / 331 * x.shape[-2] * s))),
    lambda x, s: _affine(x, angle=30 * s),
    lambda x, s: F.adjust_brightness(x, 1 + 0.9 * s),
    lambda x, s: F.adjust_saturation(x, 1 + 0.9 * s),
    lambda x, s: F.adjust_contrast(x, 1 + 0.9 * s),
    lambda x, s: F.adjust_sharpness(x, 1 + 0.9 * s),
    lambda x, s: F.posterize(x, 8 - round(4 * abs(s))),
    lambda x, s: F.solarize(x, 255 * (1 - abs(s))),
    lambda x, s: F.autocontrast(x),
    lambda x, s: F.equalize(x),
)
