"""A content-addressed cache of prepared arrays.

What an entry holds is a function of its key: the configuration that describes the data, the bytes of any source file
and the code that prepares it. A changed setting is a new entry, an interrupted build leaves nothing behind.
"""

import hashlib
import json
import logging
import os
import shutil
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from filelock import FileLock

from fulmen.config.places import cache_folder as cache_folder
from fulmen.utils.files import cannot_write, write_json

Arrays = dict[str, np.ndarray]
log = logging.getLogger(__name__)


def fingerprint(key: Mapping[str, Any], code: Iterable[ModuleType] = (), files: Iterable[str | Path] = ()) -> str:
    """20 hex digits that change with the plain values in `key`, the source of `code` and the bytes of `files`."""
    digest = hashlib.sha256(json.dumps(key, sort_keys=True).encode())
    for module in code:
        digest.update(Path(str(module.__file__)).read_bytes())
    for path in files:
        with open(path, "rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()[:20]


def cached(name: str, key: str, build: Callable[[], Arrays], folder: Path | None = None) -> Arrays:
    """The arrays `build()` makes, from disk as read-only memory maps if they were made before.

    Args:
        name: for people who look into the folder.
        key: from `fingerprint`.
        build: makes the arrays; called at most once, however many processes ask.
        folder: of the cache; `cache_folder()` by default.

    Raises:
        FulmenError: the entry cannot be written.
    """
    entry = (folder or cache_folder()) / f"{name}-{key}"
    try:
        entry.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(entry.with_suffix(".lock"))
        lock.acquire()
    except OSError as error:
        raise cannot_write(entry, error) from error
    try:
        if entry.exists():
            try:
                return _read(entry)
            except (OSError, ValueError, KeyError) as error:
                log.warning("the cache entry %s is corrupt (%s); building it again", entry, error)
                shutil.rmtree(entry)
        arrays = build()
        try:
            _write(entry, arrays)
            return _read(entry)
        except OSError as error:
            raise cannot_write(entry, error) from error
    finally:
        lock.release()


def _write(entry: Path, arrays: Arrays) -> None:
    temporary = entry.with_name(f".{entry.name}.{os.getpid()}")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir()
    try:
        for name, array in arrays.items():
            with (temporary / f"{name}.npy").open("wb") as file:
                np.save(file, array, allow_pickle=False)
                file.flush()
                os.fsync(file.fileno())
        write_json(
            temporary / "checksums.json", {f"{name}.npy": _checksum(temporary / f"{name}.npy") for name in arrays}
        )
        temporary.rename(entry)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise


def _read(entry: Path) -> Arrays:
    checksums = json.loads((entry / "checksums.json").read_text())
    for file, checksum in checksums.items():
        if _checksum(entry / file) != checksum:
            raise ValueError(f"{file} does not match its checksum")
    return {Path(file).stem: np.load(entry / file, mmap_mode="r", allow_pickle=False) for file in checksums}


def _checksum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "blake2b").hexdigest()[:32]
