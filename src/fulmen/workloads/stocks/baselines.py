"""What a network has to beat. Each forecast has shape [N, H]: log-returns over 1 to H days."""

from collections.abc import Mapping, Sequence

import numpy as np
from sklearn.linear_model import Ridge
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from torch import Tensor

Part = dict[str, Tensor]  # as `data.StocksData.splits`

ALPHAS = tuple(10.0**k for k in range(7))
FADINGS = (0, 2)  # powers of the lag that divide a day's features: all days alike, or the latest ones first
DAYS_OF_A_WEEK = 4  # median days between lines from which on seasons are months and no weekdays


def forecasts(splits: Mapping[str, Part]) -> dict[str, np.ndarray]:
    """What each baseline says of the test split, by its name."""
    train, validation, test = (splits[name] for name in ("train", "validation", "test"))
    return {
        "persistence": persistence(test),
        "drift": drift(test),
        "historical mean": historical_mean(train, test),
        "seasonal": seasonal(train, test),
        "one lag": one_lag(train, test),
        "ridge": ridge(train, validation, test),
    }


def persistence(test: Part) -> np.ndarray:
    """Tomorrow is like today."""
    return np.zeros(test["log_return"].shape)


def drift(test: Part) -> np.ndarray:
    """The line from the first to the last price of the window goes on."""
    return test["drift"].double().numpy()[:, None] * np.arange(1, test["log_return"].shape[1] + 1)


def historical_mean(train: Part, test: Part) -> np.ndarray:
    """The mean of the training split, for every day."""
    return np.broadcast_to(train["log_return"].double().mean(0).numpy(), test["log_return"].shape)


def seasonal(train: Part, test: Part) -> np.ndarray:
    """The mean of what followed the same weekday in the training split, of all tickers; of its month, where lines are
    a week or more apart.

    Days of a season that the training split has not are forecast by the mean of all.
    """
    y, day = train["log_return"].double().numpy(), train["day"].numpy()
    by_month = float(np.median(np.diff(np.unique(day)))) > DAYS_OF_A_WEEK if len(np.unique(day)) > 1 else False
    own, asked = season_of(day, by_month), season_of(test["day"].numpy(), by_month)
    means = np.tile(y.mean(0), (12, 1))
    for season in np.unique(own):
        means[season] = y[own == season].mean(0)
    return means[asked]


def season_of(day: np.ndarray, by_month: bool) -> np.ndarray:
    """Number of the weekday (Monday is 0), or of the month (January is 0). [N].

    Args:
        day: since 1970-01-01, a Thursday.
    """
    if by_month:
        return day.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64) % 12
    return (day + 3) % 7


def one_lag(train: Part, test: Part) -> np.ndarray:
    """What the last day's return alone tells of the next ones: an AR(1), fitted to all tickers together."""
    slope, intercept = fit_one_lag(train)
    return test["last_return"].double().numpy()[:, None] * slope + intercept


def fit_one_lag(train: Part) -> tuple[np.ndarray, np.ndarray]:
    """Slopes and intercepts [H] by least squares; slopes of 0 where the last returns are all the same."""
    x, y = train["last_return"].double().numpy(), train["log_return"].double().numpy()
    centred = x - x.mean()
    squares = float(centred @ centred)
    slope = centred @ (y - y.mean(0)) / squares if squares > 0 else np.zeros(y.shape[1])
    return slope, y.mean(0) - slope * x.mean()


def one_lag_pipeline(train: Part, position: int) -> Pipeline:
    """`one_lag` as what `fit_ridge` gives: from whole windows, of which one number counts.

    Args:
        position: of the feature "return".
    """
    slope, intercept = fit_one_lag(train)
    flat = train["window"].flatten(1).double().numpy()
    scaler, model = StandardScaler().fit(flat), Ridge(0.0)
    scaler.mean_, scaler.scale_ = np.zeros(flat.shape[1]), np.ones(flat.shape[1])
    model.fit(flat[:2], np.zeros((2, len(slope))))  # an empty one, to be filled
    model.coef_, model.intercept_ = np.zeros((len(slope), flat.shape[1])), intercept
    model.coef_[:, flat.shape[1] - train["window"].shape[2] + position] = slope
    return Pipeline([("scale", scaler), ("ridge", model)])


def ridge(train: Part, validation: Part, test: Part, alphas: Sequence[float] = ALPHAS) -> np.ndarray:
    """Ridge regression on all features of all days in the window, its penalty chosen on the validation split."""
    model = fit_ridge(train, validation, alphas)
    return model.predict(test["window"].flatten(1).double().numpy()).reshape(test["log_return"].shape)


def fit_ridge(train: Part, validation: Part, alphas: Sequence[float] = ALPHAS) -> Pipeline:
    """From windows, their days and features in one row [N, T * F], to log-returns [N, H].

    A window of 60 days has hundreds of numbers, and one penalty alike for all of them shrinks the few that tell
    something with the many that do not: an effect of the last day alone is lost. So a day l days back is also tried
    divided by l squared, which penalises its weights l^4 times as much (the prior of Litterman 1986, "Minnesota").
    Which of the two, and how much penalty, is chosen on the validation split.
    """
    flat = train["window"].flatten(1).double()
    days, features = train["window"].shape[1:]
    lag = np.arange(days, 0, -1).repeat(features).astype(float)
    mean, sd = flat.mean(0).numpy(), flat.std(0).clamp(min=1e-9).numpy()
    y, y_validation = (part["log_return"].double().numpy() for part in (train, validation))
    found: list[tuple[float, Pipeline]] = []
    for fading in FADINGS:
        scaler = StandardScaler().fit(flat.numpy())
        scaler.mean_, scaler.scale_ = mean, sd * lag**fading
        x, x_validation = (scaler.transform(part["window"].flatten(1).double().numpy()) for part in (train, validation))
        for model in (Ridge(alpha).fit(x, y) for alpha in alphas):
            error = float(((model.predict(x_validation).reshape(y_validation.shape) - y_validation) ** 2).mean())
            found.append((error, Pipeline([("scale", scaler), ("ridge", model)])))
    return min(found, key=lambda each: each[0])[1]
