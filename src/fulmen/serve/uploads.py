"""Files that somebody has sent: named plainly, within a quota, whole or absent."""

import os
import re
import secrets
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from fulmen.serve.problems import Problem, wrong
from fulmen.serve.settings import Limits
from fulmen.utils.files import cannot_write

ENDINGS = (".csv", ".tsv", ".txt", ".json", ".jsonl", ".npz", ".npy", ".parquet", ".xlsx", ".xls")
PART = 2**20
NAMELESS = "anybody"  # where no keys are asked for


@dataclass(frozen=True)
class Uploads:
    """The folder of uploads, in it a folder for each key."""

    root: Path
    limits: Limits

    def folder(self, by: str) -> Path:
        """Of one key."""
        return self.root / (plain(by) or NAMELESS)

    def add(self, name: str, content: BinaryIO, by: str) -> Path:
        """Keep a file under its name, or that with a number where it is taken.

        Raises:
            Problem: an ending that no data have, too large, or more than all uploads may take.
            Obstructed: the disk is full.
        """
        name = plain(name)
        if not name.lower().endswith(ENDINGS):
            raise wrong("file", f"{name[:80] or 'a file without a name'} has none of the endings of data",
                        f"one of {', '.join(ENDINGS)}")  # fmt: skip
        folder, room = self.folder(by), self.limits.quota_bytes - self.taken()
        half = folder / f".{secrets.token_hex(8)}"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with open(half, "wb") as file:
                size = 0
                while part := content.read(PART):
                    size += len(part)
                    if size > min(room, self.limits.upload_bytes):
                        raise Problem(413, f"the file is larger than what is left for uploads: {max(room, 0)} bytes")
                    file.write(part)
                file.flush()
                os.fsync(file.fileno())
            return _named(half, folder / name)
        except OSError as error:
            raise cannot_write(folder / name, error) from error
        finally:
            half.unlink(missing_ok=True)

    def delete(self, name: str, by: str) -> None:
        """Delete a file.

        Raises:
            Problem: there is none of this name.
        """
        path = self.folder(by) / plain(name)
        if plain(name) != name or not path.is_file():
            raise Problem(404, f"there is no upload {name[:80]}")
        path.unlink()

    def taken(self) -> int:
        """The bytes of all uploads."""
        size = 0
        for path in self.root.rglob("*"):
            with suppress(OSError):
                size += path.stat().st_size if path.is_file() else 0
        return size


def plain(name: str) -> str:
    """A name without folders and without anything that a shell, a config or a file system reads as more."""
    last = re.split(r"[/\\]", name)[-1]
    return re.sub(r"[^\w.-]", "_", last, flags=re.ASCII).lstrip(".-")[-100:]


def _named(half: Path, wanted: Path) -> Path:
    """Give a file its name, never that of another one."""
    for number in range(1, 10_000):
        path = wanted if number == 1 else wanted.with_name(f"{wanted.stem}_{number}{wanted.suffix}")
        with suppress(FileExistsError):
            os.link(half, path)
            return path
    raise wrong("file", f"there are too many files called {wanted.name}", "another name")
