"""Pictures in folders of their classes, `photos/cat/1.png`, by the conventions of torchvision's `ImageFolder`."""

import hashlib
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from fulmen.data.cache import Arrays
from fulmen.errors import FulmenError
from fulmen.io.hints import override
from fulmen.io.taken import Guess, Taken, listed
from fulmen.workloads.images.array_file import SHARE, TEST, TRAIN, Reading
from fulmen.workloads.images.copies import said_of
from fulmen.workloads.images.pictures import ENDINGS, OTHER_PICTURES, is_picture, picture_of
from fulmen.workloads.images.shares import split_off, stored_with

VALIDATION = ("val", "valid", "validation", "dev")
JUNK = ("thumbs.db", "desktop.ini", "__macosx", "icon\r", "ehthumbs.db")
MOST = 8_000_000_000  # bytes of pixels


@dataclass
class Found:
    """The pictures of one part.

    Attributes:
        classes: in order.
        files: of each class, in order.
        junk: how many hidden files and files of an operating system were passed over.
        strange: further files that are no pictures.
        beside: pictures that lie beside the folders of the classes.
    """

    classes: list[str]
    files: dict[str, list[Path]]
    junk: int = 0
    strange: list[str] = field(default_factory=list)
    beside: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        return sum(map(len, self.files.values()))


def picture_folder(folder: Path, reading: Reading, key: str = "data") -> Arrays:
    """What `stored_with` says, of pictures.

    Raises:
        FulmenError: no classes, an empty one, a picture that cannot be read, pictures of several sizes.
    """
    places, guesses, dropped = parts_of(folder, reading, key)
    parts = {part: pictures_in(place) for part, place in places.items()}
    if "test" in parts and not len(parts["test"]):
        without = f", {len(parts['test'].beside)} pictures without classes" if parts["test"].beside else ""
        dropped.append(f"{places['test'].name}/, which has no pictures in folders of classes{without}")
        del parts["test"]
    names = classes_of(parts["train"], folder)
    if "test" in parts and (strange := [name for name in parts["test"].classes if name not in names]):
        raise FulmenError(
            f"{places['test']} has the class {listed(strange)}, of which {places['train']} has no picture; there is "
            f"{listed(names)}"
        )
    if reading.classes not in (None, len(names)):
        raise FulmenError(
            f"{folder} has {len(names)} classes ({listed(names, 4)}): these are "
            f"{override(f'{key}.classes', len(names))}, or leave it out"
        )
    dropped += [line for part in parts.values() for line in _left_out(part)]
    changes: Counter[str] = Counter()
    sizes: Counter[tuple[int, int]] = Counter()
    read = {part: _read(found, names, reading.size, changes, sizes) for part, found in parts.items()}
    if len(sizes) > 1:
        _ask_for_size(folder, sizes, key)
    image = {part: np.stack(pixels).transpose(0, 3, 1, 2) for part, (pixels, _) in read.items()}
    label = {part: np.array(numbers, dtype=np.int64) for part, (_, numbers) in read.items()}
    guesses += [Guess(f"{number:,} pictures: {what}") for what, number in sorted(changes.items())]
    if reading.size:
        guesses.append(
            Guess("all pictures are resized, whatever their shape", override(f"{key}.size", list(reading.size)))
        )
    if "test" not in parts:
        share = SHARE if reading.test is None else reading.test
        image, label = split_off(image["train"], label["train"], share, names, key)
        guesses.append(
            Guess(f"{len(label['test']):,} pictures are split off for testing", override(f"{key}.test", share))
        )
    image = {part: np.ascontiguousarray(each) for part, each in image.items()}
    taken = Taken(str(folder), "", {}, guesses, dropped, said_of(image, label, names))
    return stored_with(image, label, names, taken)


def parts_of(folder: Path, reading: Reading, key: str = "data") -> tuple[dict[str, Path], list[Guess], list[str]]:
    """The folder of the training pictures, and that of the test pictures if there is one.

    Raises:
        FulmenError: there is no such folder, or only one for testing.
    """
    if folder.is_file():
        raise FulmenError(f"{folder} is a file; unpack it where it is an archive, and name the folder of its classes")
    if not folder.is_dir():
        raise FulmenError(f"folder: there is no folder {folder}")
    inside = {each.name.casefold(): each for each in sorted(folder.iterdir()) if each.is_dir() and not _is_junk(each)}
    train = next((inside[name] for name in TRAIN if name in inside), None)
    test = next((inside[name] for name in TEST if name in inside), None)
    held_out = next((inside[name] for name in VALIDATION if name in inside), None)
    if train is None:
        if test is not None and (held_out is not None or len(inside) == 1):
            raise FulmenError(f"{folder} has {test.name}/ and no train/; its training pictures belong into train/")
        return {"train": folder}, [], []
    guesses, dropped = [], []
    others = [each.name for each in inside.values() if each not in (train, test, held_out)]
    if test is None and held_out is not None:
        test = held_out
        guesses.append(Guess(f"{test.name}/ is the test split, since there is no test/"))
    elif held_out is not None:
        dropped.append(
            f"{held_out.name}/ ({len(pictures_in(held_out))} pictures): the validation split is of {train.name}/"
        )
    if others:
        dropped.append(f"folders beside {train.name}/: {listed(others)}")
    if reading.test is not None and test is not None:
        dropped.append(
            f"{test.name}/, since {override(f'{key}.test', reading.test)} splits off a share of {train.name}/"
        )
        test = None
    return {"train": train} | ({"test": test} if test else {}), guesses, dropped


