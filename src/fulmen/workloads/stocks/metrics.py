"""How good forecasts are, in the terms of the field; log-returns have shape [N, H], one column per day ahead."""

import numpy as np
from scipy import stats

UP_TO_95 = 1.959964  # standard normal quantile of a two-sided 95 % interval

DIRECTIONS = {
    **dict.fromkeys(("skill", "skill_price", "r2_oos", "direction", "dm"), "max"),
    **dict.fromkeys(("rmse_price", "mae_price", "rmse_return", "mae_return", "mase", "dm_p"), "min"),
}


def rmse(error: np.ndarray) -> np.ndarray:
    """Root mean square per column."""
    return np.sqrt(np.mean(np.square(error), axis=0))


def mae(error: np.ndarray) -> np.ndarray:
    """Mean absolute value per column."""
    return np.mean(np.abs(error), axis=0)


def to_price(log_return: np.ndarray, price: np.ndarray) -> np.ndarray:
    """P_t exp(r): [N, H]."""
    return price[:, None] * np.exp(log_return)


def wilson_interval(share: np.ndarray, n: float) -> tuple[np.ndarray, np.ndarray]:
    """95 % interval of a share out of n trials (Wilson 1927)."""
    z2 = UP_TO_95**2
    middle = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = UP_TO_95 / (1 + z2 / n) * np.sqrt(share * (1 - share) / n + z2 / (4 * n**2))
    return middle - half, middle + half


def diebold_mariano(loss: np.ndarray, reference_loss: np.ndarray, horizon: int = 1) -> tuple[float, float]:
    """Statistic and one-sided p of "the losses [T] are smaller than the reference's" (Diebold & Mariano 1995).

    With d_t = reference_loss_t - loss_t, the long-run variance of the mean of d takes h - 1 autocovariances (Bartlett
    weights where the plain sum is not positive); the statistic is corrected for small samples and held against
    Student's t with T - 1 degrees of freedom (Harvey, Leybourne & Newbold 1997).
    """
    d = reference_loss - loss
    n, h = len(d), min(horizon, len(d) - 1)
    centred = d - d.mean()
    autocovariance = np.array([centred[k:] @ centred[: n - k] / n for k in range(h)])
    variance = autocovariance[0] + 2 * autocovariance[1:].sum()
    if variance <= 0:
        variance = autocovariance[0] + 2 * ((1 - np.arange(1, h) / h) * autocovariance[1:]).sum()
    if variance <= 0:
        return 0.0, 1.0  # the forecasts are the same
    correction = (n + 1 - 2 * h + h * (h - 1) / n) / n
    statistic = float(d.mean() / np.sqrt(variance / n) * np.sqrt(max(correction, 0)))
    return statistic, float(stats.t.sf(statistic, n - 1))


def by_day(values: np.ndarray, day: np.ndarray) -> np.ndarray:
    """Means over the tickers of each day, oldest day first: [N, ...] -> [T, ...]."""
    _, place, count = np.unique(day, return_inverse=True, return_counts=True)
    total = np.zeros((len(count), *values.shape[1:]))
    np.add.at(total, place, values)
    return total / count.reshape(-1, *[1] * (values.ndim - 1))


def per_step(
    predicted: np.ndarray, true: np.ndarray, price: np.ndarray, day: np.ndarray, train: np.ndarray
) -> dict[str, np.ndarray]:
    """Every metric for every day ahead, as arrays [H].

    Args:
        predicted: log-returns [N, H].
        true: log-returns [N, H].
        price: on the day of the forecast [N].
        day: of the forecast [N].
        train: log-returns of the training split [M, H], for what metrics are relative to.

    `skill` is 1 - RMSE / RMSE of persistence in log-returns, `skill_price` the same in prices; `mase` the MAE over the
    MAE of persistence on the training split, in log-returns; `r2_oos` 1 - SSE / SSE of the training mean (Campbell &
    Thompson 2008); `direction` the share of right signs, with a 95 % interval that counts every h-th of the overlapping
    h-day returns; `always_up` the share of rises.
    """
    error = true - predicted
    price_error = to_price(true, price) - to_price(predicted, price)
    price_naive = to_price(true, price) - price[:, None]
    days = len(np.unique(day))
    steps = np.arange(1, true.shape[1] + 1)
    direction = np.mean((predicted > 0) == (true > 0), axis=0)
    direction[(predicted == 0).all(0)] = np.nan  # persistence points nowhere
    low, high = zip(*(wilson_interval(d, max(days / h, 1)) for d, h in zip(direction, steps, strict=True)), strict=True)
    dm = [diebold_mariano(by_day(error[:, i] ** 2, day), by_day(true[:, i] ** 2, day), h) for i, h in enumerate(steps)]
    return {
        "rmse_price": rmse(price_error),
        "mae_price": mae(price_error),
        "rmse_return": rmse(error),
        "mae_return": mae(error),
        "skill": 1 - rmse(error) / rmse(true),
        "skill_price": 1 - rmse(price_error) / rmse(price_naive),
        "mase": mae(error) / mae(train),
        "r2_oos": 1 - np.sum(error**2, axis=0) / np.sum((true - train.mean(0)) ** 2, axis=0),
        "direction": direction,
        "direction_low": np.array(low),
        "direction_high": np.array(high),
        "always_up": np.mean(true > 0, axis=0),
        "dm": np.array([statistic for statistic, _ in dm]),
        "dm_p": np.array([p for _, p in dm]),
    }


def overall(predicted: np.ndarray, true: np.ndarray, day: np.ndarray) -> tuple[float, float]:
    """Diebold-Mariano statistic and p against persistence, over all days ahead.

    Each step's squared error counts relative to that of persistence, or the longest horizon would decide alone.
    """
    scale = np.mean(true**2, axis=0)
    loss, naive = ((e**2 / scale).mean(1) for e in (true - predicted, true))
    return diebold_mariano(by_day(loss, day), by_day(naive, day), true.shape[1])
