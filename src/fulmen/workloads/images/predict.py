"""Images in a file or in memory for a finished classifier, and the table of what it says."""

import base64
import binascii
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from fulmen.data.batches import Batch
from fulmen.data.predicting import Answer, Inputs, Record, Schema, cells, unused
from fulmen.errors import FulmenError
from fulmen.io.arrays import names_in, read_arrays
from fulmen.io.names import matched
from fulmen.workloads.images.pictures import ENDINGS, is_picture, picture_of
from fulmen.workloads.images.pixels import images_of

IMAGES_AT_PREDICTING = ("images", "image", "x_test", "test_images", "x_train", "pixels", "data", "arr_0")


def schema(data: Any) -> dict[str, Any]:
    """What `read` asks of a file; plain values."""
    image = data.splits["train"]["image"]
    height, width = image.shape[2:]
    return {
        "format": "npz or npy, or pictures: one, or a folder of them",
        "arrays": {
            "x": {
                "shape": ["N", height, width, 3],
                "also": "grey [N, H, W]",
                "dtype": "uint8",
                "unit": "brightness, 0 (black) to 255",
                "seen": [int(image.min()), int(image.max())],
                "missing": False,
            }
        },
        "classes": list(data.names),
        "training_images": data.counts.tolist(),
        "needs": [],
    }


def read_file(path: Path, schema: Schema, **reading: Any) -> Inputs:
    """Images of an .npy, of the array `x` in an .npz, of a picture, or of the pictures in a folder, by their names.

    Args:
        reading: `columns`, `channels` and `pixel_range`, as the data take them.

    Raises:
        FulmenError: no such file or array, or one that does not fit the schema.
    """
    size = size_of(schema)
    warnings: list[str] = []
    if path.is_dir() or (path.is_file() and is_picture(path)):
        image = _of_pictures(path, size)
    else:
        name, x, warnings = _array_of(path, reading)
        if x.ndim == 3 and x.shape[:2] == size and x.shape[2] in (1, 3, 4) and x.shape[1:] != size:
            x, warnings = x[None], [*warnings, f"{path}: one image of {size[0]} x {size[1]}"]
        _refuse_one_or_three(x, f"{path}: {name}", size)
        made, guesses = images_of({f"{path}: {name}": x}, reading.get("channels", "auto"), reading.get("pixel_range"))
        (image,) = made.values()
        warnings += [f"{path}: {guess}" for guess in guesses]
    if image.shape[2:] != size:
        raise FulmenError(
            f"{path}: x has images of {image.shape[2]} x {image.shape[3]}; trained on {' x '.join(map(str, size))}"
        )
    inputs = _inputs(image)
    inputs.warnings += warnings
    return inputs


def _array_of(path: Path, reading: Mapping[str, Any]) -> tuple[str, np.ndarray, list[str]]:
    """The array of images in a file, its name, and warnings."""
    there = names_in(path)
    found, guesses = matched(["x"], there, reading.get("columns"), {"x": IMAGES_AT_PREDICTING}, source=str(path))
    name = found["x"]
    return name, read_arrays(path, [name])["x" if there == ["x"] else name], [f"{path}: {guess}" for guess in guesses]


def _refuse_one_or_three(x: np.ndarray, label: str, size: tuple[int, int]) -> None:
    """Pass unless it could be three grey images as well as the three channels of one."""
    if x.ndim == 3 and x.shape[1:] == size and len(x) == 3:
        name = label.rpartition(": ")[2]
        raise FulmenError(
            f"{label} has shape {list(x.shape)}: one image in colour, or three grey ones? Save {name}[None] for "
            f"one, or {name}[..., None] for three"
        )


def _of_pictures(path: Path, size: tuple[int, int]) -> np.ndarray:
    """uint8 [N, 3, H, W] of one picture, or of all in a folder in the order of their names."""
    files = [path]
    if path.is_dir():
        files = sorted(
            each for each in path.iterdir() if each.suffix.lower() in ENDINGS and not each.name.startswith(".")
        )
        if not files:
            raise FulmenError(f"{path} holds no picture (PNG, JPEG, BMP, WebP, TIFF or GIF)")
    images = []
    for file in files:
        image, _ = picture_of(file)
        if image.shape[:2] != size:
            here, trained = " x ".join(map(str, image.shape[:2])), " x ".join(map(str, size))
            raise FulmenError(f"{file} is {here} (height x width); the model was trained on {trained}: resize it first")
        images.append(image)
    return np.ascontiguousarray(np.stack(images).transpose(0, 3, 1, 2))


def read_records(records: Sequence[Record], schema: Schema) -> Inputs:
    """Images of `{"x": ...}`: nested lists [H, W, 3] or [H, W], or the base64 text of a PNG or .npy file.

    Raises:
        FulmenError: one that is no image or has another size; the message begins with its place, `rows[2].x: `.
    """
    found = [
        _as_three(_pixels(value, f"rows[{number}].x", size_of(schema)))
        for number, value in enumerate(cells(records, ["x"])["x"])
    ]
    inputs = _inputs(np.concatenate(found))
    inputs.warnings += unused(records, ["x"])
    return inputs


