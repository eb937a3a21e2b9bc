"""What a run says of each test item, kept for paired comparisons."""

import json
import zipfile
import zlib
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from fulmen.config.outside import resume_command
from fulmen.errors import FulmenError
from fulmen.report.known import of_test
from fulmen.utils.files import atomic_write

ITEMS = "test_items.npz"
OF_VALIDATION = "validation_items.npz"  # of the trials of a search, which are not tested
METRIC = "metric/"  # before the name of a score that each item has
BASELINE = "baseline/"  # before the name of a baseline, whose loss each item has


def write_items(folder: Path, items: Mapping[str, Any], name: str = ITEMS) -> None:
    """What a comparison pairs, as named arrays; see `Summary.items`."""
    arrays: dict[str, Any] = {key: np.asarray(value) for key, value in items.items()}
    with atomic_write(folder / name, "wb") as file:
        np.savez(file, **arrays)


def identities(*arrays: Any) -> np.ndarray:
    """[N] numbers that tell items by their content: a checksum of the rows of `arrays` [N, ...]."""
    rows = [np.ascontiguousarray(array) for array in arrays]
    return np.array([zlib.crc32(b"".join(row[i].tobytes() for row in rows)) for i in range(len(rows[0]))])


def ratio_scores(part: np.ndarray, whole: np.ndarray, power: float = 1.0) -> np.ndarray:
    """A score of each item [N] whose mean is 1 - (sum(part) / sum(whole)) ** power, such as R2 or a skill.

    Of a score that is no mean over items these are its value and what each item adds to it (its influence function), so
    that drawing items anew moves their mean as it moves the score.

    Args:
        part: errors of the model [N], `whole` those of what it is held against.
    """
    own, other = float(part.mean()), float(whole.mean())
    if own <= 0 or other <= 0:
        return np.full(len(part), 1.0 if other > 0 else np.nan)
    ratio = (own / other) ** power
    return 1 - ratio - power * ratio * ((part - own) / own - (whole - other) / other)


def read_items(folder: Path, name: str = ITEMS) -> dict[str, Any]:
    """The arrays of `write_items`.

    Raises:
        FulmenError: there are none, or they cannot be read.
    """
    path = folder / name
    if not path.exists() and name != ITEMS:
        raise FulmenError(f"{folder} has no {name}")
    if not path.exists():
        if _was_tested(folder):
            again = f"or the file was lost: `{resume_command(folder)}` writes it again"
            raise FulmenError(f"{folder} has no {ITEMS}: its model's summarize gives no Summary.items, {again}")
        raise FulmenError(f"{folder} has no {ITEMS}: was it tested? `{resume_command(folder)}` does it")
    try:
        with np.load(path, allow_pickle=False) as file:
            return dict(file)
    except (ValueError, OSError, zipfile.BadZipFile, EOFError) as error:
        raise FulmenError(f"{path} is damaged: {error}") from error


def _was_tested(folder: Path) -> bool:
    """Whether its result.json, as far as it can be read, has a metric of the test split."""
    with suppress(OSError, ValueError, AttributeError):
        metrics = json.loads((folder / "result.json").read_text()).get("metrics", {})
        return of_test(metrics)
    return False
