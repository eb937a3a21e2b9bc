"""One series of prices, written down as people, programs and providers write it."""

import bz2
import gzip
import io
import lzma
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

DAYS = 260
FIELDS = ["Open", "High", "Low", "Close"]


def series(level: float = 1800.0, seed: int = 0, days: int = DAYS) -> pd.DataFrame:
    """Business days from 2022-01-03 on; prices to the cent, volumes of a million or so."""
    draw = np.random.default_rng(seed)
    close = level * np.exp(np.cumsum(draw.normal(0, 0.01, days)))
    start = close * np.exp(draw.normal(0, 0.004, days))
    high = np.maximum(start, close) * np.exp(np.abs(draw.normal(0, 0.003, days)))
    low = np.minimum(start, close) * np.exp(-np.abs(draw.normal(0, 0.003, days)))
    prices = pd.DataFrame(np.column_stack([start, high, low, close]).round(2), columns=FIELDS)
    prices["Volume"] = draw.integers(1_000_000, 2_000_000, days)
    prices.insert(0, "Date", pd.bdate_range("2022-01-03", periods=days))
    return prices


PRICES = series()
OTHER = series(45.0, seed=1)


def csv(frame: pd.DataFrame = PRICES, dates: str = "%Y-%m-%d", **options) -> str:
    return frame.assign(Date=frame.Date.dt.strftime(dates)).to_csv(index=False, **options)


def renamed(names: dict[str, str], frame: pd.DataFrame = PRICES, dates: str = "%Y-%m-%d", **options) -> str:
    return frame.assign(Date=frame.Date.dt.strftime(dates)).rename(columns=names).to_csv(index=False, **options)


FOREIGN = [  # what Date, Open, High, Low, Close and Volume are called
    "Data Otwarcie Najwyższy Najniższy Zamknięcie Wolumen",
    "Tarih Açılış Yüksek Düşük Kapanış Hacim",
    "Дата Откр. Макс. Мин. Закр. Объём",
    "Date Ouv Haut Bas Clôture Volume",
    "Fecha Apertura Máximo Mínimo Cierre Volumen",
    "Data Abertura Máxima Mínima Fechamento Volume",
    "Data Apertura Massimo Minimo Chiusura Volume",
    "Datum Eröffnung Hoch Tief Schluss Volumen",
    "日期 开盘 最高 最低 收盘 成交量",
    "日付 始値 高値 安値 終値 出来高",
    "Data Otwarcie Najwy¿szy Najni¿szy Zamkniêcie Wolumen",  # read in another encoding than it was written in
    "Aa Bb Cc Dd Ee Ff",
]


def called(names: str) -> str:
    return renamed(dict(zip(["Date", *FIELDS, "Volume"], names.split(), strict=True)))


def unnamed(columns: dict[str, object], place: int = 6, order: list[int] | None = None) -> str:
    """No line of names; `date` in place of the dates, other `columns` from `place` on."""
    frame = PRICES.assign(Date=PRICES.Date.dt.strftime("%Y-%m-%d"))
    for name, cells in columns.items():
        if name == "date":
            frame["Date"] = cells
        else:
            frame.insert(place, name, cells)
    frame = frame if order is None else frame.iloc[:, order]
    return frame.to_csv(index=False, header=False)


def words(form: Callable[[float], str], sep: str = ",", whole: Callable[[float], str] = str) -> str:
    """Every price as `form` writes it."""
    texts = PRICES[FIELDS].map(form).assign(Volume=PRICES.Volume.map(whole))
    texts.insert(0, "Date", PRICES.Date.dt.strftime("%Y-%m-%d"))
    return texts.to_csv(index=False, sep=sep)


def dated(cells, name: str = "Date") -> str:
    return PRICES.assign(Date=list(cells)).rename(columns={"Date": name}).to_csv(index=False)


def with_column(name: str, cells, frame: pd.DataFrame = PRICES) -> str:
    return csv(frame.assign(**{name: cells}))


def long(ticker: str = "Ticker", interleaved: bool = True, names: tuple[str, str] = ("AAA", "BBB")) -> str:
    both = pd.concat([PRICES.assign(**{ticker: names[0]}), OTHER.assign(**{ticker: names[1]})])
    return csv(both.sort_values("Date", kind="stable") if interleaved else both)


