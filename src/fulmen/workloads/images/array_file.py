"""Images and labels in an `.npz` of somebody's own: which array is which, then what each of them holds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from fulmen.data.cache import Arrays
from fulmen.errors import FulmenError
from fulmen.io.arrays import is_npy, names_in, opened, read_arrays
from fulmen.io.hints import override
from fulmen.io.names import matched, plain
from fulmen.io.taken import Guess, Taken, listed
from fulmen.workloads.images.copies import said_of
from fulmen.workloads.images.labels import Kind, labels_of
from fulmen.workloads.images.pixels import Channels, images_of
from fulmen.workloads.images.shares import split_off, stored_with

ROLES = ("x_train", "y_train", "x_test", "y_test")
TRAIN, TEST, HELD_OUT = ("train", "training", "tr"), ("test", "testing", "te"), ("val", "valid", "validation", "dev")
IMAGES = ("x", "images", "image", "imgs", "img", "data", "pictures", "pixels", "features", "inputs", "input")
LABELS = ("y", "labels", "label", "targets", "target", "classes", "class")
SHARE = 0.2  # of the images, where a message proposes to split off a test part


@dataclass(frozen=True)
class Reading:
    """What a person says about images of their own.

    Attributes:
        columns: one of `ROLES` -> the array in the file.
        labels: "names" takes each label that there is as the name of a class.
        channels: the axis of the channels.
        pixel_range: the values of black and white.
        test: share of the images to test on; needed where there is no test part, and then in place of one.
        classes: how many there are; None: as many as the training part has.
        size: height and width to which pictures of a folder are brought.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    labels: Kind = "auto"
    channels: Channels = "auto"
    pixel_range: Sequence[float] | None = None
    test: float | None = None
    classes: int | None = None
    size: tuple[int, int] | None = None


def array_file(path: Path, reading: Reading, key: str = "data") -> Arrays:
    """What `stored_with` says, of an `.npz`.

    Raises:
        FulmenError: what is missing, cannot be or is not clear; one line, with what to type.
    """
    roles, guesses, left_out = roles_in(path, reading, key)
    arrays = read_arrays(path, dict.fromkeys(roles.values()))
    images = {f"{path}: {name}": arrays[name] for role, name in roles.items() if role.startswith("x")}
    labels = {f"{path}: {name}": arrays[name] for role, name in roles.items() if role.startswith("y")}
    if len(images) < len(labels) or len(labels) < len(images):
        raise FulmenError(f"{path}: one array serves as two; name four different ones in {key}.columns")
    _refuse_swapped(images, labels, roles, path, key)
    counts = dict(zip(labels, _images_each(images, labels), strict=True))
    found = labels_of(labels, counts, reading.labels, reading.classes, key)
    pixels, decided = images_of(images, reading.channels, reading.pixel_range, key)
    parts = ("train", "test")[: len(images)]
    x, y = dict(zip(parts, pixels.values(), strict=True)), dict(zip(parts, found.numbers.values(), strict=True))
    guesses += [*decided, *found.guesses]
    if len(parts) == 1:
        x, y = split_off(x["train"], y["train"], given_share(reading, path, key), found.names, key)
        guesses.append(
            Guess(f"{len(y['test']):,} images are split off for testing", override(f"{key}.test", reading.test))
        )
    sizes = {part: each.shape[2:] for part, each in x.items()}
    if sizes["train"] != sizes["test"]:
        told = " and ".join(f"x_{part} {h} x {w}" for part, (h, w) in sizes.items())
        raise FulmenError(f"{path}: x_train and x_test differ in height and width: {told}")
    doubts = said_of(x, y, found.names)
    if len(set(map(len, x.values()))) == 1 and np.array_equal(x["train"], x["test"]):
        raise FulmenError(
            f"{path}: x_test is x_train once more, so that nothing would be tested; give other images, or split off a "
            f"share: {override(f'{key}.test', SHARE)}"
        )
    taken = Taken(str(path), "", {}, guesses, [f"not used: {listed(left_out)}"] if left_out else [], doubts)
    return stored_with(x, y, found.names, taken)


def roles_in(path: Path, reading: Reading, key: str = "data") -> tuple[dict[str, str], list[Guess], list[str]]:
    """Role -> name in the file, what was decided, and the names that serve as nothing.

    Raises:
        FulmenError: a role without a name that is its own; the message says what to type.
    """
    there = names_in(path)
    if is_npy(opened(path)):
        raise FulmenError(
            f"{path} is one array without labels; save both: np.savez('{path.stem}.npz', x_train=images, "
            f"y_train=labels, x_test=..., y_test=...)"
        )
    if twice := sorted({name for name in there if there.count(name) > 1}):
        raise FulmenError(f"{path}: {listed(twice)} stands in it twice; save each array once")
    wanted, columns = ROLES[: 2 if reading.test is not None else 4], dict(reading.columns)
    if reading.test is not None:
        columns = {role: name for role, name in columns.items() if plain(role) not in ("xtest", "ytest")}
    _ask_for(columns, there, wanted, path, key, reading.test)
    roles, guesses = matched(wanted, there, columns, source=str(path), key=key)
    return roles, guesses, [name for name in there if name not in roles.values()]


