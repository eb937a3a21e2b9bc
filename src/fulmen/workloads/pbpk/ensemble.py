"""Surrogates whose concentrations are averaged."""

from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn

from fulmen.data.batches import Batch
from fulmen.utils.members import Members
from fulmen.workloads.pbpk.metrics import FLOOR, normalized
from fulmen.workloads.pbpk.module import PBPKSurrogate


class BodyMembers(Members):
    """Members in the place of a `BodyNetwork`."""

    def __init__(self, models: Sequence[PBPKSurrogate]):
        super().__init__(models)
        self.shared("the reduced model that they learn beside", [model.reduced for model in models])

    def fit(self, train: Batch, target: Tensor) -> None:
        """Each member is fitted already."""


class PBPKEnsemble(PBPKSurrogate):
    """Says the mean of the concentrations of its members; its intervals are calibrated for that mean.

    Its domain is that of the first member.

    Args:
        members: trained.
        figures: draw curves, residuals and organs of the test split.
    """

    network: Any

    def __init__(self, members: Sequence[nn.Module], figures: bool = True):
        models = [model for model in members if isinstance(model, PBPKSurrogate)]
        first = models[0]
        super().__init__(
            BodyMembers(models), residual=first.residual, reduced=first.reduced, trusted=first.trust is not None,
            within_dose=all(model.within_dose for model in models), figures=figures, margin=first.margin,
        )  # fmt: skip

    def take_over(self) -> None:
        for name in ("log_mean", "log_sd", "linear_sd"):
            getattr(self, name).copy_(self.network.of_one(name))
        domain = self.network.models[0].trust
        if self.trust is not None and domain is not None:
            self.trust.load_state_dict(domain.state_dict())

    def forward(self, batch: dict[str, Tensor]) -> Tensor:
        """Standardised log concentrations [B, 14, T] of the mean."""
        mg_per_l = self.network.mean(lambda model: model.concentration(batch))
        u = normalized(mg_per_l, batch["dose_mg"], batch["weight_kg"])
        return ((u + FLOOR).log() - self._offset(batch) - self.log_mean) / self.log_sd
