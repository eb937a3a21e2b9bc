"""From a path to a table: what kind of file or folder it is."""

import csv
import json
import re
from pathlib import Path
from typing import Any

from fulmen.errors import FulmenError
from fulmen.io.logs.folders import (
    LEARN,
    TEST,
    is_events,
    named_as_its_file,
    of_catboost,
    table_of_events,
    table_of_folder,
)
from fulmen.io.logs.html import rows_of_html
from fulmen.io.logs.json_shapes import of_plain, table_of_json
from fulmen.io.logs.printed import is_printed, table_of_printed
from fulmen.io.logs.sheets import sheet_with_losses
from fulmen.io.logs.table import LogTable
from fulmen.io.logs.text_tables import table_of_text
from fulmen.io.logs.words import meaning

JSON = "write the losses as JSON: json.dump({'loss': [...], 'val_loss': [...]}, file)"
COLOUR = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
PICKLES = (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")
LONGEST = 1 << 20  # bytes of a line, beyond JSON
LARGEST = 1 << 30  # bytes of a file


def table_of(path: Path) -> LogTable:
    """The table in a log of any tool.

    Raises:
        FulmenError: there is none; the message says what the file is.
    """
    if path.is_dir():
        return table_of_folder(path, table_of, _of_text)
    head = _head(path)
    if head.startswith(PICKLES):
        raise FulmenError(f"{path} is a pickle, which could run anything and is not opened; {JSON}")
    if is_events(path, head):
        return table_of_events([path], path)
    if head.startswith(b"\x93NUMPY") or path.suffix.lower() in (".npy", ".npz"):
        return _numpy(path)
    if head.startswith(b"PK") and b"data.pkl" in head:
        raise FulmenError(f"{path} is a file of torch.save, which could run anything and is not opened; {JSON}")
    if head.startswith(b"PAR1") or (head.startswith(b"PK") and path.suffix.lower().startswith(".xls")):
        return _columns(path)
    table = (
        of_catboost(path.parent, _of_text) if path.name in (LEARN, TEST) else named_as_its_file(path, _of_text(path))
    )
    if not len(table):
        raise FulmenError(f"{path} holds no row")
    return table


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            head = file.read(LONGEST)
            size = path.stat().st_size
    except OSError as error:
        raise FulmenError(f"cannot read {path}: {error.strerror or error}") from None
    if not head.strip():
        raise FulmenError(f"{path} is empty")
    plain = head.lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
    if size > LARGEST or (len(head) == LONGEST and b"\n" not in head and b"\r" not in head and plain not in b"{["
                          and head[:2] not in (b"\x1f\x8b", b"PK", b"BZ", b"\xfd7")):  # fmt: skip
        what = f"is larger than {LARGEST >> 30} GB" if size > LARGEST else f"has a line of more than {LONGEST} bytes"
        raise FulmenError(f"{path} {what}: no log of a training")
    return head


def _of_text(path: Path) -> LogTable:
    guesses: list[str] = []
    try:
        table = _shape(path, _text(path, guesses))
    except csv.Error:
        most = csv.field_size_limit()
        raise FulmenError(
            f"{path} has a cell of more than {most} letters, or a quote without its end: no log"
        ) from None
    table.taken = guesses + table.taken
    return table


def _text(path: Path, guesses: list[str]) -> str:
    """The text of a file, its lines ended by a line feed alone."""
    from fulmen.io.text import read_text

    text, found = read_text(path)
    guesses += [guess.what for guess in found]
    if not text.strip():
        raise FulmenError(f"{path} is empty")
    text = (COLOUR.sub("", text) if "\x1b" in text else text).replace("\r\n", "\n")
    return text if "\n" in text.strip() else text.replace("\r", "\n")


def _shape(path: Path, text: str) -> LogTable:
    source, begin = str(path), text[:200_000]
    if begin.lstrip().startswith("{") and '"nbformat"' in text:
        return _notebook(path, text)
    if begin.lstrip()[:1] == "<":
        return _page(path, text)
    printed = is_printed(begin.split("\n"))
    try:
        if (table := table_of_json(source, text)) is not None:
            return table
    except FulmenError:
        if not printed or re.match(r'\s*[{\[]\s*["{\[]', begin):
            raise
    lines = text.split("\n")
    del text  # logs are long: once in memory is enough
    if printed and (table := table_of_printed(source, lines)) is not None:
        return table
    found = table_of_text(source, lines) or table_of_printed(source, lines)
    if found is None:
        raise FulmenError(f"{path} holds no table, no JSON and no printed losses; {JSON}")
    return found


def _has_losses(table: LogTable) -> bool:
    return any(meaning(name).quantities for name in table.columns)


def _page(path: Path, text: str) -> LogTable:
    """The table of losses in a page of HTML."""
    if table := table_of_text(str(path), rows_of_html(text).split("\n")):
        table.taken.append("the table of a page")
        return table
    raise FulmenError(f"{path} is HTML or XML without a table of losses; write the table as CSV")


def _notebook(path: Path, text: str) -> LogTable:
    """What the cells of a notebook have printed."""
    printed: list[str] = []
    try:
        for cell in json.loads(text)["cells"]:
            for output in cell.get("outputs", []):
                shown = output.get("data", {})
                html = "".join(shown.get("text/html") or [])
                told: Any = output.get("text") or shown.get("text/plain") or []
                printed.append(rows_of_html(html) if "<table" in html else "".join(told))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise FulmenError(f"{path} is a notebook that cannot be read: {error}") from None
    logs = []
    for each in printed:
        lines = each.split("\n")
        kind = table_of_printed if is_printed(lines) else table_of_text
        if (table := kind(str(path), lines)) and len(table) > 1 and _has_losses(table):
            logs.append(table)
    if len(logs) != 1:
        what = f"prints {len(logs)} logs" if logs else "prints no losses"
        raise FulmenError(f"{path} is a notebook that {what}; {JSON}")
    logs[0].taken.append("what a cell of the notebook has printed")
    return logs[0]


def _numpy(path: Path) -> LogTable:
    import numpy as np

    try:
        found = np.load(path, allow_pickle=False)
        arrays = {name: found[name] for name in found.files} if hasattr(found, "files") else {"": found}
    except (ValueError, OSError, EOFError, KeyError) as error:
        pickled = "pickle" in str(error).lower()
        what = "holds Python objects, which could run anything and are not opened" if pickled else "cannot be read"
        raise FulmenError(f"{path} {what}; {JSON}") from None
    for name in [name for name, array in arrays.items() if array.dtype.names]:  # records
        found = arrays.pop(name)
        arrays |= {each: found[each] for each in found.dtype.names}
    arrays = {name: array for name, array in arrays.items() if array.ndim and array.dtype.kind in "fiub"}
    if set(arrays) == {""}:
        array = arrays[""].squeeze()
        if array.ndim > 2 or not array.ndim:
            raise FulmenError(f"{path} holds an array of {array.ndim} dimensions; {JSON}")
        return of_plain(str(path), (array.T if array.ndim == 2 and len(array) == 2 < array.shape[1] else array).tolist()
                        if array.ndim == 1 or len(array) != 2 else array.tolist())  # fmt: skip
    if not arrays:
        raise FulmenError(f"{path} holds no array of numbers")
    return of_plain(str(path), {name: array.squeeze().tolist() for name, array in arrays.items()})


def _columns(path: Path) -> LogTable:
    """Parquet or a workbook."""
    from fulmen.io.tables import read_table

    try:
        raw = sheet_with_losses(path) or read_table(path, key="log")
    except FulmenError as error:
        if "log.header" in str(error):
            raise FulmenError(f"{path} has no names of columns; write them above the numbers") from None
        raise
    frame = raw.frame.astype(object).where(raw.frame.notna(), None)
    columns = {str(name): frame[name].tolist() for name in frame.columns}
    return LogTable(str(path), columns, raw.line.tolist(), word="row", taken=[guess.what for guess in raw.guesses])
