"""Classifiers of table rows whose probabilities are averaged."""

from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor, nn

from fulmen.utils.members import Members
from fulmen.workloads.sensors.module import SensorClassifier
from fulmen.workloads.sensors.networks.tabular import probability


class TableMembers(Members):
    """Members in the place of a `TableNetwork`; what the columns are is theirs."""

    stackable = False

    def __init__(self, models: Sequence[SensorClassifier]):
        super().__init__(models)
        self.shared("their columns", [list(model.network.inputs.names) for model in models])
        self.shared("the number of their labels", [model.network.outputs for model in models])
        self.outputs = models[0].network.outputs

    @property
    def inputs(self) -> Any:
        """The encoding of the first."""
        first: Any = self.models[0]
        return first.network.inputs


class SensorEnsemble(SensorClassifier):
    """Says the mean of the probabilities of its members; its threshold is chosen for that mean, as theirs were.

    Args:
        members: trained.
        figures: draw curves of the test split.
    """

    network: Any

    def __init__(self, members: Sequence[nn.Module], figures: bool = True):
        models = [model for model in members if isinstance(model, SensorClassifier)]
        by, cost_ratio = models[0].by, models[0].cost_ratio
        super().__init__(
            TableMembers(models), threshold=by, cost_ratio=cost_ratio, figures=figures, margin=models[0].margin
        )

    def forward(self, batch: Mapping[str, Tensor]) -> Tensor:
        """Logits of the mean probabilities [B, 1, O]."""
        p = self.network.mean(lambda model: probability(model(batch))).clamp(1e-12, 1)
        if self.network.outputs > 1:
            return p.log()[:, None]
        return (p[:, 1:].log() - p[:, :1].log())[:, None]