def answer(predicted: Batch, schema: Schema) -> Answer:
    """One row per image: its place among them, the class, its probability, and the probabilities of all."""
    probability, names = predicted["probability"].numpy(), schema["classes"]
    chosen = probability.argmax(1)
    columns = {"image": np.arange(len(probability)), "class": np.array([names[c] for c in chosen])}
    columns |= {"probability": probability.max(1)}
    columns |= {f"p_{name}": probability[:, c] for c, name in enumerate(names)}
    return Answer(columns, dict.fromkeys(("probability", *(f"p_{name}" for name in names)), "probability"))


def example_records(kept: Batch) -> list[dict[str, Any]]:
    """Images that were kept with the model, as PNG."""
    from PIL import Image

    texts = []
    for image in kept["image"][:2].permute(0, 2, 3, 1).numpy():
        file = io.BytesIO()
        Image.fromarray(image).save(file, "PNG")
        texts.append({"x": base64.b64encode(file.getvalue()).decode()})
    return texts


def as_file(records: Sequence[Record], ending: str, schema: Schema) -> bytes:
    """Images as an .npz with the array `x`, or as an .npy: uint8 [N, H, W, 3]."""
    image = read_records(records, schema).batch["image"].permute(0, 2, 3, 1).numpy()
    file = io.BytesIO()
    if ending == ".npy":
        np.save(file, image, allow_pickle=False)
    else:
        np.savez(file, allow_pickle=False, x=image)
    return file.getvalue()


def size_of(schema: Schema) -> tuple[int, int]:
    """Height and width of the images in training."""
    height, width = schema["arrays"]["x"]["shape"][1:3]
    return height, width


def _as_three(image: np.ndarray) -> np.ndarray:
    """uint8 [1, 3, H, W] of [H, W, 3] or grey [H, W]."""
    return image.transpose(2, 0, 1)[None] if image.ndim == 3 else np.repeat(image[None, None], 3, axis=1)


def _inputs(image: np.ndarray) -> Inputs:
    return Inputs({"image": torch.from_numpy(image), "item": torch.arange(len(image))}, rows=len(image))


def _pixels(value: Any, where: str, size: tuple[int, int]) -> np.ndarray:
    """uint8 [H, W, 3] or [H, W] of nested lists or of a file in base64."""
    array = _of_file(value, where, size) if isinstance(value, str) else _of_lists(value, where)
    if array.ndim not in (2, 3) or array.shape[:2] != size or array.shape[2:] not in ((), (3,)):
        wanted = f"{list(size)} or {[*size, 3]}"
        raise FulmenError(f"{where}: its shape is {list(array.shape)}; the model was trained on {wanted}")
    return array


def _of_lists(value: Any, where: str) -> np.ndarray:
    try:
        array = np.array(value)
    except ValueError:
        raise FulmenError(f"{where}: its rows differ in length") from None
    if array.dtype.kind not in "iu" or not array.size or array.min() < 0 or array.max() > 255:
        raise FulmenError(f"{where}: it has to hold whole numbers from 0 (black) to 255, or the base64 text of a PNG")
    return array.astype(np.uint8)


def _of_file(text: str, where: str, size: tuple[int, int]) -> np.ndarray:
    """The array of a PNG or .npy file; its size is looked at before its pixels are read."""
    from PIL import Image

    try:
        content = base64.b64decode(text.partition(",")[2] if text.startswith("data:") else text, validate=True)
        if content.startswith(b"\x93NUMPY"):
            return _of_npy(content, where, size)
        with Image.open(io.BytesIO(content), formats=["PNG"]) as image:
            if (image.height, image.width) != size:
                here, trained = f"{image.height} x {image.width}", " x ".join(map(str, size))
                raise FulmenError(f"{where}: the image is {here}; the model was trained on {trained}")
            return np.asarray(image.convert("L" if image.mode in ("1", "L") else "RGB"))
    except (binascii.Error, OSError, ValueError, SyntaxError):
        raise FulmenError(f"{where}: the text is no PNG or .npy file in base64") from None


def _of_npy(content: bytes, where: str, size: tuple[int, int]) -> np.ndarray:
    largest = size[0] * size[1] * 3 + 1024  # bytes, those of the header included
    if len(content) > largest:
        raise FulmenError(f"{where}: the .npy has {len(content):,} bytes; {largest:,} are enough for an image in uint8")
    file = io.BytesIO(content)
    read_header = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
    try:
        shape, fortran, dtype = read_header[np.lib.format.read_magic(file)](file)
    except Exception:  # the parser of numpy raises all kinds at what is no header
        raise FulmenError(f"{where}: the .npy has no readable header") from None
    if dtype != np.uint8 or fortran or int(np.prod(shape)) != len(content) - file.tell():
        raise FulmenError(f"{where}: the .npy holds {dtype} {list(shape)}; it has to hold uint8 in C order")
    return np.frombuffer(content, np.uint8, offset=file.tell()).reshape(shape)
