"""A forecaster of the log-returns of the next days, with conformal intervals.

Inputs and target are standardised by the training split; the loss is the mean squared error of the standardised target.
The target is log(P_{t+h} / P_t) or, if asked for, the price P_{t+h} itself: there a network has to learn first that
tomorrow's price is near today's, which persistence knows for nothing.
"""

import math
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import mse_loss
from torchmetrics import CatMetric

from fulmen.config.protocols import Fulfils
from fulmen.config.rules import Fraction
from fulmen.data.batches import Batch
from fulmen.data.predicting import Answer, Inputs, Record, Schema, unused
from fulmen.distributed.ranks import gather_rows
from fulmen.errors import FulmenError
from fulmen.io.options import NAMES
from fulmen.report.summary import Summary
from fulmen.utils.estimators import Estimator
from fulmen.workload import Stage, Workload
from fulmen.workloads.stocks import conformal, names, predict, prices
from fulmen.workloads.stocks.contract import SequenceNetwork
from fulmen.workloads.stocks.items import items_of
from fulmen.workloads.stocks.metrics import DIRECTIONS
from fulmen.workloads.stocks.networks.sequence_net import SequenceNet
from fulmen.workloads.stocks.records import read_records


class StockForecaster(Workload):
    """Trains a network [B, T, F] -> [B, H] on batches of `data.StocksData`.

    Attributes:
        naive_loss: of persistence on the training split, what a loss has to be compared with.

    Args:
        network: as `networks.SequenceNet`; it knows the number of features and of days ahead.
        optimizer: makes an optimizer of parameters.
        scheduler: makes a learning-rate scheduler of an optimizer; see `fulmen.optim.schedulers`.
        target: what is learned: "return", or "price".
        figures: draw the residuals of the test split too; its last forecasts are always drawn.
        margin: share of the variance of the returns from which on it is a signal: the verdict on the test split says
            whether one was found, or would have been.
    """

    ensemble = "fulmen.workloads.stocks.ensemble.StockEnsemble"
    directions = DIRECTIONS
    reading = (*NAMES, *predict.JUDGED)
    ranking_metrics: ClassVar = {name: way == "max" for name, way in DIRECTIONS.items() if name != "dm_p"}
    score_bounds: ClassVar = {"direction": (0.0, 1.0)}
    constant_baseline = "persistence"

    network: SequenceNet
    feature_mean: Tensor
    feature_sd: Tensor
    target_mean: Tensor
    target_sd: Tensor
    quantiles: Tensor

    def __init__(
        self,
        network: Annotated[nn.Module, Fulfils(SequenceNetwork)],
        optimizer: Callable[..., torch.optim.Optimizer] = torch.optim.Adam,
        scheduler: Callable[..., Any] | None = None,
        target: Literal["return", "price"] = "return",
        figures: bool = True,
        margin: Fraction = 0.01,
    ):
        super().__init__(network, optimizer, scheduler)
        if target == "price":
            warnings.warn(
                "target=price: forecasts of price levels lose to persistence by factors on most series; "
                "target=return learns the change instead",
                stacklevel=2,
            )
        if target == "price" and isinstance(network, Estimator):
            raise FulmenError("an estimator forecasts returns: leave out model.target=price")
        self.target, self.figures, self.margin = target, figures, margin
        features, horizon = len(self.network.inputs), self.network.horizon_days
        for name, size in {"feature": features, "target": horizon}.items():
            self.register_buffer(f"{name}_mean", torch.zeros(size))
            self.register_buffer(f"{name}_sd", torch.ones(size))
        self.register_buffer("quantiles", torch.full((len(conformal.LEVELS), horizon), math.inf))
        self.scores = CatMetric(nan_strategy="disable", dist_sync_fn=gather_rows)
        self.forecasts = CatMetric(nan_strategy="disable")  # log-returns of the validation split by these weights

    def setup(self, stage: str) -> None:
        """Standardise inputs and target by the training split."""
        if stage != "fit":
            return
        train = self.datamodule.splits["train"]
        y = self._target(train["log_return"], train["price"])
        for name, x in {"feature": train["window"].flatten(0, 1), "target": y}.items():
            sd = x.double().std(0)
            getattr(self, f"{name}_mean").copy_(x.double().mean(0))
            getattr(self, f"{name}_sd").copy_(torch.where(sd > 1e-9, sd, 1.0))
        naive = self._target(torch.zeros_like(train["log_return"]), train["price"])
        self.naive_loss = float(((y - naive) / self.target_sd.to(y)).square().mean())

    def forward(self, batch: dict[str, Tensor]) -> Tensor:
        """The standardised target [B, H]."""
        return self.network((batch["window"] - self.feature_mean) / self.feature_sd)

    def log_return(self, batch: dict[str, Tensor]) -> Tensor:
        """Predicted log(P_{t+h} / P_t): [B, H]."""
        return self._from_target(self(batch), batch["price"])

    def half_width(self, batch: dict[str, Tensor]) -> Tensor:
        """Of the conformal intervals around `log_return`: [levels, B, H]."""
        return self.quantiles[:, None] * conformal.scale(batch["volatility"], self.network.horizon_days)

    def predict_step(self, batch: dict[str, Tensor], batch_idx: int = 0) -> dict[str, Tensor]:
        predicted, half = self.log_return(batch), self.half_width(batch)
        price = batch["price"][:, None]
        bounds = {
            f"{side}_{round(100 * level)}": price * (predicted + sign * half[i]).exp()
            for i, level in enumerate(conformal.LEVELS)
            for side, sign in (("low", -1), ("high", 1))
        }
        return {"day": batch["day"], "ticker": batch["ticker"], "log_return": predicted,
                "price": price * predicted.exp(), **bounds}  # fmt: skip

    def on_train_batch_start(self, *_: Any) -> None:
        self.forecasts.reset()  # the weights go on

    def on_validation_epoch_start(self) -> None:
        self.forecasts.reset()

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """The forecasts of the validation split go with the weights that made them."""
        checkpoint["forecasts"] = self._kept()

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        self.forecasts.reset()
        self.forecasts.update(checkpoint.get("forecasts", torch.empty(0)).to(self.device))

    def on_validation_epoch_end(self) -> None:
        """Calibrate the intervals: each checkpoint holds those of its own weights."""
        self.quantiles.copy_(conformal.quantiles(self.scores.compute().view(-1, self.network.horizon_days)))
        self.scores.reset()

    @torch.no_grad()
    def summarize(self, predicted: Mapping[str, Tensor], data: Any, figures: Path) -> Summary:
        """Compare with the baselines on the test split, and draw it."""
        from fulmen.workloads.stocks.evaluate import summarize

        half_width = self.half_width({"volatility": data.splits["test"]["volatility"].to(self.device)}).cpu()
        forecast = predicted["log_return"].float()
        return summarize(forecast, half_width, self._calibration(data), data, figures, self.figures, self.margin)

    @torch.no_grad()
    def validation_items(self, data: Any) -> dict[str, Any]:
        return items_of(data.splits["validation"], self._calibration(data).double().numpy())

    def _kept(self) -> Tensor:
        """Log-returns [n, H] that this process has seen in the last pass over the validation split."""
        kept = self.forecasts.value
        return (torch.cat(kept) if isinstance(kept, list) and kept else torch.as_tensor(kept)).cpu()

    def _calibration(self, data: Any) -> Tensor:
        """Log-returns [N, H] of the validation split: the last pass's, made anew where it did not see all of it."""
        kept = self._kept()
        if len(kept) == len(data.splits["validation"]["day"]):
            return kept.float()
        self.eval()
        batches = ({name: value.to(self.device) for name, value in each.items()} for each in data.whole("validation"))
        return torch.cat([self.log_return(batch).cpu() for batch in batches])

    @classmethod
    def signal_margins(cls, margin: float) -> dict[str, float]:
        return {"r2_oos": margin, "skill": 1 - (1 - margin) ** 0.5}  # of the squares of the errors, of the errors

    @classmethod
    def baseline_network(cls, name: str, network: Mapping[str, Any]) -> dict[str, Any] | None:
        """Of ridge regression, and of one lag where the windows hold the returns; the others are rules."""
        kept = {"ridge": "RidgeForecast"} | ({"one lag": "OneLagForecast"} if "return" in network["inputs"] else {})
        if name not in kept:
            return None
        target = f"fulmen.workloads.stocks.networks.estimator.{kept[name]}"
        return {"_target_": target, "inputs": network["inputs"], "horizon_days": network.get("horizon_days", 1)}

    def input_schema(self, data: Any) -> Schema:
        """Of a CSV of prices; see `predict.py`."""
        return predict.input_schema(data)

    def read_file(self, path: Path, schema: Schema, **reading: str) -> Inputs:
        """Daily prices from a table."""
        read, taken = prices.read_prices(path, predict.reading_of(schema, reading))
        asked = predict.inputs(read, schema)
        asked.taken = taken
        return asked

    def read_records(self, records: Sequence[Record], schema: Schema) -> Inputs:
        """Daily prices, one record a day."""
        needed = [column["name"] for column in schema["columns"] if not column.get("optional")]
        asked = predict.inputs(read_records(records, needed), schema)
        asked.warnings += unused(records, names.ALL)
        return asked

    def answer(self, inputs: Inputs, predicted: Batch, schema: Schema) -> Answer:
        """Forecasts with intervals, one row per ticker, day and day ahead, beyond the last day too."""
        return predict.answer(inputs, predicted, schema)

    def example_records(self, schema: Schema, kept: Batch) -> list[dict[str, Any]]:
        return predict.example_records(schema)

    def rows_needed(self, schema: Schema) -> int:
        """Days of a window, and those that its first features take."""
        return predict.days_needed(schema)

    def _target(self, log_return: Tensor, price: Tensor) -> Tensor:
        """What is learned, before it is standardised: [B, H]."""
        return log_return if self.target == "return" else price[:, None] * log_return.exp()

    def _from_target(self, y: Tensor, price: Tensor) -> Tensor:
        """Standardised target -> log-return [B, H]; a price below a hundredth of today's counts as that."""
        y = y * self.target_sd + self.target_mean
        return y if self.target == "return" else (y / price[:, None]).clamp(min=0.01).log()

    def constant_loss(self, batch: Batch) -> Tensor:
        """Of persistence."""
        change = batch["log_return"]
        y, naive = (self._target(x, batch["price"]) for x in (change, torch.zeros_like(change)))
        return ((y - naive) / self.target_sd).square().mean()

    def step(self, batch: Batch, stage: Stage) -> tuple[Tensor, Batch]:
        y = (self._target(batch["log_return"], batch["price"]) - self.target_mean) / self.target_sd
        y_hat = self(batch)
        loss = mse_loss(y_hat, y)
        if stage == "train":
            return loss, {}
        forecast = self._from_target(y_hat, batch["price"])
        if stage == "val":
            self.forecasts.update(forecast.detach())
            error = batch["log_return"] - forecast
            self.scores.update(error.abs() / conformal.scale(batch["volatility"], error.shape[1]))
        return loss, {"log_return": forecast}
