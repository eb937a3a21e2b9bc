"""The figures of a stock run: forecasts with intervals, residuals."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.ticker import MaxNLocator
from torch import Tensor

from fulmen.report.figures import COOL, MODEL, MUTED, TRUTH, WIDTH, figure
from fulmen.workloads.stocks.conformal import LEVELS

DAYS = 120  # of the forecast that are drawn


def draw(
    predicted: Tensor, half_width: Tensor, test: dict[str, Tensor], tickers: Sequence[str], folder: Path,
    with_residuals: bool = True,
) -> dict[str, str]:  # fmt: skip
    """Write the figures and return {caption: file name}; log-returns [N, H], half widths [levels, N, H]."""
    days = forecast(folder / "forecast.svg", predicted, half_width, test, tickers[0])
    drawn = {
        f"{tickers[0]}, forecast one day ahead with its intervals beside what came: the last {days} days of the test "
        "split": "forecast.svg"
    }
    if not with_residuals:
        return drawn
    residuals(folder / "residuals.svg", predicted, test["log_return"])
    return drawn | {
        "Residuals of the log-return, all test days and steps": "residuals.svg",
    }


def forecast(
    path: Path, predicted: Tensor, half_width: Tensor, test: dict[str, Tensor], ticker: str, days: int = DAYS
) -> int:
    """The first ticker's last test days, and how many: price, forecast of the day before, intervals."""
    last = (test["ticker"] == 0).nonzero()[-days:, 0]
    date = np.busday_offset(test["day"][last].numpy().astype("datetime64[D]"), 1, roll="forward")
    price, step, day = test["price"][last].numpy(), predicted[last, 0].numpy(), np.arange(len(last))
    with figure(path, 1, 1, (WIDTH, 3.4)) as ax:
        for level, half, alpha in zip(
            reversed(LEVELS), half_width.flip(0)[:, last, 0].numpy(), (0.12, 0.25), strict=True
        ):
            low, high = price * np.exp(step - half), price * np.exp(step + half)
            ax.fill_between(day, low, high, color=MODEL, alpha=alpha, linewidth=0, label=f"{level:.0%} interval")
        ax.plot(day, price * np.exp(step), color=MODEL, linewidth=1.1, label="forecast")
        ax.plot(day, price * np.exp(test["log_return"][last, 0].numpy()), color=TRUTH, linewidth=1.1, label="actual")
        ax.set_ylabel(f"close of {ticker}")
        ax.legend(loc="lower left", bbox_to_anchor=(-0.1, 1), ncols=2)
        at = np.unique(np.linspace(0, len(last) - 1, 4).round().astype(int))
        ax.set_xticks(at, date[at].astype(str))  # days of trading, one beside the other: no gaps at weekends
        ax.yaxis.set_major_locator(MaxNLocator(5))
    return len(last)


def residuals(path: Path, predicted: Tensor, true: Tensor) -> None:
    """Histogram of the errors, and actual over predicted log-returns, in percent."""
    error = 100 * (true - predicted).flatten().numpy()
    x, y = 100 * predicted.flatten().numpy(), 100 * true.flatten().numpy()
    with figure(path, 2, 1, (WIDTH, 6)) as (histogram, scatter):
        histogram.hist(error, bins=60, color=COOL[0])
        histogram.axvline(0, color=MUTED, linewidth=0.8)
        histogram.set_xlabel("actual - forecast (% log-return)")
        histogram.set_ylabel("windows")
        scatter.scatter(x, y, s=5, color=COOL[0], alpha=0.4, linewidth=0, rasterized=True)
        ends = [float(x.min()), float(x.max())]
        scatter.plot(ends, ends, color=MODEL, linewidth=1, label="actual = forecast")
        scatter.set_xlabel("forecast (% log-return)")
        scatter.set_ylabel("actual (% log-return)")
        scatter.legend(loc="upper left")
