"""Two loss curves, from lists or from a CSV of this or another tool."""

import csv
import math
import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from fulmen.errors import FulmenError
from fulmen.evaluation.diagnosis.smoothing import Series

LOSSES = ("loss", "nll", "logloss", "mlogloss", "crossentropy", "mse", "rmse", "mae", "error", "cost", "objective")
TRAINING = ("train", "training", "tr", "trn", "fit")
VALIDATION = ("val", "valid", "validation", "eval", "evaluation", "dev", "heldout", "holdout")
TESTING = ("test",)  # only where there is no validation


@dataclass(frozen=True)
class Curves:
    """Training and validation loss at the checks that have both.

    Attributes:
        train: [checks], finite.
        val: [checks], finite.
        epochs: [checks], their numbers from 1.
        non_finite: training or validation -> the epoch from which that curve is NaN or infinite to its end.
        missing: training or validation, if that curve has no value at all and the other stands for both.
    """

    train: Series
    val: Series
    epochs: np.ndarray
    non_finite: dict[str, int] = field(default_factory=dict)
    missing: str = ""

    @classmethod
    def of(
        cls, train: Sequence[float | None], val: Sequence[float | None], epochs: Sequence[int] | None = None
    ) -> "Curves":
        """Gaps left out; where one curve has no value at all, the other stands for both.

        A warning says so where the curves differ in length; what is beyond the shorter one is left out.
        """
        if len(train) != len(val) and len(train) and len(val):
            warnings.warn(f"{len(train)} training and {len(val)} validation losses: the longer is cut", stacklevel=2)
            train, val = train[: len(val)], val[: len(train)]
        t, v = _numbers(train if len(train) else val), _numbers(val if len(val) else train)
        number = np.arange(1, len(t) + 1) if epochs is None else np.asarray(epochs)[: len(t)]
        broken = {}
        for name, raw, x in (("training", train, t), ("validation", val, v)):
            finite = np.flatnonzero(np.isfinite(x))
            begin = finite[-1] + 1 if len(finite) else 0
            if any(value is not None and not math.isfinite(value) for value in raw[begin:]):
                broken[name] = int(number[begin])
        missing = next((name for name, x in (("validation", v), ("training", t)) if not np.isfinite(x).any()), "")
        v, t = (t if missing == "validation" else v), (v if missing == "training" else t)
        both = np.isfinite(t) & np.isfinite(v)
        return cls(t[both], v[both], number[both], broken, missing)


def _numbers(values: Sequence[float | None]) -> Series:
    return np.array([math.nan if value is None else float(value) for value in values], dtype=np.float64)


def read_csv(path: Path, train: str | None = None, val: str | None = None) -> tuple[list, list, list[int] | None]:
    """Training losses, validation losses and epoch numbers (or None) of a CSV; None where a cell is empty.

    Rows with the same `epoch` are one check: Lightning writes training and validation into different rows. Without a
    header the first two columns are training and validation.

    Args:
        train: column of the training loss; found by its name where it is not given.
        val: column of the validation loss.

    Raises:
        FulmenError: no such file, no table, no column of a loss, a cell that is no number.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise FulmenError(f"cannot read {path}: {error}") from error
    first = next((line for line in text.splitlines() if line.strip()), "")
    delimiter = max(",;\t", key=first.count) if any(mark in first for mark in ",;\t") else " "
    rows = [[cell.strip() for cell in row] for row in csv.reader(text.splitlines(), delimiter=delimiter) if any(row)]
    if not rows:
        raise FulmenError(f"{path} is empty")
    if all(_is_number(cell) for cell in rows[0] if cell):
        if len(rows[0]) < 2:
            raise FulmenError(f"{path} has one column and no header; training and validation loss are needed")
        header, train, val = [str(i) for i in range(len(rows[0]))], "0", "1"
    else:
        header, *rows = rows
    train, val = _column(path, header, train, TRAINING), _column(path, header, val, VALIDATION)
    if train is None and val is None:
        raise FulmenError(f"{path} has no column of a loss among {', '.join(header)}; name them: --train, --val")
    epoch = next((name for name in header if name.lower() in ("epoch", "epochs")), None)
    return _checks(path, header, rows, train, val, epoch)


def _checks(path, header, rows, train, val, epoch) -> tuple[list, list, list[int] | None]:
    found: dict[float, list[float | None]] = {}
    for number, row in enumerate(rows, 2):
        cells = dict(zip(header, row, strict=False))
        at = _cell(path, number, epoch, cells.get(epoch, "")) if epoch else number
        pair = found.setdefault(number if at is None else at, [None, None])
        for i, name in enumerate((train, val)):
            value = _cell(path, number, name, cells.get(name, "")) if name else None
            pair[i] = pair[i] if value is None else value
    checks = [key for key, pair in found.items() if pair != [None, None]]
    from_zero = int(epoch is not None and bool(checks) and min(checks) == 0)
    numbers = [int(key) + from_zero for key in checks] if epoch else None
    return [found[key][0] for key in checks], [found[key][1] for key in checks], numbers


def _column(path: Path, header: list[str], asked: str | None, kind: tuple[str, ...]) -> str | None:
    """The column asked for, or the one whose name says it: a loss, and of which part."""
    if asked is not None:
        if asked not in header:
            raise FulmenError(f"{path} has no column {asked}; it has {', '.join(header)}")
        return asked
    words = {name: set(re.split(r"[^a-z0-9]+", re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower())) for name in header}
    words = {name: found | {part for word in found for part in _parts(word)} for name, found in words.items()}
    losses = {name: found for name, found in words.items() if found & set(LOSSES)}
    for loss in LOSSES:
        for part in (kind, TESTING) if kind is VALIDATION else (kind,):
            matching = [name for name, found in losses.items() if loss in found and found & set(part)]
            if matching:
                return min(matching, key=lambda name: ("step" in words[name], len(name)))
        parts = {*TRAINING, *VALIDATION, *TESTING}
        plain = [name for name, found in losses.items() if loss in found and not found & parts]
        if kind is TRAINING and plain:
            return min(plain, key=len)
    return None


def _parts(word: str) -> list[str]:
    """`trainloss` as train and loss."""
    for part in (*TRAINING, *VALIDATION, *TESTING):
        if word.startswith(part) and word[len(part) :] in LOSSES:
            return [part, word[len(part) :]]
    return []


def _cell(path: Path, line: int, name: str, text: str) -> float | None:
    if text == "" or text.lower() in ("na", "none", "null", "-"):
        return None
    try:
        return float(text)
    except ValueError:
        raise FulmenError(f"{path}, line {line}: {name} is {text!r}, no number") from None


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
