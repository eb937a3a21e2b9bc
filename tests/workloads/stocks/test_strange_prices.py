"""Prices of any style are read to the bit, or refused in one line whose override, typed as it stands, reads them."""

import re
from functools import cache

import numpy as np
import pandas as pd
import pytest
import torch
from cures import arguments, overrides_in

from fulmen.errors import FulmenError
from fulmen.workloads.stocks.arrays import series_from
from fulmen.workloads.stocks.data import StocksData
from fulmen.workloads.stocks.predict import input_schema, reading_of
from fulmen.workloads.stocks.prices import read_prices
from fulmen.workloads.stocks.steps import Limits

from . import price_styles as styles
from .price_styles import DAYS, FIELDS, OTHER, PRICES, csv, dated, long, renamed, with_column, words, yfinance

SERIAL = (PRICES.Date - pd.Timestamp("1899-12-30")).dt.days
SECONDS = (PRICES.Date - pd.Timestamp(0)).dt.total_seconds().astype(int)
WEEKS = pd.date_range("2015-01-02", periods=DAYS, freq="W-FRI")
LINES = csv().splitlines()


def german(value: float) -> str:
    return f"{value:,.2f}".translate(str.maketrans(",.", ".,"))


READ = {  # style -> content; the file is called prices.csv, or as the content needs it
    "as it is": csv(),
    "names in small letters": csv().lower(),
    "names in capitals": csv().replace("Date,Open,High,Low,Close,Volume", "DATE,OPEN,HIGH,LOW,CLOSE,VOLUME"),
    "blanks in names": csv().replace("Date,Open", " Date , Open "),
    "semicolons": csv(sep=";"),
    "tabs": csv(sep="\t"),
    "bars": csv(sep="|"),
    "decimal commas": csv(sep=";", decimal=","),
    "points between thousands": words(german, ";"),
    "commas between thousands": words("{:,.2f}".format, whole="{:,}".format),
    "blanks between thousands": words(lambda x: f"{x:,.2f}".replace(",", "\u202f")),
    "apostrophes between thousands": words(lambda x: f"{x:,.2f}".replace(",", "'")),
    "dollars": words("${:,.2f}".format),
    "euros behind": words(lambda x: f"{german(x)} €", ";"),
    "thousands of volume": csv(PRICES.assign(Volume=PRICES.Volume.map(lambda x: f"{x / 1e6:.6f}M"))),
    "cells in quotes": csv(quoting=1),
    "blanks around cells": csv().replace(",", " , "),
    "lines of Windows": csv().replace("\n", "\r\n"),
    "lines of an old Mac": csv().replace("\n", "\r"),
    "an empty line at the end": csv() + "\n\n",
    "empty lines between": csv().replace("\n", "\n\n"),
    "a delimiter at every end": csv().replace("\n", ",\n"),
    "a title": "Prices of AAA, as of today\n" + csv(),
    "comments": "# source: nobody\n# adjusted: no\n" + csv(),
    "sep= for Excel": "sep=;\n" + csv(sep=";"),
    "UTF-16": csv().encode("utf-16"),
    "UTF-16 without a mark": csv().encode("utf-16-le"),
    "a byte order mark": csv().encode("utf-8-sig"),
    "Latin-1": with_column("Währung", "Börse").encode("latin-1"),
    "gzip": styles.PACKED["gzip"](csv().encode()),
    "bzip2": styles.PACKED["bzip2"](csv().encode()),
    "xz": styles.PACKED["xz"](csv().encode()),
    "a zip archive": styles.zipped(csv()),
    "Parquet": styles.parquet(PRICES),
    "Parquet with an index": styles.parquet(PRICES.set_index("Date")),
    "Parquet in float32": styles.parquet(PRICES.assign(Volume=PRICES.Volume.astype("float32"))),
    "Excel": styles.excel(PRICES),
    "Excel with texts": styles.excel(PRICES.assign(Date=PRICES.Date.dt.strftime("%Y-%m-%d"))),
    "an index of pandas": csv().replace("Date,", ",", 1),
    "an index and its number": PRICES.assign(Date=PRICES.Date.dt.strftime("%Y-%m-%d")).to_csv(),
    "Datetime with an offset": dated(PRICES.Date.dt.strftime("%Y-%m-%d 00:00:00-05:00"), "Datetime"),
    "dates with a time": dated(PRICES.Date.dt.strftime("%Y-%m-%d 00:00:00")),
    "dates of JSON": dated(PRICES.Date.dt.strftime("%Y-%m-%dT00:00:00.000Z")),
    "20240131": dated(PRICES.Date.dt.strftime("%Y%m%d")),
    "31.01.2024": dated(PRICES.Date.dt.strftime("%d.%m.%Y")),
    "31/01/2024": dated(PRICES.Date.dt.strftime("%d/%m/%Y")),
    "01/31/2024": dated(PRICES.Date.dt.strftime("%m/%d/%Y")),
    "2024/01/31": dated(PRICES.Date.dt.strftime("%Y/%m/%d")),
    "31-Jan-2024": dated(PRICES.Date.dt.strftime("%d-%b-%Y")),
    "31-Jan-24": dated(PRICES.Date.dt.strftime("%d-%b-%y")),
    "01/31/24": dated(PRICES.Date.dt.strftime("%m/%d/%y")),
    "Jan 31, 2024": dated(PRICES.Date.dt.strftime("%b %d, %Y")),
    "days of Excel": dated(SERIAL),
    "seconds since 1970": dated(SECONDS),
    "milliseconds since 1970": dated(SECONDS * 1000),
    "Google Finance": dated(PRICES.Date.dt.strftime("%-m/%-d/%Y 16:00:00")),
    "newest first": csv(PRICES.iloc[::-1]),
    "yfinance, one ticker": yfinance(("AAA",)),
    "yfinance, two lines of names": yfinance(("AAA",), date_line=False),
    "yfinance of old": yfinance(("AAA",), corner=""),
    "yfinance by ticker, one": yfinance(("AAA",), by_ticker=True),
    "yfinance history": with_column("Dividends", 0.0, PRICES.assign(**{"Stock Splits": 0.0, "Capital Gains": 0.0})),
    "null as Yahoo had it": csv() + "2023-01-02,null,null,null,null,null\n",
    "Symbol throughout": with_column("Symbol", "AAA"),
    "one name in Ticker": with_column("Ticker", "AAA"),
    "a column nobody needs": with_column("Comment", "fine"),
}

