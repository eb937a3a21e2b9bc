"""CSV (also .csv.gz) and Parquet files, read as they stand; what is in their cells is checked by `tables`."""

import csv
import gzip
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from fulmen.errors import FulmenError

DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}  # names, as Hydra takes no bare semicolon


def read_frame(path: str | Path, delimiter: str = ",", needed: Sequence[str] = ()) -> tuple[pd.DataFrame, int]:
    """All columns of a file as they stand there, and the number of its first row (in a CSV, the header is line 1).

    Args:
        needed: columns; if there are several and the file has one, its delimiter is another.

    Raises:
        FulmenError: no such file, nothing in it, or a wrong delimiter.
    """
    path = Path(path)
    if not path.is_file():
        raise FulmenError(f"csv: there is no file {path}")
    return (_parquet(path), 1) if path.suffix.lower() in (".parquet", ".pq") else (_csv(path, delimiter, needed), 2)


def _csv(path: Path, delimiter: str, needed: Sequence[str]) -> pd.DataFrame:
    try:
        opened = gzip.open if path.suffix.lower() == ".gz" else open
        with opened(path, "rt", newline="", encoding="utf-8-sig") as file:
            header = next(csv.reader(file, delimiter=delimiter), [])
        if not any(name.strip() for name in header):
            raise FulmenError(f"{path}: the file is empty")
        if len(header) == 1 and len(needed) > 1:
            other = next((d for d in DELIMITERS if d != delimiter and d in header[0]), None)
            if other:
                raise FulmenError(
                    f"{path}, row 1: one column, {header[0][:60]!r}, with delimiter {delimiter!r}; the file seems to "
                    f"use another: data.delimiter={DELIMITERS[other]}"
                )
        table = pd.read_csv(
            path, sep=delimiter, dtype=str, keep_default_na=False, encoding="utf-8-sig", skip_blank_lines=False,
            skipinitialspace=True, index_col=False, on_bad_lines="error", engine="c",
        )  # fmt: skip
    except UnicodeDecodeError as error:
        raise FulmenError(f"{path} cannot be read: it is no text in UTF-8 ({error.reason}); save it as such") from error
    except (OSError, EOFError, csv.Error, pd.errors.ParserError) as error:
        raise FulmenError(f"{path} cannot be read: {str(error).strip()}") from error
    table.columns = [str(name).strip() for name in header]
    blank = (table == "").all(axis=1).to_numpy()
    end = len(blank) - int(blank[::-1].argmin()) if len(blank) and not blank.all() else 0
    return table.iloc[:end]


def _parquet(path: Path) -> pd.DataFrame:
    try:
        return pd.read_parquet(path)
    except ImportError:
        raise FulmenError(f"{path}: Parquet needs pyarrow; install it with: pip install pyarrow") from None
    except (OSError, ValueError) as error:
        raise FulmenError(f"{path} cannot be read: {error}") from error