def yfinance(tickers: tuple[str, ...], by_ticker: bool = False, date_line: bool = True, corner: str = "Price") -> str:
    """As `yfinance.download(...).to_csv()` writes it: fields and tickers in lines of their own."""
    frames = dict(zip(tickers, (PRICES, OTHER), strict=False))
    pairs = [(field, ticker) for field in ["Close", "High", "Low", "Open", "Volume"] for ticker in tickers]
    if by_ticker:
        pairs = [(field, ticker) for ticker in tickers for field in ["Open", "High", "Low", "Close", "Volume"]]
    fields, owners = ["Price", *(field for field, _ in pairs)], ["Ticker", *(ticker for _, ticker in pairs)]
    fields[0] = corner
    head = [owners, fields] if by_ticker else [fields, owners]
    head += [["Date", *("" for _ in pairs)]] if date_line else []
    if not date_line:
        head[1][0] = "Date"
    columns = [PRICES.Date.dt.strftime("%Y-%m-%d"), *(frames[ticker][field].astype(str) for field, ticker in pairs)]
    rows = [",".join(cells) for cells in zip(*columns, strict=True)]
    return "\n".join([*(",".join(line) for line in head), *rows]) + "\n"


def investing() -> str:
    """Newest first, volumes in millions, a share of change."""
    frame = pd.DataFrame({"Date": PRICES.Date.dt.strftime("%b %d, %Y"), "Price": PRICES.Close.map("{:,.2f}".format)})
    for name in ("Open", "High", "Low"):
        frame[name] = PRICES[name].map("{:,.2f}".format)
    frame["Vol."] = (PRICES.Volume / 1e6).map("{:.2f}M".format)
    frame["Change %"] = (100 * PRICES.Close.pct_change().fillna(0)).map("{:.2f}%".format)
    return "\ufeff" + frame.iloc[::-1].to_csv(index=False, quoting=1)


def nasdaq() -> str:
    frame = pd.DataFrame(
        {"Date": PRICES.Date.dt.strftime("%m/%d/%Y"), "Close/Last": PRICES.Close.map("${:.2f}".format)}
    )
    frame["Volume"] = PRICES.Volume
    for name in ("Open", "High", "Low"):
        frame[name] = PRICES[name].map("${:.2f}".format)
    return frame.iloc[::-1].to_csv(index=False)


def stooq() -> str:
    """Its files of many tickers."""
    frame = PRICES.assign(Date=PRICES.Date.dt.strftime("%Y%m%d"))
    frame.insert(0, "TICKER", "AAA.US")
    frame.insert(1, "PER", "D")
    frame.insert(3, "TIME", "000000")
    frame["OPENINT"] = 0
    frame.columns = [f"<{'VOL' if name == 'Volume' else name.upper()}>" for name in frame.columns]
    return frame.to_csv(index=False)


def metatrader() -> str:
    """No names, dates with points, a column of times."""
    rows = PRICES.assign(Date=PRICES.Date.dt.strftime("%Y.%m.%d,00:00"))
    return "\n".join(",".join(map(str, row)) for row in rows.itertuples(index=False)) + "\n"


def beside(method: str) -> bytes:
    """Two tickers side by side with two levels of names, written by a method of pandas."""
    tables = {name: frame.set_index("Date") for name, frame in (("AAA", PRICES), ("BBB", OTHER))}
    frame = pd.concat(tables, axis=1).swaplevel(axis=1).sort_index(axis=1)
    frame.columns.names = ["Price", "Ticker"]
    buffer = io.BytesIO()
    getattr(frame, method)(buffer)
    return buffer.getvalue()


def written(path: Path, content: str | bytes, encoding: str = "utf-8") -> Path:
    path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
    return path


def parquet(frame: pd.DataFrame, **options) -> bytes:
    buffer = io.BytesIO()
    frame.to_parquet(buffer, **options)
    return buffer.getvalue()


def excel(frame: pd.DataFrame, **options) -> bytes:
    buffer = io.BytesIO()
    frame.to_excel(buffer, index=False, **options)
    return buffer.getvalue()


def sheets(**frames: pd.DataFrame) -> bytes:
    buffer = io.BytesIO()
    with pd.ExcelWriter(buffer) as writer:
        for name, frame in frames.items():
            frame.to_excel(writer, sheet_name=name, index=False)
    return buffer.getvalue()


def zipped(text: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("prices.csv", text)
    return buffer.getvalue()


PACKED = {"gzip": gzip.compress, "bzip2": bz2.compress, "xz": lzma.compress}
