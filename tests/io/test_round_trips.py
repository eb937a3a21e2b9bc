"""What fulmen itself writes and also reads comes back equal to the bit, and without a question.

That an example of `fulmen predict --example` is read as it stands, for every workload, is in registry/test_asking.py;
an exported population is in workloads/pbpk/test_data.py.
"""

import sqlite3
import sys
from contextlib import closing
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch

from fulmen.io.logs import read_log
from fulmen.io.tables import read_table
from fulmen.runs.loggers import EpochTable
from fulmen.workloads.images.predict import as_file
from fulmen.workloads.images.predict import example_records as pictures
from fulmen.workloads.images.predict import read_file as read_images
from fulmen.workloads.sensors.data import SensorData
from fulmen.workloads.sensors.io.database import snapshot
from fulmen.workloads.stocks.prices import read_prices
from fulmen.workloads.stocks.yahoo import download


def ready(kind, folder, **options):
    data = kind(**options, cache=str(folder))
    data.prepare_data()
    data.setup()
    return data


def assert_equal(one, two):
    assert one.keys() == two.keys()
    for name, split in one.items():
        for key, value in split.items():
            torch.testing.assert_close(value, two[name][key], rtol=0, atol=0, equal_nan=True)


def test_the_table_of_a_runs_epochs_is_read_as_it_was_logged(tmp_path):
    rng, table = np.random.default_rng(0), EpochTable(str(tmp_path))
    train, val = rng.lognormal(size=(2, 30)).tolist()
    train[7], val[9] = 1e-300, 123456789.123
    for epoch, (a, b) in enumerate(zip(train, val, strict=True)):
        table.log_metrics({"lr-Adam": 1e-3}, step=4 * epoch)
        table.log_metrics({"epoch": epoch, "val/loss": b, "val/accuracy": 0.5}, step=4 * epoch + 3)
        table.log_metrics({"epoch": epoch, "train/loss": a}, step=4 * epoch + 3)
    log = read_log(tmp_path / "metrics.csv")
    assert (log.train, log.val, log.epochs) == (train, val, list(range(1, 31)))


def test_the_exported_plant_is_read_as_it_was_simulated(tmp_path):
    small = {"machines": 6, "days": 8, "lost": 0.1, "seed": 3}
    plant = ready(SensorData, tmp_path, **small)
    plant.export(tmp_path / "plant.csv")
    read = ready(SensorData, tmp_path, csv=str(tmp_path / "plant.csv"), seed=3)
    for split in (*plant.splits.values(), *read.splits.values()):
        del split["row"]  # the header is a line of the file
    assert_equal(plant.splits, read.splits)
    assert [taken.doubts for taken in read.taken] == [[]]


def test_the_snapshot_of_a_query_holds_what_the_database_said(tmp_path):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "Temp, °C": rng.normal(size=50),
            'the "name"': ["a,b", "c\nd", "e;f", "'g'", None] * 10,
            "time": pd.date_range("2024-01-01", periods=50, freq="h").astype(str),
            "gaps": [None, -999.0, 1e-300, 1e300, 0.1] * 10,
        }
    )
    with closing(sqlite3.connect(tmp_path / "plant.db")) as database:
        frame.to_sql("readings", database, index=False)
        database.commit()
    url = f"sqlite:///{tmp_path / 'plant.db'}"
    table = read_table(snapshot(url, "SELECT * FROM readings", None, tmp_path / "kept"))
    assert list(table.frame.columns) == list(frame.columns)
    assert table.frame['the "name"'].tolist() == frame['the "name"'].fillna("").tolist()
    assert table.frame["time"].tolist() == frame["time"].tolist()
    for name in ("Temp, °C", "gaps"):
        np.testing.assert_array_equal(pd.to_numeric(table.frame[name]), frame[name].to_numpy(float))


def test_a_download_of_prices_is_read_as_yahoo_gave_it(tmp_path, monkeypatch):
    rng = np.random.default_rng(0)
    days = pd.date_range("2024-01-02", periods=60, tz="America/New_York", freq="B", name="Date")
    close = 100 * np.exp(np.cumsum(0.01 * rng.normal(size=60)))
    prices = {"Open": close * 0.999, "High": close * 1.01, "Low": close * 0.99, "Close": close, "Adj Close": close / 4}
    given = pd.DataFrame(prices | {"Volume": rng.integers(1e6, 1e9, 60), "Dividends": 0.0}, index=days)
    ask = SimpleNamespace(history=lambda **_: given)
    monkeypatch.setitem(sys.modules, "yfinance", SimpleNamespace(Ticker=lambda name: ask))
    (read,), _ = read_prices(download("ACME", "2024-01-01", "2024-04-01", tmp_path))
    factor = given["Adj Close"] / given["Close"]
    for name in ("Open", "High", "Low", "Close"):
        np.testing.assert_array_equal(getattr(read, name.lower()), (given[name] * factor).to_numpy())
    np.testing.assert_array_equal(read.volume, given["Volume"].to_numpy(float))
    assert read.day.astype("datetime64[D]").astype(str).tolist() == days.strftime("%Y-%m-%d").tolist()


@pytest.mark.parametrize("ending", [".npz", ".npy"])
def test_pictures_of_an_example_are_read_as_they_were_kept(tmp_path, ending):
    image = torch.randint(0, 256, (2, 3, 8, 8), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    schema = {"arrays": {"x": {"shape": ["N", 8, 8, 3]}}, "classes": ["a", "b"]}
    path = tmp_path / f"x{ending}"
    path.write_bytes(as_file(pictures({"image": image}), ending, schema))
    assert torch.equal(read_images(path, schema).batch["image"], image)
