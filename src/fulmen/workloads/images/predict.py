"""Images in a file for a finished classifier, and the table of what it says."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas

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


def read(path: Path, schema: dict[str, Any]) -> np.ndarray:
    """Images uint8 [N, 3, H, W] of an .npy, or of the array `x` in an .npz.

    Raises:
        FulmenError: no such file or array, or one that does not fit the schema.
    """
    arrays = read_npz(path)
    if "x" not in arrays:
        there = ", ".join(arrays) or "nothing"
        raise FulmenError(f"{path} has no array x (it has {there}); save the images as np.savez(path, x=images)")
    image = as_images(arrays["x"], f"{path}: x")
    height, width = schema["arrays"]["x"]["shape"][1:3]
    if image.shape[2:] != (height, width):
        raise FulmenError(f"{path}: x has images of {image.shape[2]} x {image.shape[3]}; trained on {height} x {width}")
    return image


def table(probability: np.ndarray, schema: dict[str, Any]) -> pandas.DataFrame:
    """One row per image: its place in the file, the class, its probability, and the probabilities of all."""
    names, chosen = schema["classes"], probability.argmax(1)
    columns = {"image": np.arange(len(probability)), "class": [names[c] for c in chosen]}
    columns |= {"probability": probability.max(1)}
    return pandas.DataFrame(columns | {f"p_{name}": probability[:, c] for c, name in enumerate(names)})
