"""What a network has to beat. Each forecast has shape [N, H]: log-returns over 1 to H days."""

from collections.abc import Sequence

import numpy as np
from sklearn.linear_model import Ridge
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from torch import Tensor

Part = dict[str, Tensor]  # as `data.StocksData.splits`

ALPHAS = tuple(10.0**k for k in range(1, 7))


def persistence(test: Part) -> np.ndarray:
    """Tomorrow is like today."""
    return np.zeros(test["log_return"].shape)


def drift(test: Part) -> np.ndarray:
    """The line from the first to the last price of the window goes on."""
    return test["drift"].double().numpy()[:, None] * np.arange(1, test["log_return"].shape[1] + 1)


def historical_mean(train: Part, test: Part) -> np.ndarray:
    """The mean of the training split, for every day."""
    return np.broadcast_to(train["log_return"].double().mean(0).numpy(), test["log_return"].shape)


def ridge(train: Part, validation: Part, test: Part, alphas: Sequence[float] = ALPHAS) -> np.ndarray:
    """Ridge regression on all features of all days in the window, its penalty chosen on the validation split."""
    model = fit_ridge(train, validation, alphas)
    return model.predict(test["window"].flatten(1).double().numpy()).reshape(test["log_return"].shape)


def fit_ridge(train: Part, validation: Part, alphas: Sequence[float] = ALPHAS) -> Pipeline:
    """From windows, their days and features in one row [N, T * F], to log-returns [N, H]."""
    flat = train["window"].flatten(1).double()
    scaler = StandardScaler().fit(flat.numpy())
    scaler.mean_, scaler.scale_ = flat.mean(0).numpy(), flat.std(0).clamp(min=1e-9).numpy()
    x, x_validation = (scaler.transform(part["window"].flatten(1).double().numpy()) for part in (train, validation))
    y, y_validation = (part["log_return"].double().numpy() for part in (train, validation))
    models = [Ridge(alpha).fit(x, y) for alpha in alphas]
    errors = [
        ((model.predict(x_validation).reshape(y_validation.shape) - y_validation) ** 2).mean() for model in models
    ]
    return Pipeline([("scale", scaler), ("ridge", models[int(np.argmin(errors))])])
