"""Images in a file or in memory for a finished classifier, and the table of what it says."""

import base64
import binascii
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from fulmen.data.batches import Batch
from fulmen.data.predicting import Answer, Inputs, Record, Schema, cells, unused
from fulmen.errors import FulmenError
from fulmen.workloads.images.sources import as_images, read_npz


def schema(data: Any) -> dict[str, Any]:
    """What `read` asks of a file; plain values."""
    image = data.splits["train"]["image"]
    height, width = image.shape[2:]
    return {
        "format": "npz or npy",
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


def read_file(path: Path, schema: Schema) -> Inputs:
    """Images of an .npy, or of the array `x` in an .npz.

    Raises:
        FulmenError: no such file or array, or one that does not fit the schema.
    """
    arrays = read_npz(path)
    if "x" not in arrays:
        there = ", ".join(arrays) or "nothing"
        raise FulmenError(f"{path} has no array x (it has {there}); save the images as np.savez(path, x=images)")
    image = as_images(arrays["x"], f"{path}: x")
    if image.shape[2:] != size_of(schema):
        raise FulmenError(
            f"{path}: x has images of {image.shape[2]} x {image.shape[3]}; trained on "
            f"{' x '.join(map(str, size_of(schema)))}"
        )
    return _inputs(image)


def read_records(records: Sequence[Record], schema: Schema) -> Inputs:
    """Images of `{"x": ...}`: nested lists [H, W, 3] or [H, W], or the base64 text of a PNG or .npy file.

    Raises:
        FulmenError: one that is no image or has another size; the message begins with its place, `rows[2].x: `.
    """
    found = [
        as_images(_pixels(value, f"rows[{number}].x", size_of(schema))[None], f"rows[{number}].x")
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
