"""Pixels as others keep them, made uint8 [N, 3, H, W]: the axis of the channels, and the values of black and white."""

from collections.abc import Sequence
from typing import Literal

import numpy as np

from fulmen.errors import FulmenError
from fulmen.io.hints import override
from fulmen.io.taken import Guess

Channels = Literal["auto", "first", "last"]
DARK = 32  # an image whose brightest value of 255 is below this is nearly black
WHITES = (1, 15, 16, 100, 255, 1023, 4095, 16383, 65535)  # that are used for white
CHANNELS = (1, 3, 4)
Known = tuple[float, float]  # the values of black and white


def images_of(
    stored: dict[str, np.ndarray],
    channels: Channels = "auto",
    pixel_range: Sequence[float] | None = None,
    key: str = "data",
) -> tuple[dict[str, np.ndarray], list[Guess]]:
    """Images of one source, by the words that messages call them.

    Args:
        stored: arrays [N, H, W], [N, H, W, C] or [N, C, H, W] with one, three or four channels.
        channels: which axis holds them, where both could.
        pixel_range: the values of black and white; found out where it is None and certain.
        key: of the arguments in messages: `data` in `data.channels=first`.

    Returns:
        uint8 [N, 3, H, W] of each, and what was decided.

    Raises:
        FulmenError: another shape, values that cannot be or of which it is not clear what is white; one line, with what
            to type.
    """
    guesses: list[Guess] = []
    for label, x in stored.items():
        _refuse_no_numbers(x, label)
    laid = {label: laid_out(x, label, channels, guesses, key) for label, x in stored.items()}
    known = pixel_range_of(laid, pixel_range, guesses, key)
    found = {}
    for label, x in laid.items():
        grey = x.ndim == 3
        scaled = x if known[label] == (0.0, 255.0) and x.dtype == np.uint8 else to_uint8(x, known[label])
        found[label] = np.repeat(scaled[:, None], 3, 1) if grey else np.ascontiguousarray(scaled.transpose(0, 3, 1, 2))
    return found, list(dict.fromkeys(guesses))


def laid_out(x: np.ndarray, label: str, channels: Channels, guesses: list[Guess], key: str) -> np.ndarray:
    """A view [N, H, W, 3] or, of grey images, [N, H, W]."""
    name, shape = _name(label), list(x.shape)
    if not x.size:
        raise FulmenError(f"{label} holds no image (its shape is {shape})")
    if x.ndim == 2:
        raise FulmenError(f"{label} has shape {shape}: images as flat rows{_unflattened(name, shape[1])}")
    if x.ndim not in (3, 4):
        raise FulmenError(f"{label} has shape {shape}; it must be [N, H, W, 3], [N, 3, H, W] or grey [N, H, W]")
    if x.ndim == 3:
        return x
    first, last = x.shape[1] in CHANNELS, x.shape[3] in CHANNELS
    if not first and not last:
        call = f"{name}[..., :3]" if x.shape[3] < 32 else f"{name}[:, :3]"
        if x.shape[2] in CHANNELS or x.shape[3] > max(x.shape[:2]):
            call = f"np.moveaxis({name}, -1, 0)"
        raise FulmenError(
            f"{label} has shape {shape}: no axis of 1, 3 or 4 channels; it must be [N, H, W, 3], [N, 3, H, W] or grey "
            f"[N, H, W], for example {call}"
        )
    if first and last and channels == "auto":
        raise FulmenError(
            f"{label} has shape {shape}: the channels could be the second axis or the last; say "
            f"{override(f'{key}.channels', 'first')} or {override(f'{key}.channels', 'last')}"
        )
    if channels != "auto" and not {"first": first, "last": last}[channels]:
        raise FulmenError(f"{label} has shape {shape}: its {channels} axis holds no 1, 3 or 4 channels")
    if first and (channels == "first" or not last):
        guesses.append(Guess(f"{name} as channels, height, width", override(f"{key}.channels", "first")))
        x = x.transpose(0, 2, 3, 1)
    if x.shape[3] == 1:
        guesses.append(Guess(f"{name} is grey, with an axis of one channel"))
        return x[..., 0]
    if x.shape[3] == 4:
        guesses.append(Guess(f"the fourth channel of {name} is opacity and left out"))
        return x[..., :3]
    return x


