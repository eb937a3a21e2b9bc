"""What trading by the sign of a forecast would have earned, before and after costs: simple returns, no interest.

Every day 1 / H of the capital of a ticker is put on the sign of the forecast over H days, and stays there for H days:
positions overlap, and the position of a day is the mean of the last H signs. Tickers weigh the same. Costs are paid on
what changes: from long to short are two units. What moves with prices is not traded back to its weight.
"""

from dataclasses import dataclass

import numpy as np

from fulmen.diagnosis.findings import FINDINGS
from fulmen.report.document import Rows

COSTS_BP = (0, 5, 20)  # of what is traded, one way; a basis point is 0.01 %
UP_TO_95 = 1.959964  # standard normal quantile of a two-sided 95 % interval
DAYS_PER_YEAR = 365.25
TITLE = "Trading by the sign of the forecast"
FEWEST = 60  # days, or spans of them, below which nothing is said in words
OURS, HELD = "sign of the forecast", "buy and hold"
NOTE = (
    "Trading: every day 1 / H of the capital of a ticker goes on the sign of the forecast over H days ahead and stays "
    "for H days, so that positions overlap where H is above 1; all tickers weigh the same. Costs are paid on what is "
    "traded, one way, the first purchase included; turnover is what is traded in a year, in times the capital. Returns "
    "are simple, without interest. The interval of the Sharpe ratio is that of Lo (2002), robust to wild, skewed and "
    "autocorrelated returns."
)


@dataclass(frozen=True)
class Traded:
    """Means over the tickers, one value a day, oldest first.

    Attributes:
        earned: before costs, as a share of the capital [T].
        moved: share of the capital that was traded [T].
        periods: days of trading in a year.
        span: days that a position stays.
    """

    earned: np.ndarray
    moved: np.ndarray
    periods: float
    span: int = 1

    def after(self, cost_bp: float) -> np.ndarray:
        """Daily returns after costs [T]."""
        return self.earned - cost_bp / 1e4 * self.moved

    @property
    def bears_bp(self) -> float:
        """The cost at which nothing is left; NaN where nothing is traded."""
        return float(1e4 * self.earned.sum() / self.moved.sum()) if self.moved.sum() > 0 else float("nan")


def traded(forecast: np.ndarray, next_return: np.ndarray, ticker: np.ndarray, day: np.ndarray) -> Traded:
    """By the sign of the forecast of the whole horizon.

    Args:
        forecast: log-returns [N, H].
        next_return: log-return of the next day [N].
        ticker: number of the ticker [N].
        day: since 1970-01-01 [N].
    """
    horizon = forecast.shape[1]
    return _summed(_held(np.sign(forecast[:, -1]), horizon, ticker, day), next_return, ticker, day, horizon)


def bought(next_return: np.ndarray, ticker: np.ndarray, day: np.ndarray) -> Traded:
    """Of every ticker the same, bought on the first day; arguments as in `traded`."""
    return _summed(np.ones(len(day)), next_return, ticker, day, 1)


def sharpe(returns: np.ndarray, periods: float, span: int = 1) -> tuple[float, float, float]:
    """Sharpe ratio a year and its 95 % interval; NaN where returns do not vary.

    The variance of mean / sd follows from that of the moments (delta method), which is summed over autocovariances with
    Bartlett's weights up to a lag that grows with the sample. Source: Lo 2002, Financial Analysts Journal 58(4):36, and
    Newey & West 1987.

    Args:
        returns: a period [T].
        periods: in a year.
        span: periods that returns share, at least so many lags count.
    """
    count, sd = len(returns), float(returns.std())
    if count < 3 or sd < 1e-12:
        return float("nan"), float("nan"), float("nan")
    ratio = float(returns.mean()) / sd
    z = (returns - returns.mean()) / sd
    pull = z - ratio / 2 * (z**2 - 1)
    lags = min(max(span, int(4 * (count / 100) ** (2 / 9))), count - 2)
    terms = [pull @ pull, *(2 * (1 - k / (lags + 1)) * (pull[k:] @ pull[:-k]) for k in range(1, lags + 1))]
    half = UP_TO_95 * np.sqrt(max(float(np.sum(terms)), 0.0)) / count
    scale = float(np.sqrt(periods))
    return ratio * scale, (ratio - half) * scale, (ratio + half) * scale


