"""Pictures that bear the grain of another one: copies that were moved by a pixel, or made noisy, in soft pictures.

What a picture shows is told by its light and dark parts, which soft pictures share; no two shots share their grain.
"""

import numpy as np

SHIFT = 1  # pixels
PROJECTED = 128  # numbers that candidates are found by
QUERIES, CELLS = 300, 2_000_000  # pictures that are asked for, and pairs of pictures and shifts
ALIKE, APART = 0.5, 0.3  # correlation of the grain of a copy, and how far it lies above the sixth nearest
RANK = 6
FEWEST, SHARE = 3, 0.01  # copies that are told
UNLIKELY = 1e-6  # chance that so many arise as among training pictures
MANY = 0.5  # share of such pictures that is no chance, whatever training pictures do


def same_grain(content: np.ndarray, train: np.ndarray, rows: np.ndarray) -> tuple[int, int, list[list[int]]]:
    """Pictures of other splits that have the grain of a training picture: how many, of how many, and pairs.

    Args:
        content: pictures [N, C, H, W] or [N, H, W, C] of bytes.
        train: numbers of those of the training split.
        rows: of those that are asked for; none of them equals one of `train`.
    """
    asked = _some(rows, min(QUERIES, CELLS // (len(train) * (2 * SHIFT + 1) ** 2)))
    own = _some(train, len(asked))
    if len(asked) < 20:
        return 0, len(asked), []
    pool = residuals(content[train])
    usual = pool.mean(0)  # an edge that all share
    pool = pool - usual
    here, who = best(residuals(content[asked]) - usual, pool)
    there, _ = best(residuals(content[own]) - usual, pool, np.searchsorted(train, own))
    count, within = int(here.sum()), float(there.mean())
    if count < max(FEWEST, SHARE * len(asked)):
        return 0, len(asked), []
    from scipy.stats import binom

    chance = float(binom.sf(count - 1, len(asked), min(1.0, within + 4 / len(own))))
    if chance > UNLIKELY and count < MANY * len(asked):
        return 0, len(asked), []
    return count, len(asked), [[int(train[who[i]]), int(asked[i])] for i in np.flatnonzero(here)[:5]]


def residuals(content: np.ndarray) -> np.ndarray:
    """Grey pictures less the mean of 3 x 3 pixels around each, [n, H, W] float32."""
    from scipy.ndimage import uniform_filter

    channel = 1 if content.ndim == 4 and content.shape[1] <= 4 else 3
    grey = content.astype(np.float32).mean(channel) if content.ndim == 4 else content.astype(np.float32)
    return np.asarray(grey - uniform_filter(grey, (0, 3, 3), mode="nearest"), np.float32)


def best(query: np.ndarray, pool: np.ndarray, apart: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Whether each of `query` [n, H, W] has the grain of one of `pool` [N, H, W], and of which.

    Args:
        apart: row of `pool` that each must not be matched with, which is itself [n].
    """
    size = pool.shape[1] - 2 * SHIFT, pool.shape[2] - 2 * SHIFT
    known = _unit(_inner(pool, SHIFT, SHIFT, size))
    way = np.random.default_rng(0).choice([-1.0, 1.0], (known.shape[1], PROJECTED)).astype(np.float32)
    way /= np.sqrt(PROJECTED)
    short = (known @ way).T.copy()
    top, who = np.full(len(query), -1.0), np.zeros(len(query), int)
    moved, sixth = [], np.full(len(query), -1.0)
    for down in range(2 * SHIFT + 1):
        for across in range(2 * SHIFT + 1):
            moved.append(_unit(_inner(query, down, across, size)))
            found = (moved[-1] @ way) @ short
            if apart is not None:
                found[np.arange(len(query)), apart] = -1
            candidates = np.argpartition(-found, RANK, 1)[:, : RANK + 1]
            exact = np.sort(np.einsum("nd,nkd->nk", moved[-1], known[candidates]), 1)[:, ::-1]
            first = candidates[np.arange(len(query)), np.einsum("nd,nkd->nk", moved[-1], known[candidates]).argmax(1)]
            better = exact[:, 0] > top
            top, who = np.where(better, exact[:, 0], top), np.where(better, first, who)
            sixth = np.maximum(sixth, exact[:, RANK - 1])
    return (top > ALIKE) & (top - sixth > APART), who


def _inner(pictures: np.ndarray, down: int, across: int, size: tuple[int, int]) -> np.ndarray:
    return pictures[:, down : down + size[0], across : across + size[1]].reshape(len(pictures), -1)


def _unit(flat: np.ndarray) -> np.ndarray:
    flat = flat - flat.mean(1, keepdims=True)
    return np.asarray(flat / np.maximum(np.sqrt(np.square(flat).sum(1, keepdims=True)), 1e-6), np.float32)


def _some(rows: np.ndarray, most: int) -> np.ndarray:
    return rows if len(rows) <= most else rows[np.linspace(0, len(rows) - 1, most).astype(int)]
