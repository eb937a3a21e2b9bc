"""Forecasts of prices that are averaged."""

from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn

from fulmen.utils.members import Members
from fulmen.workloads.stocks.module import StockForecaster


class SequenceMembers(Members):
    """Members in the place of a `SequenceNetwork`; features and horizon are theirs."""

    def __init__(self, models: Sequence[StockForecaster]):
        super().__init__(models)
        self.shared("their features", [list(model.network.inputs) for model in models])
        self.shared("their horizon", [model.network.horizon_days for model in models])
        self.inputs, self.horizon_days = models[0].network.inputs, models[0].network.horizon_days


class StockEnsemble(StockForecaster):
    """Says the mean of the log-returns that its members forecast; its intervals are calibrated for that mean.

    Args:
        members: trained.
        figures: draw the residuals of the test split too.
    """

    network: Any

    def __init__(self, members: Sequence[nn.Module], figures: bool = True):
        models = [model for model in members if isinstance(model, StockForecaster)]
        super().__init__(SequenceMembers(models), figures=figures, margin=models[0].margin)

    def take_over(self) -> None:
        for name in ("target_mean", "target_sd"):
            getattr(self, name).copy_(self.network.of_one(name))

    def forward(self, batch: dict[str, Tensor]) -> Tensor:
        """The standardised mean log-return [B, H]."""
        mean = self.network.mean(lambda model: model.log_return(batch))
        return (mean - self.target_mean) / self.target_sd
