"""Folders that are being written: locked while their writer lives, taken away when it has died.

The lock is the kernel's (flock on the folder itself), so it goes with the process however that ends. Another host's
locks are not seen; what it left is a leftover when it is a day old.
"""

import fcntl
import os
import shutil
import socket
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

FOREIGN_HOURS = 24.0


@contextmanager
def staging(parent: Path) -> Iterator[Path]:
    """An empty folder below `parent`, locked while this process lives; what is left of it goes in the end."""
    while True:
        path = parent / f"{_host()}-{uuid.uuid4().hex}"
        path.mkdir(parents=True)
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        except FileNotFoundError:  # `remove_leftover` was quicker than the lock
            continue
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        if path.exists():
            break
        os.close(descriptor)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)
        os.close(descriptor)


def remove_leftover(entry: Path) -> bool:
    """Whether `entry` was left by a process that died; it is removed then."""
    with suppress(OSError):
        if entry.is_symlink() or not entry.is_dir():
            entry.unlink()
            return True
        foreign = not entry.name.startswith(f"{_host()}-")
        if foreign and time.time() - entry.stat().st_mtime < FOREIGN_HOURS * 3600:
            return False
        descriptor = os.open(entry, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(entry)
            return True
        finally:
            os.close(descriptor)
    return False


def sync(*paths: Path) -> None:
    """Files, or the names in folders, on disk when this returns; several at once cost little more than one."""

    def one(path: Path) -> None:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    if len(paths) == 1:
        return one(paths[0])
    with ThreadPoolExecutor(len(paths)) as pool:
        list(pool.map(one, paths))


def _host() -> str:
    return socket.gethostname().replace("/", "_") or "host"
