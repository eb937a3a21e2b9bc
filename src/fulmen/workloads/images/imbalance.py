"""Unequal classes made of equal ones: how many images each class keeps, and which."""

import operator
from collections.abc import Sequence
from typing import Annotated

import numpy as np

from fulmen.config.ranges import PartOfAll, refuses_out_of_range
from fulmen.config.rules import Rule
from fulmen.errors import FulmenError

Ratio = Annotated[float, Rule("of at least 1", operator.ge, (1,))]


class Step:
    """A few classes keep a share of their images, the others all.

    Args:
        classes: the minority.
        keep: their share, above 0 and at most 1.
    """

    @refuses_out_of_range
    def __init__(self, classes: Sequence[int] = (0, 1, 2), keep: PartOfAll = 0.1):
        self.classes, self.keep = tuple(classes), keep

    def counts(self, available: np.ndarray) -> np.ndarray:
        """Images that each class keeps of the `available` [C]."""
        _known("imbalance.classes", self.classes, len(available))
        kept = available.copy()
        minority = list(self.classes)
        kept[minority] = np.round(self.keep * available[minority]).astype(int)
        return kept


class Exponential:
    """Class c of C keeps n * factor^(-c / (C - 1)) of the n images of the smallest class (Cui et al. 2019).

    Args:
        factor: largest over smallest class, 1 or more.
        order: of the classes, largest first; as numbered by default.
    """

    @refuses_out_of_range
    def __init__(self, factor: Ratio = 100.0, order: Sequence[int] | None = None):
        self.factor, self.order = factor, order and tuple(order)

    def counts(self, available: np.ndarray) -> np.ndarray:
        classes = len(available)
        order = self.order or tuple(range(classes))
        if sorted(order) != list(range(classes)):
            raise FulmenError(f"imbalance.order is {list(order)}; it must name each class from 0 to {classes - 1} once")
        kept = np.empty(classes, dtype=int)
        kept[list(order)] = (available.min() * self.factor ** (-np.arange(classes) / max(1, classes - 1))).astype(int)
        return kept


class Custom:
    """As many images of each class as `images` says, class 0 first."""

    def __init__(self, images: Sequence[int]):
        self.images = tuple(images)

    def counts(self, available: np.ndarray) -> np.ndarray:
        if len(self.images) != len(available):
            raise FulmenError(f"imbalance.images has {len(self.images)} numbers; there are {len(available)} classes")
        return np.array(self.images)


Imbalance = Step | Exponential | Custom


def choose(labels: np.ndarray, imbalance: Imbalance | None, seed: int) -> np.ndarray:
    """Sorted indices [n] of the images that are kept: exact counts, drawn without replacement.

    Raises:
        FulmenError: a class keeps none, or more than there are.
    """
    available = np.bincount(labels)
    if imbalance is None:
        return np.arange(len(labels))
    kept = imbalance.counts(available)
    for c, (n, there) in enumerate(zip(kept, available, strict=True)):
        if not 1 <= n <= there:
            raise FulmenError(f"imbalance: class {c} would keep {n} of its {there} images; 1 to {there} is possible")
    rng = np.random.default_rng(seed)
    members = (np.flatnonzero(labels == c) for c in range(len(available)))
    return np.sort(np.concatenate([rng.permutation(each)[:n] for each, n in zip(members, kept, strict=True)]))


def _known(name: str, classes: Sequence[int], count: int) -> None:
    for c in classes:
        if not 0 <= c < count:
            raise FulmenError(f"{name}: there is no class {c}; the classes are 0 to {count - 1}")
