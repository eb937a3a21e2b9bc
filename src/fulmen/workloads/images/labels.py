"""Labels as others keep them, made numbers from 0 to C - 1: text, numbers from 1, truth values, one column a class."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from fulmen.errors import FulmenError
from fulmen.io.hints import override
from fulmen.io.taken import Guess, listed

Kind = Literal["auto", "names"]


@dataclass(frozen=True)
class Labels:
    """Labels of one source.

    Attributes:
        numbers: of each part, int64 [N] from 0 to C - 1.
        names: of the C classes.
        guesses: what was decided.
    """

    numbers: dict[str, np.ndarray]
    names: list[str]
    guesses: list[Guess] = field(default_factory=list)


def labels_of(
    stored: dict[str, np.ndarray],
    images: dict[str, int] | None = None,
    kind: Kind = "auto",
    classes: int | None = None,
    key: str = "data",
) -> Labels:
    """Labels by the words that messages call them, the training labels first: they say which classes there are.

    Args:
        stored: text, whole numbers or truth values [N] or [N, 1], or one column a class [N, C].
        images: how many images each part has.
        kind: "names" takes each label that there is as the name of a class; "auto" so where that is clear.
        classes: how many a person says there are.
        key: of the arguments in messages.

    Raises:
        FulmenError: labels that cannot be, or that are not clear; one line, with what to type.
    """
    guesses: list[Guess] = []
    flat = {label: _flat(y, label, (images or {}).get(label), guesses) for label, y in stored.items()}
    train = next(iter(flat))
    values = {label: _plain(y, label, guesses) for label, y in flat.items()}
    kinds = {y.dtype.kind for y in values.values()}
    if len(kinds) > 1:
        held = " and ".join(f"{label} {'text' if y.dtype.kind == 'U' else 'numbers'}" for label, y in values.items())
        raise FulmenError(f"{held}: labels of both parts have to be of one kind; {_name(train)}.astype(str) makes text")
    there = _sorted(np.unique(values[train]))
    _refuse_if_none(values[train], there, train)
    if kinds == {"U"}:
        guesses.append(Guess(f"classes are called {listed(there.tolist())}"))
        _refuse_alike(there.tolist(), train)
        named = True
    else:
        named = _numbers_are_names(there, values[train], train, kind, classes, guesses, key)
    if classes is not None and classes != len(there) and (named or classes < len(there)):
        raise FulmenError(
            f"{train} has {len(there)} classes ({listed(map(_as_name, there), 4)}): these are "
            f"{override(f'{key}.classes', len(there))}, or leave it out"
        )
    numbers = {label: _counted(y, there, label, train) for label, y in values.items()}
    return Labels(numbers, [_as_name(each) for each in there], list(dict.fromkeys(guesses)))


def _flat(y: np.ndarray, label: str, images: int | None, guesses: list[Guess]) -> np.ndarray:
    """[N] of [N], [N, 1], [1, N] or one column a class [N, C]."""
    name = _name(label)
    if y.ndim == 2 and 1 in y.shape and y.size > 1 and images in (None, y.size):
        guesses.append(Guess(f"{name} {list(y.shape)} is one label per image"))
        y = y.reshape(-1)
    elif y.ndim == 2 and images in (None, len(y)) and y.dtype.kind in "biuf":
        y = _of_columns(y, label, guesses)
    if y.ndim != 1 or (images is not None and len(y) != images):
        wanted = "whole numbers or text" + (f" [{images}]" if images is not None else " [N]")
        raise FulmenError(f"{label} is {y.dtype} {list(y.shape)}; it must be {wanted}, one per image")
    if not len(y):
        raise FulmenError(f"{label} holds no label")
    return y


def _of_columns(y: np.ndarray, label: str, guesses: list[Guess]) -> np.ndarray:
    """The number of the column of each row that holds the 1."""
    name = _name(label)
    ones = (y == 1).sum(1)
    if not ((y == 0) | (y == 1)).all():
        place = np.argwhere((y != 0) & (y != 1))[0].tolist()
        raise FulmenError(
            f"{label}{place} is {y[tuple(place)]}: one column a class holds 0 and 1 alone; for the most likely class "
            f"of each image save {name}.argmax(1)"
        )
    if (ones != 1).any():
        row = int(np.flatnonzero(ones != 1)[0])
        raise FulmenError(
            f"{label}[{row}] has {ones[row]} classes; an image has exactly one here: leave such images to a class of "
            f"their own, or save one label per image"
        )
    guesses.append(Guess(f"{name} {list(y.shape)} has one column a class"))
    return y.argmax(1)


def _plain(y: np.ndarray, label: str, guesses: list[Guess]) -> np.ndarray:
    """Text, or whole numbers."""
    name = _name(label)
    if y.dtype.kind == "S":
        try:
            y = np.char.decode(y, "utf-8")
        except UnicodeDecodeError:
            raise FulmenError(f"{label} holds bytes that are no text; save {name} as text or whole numbers") from None
    if y.dtype.kind == "U":
        y = np.char.strip(y)
        if (y == "").any():
            raise FulmenError(f"{label}[{int(np.flatnonzero(y == '')[0])}] is empty; every image needs a label")
        return y
    if y.dtype == bool:
        guesses.append(Guess(f"{name}: class 0 is False and class 1 True"))
        return y.astype(np.int64)
    if y.dtype.kind == "f":
        if not np.isfinite(y).all():
            row = int(np.flatnonzero(~np.isfinite(y))[0])
            raise FulmenError(f"{label}[{row}] is {y[row]}; every image needs a label")
        if (y % 1 != 0).any():
            row = int(np.flatnonzero(y % 1 != 0)[0])
            raise FulmenError(
                f"{label}[{row}] is {y[row]:g} ({y.dtype}); labels of classes are whole numbers or text, and numbers "
                f"with decimals are not predicted here"
            )
        guesses.append(Guess(f"{name} ({y.dtype}) holds whole numbers"))
        return y.astype(np.int64)
    if y.dtype.kind not in "iu":
        raise FulmenError(f"{label} is {y.dtype} {list(y.shape)}; labels are whole numbers or text, one per image")
    return y.astype(np.int64)


def _refuse_if_none(y: np.ndarray, there: np.ndarray, label: str) -> None:
    if len(there) == 1:
        raise FulmenError(f"{label} holds one class alone ({_as_name(there[0])}): there is nothing to tell apart")
    if len(there) > max(20, len(y) // 2):
        raise FulmenError(
            f"{label} has {len(there)} different labels for {len(y)} images: they seem to be numbers or names of "
            f"images; give each image the label of its class"
        )


def _numbers_are_names(
    there: np.ndarray,
    y: np.ndarray,
    label: str,
    kind: Kind,
    classes: int | None,
    guesses: list[Guess],
    key: str,
) -> bool:
    """Whether the numbers that are there are the names of classes, instead of counting them from 0."""
    if kind == "names":
        return True
    low, high = int(there[0]), int(there[-1])
    if low == 0 and high == len(there) - 1:
        if classes is not None and classes > len(there):
            raise FulmenError(
                f"{label} has no image of class {len(there)}; {override(f'{key}.classes', classes)} needs some of "
                f"each; these are {override(f'{key}.classes', len(there))}"
            )
        return False
    if low == 1 and high == len(there) and classes in (None, len(there)):
        guesses.append(
            Guess(f"{_name(label)} counts from 1; classes keep these names", override(f"{key}.labels", "names"))
        )
        return True
    if there.tolist() == [-1, 1] and classes in (None, 2):
        guesses.append(Guess(f"{_name(label)} holds -1 and 1; these are the names", override(f"{key}.labels", "names")))
        return True
    if classes is not None and low >= 0 and high < classes:
        absent = np.setdiff1d(np.arange(classes), there)
        problem = f"{label} has no image of class {absent[0]}; {override(f'{key}.classes', classes)} needs some of each"
    else:
        wrong = high if low >= 0 else low
        place = int(np.flatnonzero(y == wrong)[0])
        problem = f"{label}[{place}] is {wrong}; labels count the classes from 0, and there are {len(there)}"
    also = f" {override(f'{key}.classes', len(there))}" if classes is not None and classes != len(there) else ""
    raise FulmenError(
        f"{problem} ({listed(map(_as_name, there), 6)}); is each of them a class? Then "
        f"{override(f'{key}.labels', 'names')}{also}"
    )


def _counted(y: np.ndarray, there: np.ndarray, label: str, train: str) -> np.ndarray:
    """The place of each label among those that are `there` in training."""
    order = np.argsort(there, kind="stable")
    place = np.searchsorted(there[order], y).clip(max=len(there) - 1)
    strange = there[order][place] != y
    if strange.any():
        row = int(np.flatnonzero(strange)[0])
        raise FulmenError(
            f"{label}[{row}] is {_as_name(y[row])}, a class of which {_name(train)} has no image; there is "
            f"{listed(map(_as_name, there), 6)}"
        )
    return order[place].astype(np.int64)


def _refuse_alike(names: Sequence[str], label: str) -> None:
    """Pass if no two names are the same but for case and spaces, or as numbers."""
    first: dict[str, str] = {}
    for name in names:
        plain = " ".join(name.casefold().split())
        if plain.replace(".", "", 1).isdigit():
            plain = f"{float(plain):g}"
        if plain in first:
            raise FulmenError(
                f"{label} has {first[plain]!r} and {name!r}, which differ in case, spaces or decimals alone: write one "
                f"class in one way, for example np.char.lower({_name(label)})"
            )
        first[plain] = name


def _sorted(values: np.ndarray) -> np.ndarray:
    """Text that is whole numbers in the order of these: 2 before 10."""
    if values.dtype.kind == "U" and all(value.isdecimal() for value in values.tolist()):
        return np.array(sorted(values.tolist(), key=int))
    return values


def _as_name(value: object) -> str:
    return str(value)


def _name(label: str) -> str:
    """`y_train` of `photos.npz: y_train`."""
    return label.rpartition(": ")[2]
