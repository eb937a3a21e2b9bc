"""Daily prices from Yahoo, kept as a file."""

from pathlib import Path

from fulmen.errors import FulmenError
from fulmen.utils.files import atomic_write


def download(ticker: str, start: str, end: str, folder: str | Path) -> Path:
    """A CSV of the daily prices of `ticker` from `start` until before `end` (ISO), fetched once.

    Raises:
        FulmenError: yfinance is not installed, or Yahoo has no such prices.
    """
    path = Path(folder) / f"{ticker}_{start}_{end}" / f"{ticker}.csv"
    if path.exists():
        return path
    try:
        import yfinance
    except ModuleNotFoundError:
        raise FulmenError("download: needs yfinance; install it with: pip install yfinance") from None
    table = yfinance.Ticker(ticker).history(start=start, end=end, auto_adjust=False)
    if len(table) == 0:
        raise FulmenError(f"download: Yahoo has no daily prices of {ticker} from {start} to {end}")
    with atomic_write(path) as file:
        table.to_csv(file, index_label="Date")
    return path