def pixel_range_of(
    stored: dict[str, np.ndarray], said: Sequence[float] | None, guesses: list[Guess], key: str
) -> dict[str, Known]:
    """The values of black and white of each array, as a person says them or the values leave no doubt of."""
    ends = {label: _ends(x, label) for label, x in stored.items()}
    if said is not None:
        if len(said) != 2 or not said[0] < said[1]:
            raise FulmenError(f"pixel_range is {list(said)}; give the values of black and white, such as [0,1]")
        for label, (low, high) in ends.items():
            if low < said[0] or high > said[1]:
                raise FulmenError(f"{label} holds {low:g} to {high:g}, beyond pixel_range {list(said)}")
        return {label: (float(said[0]), float(said[1])) for label in stored}
    by_type: dict[str, list[str]] = {}
    for label, x in stored.items():
        by_type.setdefault(x.dtype.name, []).append(label)
    found: dict[str, Known] = {}
    for labels in by_type.values():  # parts of one type have one range
        low, high = min(ends[label][0] for label in labels), max(ends[label][1] for label in labels)
        _refuse_two_scales({label: ends[label] for label in labels})
        known = _certain(stored[labels[0]], " and ".join(labels), low, high, guesses, key)
        found |= dict.fromkeys(labels, known)
    return found


def to_uint8(x: np.ndarray, known: Known) -> np.ndarray:
    """Values from black to white as 0 to 255, rounded."""
    black, white = known
    if x.dtype == bool:
        return x.astype(np.uint8) * np.uint8(255)
    if known == (0.0, 255.0) and x.dtype.kind in "iu":
        return x.astype(np.uint8)
    scaled = np.empty(x.shape, np.uint8)
    for start in range(0, len(x), 1024):
        part = x[start : start + 1024].astype(np.float64)
        scaled[start : start + 1024] = np.rint((part - black) * (255 / (white - black)))
    return scaled


def _certain(x: np.ndarray, label: str, low: float, high: float, guesses: list[Guess], key: str) -> Known:
    """The values of black and white, where values from `low` to `high` leave no doubt.

    Raises:
        FulmenError: it asks, with an override for each answer.
    """
    name = " and ".join(map(_name, label.split(" and ")))
    asked = f"{key}.pixel_range"
    if x.dtype == bool:
        guesses.append(Guess(f"{name} is black and white"))
        return 0.0, 255.0
    if low == high == 0:
        return 0.0, 255.0
    whole = x.dtype.kind in "iu"
    if whole and low >= 0 and high <= 255:
        if high < DARK:
            white = next(white for white in (*WHITES[:3], DARK - 1) if high <= white)
            raise FulmenError(
                f"{label} holds {low:g} to {high:g} alone: of 255 that is nearly black; is {white} white? Then "
                f"{override(asked, [0, white])}; if not, {override(asked, [0, 255])}"
            )
        if x.dtype != np.uint8:
            guesses.append(Guess(f"{name} ({x.dtype}) holds {low:g} (black) to {high:g}", override(asked, [0, 255])))
        return 0.0, 255.0
    if not whole and low >= 0 and high <= 1:
        guesses.append(Guess(f"{name} ({x.dtype}) holds 0 (black) to 1", override(asked, [0, 1])))
        return 0.0, 1.0
    if not whole and -1 <= low < -0.9 and 0.9 < high <= 1:
        guesses.append(Guess(f"{name} ({x.dtype}) holds -1 (black) to 1", override(asked, [-1, 1])))
        return -1.0, 1.0
    if not whole and low >= 0 and 100 < high <= 255:
        guesses.append(Guess(f"{name} ({x.dtype}) holds 0 (black) to 255, rounded", override(asked, [0, 255])))
        return 0.0, 255.0
    if x.dtype == np.uint16 and high >= 32768:
        guesses.append(Guess(f"{name} (uint16) holds 0 (black) to 65535", override(asked, [0, 65535])))
        return 0.0, 65535.0
    raise FulmenError(f"{label} ({x.dtype}) holds {low:g} to {high:g}; {_question(low, high, asked)}")


