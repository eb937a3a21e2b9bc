"""What a network has to beat. Each forecast has shape [N, H]: log-returns over 1 to H days."""

from collections.abc import Sequence

import numpy as np
from sklearn.linear_model import Ridge
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
    """The mean of the training part, for every day."""
    return np.broadcast_to(train["log_return"].double().mean(0).numpy(), test["log_return"].shape)


def ridge(train: Part, validation: Part, test: Part, alphas: Sequence[float] = ALPHAS) -> np.ndarray:
    """Ridge regression on all features of all days in the window, its penalty chosen on the validation part."""
    flat = train["window"].flatten(1).double()
    mean, sd = flat.mean(0), flat.std(0).clamp(min=1e-9)
    x, x_validation, x_test = (
        ((part["window"].flatten(1).double() - mean) / sd).numpy() for part in (train, validation, test)
    )
    y, y_validation = (part["log_return"].double().numpy() for part in (train, validation))
    models = [Ridge(alpha).fit(x, y) for alpha in alphas]
    errors = [
        ((model.predict(x_validation).reshape(y_validation.shape) - y_validation) ** 2).mean() for model in models
    ]
    return models[int(np.argmin(errors))].predict(x_test).reshape(test["log_return"].shape)
