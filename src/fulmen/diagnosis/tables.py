"""Header and rows of a text: CSV, TSV, aligned columns, JSON, JSON lines. Cells are texts."""

import csv
import json
import re
from itertools import pairwise
from pathlib import Path
from typing import Any

from fulmen.errors import FulmenError

Table = tuple[list[str], list[list[str]]]
DECIMAL = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?|[-+]?(?:nan|inf|infinity)"
NUMBER = re.compile(rf"(?:tensor\()?({DECIMAL})%?(?:,.*)?\)?", re.IGNORECASE)


def number(text: str) -> float | None:
    """The number a cell holds, `0.5`, `50%` or `tensor(0.5)`; None if it holds none."""
    found = NUMBER.fullmatch(text.strip())
    return float(found[1]) if found else None


def read_table(path: Path) -> Table:
    """A table without a header gets train_loss and val_loss, behind `epoch` where the first column counts.

    Raises:
        FulmenError: the file cannot be read, is empty, or holds no table.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise FulmenError(f"cannot read {path}: {error}") from error
    if not text.strip():
        raise FulmenError(f"{path} is empty")
    header, rows = _json(path, text) if text.lstrip()[0] in "{[" else _table(text)
    if all(number(name) is not None for name in header if name):
        header, rows = _headless(path, [header, *rows])
    return header, rows


def _table(text: str) -> Table:
    """Header and rows; the last comment is the header of a table without one."""
    lines = [line for line in text.splitlines() if line.strip()]
    comments = [line.lstrip("# ") for line in lines if line.startswith("#")]
    lines = [line for line in lines if not line.startswith("#")] or comments
    delimiter = max(",;\t", key=lines[0].count)
    if not lines[0].count(delimiter):
        delimiter = " "
    rows = _split(lines, delimiter)
    if comments and all(number(cell) is not None for cell in rows[0]):
        names = _split(comments[-1:], delimiter)
        rows = names + rows if names and len(names[0]) == len(rows[0]) else rows
    if len(rows) == 2 and any(cell.startswith("[") for cell in rows[1]):  # a list in a cell
        lists = [json.loads(cell) if cell.startswith("[") else [] for cell in rows[1]]
        return rows[0], _turned(lists)
    return rows[0], rows[1:]


def _split(lines: list[str], delimiter: str) -> list[list[str]]:
    if delimiter == " ":
        gap = r"\s{2,}" if re.search(r"\S\s{2,}\S", lines[0]) else r"\s+"
        return [re.split(gap, line.strip()) for line in lines]
    rows = [[cell.strip() for cell in row] for row in csv.reader(lines, delimiter=delimiter) if any(row)]
    if delimiter == "\t" and "" in rows[0][1:]:  # tabs that align
        return [re.split(r"\s*\t\s*", line.strip()) for line in (re.sub(r"\s*\t[\s]*", "\t", line) for line in lines)]
    return rows


def _json(path: Path, text: str) -> Table:
    """Lists by name, records (one after the other, in a list, or under a name), or two lists."""
    try:
        plain = json.loads(text)
    except ValueError:
        try:
            plain = [json.loads(line) for line in text.splitlines() if line.strip()]
        except ValueError as error:
            raise FulmenError(f"{path} is neither JSON nor a table: {error}") from error
    if isinstance(plain, dict):
        records = next((x for x in plain.values() if isinstance(x, list) and x and isinstance(x[0], dict)), None)
        inner = list(plain.values())
        if records is None and inner and all(isinstance(x, dict) for x in inner) and not _lists(plain):
            records = inner
        if records is None:
            lists = _lists(plain)
            if not lists:
                raise FulmenError(f"{path} holds no list of numbers; there is {', '.join(map(str, plain))}")
            return list(lists), _turned(list(lists.values()))
        plain = records
    if plain and all(isinstance(record, dict) for record in plain):
        names = list(dict.fromkeys(str(name) for record in plain for name in record))
        return names, [[_text(record.get(name)) for name in names] for record in plain]
    if len(plain) == 2 and all(isinstance(x, list) for x in plain):
        return ["train_loss", "val_loss"], _turned(plain)
    if plain and all(isinstance(x, list) and len(x) == 2 for x in plain):
        return ["train_loss", "val_loss"], [[_text(x) for x in row] for row in plain]
    raise FulmenError(f"{path} holds neither lists of losses nor records with them")


def _lists(plain: dict[str, Any], before: str = "") -> dict[str, list]:
    """name -> list; `train: {loss: [...]}` is train_loss."""
    found: dict[str, list] = {}
    for name, value in plain.items():
        if isinstance(value, dict):
            found |= _lists(value, f"{before}{name}_")
        elif isinstance(value, list) and not any(isinstance(x, list | dict) for x in value):
            found[f"{before}{name}"] = value
    return found


def _turned(lists: list[list]) -> list[list[str]]:
    longest = max(map(len, lists), default=0)
    return [[_text(x[i]) if i < len(x) else "" for x in lists] for i in range(longest)]


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _headless(path: Path, rows: list[list[str]]) -> Table:
    width = len(rows[0])
    if width < 2:
        raise FulmenError(f"{path} has one column and no header; training and validation loss are needed")
    first = [value for row in rows if (value := number(row[0])) is not None]
    counts = width > 2 and len(first) == len(rows) and all(b - a == 1 for a, b in pairwise(first))
    names = ["epoch", "train_loss", "val_loss"] if counts else ["train_loss", "val_loss"]
    return names + [str(i) for i in range(len(names), width)], rows