TWO = {
    "long, interleaved": long(),
    "long, one after the other": long(interleaved=False),
    "long, in small letters": long("ticker"),
    "blanks around tickers": long(names=("AAA ", " BBB")),
    "yfinance, several tickers": yfinance(("AAA", "BBB")),
    "yfinance by ticker": yfinance(("AAA", "BBB"), by_ticker=True),
    "yfinance in Excel": styles.beside("to_excel"),
    "yfinance in Parquet": styles.beside("to_parquet"),
    "yfinance of old, several": yfinance(("AAA", "BBB"), corner=""),
    "newest first": "\n".join([long().splitlines()[0], *long().splitlines()[:0:-1]]),
}

ASKED = {  # style -> content and what the message names
    "Price": (renamed({"Close": "Price"}), "Price as Close"),
    "Last": (renamed({"Close": "Last"}), "Last as Close"),
    "Polish": (renamed({"Date": "Data", "Open": "Otwarcie", "High": "Najwyzszy", "Low": "Najnizszy",
                        "Close": "Zamknięcie", "Volume": "Wolumen"}), "Zamknięcie as Close"),
    "German": (renamed({"Date": "Datum", "Open": "Eröffnung", "High": "Hoch", "Low": "Tief", "Close": "Schlusskurs",
                        "Volume": "Volumen"}, sep=";", decimal=",", dates="%d.%m.%Y"), "Schlusskurs as Close"),
    **{names.split()[4]: (styles.called(names), f"{names.split()[4]} as Close") for names in styles.FOREIGN},
    "an unknown High and Low": (renamed({"High": "Foo", "Low": "Bar"}), "Foo as High, Bar as Low"),
    "a sheet with a note before": (styles.sheets(readme=pd.DataFrame({"Prices of a share": []}), prices=PRICES),
                                   "sheet readme of readme, prices; for another one: data.sheet=prices"),
    "no line of names, trades behind": (styles.unnamed({"date": SECONDS, "n": range(100, 100 + DAYS)}), "Volume,c7]"),
    "no line of names, other trades": (styles.unnamed({"n": PRICES.Volume // 50 % 977}), "Volume,c7]"),
    "no line of names, a mean price": (styles.unnamed({"mean": (PRICES.High + PRICES.Low) / 2}, 5), "c6,Volume]"),
    "no line of names, the Close first": (styles.unnamed({}, order=[0, 4, 1, 2, 3, 5]), "whichever is their order"),
    "no line of names, the Volume first": (styles.unnamed({}, order=[0, 5, 1, 2, 3, 4]), "[Date,Volume,Open,"),
    "single letters": (renamed({"Date": "t", "Open": "o", "High": "h", "Low": "l", "Close": "c", "Volume": "v"}),
                       "c as Close"),
    "a misspelling": (renamed({"Volume": "Volumme"}), "Volumme as Volume"),
    "Vol.": (renamed({"Volume": "Vol."}), "Vol. as Volume"),
    "Volume of a currency": (renamed({"Volume": "Volume USD"}), "Volume USD as Volume"),
    "Nasdaq": (styles.nasdaq(), "Close/Last as Close"),
    "Stooq": (styles.stooq(), "<VOL> as Volume"),
    "Alpha Vantage": (renamed({"Date": "timestamp"}, PRICES.iloc[::-1]).lower(), "timestamp as Date"),
    "Alpha Vantage in JSON": (renamed({"Open": "1. open", "High": "2. high", "Low": "3. low", "Close": "4. close",
                                       "Volume": "5. volume"}), "4. close as Close"),
    "no line of names": ("\n".join(LINES[1:]), "no line with the names"),
    "no line of names, with the time": (styles.metatrader(), "Date,Time,Open,High,Low,Close,Volume"),
    "names with a ticker": (renamed({name: f"{name}_AAPL" for name in (*FIELDS, "Volume")}), "Close_AAPL as Close"),
    "a ticker before names": (renamed({name: f"AAPL {name}" for name in (*FIELDS, "Volume")}), "AAPL Close as Close"),
    "names with a currency": (renamed({name: f"{name} (USD)" for name in FIELDS}), "Close (USD) as Close"),
    "pandas flattened": (renamed({name: f"('{name}', 'AAPL')" for name in (*FIELDS, "Volume")}), "as Close"),
    "Binance": (renamed({"Date": "Open time"}, PRICES.assign(**{"Close time": 1, "Quote asset volume": 5})),
                "Open time as Date"),
    "Bloomberg": (renamed({"Open": "PX_OPEN", "High": "PX_HIGH", "Low": "PX_LOW", "Close": "PX_LAST",
                           "Volume": "PX_VOLUME"}), "PX_LAST as Close"),
    "High and Low swapped": (renamed({"High": "Low", "Low": "High"}), "swapped"),
    "Close and High swapped": (renamed({"High": "Close", "Close": "High"}), "mixed up"),
    "a hole of years": (csv(PRICES.assign(Date=PRICES.Date.where(PRICES.index < 200, PRICES.Date
                                                                 + pd.Timedelta(days=1095)))), "days after the line"),
    "weeks": (dated(WEEKS), "data.frequency=weekly"),
    "months": (dated(pd.date_range("1990-01-02", periods=DAYS, freq="ME")), "data.frequency=monthly"),
    "quarters": (dated(pd.date_range("1955-01-02", periods=DAYS, freq="QE")), "data.frequency=any"),
}  # fmt: skip


@cache
def expected(frame_name: str = "PRICES"):
    frame = {"PRICES": PRICES, "OTHER": OTHER}[frame_name]
    return [frame[name].to_numpy(dtype=float) for name in (*FIELDS, "Volume")]


def read(path, **options):
    data = StocksData(csv=str(path), cache=str(path.parent / "cache"), **options)
    data.prepare_data()
    return data, series_from(data._arrays())


def equal(prices, name="PRICES", dates=True):
    found = [prices.open, prices.high, prices.low, prices.close, prices.volume]
    days = PRICES.Date.to_numpy().astype("datetime64[D]").astype(np.int64)
    return all(np.array_equal(a, b) for a, b in zip(found, expected(name), strict=True)) and (
        not dates or np.array_equal(prices.day, days)
    )


@pytest.mark.parametrize("style", READ)
def test_a_style_is_read_to_the_bit(tmp_path, style):
    path = styles.written(tmp_path / "AAA.csv", READ[style])
    data, (prices,) = read(path)
    assert prices.ticker == "AAA"
    assert equal(prices)
    assert 1 <= len(data.taken[0].lines()) <= 5
    assert f"{DAYS} days of AAA, 2022-01-03 to 2022-12-30" in data.taken[0].lines()[0]


@pytest.mark.parametrize("style", TWO)
def test_two_tickers_of_a_file_stay_two(tmp_path, style):
    _, series = read(styles.written(tmp_path / "both.csv", TWO[style]))
    tickers = {prices.ticker: prices for prices in series}
    assert sorted(tickers) == ["AAA", "BBB"]
    assert equal(tickers["AAA"])
    assert equal(tickers["BBB"], "OTHER")


def typed(message: str) -> dict[str, object]:
    """The first override in a message, as the shell and Hydra read it."""
    return arguments(overrides_in(message)[:1])


@pytest.mark.parametrize("style", ASKED)
def test_what_is_unsure_is_asked_and_the_answer_reads_it(tmp_path, style):
    content, names = ASKED[style]
    path = styles.written(tmp_path / "AAA.csv", content)
    with pytest.raises(FulmenError) as asked:
        read(path)
    assert names in str(asked.value)
    assert "\n" not in str(asked.value)
    _, (prices,) = read(path, **typed(str(asked.value)))
    dates = style not in ("weeks", "months", "quarters", "a hole of years")
    assert equal(prices, dates=dates)


@pytest.mark.parametrize("place", [0, 70, DAYS - 1])
@pytest.mark.parametrize("year", ["2201", "2002", "2024"])
@pytest.mark.parametrize("turned", [False, True])
def test_a_mistyped_year_is_named_in_its_own_line(tmp_path, place, year, turned):
    lines = [LINES[0], *(LINES[:0:-1] if turned else LINES[1:])]
    lines[place + 1] = year + lines[place + 1][4:]
    path = styles.written(tmp_path / "AAA.csv", "\n".join(lines))
    with pytest.raises(FulmenError, match=rf"line {place + 2}, column Date: {year}-.*which are of 2022; correct the"):
        read(path)


@pytest.mark.parametrize("volume", ["Volume", "Wolumen", "Объём", "Foo"])
@pytest.mark.parametrize("names", ["Bar", "Open Bar", "Open High Low Bar"])
def test_a_volume_is_never_offered_as_the_price(tmp_path, volume, names):
    *known, price = names.split()
    columns = PRICES[[*known, "Close"]].rename(columns={"Close": price}).assign(**{volume: PRICES.Volume})
    columns.insert(0, "Date", PRICES.Date)
    for frame in (columns, columns[["Date", volume, *known, price]]):
        path = styles.written(tmp_path / "AAA.csv", csv(frame))
        with pytest.raises(FulmenError) as asked:
            read(path)
        assert re.search(rf"(?i)close:{price}\b", str(asked.value))
        assert not re.search(rf"(?i)close:'?{volume}\b", str(asked.value))
        assert "close:Open" not in str(asked.value)


def test_an_adjusted_close_without_a_name_is_proposed_by_its_ratio_to_the_close(tmp_path):
    adjusted = (PRICES.Close * np.where(PRICES.index < 100, 0.5, 1.0)).round(3)
    path = styles.written(tmp_path / "AAA.csv", styles.unnamed({"adjusted": adjusted}, 5))
    with pytest.raises(FulmenError, match="Close,'Adj Close',Volume") as asked:
        read(path)
    _, (prices,) = read(path, **typed(str(asked.value)))
    assert np.allclose(prices.close, adjusted)


def test_points_between_thousands_are_asked_about_where_semicolons_part_the_columns(tmp_path):
    """`1.803` is 1803 in such a file, or 1.803."""
    content = styles.words(lambda price: f"{price:,.0f}".replace(",", "."), sep=";")
    with pytest.raises(FulmenError, match="two readings") as asked:
        read(styles.written(tmp_path / "AAA.csv", content))
    assert "data.decimal=comma reads 1" in str(asked.value)
    _, (prices,) = read(tmp_path / "AAA.csv", decimal="comma")
    np.testing.assert_array_equal(prices.close, PRICES.Close.round())


def changed(place: int, **cells) -> pd.DataFrame:
    """The series with other cells in one row, which is line `place + 2` of a file."""
    frame = PRICES.copy().astype(dict.fromkeys(cells, object))
    for name, cell in cells.items():
        frame.loc[place, name] = cell
    return frame


def scaled(rows: slice, factor: float) -> pd.DataFrame:
    frame = PRICES.copy()
    frame.loc[rows, FIELDS] *= factor
    return frame


HUNDREDFOLD = PRICES.Close[100] * 100
REFUSED = {  # style -> content and what the message has to say
    "Close above High": (csv(changed(49, Close=PRICES.High[49] * 1.02)), "line 51, column Close: .* is above High"),
    "Close below Low": (csv(changed(49, Close=PRICES.Low[49] * 0.9)), "line 51, column Close: .* is below Low"),
    "Open above High": (csv(changed(49, Open=PRICES.High[49] * 1.1)), "line 51, column Open: .* is above High"),
    "High below Low": (csv(changed(49, High=1.0, Open=1.0, Close=1.0)), "line 51, column High: 1 is below Low"),
    "a point misplaced": (
        csv(scaled(slice(100, 100), 100)),
        "line 102, column Close: .* is 1.* times the Close before",
    ),
    "a hundredth": (csv(scaled(slice(100, 100), 0.01)), "line 102, column Close: .* is 0.01.* times the Close"),
    "pence among pounds": (csv(scaled(slice(200, None), 100)), "line 202, column Close: .*data.largest_jump="),
    "a split of 10 for 1": (csv(scaled(slice(200, None), 0.1)), "line 202, column Close: .*split"),
    "Low misplaced": (csv(changed(80, Low=PRICES.Low[80] / 100)), "line 82, column Low: .* times Low"),
    "a negative price": (csv(changed(5, Low=-1.0)), "line 7, column Low: -1; it must be above 0"),
    "a price of 0": (csv(changed(5, Open=0.0)), "line 7, column Open: 0; it must be above 0"),
    "a negative volume": (csv(changed(5, Volume=-5)), "line 7, column Volume: -5; it must be 0 or more"),
    "no Close": (csv(changed(5, Close=None)), "line 7, column Close: is empty; fill the Close of that day in$"),
    "no Volume on a day": (csv(changed(5, Volume=None)), "line 7, column Volume: is empty; .*data.features="),
    "a word": (csv(changed(5, Close="abc")), "line 7, column Close: 'abc' is no number"),
    "a day twice": (csv(pd.concat([PRICES[:9], PRICES[8:]])), "line 11, column Date: 2022-01-13 repeats .* line 10"),
    "a day twice, apart": (csv(pd.concat([PRICES, PRICES[3:4]])), "line 262, .*2022-01-06 repeats the day of line 5"),
    "days in disorder": (csv(pd.concat([PRICES[:9], PRICES[10:20], PRICES[9:10], PRICES[20:]])), "line 21, .* before"),
    "several prices a day": (dated(pd.date_range("2022-01-03 09:30", periods=DAYS, freq="h")), "line 3, .* of the day"),
    "tickers without a column": (csv(pd.concat([PRICES, OTHER]).sort_values("Date")), "line 3, .* repeats"),
    "AAPL and aapl": (long(names=("AAPL", "aapl")), "line 3, column Ticker: 'AAPL' .* differ in case"),
    "3 and 3.0": (long(names=("3", "3.0")), "column Ticker: '3' .* differ in"),
    "no ticker": (long(names=("AAA", "")), "line 3, column Ticker: is empty; every line needs its ticker"),
    "Close and close": (csv(PRICES.assign(close=PRICES.Close / 2)), "Close and close could each be Close; say which"),
    "shares of a hundred": (words("{:.2f}%".format), "line 2, column Open: 1797.20% is a share and no price"),
    "two currencies": (
        csv(PRICES.assign(Open=PRICES.Open.map("€{}".format), Close=PRICES.Close.map("${}".format))),
        "line 2, column Close: .1802.26, but Open is €1797.2",
    ),
    "columns of one name": (csv().replace("Low", "High", 1), "two columns are called High"),
    "unequal rows": (csv() + "2023-01-02,1,2,3\n", "line 262: 4 values for the 6 columns"),
    "empty": ("", "the file is empty"),
    "names alone": (LINES[0] + "\n", "no row below the header"),
    "zeros": (bytes(600), "AAA.csv"),
    "bytes": (bytes(range(256)) * 9, "AAA.csv"),
    "a control character": (csv().replace("2022-01-05", "2022\x07-01-05"), "line 4, character 5: a control character"),
    "a picture": (b"\x89PNG\r\n\x1a\n" + bytes(90), "picture"),
    "a web page": ("<!doctype html><html>no</html>", "web page"),
    "constant": (csv(PRICES.assign(**dict.fromkeys(FIELDS, 7.0))), "AAA: Close is 7 in all 260 lines .*nothing to"),
    "no adjusted close on a day": (with_column("Adj Close", [None, *PRICES.Close[1:]]), "line 2, .*adj_close:null"),
}


@pytest.mark.parametrize("style", REFUSED)
def test_what_cannot_be_is_refused_by_line_and_column(tmp_path, style):
    content, said = REFUSED[style]
    with pytest.raises(FulmenError) as refused:
        read(styles.written(tmp_path / "AAA.csv", content))
    assert re.search(said, str(refused.value)), refused.value
    assert "\n" not in str(refused.value)
    assert "drop the line" not in str(refused.value)


@pytest.mark.parametrize("style", ["a point misplaced", "pence among pounds", "a split of 10 for 1", "Low misplaced"])
def test_a_jump_is_let_be_by_what_the_message_says(tmp_path, style):
    path = styles.written(tmp_path / "AAA.csv", REFUSED[style][0])
    with pytest.raises(FulmenError) as refused:
        read(path)
    data, _ = read(path, **typed(str(refused.value)))
    assert style == "Low misplaced" or "Close is" in data.taken[0].doubts[0]


@pytest.mark.parametrize(("name", "value"), [("largest_jump", 1), ("largest_jump", "x"), ("longest_gap_days", 0),
                                             ("frequency", "hourly")])  # fmt: skip
def test_limits_that_cannot_be_are_refused(name, value):
    with pytest.raises(FulmenError, match=f"{name} is {value!r}; it"):
        Limits(**{name: value})


def test_a_kept_model_reads_a_file_as_it_is_typed(tmp_path):
    schema = {"features": [{"name": "return"}], "named": {"close": "Last", "volume": "Vol."}, "frequency": "weekly"}
    typed = {"columns": "{close: Adj. (Close)}", "delimiter": ";", "largest_jump": "20", "missing_values": "[-999]"}
    reading = reading_of(schema, typed)
    assert reading.table.columns == {"close": "Adj. (Close)"}
    assert reading.table.character == ";"
    assert list(reading.table.missing_values) == [-999]
    assert reading.limits == Limits("weekly", None, 20)
    assert not reading.free
    with pytest.raises(FulmenError, match=r"data\.columns=Price: write it as 'data\.columns=\{close:Price\}'"):
        reading_of(schema, {"columns": "Price"})
    path = styles.written(tmp_path / "AAA.csv", renamed({"Close": "Last"}, PRICES.assign(Date=WEEKS)))
    ((prices,), _) = read_prices(path, reading_of(schema, {}))  # names of the training are remembered
    assert np.array_equal(prices.close, PRICES.Close)


def test_a_folder_and_a_file_that_is_not_there_are_named(tmp_path):
    with pytest.raises(FulmenError, match=r"there is no file|is a folder"):
        read(tmp_path)
    with pytest.raises(FulmenError, match="there is no file"):
        read(tmp_path / "no.csv")


@pytest.mark.parametrize("there", ["Close", "Close,Volume", "High,Low,Close", "Open,High,Low,Close"])
def test_features_that_a_file_has_columns_for_can_be_chosen(tmp_path, there):
    path = styles.written(tmp_path / "AAA.csv", csv(PRICES[["Date", *there.split(",")]]))
    with pytest.raises(
        FulmenError, match=f"no column .*; there is Date, {', '.join(there.split(','))}; go on"
    ) as asked:
        read(path)
    data, (prices,) = read(path, **typed(str(asked.value)))
    assert np.array_equal(prices.close, PRICES.Close)
    data.setup()
    assert all(torch.isfinite(part["window"]).all() for part in data.splits.values())
    needed = [column["name"] for column in input_schema(data)["columns"] if not column.get("optional")]
    assert needed == ["Date", *there.split(",")]


def test_price_as_close_without_the_others_needs_two_overrides_and_both_are_said(tmp_path):
    path = styles.written(tmp_path / "AAA.csv", renamed({"Close": "Price"}, PRICES[["Date", "Close"]]))
    with pytest.raises(FulmenError, match=r"'data\.columns=\{Close:Price\}', with 'data\.features=\[return,mov"):
        read(path)


ADJUSTED = ["AdjClose", "Adj_Close", "adj close", "Adj. Close", "adjclose", "ADJ CLOSE", "Adj Close**"]
ADJUSTED_ASKED = [
    "Adjusted Close",
    "adjusted_close",
    "5. adjusted close",
    "Close (adj)",
    "Adjusted",
    "Adj Closing Price",
]


@pytest.mark.parametrize("name", [*ADJUSTED, *ADJUSTED_ASKED])
def test_an_adjusted_close_is_never_passed_over(tmp_path, name):
    path = styles.written(tmp_path / "AAA.csv", with_column(name, PRICES.Close / 4))
    if name in ADJUSTED_ASKED:
        with pytest.raises(FulmenError) as asked:
            read(path)
        data, (prices,) = read(path, **typed(str(asked.value)))
        _, (as_it_is,) = read(path, columns={"adj_close": None})
        assert equal(as_it_is)
    else:
        data, (prices,) = read(path)
    assert data.taken[0].roles["adjusted by"] == f"{name} (prices times 0.25 to 0.25)"
    assert np.allclose(prices.open, PRICES.Open / 4)
    assert np.allclose(prices.close, PRICES.Close / 4)


@pytest.mark.parametrize("name", ["Symbol", "tic", "Name", "Stock", "Company", "permno", "Code", "Kürzel"])
def test_two_companies_are_never_joined(tmp_path, name):
    numbers = name == "permno"
    after = OTHER.assign(Date=OTHER.Date + pd.Timedelta(days=364), **{name: 2 if numbers else "BBB"})
    path = styles.written(tmp_path / "x.csv", csv(pd.concat([PRICES.assign(**{name: 1 if numbers else "AAA"}), after])))
    with pytest.raises(FulmenError) as asked:
        read(path)
    _, series = read(path, **typed(str(asked.value)))
    assert [len(each) for each in series] == [DAYS, DAYS]


DOUBTS = {  # style -> content and what is told
    "a split of 4 for 1": (csv(scaled(slice(200, None), 0.25)), r"line 202 \(2022-10-10\): a split of 4 for 1"),
    "a merging of 5 to 1": (csv(scaled(slice(200, None), 5.0)), "a split of 1 for 5"),
    "a large return": (csv(scaled(slice(200, None), 1.8)), r"a return of \+0\.5|0\.6"),
    "no volume": (csv(PRICES.assign(Volume=0)), "Volume is 0 in every line"),
    "Adj Close in another unit": (with_column("Adj Close", PRICES.Close * 100), "Adj Close is 100 times Close"),
    "every third day": (dated(pd.date_range("1990-01-01", periods=DAYS, freq="3D")), "its lines are 3 days apart"),
    "a Close a little above High": (csv(changed(49, Close=PRICES.High[49] * 1.003)), "Close lies up to 0.3 % outside"),
}


@pytest.mark.parametrize("style", DOUBTS)
def test_what_looks_wrong_is_told(tmp_path, style):
    content, said = DOUBTS[style]
    data, _ = read(styles.written(tmp_path / "AAA.csv", content))
    assert re.search(said, " ".join(data.taken[0].doubts))


def test_one_series_under_two_names_is_told(tmp_path):
    paths = [str(styles.written(tmp_path / f"{name}.csv", csv())) for name in ("AAA", "BBB")]
    data = StocksData(csv=paths, cache=str(tmp_path / "cache"))
    data.prepare_data()
    assert "AAA and BBB have the same Close on 260 days" in data.taken[1].doubts[-1]


def test_prices_of_all_days_are_said_to_be_so(tmp_path):
    path = styles.written(tmp_path / "COIN.csv", csv(PRICES.assign(Date=pd.date_range("2022-01-01", periods=DAYS))))
    data, _ = read(path)
    assert data.taken[0].rows.endswith("one line a calendar day")


def test_columns_that_are_not_used_and_lines_without_prices_are_said(tmp_path):
    content = with_column("Dividends", 0.0) + "2023-01-02,null,null,null,null,null,0\n"
    data, _ = read(styles.written(tmp_path / "AAA.csv", content))
    assert data.taken[0].dropped == [
        "1 line without any price, the first is 262",
        "columns that are not used: Dividends",
    ]


def test_investing_com_is_asked_about_and_read(tmp_path):
    path = styles.written(tmp_path / "AAA.csv", styles.investing())
    with pytest.raises(
        FulmenError, match=r"is it Price as Close, Vol\. as Volume\?|is it Vol\. as Volume, Price"
    ) as asked:
        read(path)
    _, (prices,) = read(path, **typed(str(asked.value)))
    assert np.array_equal(prices.close, PRICES.Close)
    assert np.allclose(prices.volume, PRICES.Volume, atol=5000)  # two decimals of a million


NAMES = "px=2024.csv|my prices.csv|a,b.csv|prices (1).csv|prices[1].csv|Kurs ä.csv|-a.csv|{a}.csv|it's.csv|px=2024"


@pytest.mark.parametrize("name", NAMES.split("|"))
def test_a_file_of_any_name_is_read(tmp_path, monkeypatch, name):
    from fulmen.config.check import compose

    monkeypatch.chdir(tmp_path)
    styles.written(tmp_path / name, csv())
    data = compose(["experiment=stocks_fast", f"data.csv={name}"], output_dir="x").data
    assert data.csv == name
    assert equal(read(tmp_path / data.csv)[1][0])


def test_real_prices_of_yfinance_are_read_as_before(shared):
    for name in ("AAPL", "NVDA"):
        frame = pd.read_csv(shared / f"{name}.csv", float_precision="round_trip")
        (prices,), taken = read_prices(shared / f"{name}.csv")
        assert np.array_equal(prices.close, frame.Close)
        assert np.array_equal(prices.volume, frame.Volume)
        assert not taken.doubts