def told(folder: Path) -> list[list[str]]:
    """Path and SHA-256 of every file below, for a fingerprint."""
    files = sorted(Path(root, name) for root, _, names in _walk(folder) for name in names)
    return [[str(path.relative_to(folder)), _digest(path)] for path in files]


def class_folders(folder: Path) -> list[str]:
    """The names of the folders in a folder, in order, hidden ones left out."""
    return sorted(each.name for each in folder.iterdir() if each.is_dir() and not _is_junk(each))


def pictures_in(folder: Path) -> Found:
    """The pictures below a folder of classes; folders in them are gone through too, as torchvision does."""
    found = Found([], {})
    for each in sorted(folder.iterdir(), key=lambda path: path.name):
        if _is_junk(each):
            found.junk += 1
        elif each.is_dir():
            found.classes.append(each.name)
            found.files[each.name] = _pictures_below(each, found)
        elif each.suffix.lower() in ENDINGS:
            found.beside.append(each.name)
        else:
            found.strange.append(each.name)
    return found


def classes_of(found: Found, folder: Path) -> list[str]:
    """The names of the classes.

    Raises:
        FulmenError: fewer than two, one without a picture, or two names that differ in case or spaces alone.
    """
    if not found.classes:
        example = f"{folder}/cat/{found.beside[0]}" if found.beside else f"{folder}/cat/1.png"
        what = f"{len(found.beside)} pictures and no folders" if found.beside else "no folders"
        raise FulmenError(f"{folder} holds {what} of classes; put each picture into a folder of its class: {example}")
    empty = [name for name in found.classes if not found.files[name]]
    if len(found.classes) == 1:
        (only,) = found.classes
        below = (
            [each.name for each in sorted((folder / only).iterdir()) if each.is_dir()]
            if (folder / only).is_dir()
            else []
        )
        if len(below) > 1:
            raise FulmenError(
                f"{folder} holds the folder {only} alone, with {listed(below)} in it; are these the classes? Then "
                f"{override('data.folder', str(folder / only))}"
            )
        raise FulmenError(f"{folder} has one class alone ({only}): there is nothing to tell apart")
    if empty:
        raise FulmenError(
            f"{folder}/{empty[0]} holds no picture; put some into it, or remove the folder: rmdir '{folder}/{empty[0]}'"
        )
    first: dict[str, str] = {}
    for name in found.classes:
        key = " ".join(name.casefold().split())
        if key in first:
            raise FulmenError(
                f"{folder} has the classes {first[key]!r} and {name!r}, which differ in case or spaces alone; put the "
                f"pictures of one class into one folder"
            )
        first[key] = name
    return found.classes


def _walk(folder: Path) -> Iterator[tuple[str, list[str], list[str]]]:
    """`os.walk` through links too, through each folder once."""
    seen = set[str]()
    for root, below, names in os.walk(folder, followlinks=True):
        if (real := os.path.realpath(root)) in seen:  # a link that leads back
            below.clear()
            continue
        seen.add(real)
        yield root, below, names


def _pictures_below(folder: Path, found: Found) -> list[Path]:
    files = []
    for root, below, names in _walk(folder):
        hidden = [name for name in below if _is_junk(Path(name))]
        found.junk += len(hidden)
        below[:] = sorted(name for name in below if name not in hidden)
        for name in sorted(names):
            path = Path(root, name)
            ending = path.suffix.lower()
            if _is_junk(path):
                found.junk += 1
            elif ending in OTHER_PICTURES:
                raise FulmenError(f"{path} is a picture of a kind that is not read ({ending}); save it as PNG or JPEG")
            elif ending in ENDINGS or (not ending and is_picture(path)):
                files.append(path)
            else:
                found.strange.append(f"{folder.name}/{name}")
    return files


def _read(
    found: Found, names: Sequence[str], size: tuple[int, int] | None, changes: Counter[str],
    sizes: Counter[tuple[int, int]],
) -> tuple[list[np.ndarray], list[int]]:  # fmt: skip
    pixels, numbers, held = [], [], 0
    for name, files in found.files.items():
        for path in files:
            image, told = picture_of(path, size)
            changes.update(told)
            sizes[image.shape[0], image.shape[1]] += 1
            held += image.nbytes
            if held > MOST:
                raise FulmenError(
                    f"{path}: the pictures up to here take {MOST / 1e9:g} GB; {override('data.size', 64)} resizes all"
                )
            pixels.append(image)
            numbers.append(names.index(name))
    return pixels, numbers


def _ask_for_size(folder: Path, sizes: Counter[tuple[int, int]], key: str) -> None:
    (low, high), ((h, w), number) = (min(sizes), max(sizes)), sizes.most_common(1)[0]
    raise FulmenError(
        f"{folder} has pictures of {len(sizes)} sizes, from {low[0]} x {low[1]} to {high[0]} x {high[1]} (height x "
        f"width; {number} are {h} x {w}); {override(f'{key}.size', 32)} resizes all to 32 x 32"
    )


def _left_out(found: Found) -> list[str]:
    lines = []
    if found.junk:
        lines.append(f"hidden files and those of an operating system: {found.junk}")
    if found.strange:
        lines.append(f"files that are no pictures: {len(found.strange)} ({listed(found.strange, 3)})")
    if found.beside:
        lines.append(f"pictures beside the folders of the classes: {len(found.beside)} ({listed(found.beside, 3)})")
    return lines


def _is_junk(path: Path) -> bool:
    return path.name.startswith(".") or path.name.casefold() in JUNK


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