def table(ours: Traded, held: Traded) -> Rows:
    """A row for each cost, and what buying and holding brings beside it."""
    return [_row(name, each, cost) for name, each in ((OURS, ours), (HELD, held)) for cost in COSTS_BP]


def in_words(ours: Traded, held: Traded) -> str:
    """What remains after costs, in sentences."""
    found = {cost: (float(ours.after(cost).mean() * ours.periods), *sharpe(ours.after(cost), ours.periods, ours.span))
             for cost in COSTS_BP}  # fmt: skip
    said = {cost: f"{_a_year(mean)}, Sharpe ratio {ratio:.2f}, 95 %: {low:.2f} to {high:.2f}"
            for cost, (mean, ratio, low, high) in found.items()}  # fmt: skip
    if not np.isfinite(found[0][1]):
        return "By its sign the forecast trades nothing that moves."
    spans = len(ours.earned) // ours.span
    if spans < FEWEST:
        of = f"spans of {ours.span} days" if ours.span > 1 else "days"
        return f"{FINDINGS['too_few']}: {spans} {of} are too few to say what trading by its sign earns."
    kept = [cost for cost, (_, _, low, _) in found.items() if low > 0]
    if not kept and found[0][3] < 0:
        word = f"Trading by its sign is shown to lose, even without costs ({said[0]})"
    elif not kept:
        word = f"Trading by its sign is not shown to earn anything, even without costs ({said[0]})"
    elif kept[-1] == COSTS_BP[-1]:
        word = f"Trading by its sign earns something, and still does at costs of {kept[-1]} bp ({said[kept[-1]]})"
    else:
        lost = COSTS_BP[COSTS_BP.index(kept[-1]) + 1]
        until = f"at costs of {kept[-1]} bp" if kept[-1] else "without costs"
        word = (
            f"Trading by its sign earns something {until} ({said[kept[-1]]}); at {lost} bp nothing is shown to remain "
            f"({said[lost]})"
        )
    even = f"; it bears costs of {ours.bears_bp:.1f} bp" if kept else ""
    mean, ratio = held.earned.mean() * held.periods, sharpe(held.earned, held.periods)[0]
    return f"{word}{even}. Buying and holding: {_a_year(float(mean))}, Sharpe ratio {ratio:.2f}."


def _a_year(mean: float) -> str:
    """`+3.1% a year`; what loses more than all is told as the sum that it is."""
    if mean > -1:
        return f"{mean:+.1%} a year"
    return f"the sum of daily returns is {mean:+.0%} a year of a stake held constant"


def _row(name: str, each: Traded, cost: int) -> dict[str, object]:
    returns = each.after(cost)
    ratio, low, high = sharpe(returns, each.periods, each.span)
    return {
        "": name,
        "cost, bp": cost,
        "turnover a year": float(each.moved.mean() * each.periods),
        "mean return a year": float(returns.mean() * each.periods),
        "Sharpe ratio": ratio,
        "Sharpe ratio, 95 %": f"{low:.2f} to {high:.2f}" if np.isfinite(ratio) else "",
    }


def _held(sign: np.ndarray, horizon: int, ticker: np.ndarray, day: np.ndarray) -> np.ndarray:
    """Positions [N]: the mean of the last `horizon` signs of the same ticker, those before the first being 0."""
    held = np.zeros(len(sign))
    for own in _of_tickers(ticker, day):
        sums = np.concatenate([np.zeros(horizon), np.cumsum(sign[own])])
        held[own] = (sums[horizon:] - sums[:-horizon]) / horizon
    return held


def _summed(held: np.ndarray, next_return: np.ndarray, ticker: np.ndarray, day: np.ndarray, span: int) -> Traded:
    """Means over the tickers of each day of what positions [N] earn and of how far they change."""
    change = np.zeros(len(held))
    for own in _of_tickers(ticker, day):
        change[own] = np.abs(np.diff(held[own], prepend=0.0))
    days, place, count = np.unique(day, return_inverse=True, return_counts=True)
    earned, moved = (np.bincount(place.ravel(), each) / count for each in (held * np.expm1(next_return), change))
    years = (days[-1] - days[0]) / DAYS_PER_YEAR
    return Traded(earned, moved, (len(days) - 1) / years if years > 0 else float("nan"), span)


def _of_tickers(ticker: np.ndarray, day: np.ndarray) -> list[np.ndarray]:
    """The places of each ticker's windows, oldest first."""
    order = np.lexsort((day, ticker))
    return np.split(order, np.flatnonzero(np.diff(ticker[order])) + 1)
