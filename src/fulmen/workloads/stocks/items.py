"""What a forecaster says of each window, kept for comparisons of many."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from torch import Tensor

from fulmen.report.test_predictions import BASELINE, METRIC, identities, ratio_scores


def items_of(part: Mapping[str, Tensor], forecast: np.ndarray) -> dict[str, Any]:
    """As `Summary.items`; losses are squared errors of the log-return, means over the days ahead.

    Args:
        part: a split of `data.StocksData`.
        forecast: log-returns [N, H].
    """
    true = part["log_return"].double().numpy()
    errors = np.square(forecast - true)
    return {
        "item": identities(part["day"], part["ticker"], true),
        "loss": errors.mean(1),
        "group": part["day"].numpy() // 30,  # errors of neighbouring days resemble each other
        "time": part["day"].numpy(),
        "until": part["last_day"].numpy(),
        f"{BASELINE}persistence": np.square(true).mean(1),
        f"{METRIC}skill": np.mean(
            [ratio_scores(*each, 0.5) for each in zip(errors.T, np.square(true).T, strict=True)], 0
        ),
    }
