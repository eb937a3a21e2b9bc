"""One known table of readings, written in the ways of many strangers."""

import gzip
import io
import re
import shlex
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from fulmen.config.override_values import value_of
from fulmen.workloads.sensors.data import SensorData

START = pd.Timestamp("2024-03-01", tz="UTC")
START_H = START.timestamp() / 3600
READINGS = ["light_lux", "temperature_c", "vibration_mm_s"]


def known() -> pd.DataFrame:
    """240 rows of 4 machines, an hour apart: readings that repeat nowhere, 0 and 1 in all machines."""
    rng = np.random.default_rng(5)
    rows = np.arange(240)
    hours = rows % 60
    time = (START + pd.to_timedelta(hours, unit="h")).strftime("%Y-%m-%dT%H:%M:%S")
    frame = pd.DataFrame({
        "machine": [f"M-{row // 60:02}" for row in rows], "time": time,
        "light_lux": (rng.gamma(4, 400, 240)).round(1), "temperature_c": rng.normal(24, 6, 240).round(2),
        "vibration_mm_s": rng.gamma(9, 0.2, 240).round(3), "maintenance": (hours % 7 == 3).astype(int),
    })  # fmt: skip
    frame.loc[[12, 70, 100, 101], "light_lux"] = np.nan
    return frame


@dataclass
class Kind:
    """A way to write the table.

    Attributes:
        write: the known table, to a file in a folder, whose path it gives.
        asks: what a refusal says; "": the file is read as it stands.
        typed: overrides that are typed at once.
        then: overrides typed after a refusal; None: those that it names.
        says: what is said of what was read.
        since_start: whether the times that are read count from the first.
        ends: whether the refusal is all there is: no override reads the file.
    """

    write: Callable[[pd.DataFrame, Path], Path]
    asks: str = ""
    typed: tuple[str, ...] = ()
    then: tuple[str, ...] | None = None
    says: str = ""
    since_start: bool = False
    ends: bool = False


def data_of(path: Path, typed: tuple[str, ...] = ()) -> SensorData:
    """What `train.py experiment=sensors data.csv=<path>` would read with these overrides."""
    arguments = {"folds": 4, "csv": str(path), "cache": str(path.parent / "cache")}
    for each in typed:
        key, _, text = each.partition("=")
        arguments[key.removeprefix("data.")] = value_of(f"{key}={text}")
    return SensorData(**arguments)


def named_in(message: str) -> tuple[str, ...]:
    """The overrides that a message names, as a shell would hand them on; of several for one key, the first."""
    found = re.findall(r""""data\.[^"]+"|'data\.[^']+'|(?<![\w'"])data\.\w+=[^\s;,)]+""", message)
    typed: dict[str, str] = {}
    for each in found:
        (word,) = shlex.split(each)
        typed.setdefault(word.partition("=")[0], word)
    return tuple(typed.values())


def text(change: Callable[[pd.DataFrame], pd.DataFrame | None] | None = None, name: str = "readings.csv", **how):
    """Written by pandas after a change."""

    def write(frame: pd.DataFrame, folder: Path) -> Path:
        changed = change(frame) if change else None
        path = folder / name
        (frame if changed is None else changed).to_csv(path, **{"index": False, **how})
        return path

    return write


def lines(change: Callable[[list[str]], list[str]], name: str = "readings.csv", end: str = "\n", **how):
    """Written as CSV, the lines of which are changed."""

    def write(frame: pd.DataFrame, folder: Path) -> Path:
        path = folder / name
        path.write_bytes((end.join(change(frame.to_csv(index=False, **how).splitlines())) + end).encode())
        return path

    return write


def raw(make: Callable[[bytes], bytes], name: str = "readings.csv"):
    """The bytes of the CSV, made into others."""

    def write(frame: pd.DataFrame, folder: Path) -> Path:
        path = folder / name
        path.write_bytes(make(frame.to_csv(index=False).encode()))
        return path

    return write


def time_as(form: Callable[[pd.Series], pd.Series], **how):
    """The times in another form, made of time stamps in UTC."""
    return text(lambda t: t.assign(time=form(pd.to_datetime(t.time, utc=True))), **how)


def column_as(name: str, form: Callable[[pd.Series], pd.Series], **how):
    return text(lambda t: t.assign(**{name: form(t[name])}), **how)


def renamed(**names: str):
    return text(lambda t: t.rename(columns=names))


def zipped(content: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("readings.csv", content)
    return file.getvalue()


def parquet(change=None, name: str = "readings.parquet"):
    def write(frame: pd.DataFrame, folder: Path) -> Path:
        changed = change(frame) if change else None
        (frame if changed is None else changed).to_parquet(folder / name)
        return folder / name

    return write


def workbook(change=None, above: int = 0):
    def write(frame: pd.DataFrame, folder: Path) -> Path:
        changed = change(frame) if change else None
        path = folder / "readings.xlsx"
        (frame if changed is None else changed).to_excel(path, index=False, startrow=above)
        return path

    return write


def packed(content: bytes) -> bytes:
    return gzip.compress(content)
