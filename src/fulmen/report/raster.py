"""Small pictures as arrays [3, height, width] of bytes, a hundred times faster than a plotting library draws them."""

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from fulmen.report.confusion import shares

RIGHT, WRONG, INK = (46, 125, 80), (209, 73, 91), (34, 48, 60)
TITLE = 13  # pixels above each picture
LEAST = 140  # pixels of a table's side at least
LONGEST_NAME = 24  # letters of a class
FONT = ImageFont.load_default_imagefont()  # of pixels, drawn five times as fast as outlines


def shown(images: Tensor) -> np.ndarray:
    """Images [N, 1 or 3, H, W] of any range as bytes [N, H, W, 3]; each is stretched to its own range."""
    x = images.detach().float().cpu()
    low, high = x.amin((1, 2, 3), keepdim=True), x.amax((1, 2, 3), keepdim=True)
    x = ((x - low) / (high - low).clamp(min=1e-9) * 255).round().byte()
    return x.expand(-1, 3, -1, -1).permute(0, 2, 3, 1).numpy()


def grid(images: Tensor, titles: Sequence[str] = (), right: Sequence[bool] = (), least: int = 64) -> np.ndarray:
    """Images [N, 1 or 3, H, W] side by side in rows, enlarged to at least `least` pixels, titles above them."""
    pictures = shown(images)
    scale = max(1, -(-least // max(pictures.shape[1:3])))
    pictures = pictures.repeat(scale, 1).repeat(scale, 2)
    columns = int(np.ceil(np.sqrt(len(pictures))))
    head = TITLE if titles else 0
    height, width = pictures.shape[1] + head + 2, pictures.shape[2] + 2
    canvas = Image.new("RGB", (columns * width, -(-len(pictures) // columns) * height), "white")
    pen = ImageDraw.Draw(canvas)
    for i, picture in enumerate(pictures):
        x, y = i % columns * width, i // columns * height
        canvas.paste(Image.fromarray(picture), (x, y + head))
        if titles:
            pen.text((x + 1, y + 1), titles[i], fill=RIGHT if right[i] else WRONG, font=FONT)
    return np.asarray(canvas).transpose(2, 0, 1)


def heat_map(table: np.ndarray, names: Sequence[str] = ()) -> np.ndarray:
    """A confusion matrix [true, predicted] as a picture: rows add up to one colour scale, counts where they fit.

    Args:
        names: of the classes: true ones at the left, predicted ones above.
    """
    share, cell = shares(table), max(28, LEAST // max(len(table), 1))
    tint = 1 - share[..., None] * (1 - np.array([48, 99, 142]) / 255)
    pixels = (255 * tint).astype(np.uint8).repeat(cell, 0).repeat(cell, 1)
    canvas = Image.fromarray(pixels)
    pen = ImageDraw.Draw(canvas)
    if len(table) <= 30:
        for (i, j), count in np.ndenumerate(table):
            if count:
                ink = "white" if share[i, j] > 0.5 else INK
                pen.text((j * cell + 4, i * cell + cell // 2 - 6), str(int(count)), fill=ink, font=FONT)
    return np.asarray(_labelled(canvas, names, cell) if names else canvas).transpose(2, 0, 1)


def _labelled(table: Image.Image, names: Sequence[str], cell: int) -> Image.Image:
    """The picture of a square table with names left of its rows and, from bottom to top, above its columns."""
    words = [_word(name[:LONGEST_NAME]) for name in names]
    corner, margin = _word("true | predicted"), max(word.width for word in words) + 8
    width = max(margin + table.width, corner.width + 8)
    canvas = Image.new("RGB", (width, margin + TITLE + table.height), "white")
    canvas.paste(corner, (4, 2))
    canvas.paste(table, (margin, margin + TITLE))
    for i, word in enumerate(words):
        upright = word.transpose(Image.Transpose.ROTATE_90)
        middle = i * cell + (cell - word.height) // 2
        canvas.paste(word, (margin - 4 - word.width, margin + TITLE + middle))
        canvas.paste(upright, (margin + middle, margin + TITLE - 4 - upright.height))
    return canvas


def _word(text: str) -> Image.Image:
    left, top, right, bottom = FONT.getbbox(text)
    picture = Image.new("RGB", (int(right - left), int(bottom - top)), "white")
    ImageDraw.Draw(picture).text((-left, -top), text, fill=INK, font=FONT)
    return picture


def filters(weight: Tensor) -> Tensor:
    """The kernels [N, 1 or 3, h, w] of a first convolution; the first channel where there are others than 1 or 3."""
    weight = weight.detach()[:64]
    return weight if weight.shape[1] in (1, 3) else weight[:, :1]
