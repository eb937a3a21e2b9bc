"""What a config takes from the file that it names: how many classes there are, before a network is made for them."""

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from fulmen.errors import FulmenError

UNKNOWN = 10  # of digits and CIFAR-10, and where a file cannot be read: reading it for the training says why


def classes(data: Mapping[str, Any]) -> int:
    """How many classes there are in the `.npz` or the folder of pictures that the arguments `data` name."""
    named = data.get("arrays") or data.get("folder")
    if not isinstance(named, str) or not Path(named).exists():
        return UNKNOWN
    path = Path(named).resolve()
    if not data.get("arrays"):
        return _folders(path)
    columns = data.get("columns") or {}
    said = (
        tuple(sorted((str(role), str(name)) for role, name in columns.items())) if isinstance(columns, Mapping) else ()
    )
    facts = path.stat()
    return _labels(path, (facts.st_mtime_ns, facts.st_size), said, str(data.get("labels") or "auto"), data.get("test"))


def _folders(path: Path) -> int:
    from fulmen.workloads.images.array_file import Reading
    from fulmen.workloads.images.folders import class_folders, parts_of

    try:
        number = len(class_folders(parts_of(path, Reading())[0]["train"]))
    except FulmenError:
        return UNKNOWN
    return number if number > 1 else UNKNOWN


@lru_cache(maxsize=32)
def _labels(
    path: Path, stamp: tuple[int, int], columns: tuple[tuple[str, str], ...], labels: Any, test: float | None
) -> int:
    """Of a file that was last changed at `stamp`; a config is resolved several times."""
    import numpy as np

    from fulmen.io.arrays import read_arrays
    from fulmen.workloads.images.array_file import Reading, roles_in
    from fulmen.workloads.images.labels import labels_of

    try:
        name = roles_in(path, Reading(dict(columns), labels, test=test))[0]["y_train"]
        y = read_arrays(path, [name])[name]
    except FulmenError:
        return UNKNOWN
    try:
        return len(labels_of({name: y}, None, labels).names)
    except FulmenError:  # what is wrong is told when the images are read
        return max(2, len(np.unique(y))) if y.dtype.kind in "iu" else UNKNOWN
