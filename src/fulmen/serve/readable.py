"""Folders whose files may be read, and what lies in them."""

from collections.abc import Iterable
from pathlib import Path


def files_in(folders: Iterable[Path], most: int = 2000) -> list[Path]:
    """Files of data folders, the first `most` of them; what a link leads to outside of its folder is left out."""
    found: list[Path] = []
    for folder in folders:
        for path in sorted(folder.rglob("*")) if folder.is_dir() else ():
            if path.is_file() and not path.name.startswith(".") and is_within(path, [folder]):
                found.append(path)
            if len(found) >= most:
                return found
    return found


def is_within(path: Path, folders: Iterable[Path]) -> bool:
    """Whether `path`, links followed, lies in one of `folders`."""
    try:
        place = path.resolve()
        return any(place.is_relative_to(folder.resolve()) for folder in folders)
    except (OSError, ValueError, RuntimeError):
        return False
