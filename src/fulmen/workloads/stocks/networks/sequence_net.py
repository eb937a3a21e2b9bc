"""A recurrent network described by a list of stages, as in conf/network/stocks."""

from collections.abc import Sequence
from typing import Literal

from torch import Tensor, nn

from fulmen.config.ranges import Share, refuses_out_of_range
from fulmen.workloads.stocks.networks.layer_spec import Shape, Stage, Stages
from fulmen.workloads.stocks.networks.layers import keras_init


class SequenceNet(nn.Module):
    """A window of features [B, T, F] to one number per day ahead [B, H], by way of `stages` (see `layer_spec.py`).

    Where the stages leave a sequence, its last state counts; a linear layer leads from there to the days ahead.

    Args:
        inputs: names of the features.
        stages: from input to output.
        horizon_days: H.
        activation: of the dense, convolutional and highway stages that name none.
        dropout: of a stage `{dropout: 1}`; at most 0.9 after scaling.
        init: how the weights start: "torch", or "keras" (Glorot, orthogonal, forget bias 1).
    """

    @refuses_out_of_range
    def __init__(
        self,
        inputs: Sequence[str],
        stages: Sequence[Stage],
        horizon_days: int = 1,
        activation: str = "relu",
        dropout: Share = 0.2,
        init: Literal["torch", "keras"] = "torch",
    ):
        super().__init__()
        self.inputs, self.horizon_days = tuple(inputs), horizon_days
        self.stages = Stages(stages, Shape(len(inputs), sequence=True), {}, activation, dropout)
        self.head = nn.Linear(self.stages.shape.features, horizon_days)
        if init == "keras":
            keras_init(self)

    def forward(self, window: Tensor) -> Tensor:
        x = self.stages(window, {})
        return self.head(x[:, -1] if self.stages.shape.sequence else x)
