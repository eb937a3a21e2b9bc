"""Pictures that show the same thing: re-encoded, brighter, noisy, mirrored, turned, shifted or cropped.

Candidates are found by descriptors, 8 x 8 grey pictures without their mean and scale, in all eight orientations; then a
pair is laid on each other pixel by pixel, at small shifts and scales.
"""

from dataclasses import dataclass

import numpy as np

SIDE, GRID = 32, 8  # pixels of the pictures that are compared, and of their descriptors
SHIFT = 2  # pixels
SCALES = (1.0, 0.94, 0.875)  # of the part of one that the other shows
CHUNK = 4096
HOPELESS = 0.5  # agreement without a change of scale, below which none is tried
LEVELS = 10  # of grey in a picture: with fewer it is a drawing
BLANK = 2.0  # grey levels: a picture of a smaller deviation shows nothing


@dataclass(frozen=True)
class Looks:
    """What N pictures look like.

    Attributes:
        grey: [N, SIDE, SIDE] float32.
        descriptor: [N, GRID * GRID], of length 1; 0 of a picture that shows nothing.
    """

    grey: np.ndarray
    descriptor: np.ndarray

    def __getitem__(self, rows: np.ndarray) -> "Looks":
        return Looks(self.grey[rows], self.descriptor[rows])


def looks(content: np.ndarray) -> Looks:
    """Of pictures [N, H, W], [N, C, H, W] or [N, H, W, C] with up to 4 channels."""
    first = content.ndim == 4 and content.shape[1] <= 4
    if content.ndim == 4 and not first:
        content = np.moveaxis(content, -1, 1)
    height, width = content.shape[-2:]
    down, across, line = _means(height, SIDE), _means(width, SIDE).T, _blurred(SIDE, GRID)
    blur = np.kron(line, line).T.copy()  # [SIDE * SIDE, GRID * GRID]
    grey = np.empty((len(content), SIDE, SIDE), np.float32)
    descriptor = np.empty((len(content), GRID * GRID), np.float32)
    for start in range(0, len(content), CHUNK):
        part = content[start : start + CHUNK]
        one = _without_colour(part)
        small = one if (height, width) == (SIDE, SIDE) else down @ one @ across
        grey[start : start + CHUNK] = small
        flat = small.reshape(len(part), -1) @ blur
        flat -= flat.mean(1, keepdims=True)
        length = np.sqrt(np.square(flat).sum(1, keepdims=True))
        shown = small.reshape(len(part), -1).std(1)[:, None] > BLANK
        descriptor[start : start + CHUNK] = np.where(shown, flat / np.maximum(length, 1e-6), 0)
    return Looks(grey, descriptor)


def _without_colour(part: np.ndarray) -> np.ndarray:
    """The mean of the channels, float32 [n, H, W]; of four the last, which is opacity, does not count."""
    if part.ndim == 3:
        return part.astype(np.float32)
    channels = min(3, part.shape[1])
    total = part[:, 0].astype(np.float32)
    for channel in range(1, channels):
        total += part[:, channel]
    return total / channels


def oriented(square: np.ndarray, orientation: int) -> np.ndarray:
    """Squares [N, S, S], turned by `orientation % 4` quarters, and mirrored from 4 on."""
    turned = np.rot90(square, orientation % 4, axes=(1, 2))
    return turned[:, :, ::-1] if orientation >= 4 else turned


def turned_by(squares: np.ndarray, orientation: np.ndarray) -> np.ndarray:
    """Squares [n, S, S], each in its own orientation [n]."""
    found = squares.copy()
    for way in np.unique(orientation):
        found[orientation == way] = oriented(squares[orientation == way], int(way))
    return found


