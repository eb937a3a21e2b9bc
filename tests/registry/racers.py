"""What processes of their own do to a registry; nothing here imports torch."""

import os
from pathlib import Path

from fulmen.errors import FulmenError
from fulmen.registry.aliases import Moved
from fulmen.registry.store import Store
from fulmen.registry.versions import NotFound

FILES = ("weights.safetensors", "config.yaml", "preprocess.json", "probe.safetensors")


def bare(size: int = 100) -> dict[str, bytes]:
    """Files that only the store looks at: enough to be listed and verified, cheap enough for hundreds."""
    return {file: bytes(size) for file in FILES}


def snapshot(root: Path) -> dict[str, bytes]:
    """Every file below `root` but locks, with its content."""
    files = (path for path in root.rglob("*") if path.is_file() and ".locks" not in path.parts)
    return {str(path.relative_to(root)): path.read_bytes() for path in files}


def save_many(root: str, names: list[str], tag: str) -> list[tuple[str, str]]:
    """Save once under each name; returns (version, note) of each acknowledged save."""
    store, done = Store(root), []
    for i, name in enumerate(names):
        note = f"{tag}-{i}"
        done.append((str(store.publish(name, {file: note.encode() * 20 for file in FILES}, {"note": note})), note))
    return done


def save_first(root: str, tag: str) -> bool:
    """Whether this one got the name."""
    try:
        Store(root).publish("pump", {file: tag.encode() for file in FILES}, {}, exist="error")
    except FulmenError:
        return False
    return True


def take_alias(root: str, number: int, expected: int | None) -> bool:
    """Whether this one has moved the alias."""
    store = Store(root)
    try:
        store.promote(store.find(f"pump:{number}"), "champion", expected)
    except Moved:
        return False
    return True


def read_until(root: str, stop: str) -> tuple[int, list[str]]:
    """List and verify everything until a file appears: versions read, and errors other than "was deleted"."""
    store, read, errors = Store(root), 0, []
    while not os.path.exists(stop):
        for version in store.versions():
            try:
                version.verify()
                read += 1
            except NotFound:
                continue
            except Exception as error:
                errors.append(f"{type(error).__name__}: {error}")
    return read, errors


def write_and_delete(root: str, times: int, name: str) -> int:
    """Save and delete in turn; returns how often."""
    store = Store(root)
    for i in range(times):
        version = store.publish(name, bare(2000), {"note": str(i)})
        store.delete(version)
    return times


def collect(root: str, stop: str) -> None:
    """Collect garbage until a file appears."""
    while not Path(stop).exists():
        Store(root).gc()