def _question(low: float, high: float, asked: str) -> str:
    """What a message asks about values of which black and white are not certain."""
    if low < 0:
        if low >= -128 and high <= 127 and (low < -5 or high > 5):
            return f"say what is black and what is white: {override(asked, [-128, 127])} for 256 values around 0"
        if low >= -0.5 and high <= 0.5:
            return f"is -0.5 black and 0.5 white? Then {override(asked, [-0.5, 0.5])}"
        if low >= -1 and high <= 1:
            return f"is -1 black and 1 white? Then {override(asked, [-1, 1])}"
        if low >= -10 and high <= 10:
            wide = [float(f"{low - 0.005:.2f}"), float(f"{high + 0.005:.2f}")]
            return (
                f"they seem to be standardised (mean 0, deviation 1): keep the images as they were, 0 to 255; or let "
                f"the lowest be black and the highest white: {override(asked, wide)}"
            )
        return "pixels below 0 are no brightness; say what is black and what is white, as in " + override(
            asked, [int(np.floor(low)), int(np.ceil(high))]
        )
    white = next((white for white in WHITES if high <= white), int(np.ceil(high)))
    also = f"; if 255 is, {override(asked, [0, 255])}" if high <= 255 != white else ""
    return f"is {white} white? Then {override(asked, [0, white])}{also}"


def _refuse_two_scales(ends: dict[str, Known]) -> None:
    """Pass if parts of one type can have one range: not 0 to 1 here and 0 to 255 there."""
    if len(ends) < 2:
        return
    bright = {label: high for label, (_, high) in ends.items() if high > 0}
    if len(bright) < 2:
        return
    dim, light = min(bright, key=bright.__getitem__), max(bright, key=bright.__getitem__)
    below = {label: low for label, (low, _) in ends.items()}
    turned = min(below.values()) < 0 <= max(below.values())
    if bright[dim] <= 1.01 < DARK <= bright[light] or (turned and bright[light] <= 10):
        held = " and ".join(f"{label} holds {low:g} to {high:g}" for label, (low, high) in ends.items())
        factor = {True: 255, False: 65535}[bright[light] <= 255]
        call = f"save {_name(dim)} * {factor}" if not turned else "scale both alike"
        raise FulmenError(f"{held}: two scales, of which one would be nearly black; {call}")


def _ends(x: np.ndarray, label: str) -> Known:
    if x.dtype == bool:
        return 0.0, 1.0
    low, high = 0.0 if x.dtype == np.uint8 else float(x.min()), float(x.max())
    if not (np.isfinite(low) and np.isfinite(high)):
        place = np.argwhere(~np.isfinite(x))[0].tolist()
        raise FulmenError(f"{label}{place} is {x[tuple(place)]}; every pixel has to be a number")
    marks = [mark for mark in (low, high) if mark in (-9999, -999, -32768) and x.dtype.kind in "if"]
    if marks:
        place = np.argwhere(x == marks[0])[0].tolist()
        raise FulmenError(f"{label}{place} is {marks[0]:g}, a mark of a missing pixel; every pixel has to be a number")
    return low, high


def _refuse_no_numbers(x: np.ndarray, label: str) -> None:
    if x.dtype.kind not in "biuf":
        raise FulmenError(f"{label} is {x.dtype} {list(x.shape)}; pixels are numbers, uint8 from 0 to 255")


def _unflattened(name: str, numbers: int) -> str:
    for channels in (1, 3):
        side = round((numbers / channels) ** 0.5)
        if side * side * channels == numbers and side > 1:
            if channels == 1:
                return f"; {side} x {side} grey? Save {name}.reshape(-1, {side}, {side})"
            return (
                f"; {side} x {side} in colour? Save {name}.reshape(-1, 3, {side}, {side}), or "
                f"{name}.reshape(-1, {side}, {side}, 3) where the three colours of a pixel lie side by side"
            )
    return f" of {numbers} numbers; save {name}.reshape(-1, height, width)"


def _name(label: str) -> str:
    """`x_train` of `photos.npz: x_train`."""
    return label.rpartition(": ")[2]
