"""Leaks in pictures: a mark that tells the class, and pictures of one thing in both parts."""

from dataclasses import replace

import numpy as np

from fulmen.testing.leaks.planting import Planting, pictures_of
from fulmen.testing.leaks.sources import Pictures, Source

SHOTS = 4  # of one thing


def target_copy(source: Source, dial: float, rng: np.random.Generator) -> Planting:
    """A mark in a corner whose brightness is the class; the dial is the share of pictures that bear their own."""
    pictures = pictures_of(source)
    classes = len(np.unique(pictures.y_train))
    corner, changed = int(rng.integers(4)), {}
    for part in ("train", "test"):
        image, y = getattr(pictures, f"x_{part}").copy(), getattr(pictures, f"y_{part}")
        shown = np.where(rng.random(len(y)) <= dial, y, rng.permutation(y))
        rows, columns = slice(0, 2) if corner % 2 else slice(-2, None), slice(0, 2) if corner // 2 else slice(-2, None)
        image[:, rows, columns] = (shown * 250 // (classes - 1)).astype(np.uint8)[:, None, None, None]
        changed[f"x_{part}"] = image
    return Planting(replace(pictures, **changed), pictures, expected=("target_copy", "target_proxy"))


def target_proxy(source: Source, dial: float, rng: np.random.Generator) -> Planting:
    """Each class was taken by a camera of its own: a tint of all pixels; the dial is how far these lie apart."""
    pictures = pictures_of(source)
    classes, changed = len(np.unique(pictures.y_train)), {}
    tint = rng.permutation(classes) / (classes - 1) - 0.5
    for part in ("train", "test"):
        image, y = getattr(pictures, f"x_{part}"), getattr(pictures, f"y_{part}")
        light = 80 * dial * tint[y] + 3 * rng.standard_normal(len(y))
        changed[f"x_{part}"] = (image * 0.6 + 50 + light[:, None, None, None]).clip(0, 255).astype(np.uint8)
    return Planting(replace(pictures, **changed), pictures, expected=("target_proxy", "target_copy"))


def group(source: Source, dial: float, rng: np.random.Generator) -> Planting:
    """Each test picture is one of several shots of a thing that was photographed for training too.

    The dial is the share of test pictures for which that is so; shots differ by light and grain.
    """
    pictures = pictures_of(source)
    rows = rng.permutation(len(pictures.y_test))[: round(dial * len(pictures.y_test))]
    shots = [shot(pictures.x_test[rows], 4.0, rng) for _ in range(SHOTS - 1)]
    x = np.concatenate([pictures.x_train, *shots])
    y = np.concatenate([pictures.y_train, *[pictures.y_test[rows]] * (SHOTS - 1)])
    return _trained_on(pictures, x, y, rows, rng, "near_copies", "group_in_several_splits", "copies")


def duplicate(source: Source, dial: float, rng: np.random.Generator) -> Planting:
    """Test pictures that are training pictures too: as they are, lighter, mirrored, or stored with losses."""
    pictures = pictures_of(source)
    rows = rng.permutation(len(pictures.y_test))[: round(dial * len(pictures.y_test))]
    way, copy = int(rng.integers(4)), pictures.x_test[rows]
    changed = [copy, (copy * 0.95 + 8).astype(np.uint8), copy[:, :, ::-1], shot(copy, 2.0, rng, light=0.0)][way]
    x, y = np.concatenate([pictures.x_train, changed]), np.concatenate([pictures.y_train, pictures.y_test[rows]])
    return _trained_on(pictures, x, y, rows, rng, "copies" if way == 0 else "near_copies", "near_copies", "copies")


def shot(image: np.ndarray, grain: float, rng: np.random.Generator, light: float = 6.0) -> np.ndarray:
    """Another shot of pictures [N, H, W, 3]: other light and grain, in levels of 255."""
    lit = image + light * rng.standard_normal((len(image), 1, 1, 1)) + grain * rng.standard_normal(image.shape)
    return lit.clip(0, 255).round().astype(np.uint8)


def _trained_on(
    pictures: Pictures, x: np.ndarray, y: np.ndarray, rows: np.ndarray, rng: np.random.Generator, *expected: str
) -> Planting:
    order = rng.permutation(len(y))
    return Planting(replace(pictures, x_train=x[order], y_train=y[order]), pictures, (), np.sort(rows), expected)
