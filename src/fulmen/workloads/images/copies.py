"""Images that are there more than once, pixel for pixel."""

from collections import defaultdict

import numpy as np

from fulmen.data.leaks.content import content_hashes
from fulmen.io.taken import listed


def first_of(*parts: np.ndarray) -> np.ndarray:
    """For each image of parts [N, ...], which are counted on, the place of the first that equals it, int64 [N]."""
    key = np.concatenate([content_hashes(part) for part in parts])
    begin = np.cumsum([0, *map(len, parts)])
    first = np.arange(len(key))
    order = np.argsort(key, kind="stable")
    same = np.flatnonzero(key[order][1:] == key[order][:-1])
    known: dict[tuple[int, bytes], int] = {}
    for place in sorted({int(each) for i in same for each in order[i : i + 2]}):
        part = int(np.searchsorted(begin, place, side="right")) - 1
        content = parts[part][place - begin[part]].tobytes()  # two images may share a hash by chance
        first[place] = known.setdefault((int(key[place]), content), place)
    return first


def said_of(image: dict[str, np.ndarray], label: dict[str, np.ndarray], names: list[str]) -> list[str]:
    """Sentences on copies within the training images and between them and the test images; [] where there are none.

    Args:
        image: of `train` and `test` [N, ...].
        label: of both [N].
        names: of the classes.
    """
    train, test = len(image["train"]), len(image["test"])
    first = first_of(image["train"], image["test"])
    labels = np.concatenate([label["train"], label["test"]])
    said = []
    again = np.flatnonzero(first[:train] != np.arange(train))
    if len(again):
        said.append(
            f"{len(again):,} of {train:,} training images are copies of another one (first: image {again[0]} of image "
            f"{first[again[0]]}); both may stand on the two sides of a validation split"
        )
    seen = np.flatnonzero(first[train:] < train)
    if len(seen):
        said.append(
            f"{len(seen):,} of {test:,} test images are training images too (first: image {seen[0]}, in training "
            f"{first[train + seen[0]]}); scores on them are too good"
        )
    within = np.flatnonzero((first[train:] != np.arange(train, train + test)) & (first[train:] >= train))
    if len(within):
        said.append(f"{len(within):,} of {test:,} test images are copies of another test image")
    other = np.flatnonzero(labels[first] != labels)
    if len(other):
        pairs: dict[tuple[str, str], int] = defaultdict(int)
        for place in other:
            pairs[names[labels[first[place]]], names[labels[place]]] += 1
        told = listed([f"{a} and {b}" for a, b in pairs], 3)
        said.append(f"{len(other):,} copies of an image have another label than it ({told})")
    return said
