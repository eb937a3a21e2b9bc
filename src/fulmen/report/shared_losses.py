"""Losses of many models on the items that all of them share, as means over units that a test can draw."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from fulmen.report.test_predictions import BASELINE

MOST_UNITS = 1000  # that independent items are put together to


@dataclass(frozen=True)
class Losses:
    """Mean losses of M models in U units; their mean over the units is the mean loss of all items.

    Attributes:
        names: of the models [M].
        loss: [M, U].
        reference: [U] of a baseline that all models were tested beside; None where they have none in common.
        reference_name: what it is called.
        in_time: whether the units are periods, in their order.
        span: periods on whose outcomes the loss of one depends.
        unit: what the units are.
    """

    names: Sequence[str]
    loss: np.ndarray
    reference: np.ndarray | None = None
    reference_name: str = ""
    in_time: bool = False
    span: int = 1
    unit: str = "items"


def shared_losses(models: Mapping[str, Mapping[str, np.ndarray]]) -> Losses | None:
    """The losses of all models that have finite ones; None where they share no items.

    The units are periods where items have a `time`, groups where they have one, and items otherwise, of which many are
    put together by chance. An item that comes several times, once for each run of a model, counts with the mean of its
    losses.

    Args:
        models: name -> arrays of `Summary.items`.
    """
    sound = {name: items for name, items in models.items() if len(items["loss"]) and np.isfinite(items["loss"]).all()}
    if len(sound) < 2:
        return None
    first, *others = sound.values()
    shared = np.unique(first["item"])
    for items in others:
        shared = np.intersect1d(shared, items["item"])
    if len(shared) < 2:
        return None
    loss = np.stack([_mean_of(items, "loss", shared) for items in sound.values()])
    name = next((key for key in first if key.startswith(BASELINE)), "")
    known = name and all(name in items for items in others)
    unit, number, in_time = _units(first, shared)
    span = _span(first) if in_time else 1
    sums = np.stack([np.bincount(number, each) for each in loss])
    size = len(shared) / sums.shape[1]
    reference = np.bincount(number, _mean_of(first, name, shared)) / size if known else None
    of = name.removeprefix(BASELINE) if known else ""
    return Losses(list(sound), sums / size, reference, of, in_time, span, unit)


def _mean_of(items: Mapping[str, np.ndarray], name: str, shared: np.ndarray) -> np.ndarray:
    """Values of the shared items [N], in their order."""
    own, place = np.unique(items["item"], return_inverse=True)
    mean = np.bincount(place, items[name]) / np.bincount(place)
    return mean[np.searchsorted(own, shared)]


def _units(items: Mapping[str, np.ndarray], shared: np.ndarray) -> tuple[str, np.ndarray, bool]:
    """What the units are, the unit of each shared item [N] from 0 on, and whether units follow each other in time."""
    _, first = np.unique(items["item"], return_index=True)
    place = first[np.isin(items["item"][first], shared)]
    for key, word in (("time", "days"), ("group", "groups")):
        if key in items:
            return word, np.unique(items[key][place], return_inverse=True)[1].ravel(), key == "time"
    each = -(-len(shared) // MOST_UNITS)
    mixed = np.random.default_rng(0).permutation(len(shared)) // each
    return "items" if each == 1 else f"batches of {each} items", mixed, False


def _span(items: Mapping[str, np.ndarray]) -> int:
    """Periods on whose outcomes the loss of one depends: from its time to `until`, counted by those that there are."""
    if "until" not in items:
        return 1
    times = np.unique(items["time"])
    ahead = np.searchsorted(times, items["until"], side="right") - np.searchsorted(times, items["time"], side="right")
    return max(1, int(ahead.max()))
