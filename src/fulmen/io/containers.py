"""What a file is, by its content: plain text or packed text, Parquet, a workbook, or something that is no table."""

import bz2
import gzip
import io
import lzma
import shlex
import sqlite3
import zipfile
import zlib
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import IO, Any, Literal

from fulmen.errors import FulmenError
from fulmen.io.taken import Guess, listed

Kind = Literal["text", "parquet", "excel"]
PACKED: dict[bytes, tuple[str, Callable[..., Any]]] = {
    b"\x1f\x8b": ("gzip", gzip.open),
    b"BZh": ("bzip2", bz2.open),
    b"\xfd7zXZ\x00": ("xz", lzma.open),
}
READS = "save the table as CSV, Parquet or Excel"
STRANGE: dict[bytes, str] = {  # first bytes -> what it is, and what to do
    b"\xd0\xcf\x11\xe0": "an old Excel workbook (.xls); save it as .xlsx or CSV",
    b"\x89HDF\r\n\x1a\n": f"an HDF5 file; {READS}",
    b"\x93NUMPY": f"a NumPy array; {READS}",
    b"ARROW1": "an Arrow (Feather) file; save the table as Parquet",
    b"FEA1": "a Feather file; save the table as Parquet",
    b"ORC": f"an ORC file; {READS}",
    b"\x28\xb5\x2f\xfd": "packed with zstd; unpack it first: zstd -d",
    b"7z\xbc\xaf\x27\x1c": "a 7z archive; unpack it first",
    b"Rar!": "a RAR archive; unpack it first",
    b"%PDF": f"a PDF; {READS}",
    b"\x89PNG": "a picture (PNG), no table",
    b"\xff\xd8\xff": "a picture (JPEG), no table",
    b"{\\rtf": f"a text document (RTF); {READS}",
    b"\x80\x04\x95": f"a pickle, which is not opened since it can run anything; {READS}",
    b"\x80\x05\x95": f"a pickle, which is not opened since it can run anything; {READS}",
}
DAMAGED = (OSError, EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, NotImplementedError, RuntimeError)


@dataclass(frozen=True)
class Container:
    """What a file turned out to be.

    Attributes:
        path: of the file.
        kind: of what is in it, once it is unpacked.
        open: gives its unpacked bytes, from the beginning.
        guesses: how it is packed.
    """

    path: Path
    kind: Kind
    open: Callable[[], IO[bytes]]
    guesses: list[Guess] = field(default_factory=list)


def container_of(path: str | Path, word: str = "csv") -> Container:
    """What the file at `path` is.

    Args:
        word: what the file was given as, for the message that there is none.

    Raises:
        FulmenError: no such file, a folder, nothing in it, damaged, or of a kind that holds no table; one line.
    """
    path = Path(path)
    if path.is_dir():
        raise FulmenError(f"{path} is a folder; name a file in it")
    if not path.exists():
        raise FulmenError(f"{word}: there is no file {path}")
    try:
        return _unpacked(path, lambda: path.open("rb"), [])
    except DAMAGED as error:
        raise unreadable(path, error) from error


def unreadable(path: str | Path, error: Exception) -> FulmenError:
    """`path` cannot be read, and why."""
    packed = isinstance(error, EOFError | zlib.error | lzma.LZMAError | zipfile.BadZipFile | gzip.BadGzipFile)
    reason = (getattr(error, "strerror", None) or str(error).strip() or type(error).__name__).splitlines()[0]
    return FulmenError(f"{path} cannot be read: {'the packed file is damaged: ' if packed else ''}{reason}")


def _unpacked(path: Path, opened: Callable[[], IO[bytes]], guesses: list[Guess]) -> Container:
    with opened() as file:
        first = file.read(512)
    if not first:
        raise FulmenError(f"{path}: the file is empty")
    for magic, (name, unpack) in PACKED.items():
        if first.startswith(magic):
            return _unpacked(path, partial(_through, unpack, opened), [*guesses, Guess(f"packed with {name}")])
    if first.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _in_zip(path, opened, guesses)
    if first.startswith(b"PAR1"):
        return Container(path, "parquet", opened, guesses)
    _refuse_strange(path, first)
    return Container(path, "text", opened, guesses)


def _in_zip(path: Path, opened: Callable[[], IO[bytes]], guesses: list[Guess]) -> Container:
    with zipfile.ZipFile(opened()) as archive:
        names = archive.namelist()
    if "xl/workbook.xml" in names:
        return Container(path, "excel", opened, [*guesses, Guess("an Excel workbook")])
    if "mimetype" in names and "content.xml" in names:
        raise FulmenError(f"{path} is an OpenDocument file; save it as .xlsx or CSV")
    if names and all(name.endswith(".npy") for name in names):
        raise FulmenError(f"{path} is a NumPy archive (.npz), no table; {READS}")
    files = [name for name in names if not name.endswith("/") and not _hidden(name)]
    if len(files) != 1:
        raise FulmenError(f"{path} is an archive of {listed(files) or 'nothing'}; unpack it and name one file")

    def member() -> IO[bytes]:
        return io.BufferedReader(zipfile.ZipFile(opened()).open(files[0]))  # type: ignore[type-var]

    return _unpacked(path, member, [*guesses, Guess(f"{files[0]} in a zip archive")])


def _through(unpack: Callable[..., Any], opened: Callable[[], IO[bytes]]) -> IO[bytes]:
    packed: IO[bytes] = unpack(opened())
    return packed


def _hidden(name: str) -> bool:
    return name.startswith("__MACOSX/") or name.rsplit("/", 1)[-1].startswith(".")


def _refuse_strange(path: Path, first: bytes) -> None:
    if first.startswith(b"SQLite format 3\x00"):
        raise FulmenError(f"{path} is an SQLite database; {_table_of(path)}")
    for magic, what in STRANGE.items():
        if first.startswith(magic):
            raise FulmenError(f"{path} is {what}")
    if first[257:262] == b"ustar":
        raise FulmenError(f"{path} is a tar archive; unpack it and name one file")
    text = first.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if text.startswith((b"<!doctype html", b"<html", b"<head")):
        raise FulmenError(f"{path} is a web page, perhaps what a failed download left; fetch the file itself")
    if text.startswith(b"<?xml"):
        raise FulmenError(f"{path} is XML; {READS}")
    if text.startswith((b"@relation", b"@attribute")):
        raise FulmenError(f"{path} is an ARFF file; {READS}")


def _table_of(path: Path) -> str:
    """How to write a table of an SQLite database as CSV."""
    names: list[str] = []
    with suppress(sqlite3.Error), closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as database:
        names = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    if not names:
        return "it holds no table"
    question = f'SELECT * FROM "{names[0]}"'
    read = f"pandas.read_sql({question!r}, sqlite3.connect({str(path)!r}))"
    call = f"import pandas, sqlite3; {read}.to_csv({str(path.with_suffix('.csv'))!r}, index=False)"
    return f"write its table {names[0]} (of {listed(names)}) as CSV: python -c {shlex.quote(call)}"