def nearest(
    query: np.ndarray, pool: np.ndarray, apart: np.ndarray | None = None, orientations: int = 8
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """For each descriptor of `query` [n, D] the nearest of `pool` [N, D]: its row, how it is turned, the cosine.

    Args:
        apart: row of `pool` that each must not be matched with [n].
    """
    best, row, way = np.full(len(query), -2.0, np.float32), np.zeros(len(query), int), np.zeros(len(query), int)
    main = _main_directions(pool)
    reduced = (pool @ main).T.copy()
    step = max(1, int(4e6) // max(len(pool), 1))
    for orientation in range(orientations):
        square = oriented(query.reshape(-1, GRID, GRID), orientation).reshape(len(query), -1) @ main
        for start in range(0, len(query), step):
            cosine = square[start : start + step] @ reduced
            if apart is not None:
                cosine[np.arange(len(cosine)), apart[start : start + step]] = -2
            found = cosine.argmax(1)
            value = cosine[np.arange(len(found)), found]
            rows = np.arange(start, start + len(found))[value > best[start : start + step]]
            row[rows], best[rows], way[rows] = found[rows - start], value[rows - start], orientation
    return row, way, best


def agreement(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """How well two pictures can be laid on each other, [P] of pairs [P, SIDE, SIDE]: 1 where they are equal.

    The concordance 2 cov / (var + var): as a correlation, and lower where one has more contrast; brightness is free.
    """
    best = np.full(len(one), -1.0, np.float32)
    for scale in SCALES:
        left = np.flatnonzero(best < 0.99) if scale == 1 else np.flatnonzero((best < 0.99) & (best > HOPELESS))
        if not len(left):
            break
        for a, b in ((one, other),) if scale == 1 else ((one, other), (other, one)):
            best[left] = np.maximum(best[left], _shifted(_zoomed(a[left], scale), b[left]))
    return best


def _shifted(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """The highest concordance of the inner part of `other` with `one` at shifts of up to `SHIFT` pixels [P]."""
    inner = SIDE - 2 * SHIFT
    one = one - one.mean((1, 2), keepdims=True)
    template = other[:, SHIFT : SHIFT + inner, SHIFT : SHIFT + inner]
    template = template - template.mean((1, 2), keepdims=True)
    power = np.einsum("pij,pij->p", template, template)
    best = np.full(len(one), -1.0, np.float32)
    for down in range(2 * SHIFT + 1):
        for across in range(2 * SHIFT + 1):
            window = one[:, down : down + inner, across : across + inner]
            own = np.einsum("pij,pij->p", window, window) - np.square(window.mean((1, 2))) * inner**2
            cov = np.einsum("pij,pij->p", window, template)
            best = np.maximum(best, 2 * cov / np.maximum(power + own, 1e-3))
    return best


def _zoomed(square: np.ndarray, scale: float) -> np.ndarray:
    """The middle `scale` of pictures, as large as before."""
    if scale == 1:
        return square
    place = (np.arange(SIDE) + 0.5 - SIDE / 2) * scale + SIDE / 2 - 0.5
    low = np.clip(np.floor(place).astype(int), 0, SIDE - 2)
    share = place - low
    way = np.zeros((SIDE, SIDE), np.float32)
    way[np.arange(SIDE), low], way[np.arange(SIDE), low + 1] = 1 - share, share
    return way @ square @ way.T


def _main_directions(pool: np.ndarray, most: int = 40) -> np.ndarray:
    some = pool[:: max(1, len(pool) // 2000)]
    return np.linalg.eigh(some.T @ some)[1][:, ::-1][:, :most].astype(np.float32)


def _means(size: int, wanted: int) -> np.ndarray:
    """The matrix [wanted, size] that takes means over equal parts of a line."""
    ends = np.linspace(0, size, wanted + 1)
    pixel = np.arange(size)
    shared = np.minimum(ends[1:, None], pixel + 1) - np.maximum(ends[:-1, None], pixel)
    shared = np.maximum(shared, 0)
    return (shared / shared.sum(1, keepdims=True)).astype(np.float32)


def _blurred(size: int, wanted: int, width: float = 2.0) -> np.ndarray:
    """The matrix [wanted, size] that samples a line blurred by a Gaussian, `width` pixels wide."""
    centre = (np.arange(wanted) + 0.5) * size / wanted - 0.5
    weight = np.exp(-0.5 * np.square((np.arange(size) - centre[:, None]) / width))
    return (weight / weight.sum(1, keepdims=True)).astype(np.float32)


def are_drawings(content: np.ndarray) -> bool:
    """Whether pictures [N, ...] have so few grey levels that honest ones may repeat each other."""
    some = content[np.linspace(0, len(content) - 1, min(50, len(content))).astype(int)]
    return float(np.median([len(np.unique(one)) for one in some])) < LEVELS
