"""What images of somebody's own become: the arrays that are trained on, and a share of them to test on."""

import numpy as np
from sklearn.model_selection import train_test_split

from fulmen.data.cache import Arrays
from fulmen.errors import FulmenError
from fulmen.io.hints import override
from fulmen.io.taken import Taken, listed, restored, stored
from fulmen.workloads.images.copies import first_of

SEED = 0  # of the draw of a test share: it is part of the data, whatever the seed of a training


def split_off(
    image: np.ndarray, label: np.ndarray, share: float, names: list[str], key: str
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Images and labels of `train` and `test`: a share of each class tests, and copies of an image stay together.

    Raises:
        FulmenError: a class is too small for that.
    """
    first = first_of(image)
    own = np.unique(first)
    counts = np.bincount(label[own], minlength=len(names))
    if counts.min() < 2:
        raise FulmenError(
            f"{names[int(counts.argmin())]} has {counts.min()} image: a class needs two at least, one to train and one "
            f"to test on"
        )
    number = round(share * len(own))
    if number < len(names) or len(own) - number < len(names):
        least = max(share, len(names) / len(own) + 0.005)
        raise FulmenError(
            f"test: {share:g} of {len(own)} images leave not even one of each of {len(names)} classes; take "
            f"{override(f'{key}.test', float(f'{min(0.5, least):.2f}'))} or more images"
        )
    train, test = train_test_split(own, test_size=number, stratify=label[own], random_state=SEED)
    places = {part: np.flatnonzero(np.isin(first, chosen)) for part, chosen in (("train", train), ("test", test))}
    return {part: image[rows] for part, rows in places.items()}, {part: label[rows] for part, rows in places.items()}


def stored_with(image: dict[str, np.ndarray], label: dict[str, np.ndarray], names: list[str], taken: Taken) -> Arrays:
    """Arrays for the cache: images, labels, `class_names`, and what was taken, as JSON."""
    height, width = image["train"].shape[2:]
    counts = np.bincount(label["train"], minlength=len(names))
    taken.rows = (
        f"{len(label['train']):,} images to train on, {len(label['test']):,} to test, {height} x {width}, "
        f"{len(names)} classes"
    )
    taken.roles |= {"training images": listed([f"{name} {n:,}" for name, n in zip(names, counts, strict=True)], 10)}
    arrays = {f"x_{part}": each for part, each in image.items()} | {f"y_{part}": each for part, each in label.items()}
    return arrays | {"class_names": np.array(names), "taken": stored([taken])}


def taken_of(arrays: Arrays) -> list[Taken]:
    """What `stored_with` was given; of other sources nothing."""
    return restored(arrays["taken"]) if "taken" in arrays else []
