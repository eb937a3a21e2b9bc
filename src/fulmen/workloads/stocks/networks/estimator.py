"""Linear baselines in the place of a network: standardised windows in, the standardised log-return out."""

from collections.abc import Mapping, Sequence

import torch
from sklearn.pipeline import Pipeline
from torch import Tensor

from fulmen.utils.estimators import Estimator
from fulmen.workloads.stocks import baselines


class RidgeForecast(Estimator):
    """Forecasts what the baseline "ridge" forecasts; it knows how inputs and target are standardised.

    Args:
        inputs: names of the features.
        horizon_days: H.
    """

    feature_mean: Tensor
    feature_sd: Tensor
    target_mean: Tensor
    target_sd: Tensor

    def __init__(self, inputs: Sequence[str], horizon_days: int = 1):
        super().__init__()
        self.inputs, self.horizon_days = tuple(inputs), horizon_days
        for name, size in {"feature": len(inputs), "target": horizon_days}.items():
            self.register_buffer(f"{name}_mean", torch.zeros(size))
            self.register_buffer(f"{name}_sd", torch.ones(size))

    def fit_to(self, splits: Mapping[str, Mapping[str, Tensor]]) -> None:
        train = splits["train"]
        for name, x in {"feature": train["window"].flatten(0, 1), "target": train["log_return"]}.items():
            sd = x.double().std(0)
            getattr(self, f"{name}_mean").copy_(x.double().mean(0))
            getattr(self, f"{name}_sd").copy_(torch.where(sd > 1e-9, sd, 1.0))
        self.estimator = self.fit(dict(train), dict(splits["validation"]))

    def fit(self, train: baselines.Part, validation: baselines.Part) -> Pipeline:
        return baselines.fit_ridge(train, validation)

    def forward(self, window: Tensor) -> Tensor:
        """Standardised windows [B, T, F] -> the standardised target [B, H]."""
        x = (window.double() * self.feature_sd + self.feature_mean).flatten(1).cpu().numpy()
        forecast = torch.from_numpy(self.fitted.predict(x).reshape(len(x), self.horizon_days)).to(window)
        return (forecast - self.target_mean) / self.target_sd


class OneLagForecast(RidgeForecast):
    """Forecasts what the baseline "one lag" forecasts, from the feature return of the last day of the window."""

    def fit(self, train: baselines.Part, validation: baselines.Part) -> Pipeline:
        return baselines.one_lag_pipeline(train, self.inputs.index("return"))