def _ask_for(
    columns: Mapping[str, str], there: list[str], wanted: Sequence[str], path: Path, key: str, share: float | None
) -> None:
    """Pass if every role has a name of its own; otherwise propose all names and the test part at once."""
    by_plain = {plain(name) for name in (*there, *columns)}
    missing = [role for role in wanted if plain(role) not in by_plain]
    if not missing:
        return
    meant = {role: name for role, name in _likely(there).items() if role in wanted} | dict(columns)
    if not {"x_train", "y_train"} <= set(meant):
        meant = _by_shape(path, there) | dict(columns)
    if not {"x_train", "y_train"} <= set(meant):
        raise FulmenError(
            f"{path} has no {listed(missing)}; it needs {', '.join(ROLES)}, and has {listed(there) or 'nothing'}: name "
            f"them as in {override(f'{key}.columns', dict.fromkeys(('x_train', 'y_train'), '...'))}"
        )
    untested = not {"x_test", "y_test"} <= set(meant)
    if untested:
        meant = {role: name for role, name in meant.items() if role.endswith("train")}
    unequal = {role: name for role, name in meant.items() if role != name}
    typed = [override(f"{key}.columns", unequal)] if unequal else []
    if untested and share is None:
        typed.append(override(f"{key}.test", SHARE))
    pairs = listed([f"{name} as {role}" for role, name in unequal.items()])
    asks = f"is it {pairs}? Then " if unequal else "split a share of the images off for testing: "
    raise FulmenError(f"{path} has no {listed(missing)}; {asks}{' '.join(typed)}")


def _likely(there: Sequence[str]) -> dict[str, str]:
    """Roles whose array is clear by its name."""
    found: dict[str, str] = {}
    for name in there:
        for kind, kinds in (("x", IMAGES), ("y", LABELS)):
            for part, parts in (("train", TRAIN), ("test", TEST)):
                both = {a + b for k in kinds for p in parts for a, b in ((k, p), (p, k))}
                if plain(name) in both:
                    found.setdefault(f"{kind}_{part}", name)
    for name in there:
        for kind, kinds in (("x", IMAGES), ("y", LABELS)):
            if plain(name) in kinds:
                found.setdefault(f"{kind}_train", name)
    return found


def _by_shape(path: Path, there: Sequence[str]) -> dict[str, str]:
    """Roles by shapes: images have three or four axes, labels are as many; the larger part trains."""
    arrays = read_arrays(path)
    images = sorted((name for name in there if arrays[name].ndim > 2), key=lambda name: -len(arrays[name]))
    labels = [name for name in there if arrays[name].ndim in (1, 2)]
    found: dict[str, str] = {}
    for part, name in zip(("train", "test"), images, strict=False):
        own = [each for each in labels if len(arrays[each]) == len(arrays[name]) and each not in found.values()]
        if len(own) == 1:
            found |= {f"x_{part}": name, f"y_{part}": own[0]}
    return found if len(images) <= 2 else {}


def given_share(reading: Reading, path: Path, key: str) -> float:
    """The share to test on.

    Raises:
        FulmenError: none was said.
    """
    if reading.test is None:
        raise FulmenError(f"{path} has no test part; split one off: {override(f'{key}.test', SHARE)}")
    return reading.test


def _images_each(images: Mapping[str, np.ndarray], labels: Mapping[str, np.ndarray]) -> list[int]:
    """How many images each part has.

    Raises:
        FulmenError: there are none, or the last axis counts them, as in MATLAB.
    """
    for (label, x), y in zip(images.items(), labels.values(), strict=True):
        if not x.size:
            raise FulmenError(f"{label} holds no image (its shape is {list(x.shape)})")
        if x.ndim in (3, 4) and len(x) != len(y) and x.shape[-1] == y.size and x.shape[-1] > 4:
            name = label.rpartition(": ")[2]
            raise FulmenError(
                f"{label} has shape {list(x.shape)} for {y.size} labels: its last axis counts the images; save "
                f"np.moveaxis({name}, -1, 0)"
            )
    return [len(x) if x.ndim else 0 for x in images.values()]


def _refuse_swapped(
    images: Mapping[str, np.ndarray], labels: Mapping[str, np.ndarray], roles: Mapping[str, str], path: Path, key: str
) -> None:
    for (x_label, x), (y_label, y) in zip(images.items(), labels.items(), strict=True):
        if x.ndim < 3 <= y.ndim:
            names = [label.rpartition(": ")[2] for label in (x_label, y_label)]
            other = {role: roles[("y" if role[0] == "x" else "x") + role[1:]] for role in roles}
            raise FulmenError(
                f"{path}: {names[0]} has shape {list(x.shape)} and {names[1]} {list(y.shape)}: images and labels are "
                f"exchanged; {override(f'{key}.columns', other)}"
            )
