"""Errors of forecasts in units of the price on the validation split, beside those of persistence."""

import numpy as np
import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from torch import Tensor

from fulmen.errors import FulmenError
from fulmen.workload import splits_of
from fulmen.workloads.stocks.metrics import mae, rmse, to_price


class PriceScores(Callback):
    """Logs `val/rmse`, `val/mae` (both in the currency of the data), `val/mape` (in per cent), `val/r2`,
    `val/pearson_corr`, `val/accuracy` (the share of right directions) and `val/persistence_rmse`, each the mean over
    the days ahead, after every validation by a `StockForecaster` on one process.
    """

    def on_validation_epoch_end(self, trainer: Trainer, module: LightningModule) -> None:
        split = splits_of(trainer.datamodule).get("validation")  # type: ignore[attr-defined]
        if trainer.sanity_checking or split is None:
            return
        forecast = _forecasts(module)
        if len(forecast) != len(split["price"]):
            raise FulmenError("scores of prices need the whole validation split on one process")
        values = (each.double().numpy() for each in (forecast, split["log_return"], split["price"]))
        module.log_dict({f"val/{name}": value for name, value in price_scores(*values).items()})


def price_scores(predicted: np.ndarray, true: np.ndarray, price: np.ndarray) -> dict[str, float]:
    """Scores of prices, means over the H days ahead.

    Args:
        predicted: log-returns [N, H].
        true: log-returns [N, H].
        price: on the day of the forecast [N].
    """
    forecast, truth = to_price(predicted, price), to_price(true, price)
    error = truth - forecast
    spread = np.square(truth - truth.mean(0)).sum(0)
    together = [_correlation(forecast[:, h], truth[:, h]) for h in range(truth.shape[1])]
    return {
        "rmse": float(rmse(error).mean()),
        "mae": float(mae(error).mean()),
        "mape": float(100 * np.abs(error / truth).mean()),
        "r2": float((1 - np.square(error).sum(0) / np.where(spread > 0, spread, np.inf)).mean()),
        "pearson_corr": float(np.mean(together)),
        "accuracy": float(np.mean((predicted > 0) == (true > 0))),
        "persistence_rmse": float(rmse(truth - price[:, None]).mean()),
    }


def _correlation(one: np.ndarray, other: np.ndarray) -> float:
    """Pearson's, 0 where one of them is constant."""
    if one.std() == 0 or other.std() == 0:
        return 0.0
    return float(np.corrcoef(one, other)[0, 1])


def _forecasts(module: LightningModule) -> Tensor:
    """Log-returns [N, H] of the validation that has just ended."""
    kept = module.forecasts.value  # type: ignore[union-attr]
    return (torch.cat(kept) if isinstance(kept, list) else torch.as_tensor(kept)).cpu()
