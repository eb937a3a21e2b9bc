"""A CSV is read as it is meant, or refused with the line and the column."""

import sys
from types import SimpleNamespace

import numpy as np
import pandas
import pytest

from fulmen.errors import FulmenError
from fulmen.workloads.stocks.data import StocksData
from fulmen.workloads.stocks.prices import read_prices
from fulmen.workloads.stocks.yahoo import download

HEADER = "Date,Open,High,Low,Close,Volume"
GOOD = ["2024-01-02,10,12,9,11,1000", "2024-01-03,11,13,10,12,0", "2024-01-04,12,12.5,11,11.5,900"]


def read_csv(path):
    return read_prices(path)[0]


def write(tmp_path, *lines, header=HEADER):
    path = tmp_path / "acme.csv"
    path.write_text("\n".join([header, *lines]) + "\n")
    return path


def test_columns_are_found_by_name_in_any_order(tmp_path):
    path = write(tmp_path, "1000,11,9,12,10,2024-01-02", header="Volume,Close,Low,High,Open,Date")
    (prices,) = read_csv(path)
    assert prices.ticker == "acme"
    assert (prices.open[0], prices.high[0], prices.low[0], prices.close[0], prices.volume[0]) == (10, 12, 9, 11, 1000)
    assert prices.day[0].astype("datetime64[D]") == np.datetime64("2024-01-02")


def test_adjusted_close_adjusts_all_prices(tmp_path):
    (prices,) = read_csv(write(tmp_path, "2024-01-02,10,12,8,11,1000,5.5", header=f"{HEADER},Adj Close"))
    assert (prices.open[0], prices.high[0], prices.low[0], prices.close[0]) == (5, 6, 4, 5.5)


def test_one_file_may_hold_several_tickers(tmp_path):
    lines = [f"{line},{ticker}" for line in GOOD for ticker in ("A", "B")]
    assert [(p.ticker, len(p)) for p in read_csv(write(tmp_path, *lines, header=f"{HEADER},Ticker"))] == [
        ("A", 3),
        ("B", 3),
    ]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("2024-01-05,12,12,11,abc,900", "line 5, column Close: 'abc' is no number"),
        ("2024-01-05,12,12,11,,900", "line 5, column Close: is empty; fill the Close"),
        ("2024-01-05,12,12,11,nan,900", "line 5, column Close: is empty"),
        ("2024-01-05,12,12,-1,11,900", "line 5, column Low: -1; it must be above 0"),
        ("2024-01-05,0,12,11,11,900", "line 5, column Open: 0; it must be above 0"),
        ("2024-01-05,12,12,11,11,-5", "line 5, column Volume: -5; it must be 0 or more"),
        ("2024-01-05,12,10,11,11,900", "line 5, column High: 10 is below Low, 11"),
        ("05/01/2024,12,12,11,11,900", "line 5, column Date: '05/01/2024'"),
        ("2024-01-04,12,12,11,11,900", "line 5, column Date: 2024-01-04 repeats"),
        ("2024-01-01,12,12,11,11,900", "line 5, column Date: 2024-01-01 lies before"),
        ("2024-01-05,12,12,11,11", "line 5: 5 values for the 6 columns"),
    ],
)
def test_a_bad_line_is_named(tmp_path, line, message):
    with pytest.raises(FulmenError, match=rf"acme\.csv, {message}"):
        read_csv(write(tmp_path, *GOOD, line))


def test_a_missing_column_is_named_with_what_was_probably_meant(tmp_path):
    with pytest.raises(FulmenError, match=r"is it Closing as Close\? Then 'data.columns=\{Close:Closing\}'"):
        read_csv(write(tmp_path, *GOOD, header=HEADER.replace("Close", "Closing")))


@pytest.mark.parametrize("content", ["", HEADER, HEADER + "\n\n"])
def test_an_empty_file_is_refused(tmp_path, content):
    path = tmp_path / "acme.csv"
    path.write_text(content)
    with pytest.raises(FulmenError, match=r"acme\.csv"):
        read_csv(path)


def test_a_file_that_is_no_text_is_refused(tmp_path):
    path = tmp_path / "acme.csv"
    path.write_bytes(b"\xff\xfe\x00\x01")
    with pytest.raises(FulmenError, match=r"acme\.csv"):
        read_csv(path)


def test_a_bad_file_leaves_nothing_in_the_cache(tmp_path):
    path = write(tmp_path, *GOOD, "2024-01-05,12,10,11,11,900")
    with pytest.raises(FulmenError, match="line 5"):
        StocksData(csv=str(path), cache=str(tmp_path / "cache")).prepare_data()
    assert not [entry for entry in (tmp_path / "cache").iterdir() if entry.is_dir()]


def test_an_absent_file_and_a_repeated_ticker_are_refused(tmp_path):
    with pytest.raises(FulmenError, match=r"csv: there is no file .*no\.csv"):
        StocksData(csv=str(tmp_path / "no.csv")).prepare_data()
    path = str(write(tmp_path, *GOOD))
    with pytest.raises(FulmenError, match="the ticker acme comes twice"):
        StocksData(csv=[path, path], cache=str(tmp_path)).prepare_data()


@pytest.fixture
def yahoo(monkeypatch):
    """Stands in for yfinance; says how often it was asked."""
    asked = []
    columns = {"Open": 10.0, "High": 12.0, "Low": 9.0, "Close": 11.0, "Adj Close": 5.5, "Volume": 100, "Dividends": 0.0}

    def history(start, end, auto_adjust):
        asked.append((start, end))
        days = pandas.date_range(start, end, tz="America/New_York", inclusive="left", freq="B")
        return pandas.DataFrame(columns, index=days)

    monkeypatch.setitem(sys.modules, "yfinance", SimpleNamespace(Ticker=lambda name: SimpleNamespace(history=history)))
    return asked


def test_a_download_is_fetched_once_and_read_like_a_file(tmp_path, yahoo):
    for _ in range(2):
        path = download("ACME", "2024-01-01", "2024-02-01", tmp_path)
        (prices,) = read_csv(path)
    assert yahoo == [("2024-01-01", "2024-02-01")]
    assert (prices.ticker, len(prices), prices.close[0]) == ("ACME", 23, 5.5)


def test_a_download_that_cannot_be_says_why(tmp_path, yahoo, monkeypatch):
    with pytest.raises(FulmenError, match="Yahoo has no daily prices of ACME"):
        download("ACME", "2024-01-06", "2024-01-07", tmp_path)  # a Saturday
    monkeypatch.setitem(sys.modules, "yfinance", None)
    with pytest.raises(FulmenError, match=r"pip install yfinance"):
        download("ACME", "2024-01-01", "2024-02-01", tmp_path)
    with pytest.raises(FulmenError, match="exclude each other"):
        StocksData(csv="a.csv", download=["ACME"])
