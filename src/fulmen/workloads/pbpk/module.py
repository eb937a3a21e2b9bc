"""A surrogate of the PBPK solver: from organs, vessels, drug and dose to concentration curves in 14 organs.

With u = C W / dose (W the body weight in kg = L) the target is

    y = log(u + 1e-3) - log(u_reduced + 1e-3),

standardised: the dose, the orders of magnitude and what a single saturable compartment knows (`one_compartment.py`) are
taken out before anything is learned. The loss is

    mean (y_hat - y)^2 + linear_weight * smooth_l1(u_hat / sd, u / sd),

since the logarithm alone leaves the few high peaks that dominate errors in mg/L to chance.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import mse_loss, smooth_l1_loss
from torchmetrics import CatMetric, MetricCollection, R2Score

from fulmen.config.protocols import Fulfils
from fulmen.config.rules import Fraction
from fulmen.data.batches import EVALUATION_BATCH, Batch
from fulmen.distributed.ranks import gather_rows
from fulmen.errors import FulmenError
from fulmen.report.summary import Summary
from fulmen.report.test_predictions import identities
from fulmen.workload import Stage, Verb
from fulmen.workloads.pbpk.content import curves_within_dose, within_dose
from fulmen.workloads.pbpk.contract import BodyNetwork
from fulmen.workloads.pbpk.graph import absorbed_share, described, dosing
from fulmen.workloads.pbpk.hooks import AnswersForSubjects
from fulmen.workloads.pbpk.metrics import DIRECTIONS, FLOOR, log_error, normalized
from fulmen.workloads.pbpk.networks.inputs import GraphNetwork
from fulmen.workloads.pbpk.one_compartment import Reduced, body_load, equilibrium_concentrations
from fulmen.workloads.pbpk.simulator.physiology import ORGANS
from fulmen.workloads.pbpk.simulator.population import Population, differentiated, validate
from fulmen.workloads.pbpk.times import at_times, refuse_other_grid, refuse_untrained_times, same_times
from fulmen.workloads.pbpk.trust import Trust, bounds

INPUTS = ("node", "edge", "context", "dosing")


class PBPKSurrogate(AnswersForSubjects):
    """Trains any network of `networks.py` on batches of `data.PBPKData`.

    Args:
        network: maps (node, edge, context, time_h) to standardised log concentrations [B, 14, T].
        optimizer: makes an optimizer of parameters.
        scheduler: makes a learning-rate scheduler of an optimizer; see `fulmen.optim.schedulers`.
        linear_weight: of the loss on the linear scale.
        residual: learn the log ratio to the reduced model; False learns log(u + 1e-3) itself.
        reduced: the reduced model of the data it learns from, as `data.reduced`; `predict_population` takes it.
        trusted: predictions have intervals, and say whether the subject is like those of the training; see `trust.py`.
        within_dose: the organs never hold more than has been taken up of the dose; see `content.py`.
        figures: draw curves, residuals and organs of the test split; takes seconds.
        margin: share of what differs between subjects from which on it is a signal: the verdict on the test split says
            whether one was found, or would have been.
    """

    ensemble = "fulmen.workloads.pbpk.ensemble.PBPKEnsemble"
    directions = DIRECTIONS
    ranking_metrics: ClassVar = {name: way == "max" for name, way in DIRECTIONS.items()}
    constant_baseline = "mean curve"

    network: GraphNetwork
    log_mean: Tensor
    log_sd: Tensor
    linear_sd: Tensor

    def __init__(
        self,
        network: Annotated[nn.Module, Fulfils(BodyNetwork)],
        optimizer: Callable[..., torch.optim.Optimizer] = torch.optim.Adam,
        scheduler: Callable[..., Any] | None = None,
        linear_weight: float = 0.3,
        residual: bool = True,
        reduced: Reduced = "exponential",
        trusted: bool = True,
        within_dose: bool = True,
        figures: bool = True,
        margin: Fraction = 0.1,
    ):
        super().__init__(network, optimizer, scheduler)
        self.linear_weight, self.residual, self.reduced, self.figures = linear_weight, residual, reduced, figures
        self.within_dose, self.margin = within_dose, margin
        for name in ("log_mean", "log_sd", "linear_sd"):
            self.register_buffer(name, torch.ones(()))
        self.trust = Trust() if trusted else None
        self.errors = CatMetric(nan_strategy="disable", dist_sync_fn=gather_rows)  # of the validation, [1 + 14 T] each
        self.metrics = nn.ModuleDict(
            {name: MetricCollection({f"{name}/r2_log": R2Score()}) for name in ("val", "test")}
        )

    def setup(self, stage: str) -> None:
        """Standardise inputs and target by the training split."""
        if stage != "fit":
            return
        if self.datamodule.reduced != self.reduced:
            raise FulmenError(
                f"data.reduced is {self.datamodule.reduced} and model.reduced {self.reduced}; a network learns beside "
                f"one reduced model: set model.reduced={self.datamodule.reduced}"
            )
        train = self.datamodule.splits["train"]
        u = normalized(train["concentration"].double(), train["dose_mg"], train["weight_kg"])
        y = (u + FLOOR).log() - self._offset(train)
        self.network.fit(train, (y - y.mean()) / y.std())
        for name, value in {"log_mean": y.mean(), "log_sd": y.std(), "linear_sd": u.std()}.items():
            getattr(self, name).copy_(value)
        if self.trust:
            self.trust.fit(train, self.datamodule.splits["validation"], self.datamodule.time_h)

    def forward(self, batch: dict[str, Tensor]) -> Tensor:
        """Standardised log concentrations [B, 14, T]."""
        return self.network(*(batch[name] for name in INPUTS), batch["time_h"])

    def concentration(self, batch: dict[str, Tensor]) -> Tensor:
        """Predicted concentrations [B, 14, T] in mg/L, never negative; as `_linear` has them, without its logarithm."""
        ratio = (self(batch) * self.log_sd).add_(self.log_mean).exp_()  # of u + FLOOR to what it is relative to
        u = (ratio * self._start(batch)).sub_(FLOOR)
        return self._dosed(within_dose(u, batch) if self.within_dose else u, batch)

    def predict_step(self, batch: dict[str, Tensor], batch_idx: int = 0) -> dict[str, Tensor]:
        """Concentrations and the ends of their intervals [B, 14, T] in mg/L, and whether a subject is in the domain."""
        asked = {"subject": batch["subject"], "time_h": batch["time_h"]}
        return asked | self._with_bounds(self.concentration(batch), batch)

    @torch.no_grad()
    def validation_items(self, data: Any) -> dict[str, Any]:
        self.eval()
        found: dict[str, list[Any]] = {"item": [], "loss": []}
        for batch in data.whole("validation"):
            true, dose, weight = (batch[name] for name in ("concentration", "dose_mg", "weight_kg"))
            asked = {name: value.to(self.device) for name, value in (batch | {"time_h": data.time_h}).items()}
            said = self.concentration(asked).cpu()
            found["item"].append(identities(true))
            found["loss"].append(log_error(said, true, dose, weight).numpy())
        return {name: np.concatenate(each) for name, each in found.items()}

    def on_validation_epoch_start(self) -> None:
        self.errors.reset()

    def on_validation_epoch_end(self) -> None:
        """Calibrate the intervals: each checkpoint holds those of its own weights."""
        if self.trust:
            rows = self.errors.compute().view(-1, 1 + len(ORGANS) * len(self.datamodule.time_h))
            log_error = rows[:, 1:].unflatten(1, (len(ORGANS), -1))
            self.trust.calibrate(log_error, rows[:, 0], self.datamodule.time_h.to(rows))
        self.errors.reset()

    def predict_population(
        self, population: Population, time_h: Tensor, kinetics: str = "saturable", grid_h: Tensor | None = None
    ) -> Tensor:
        """Concentrations [S, 14, A] in mg/L for subjects of your own, at increasing times [A] in hours after 0.

        Differentiable by every tensor of `population` that requires a gradient; the weights get none unless one does.
        In double precision all through after `model.double()`.

        Args:
            population: of S subjects.
            time_h: [A].
            kinetics: that the model was trained on.
            grid_h: [T], the times that it was trained on (`run.data.time_h`), where others are asked for.

        Raises:
            FulmenError: a subject that cannot be, named with field and value; times that are not increasing, or beyond
                those of the training. Whether a subject is like those of the training is said by `in_domain`.
        """
        grid_h = time_h if grid_h is None else grid_h
        trained_h = grid_h if self.trust is None else self.trust.trained_h(grid_h)
        refuse_untrained_times(time_h, trained_h)
        refuse_other_grid(grid_h, trained_h[[0, -1]])
        validate(population)
        elsewhere = not same_times(time_h, grid_h)
        if self.training:
            self.eval()
        with torch.set_grad_enabled(differentiated(population)):
            load_mg = body_load(population, grid_h, kinetics, self.reduced)
            asked_mg = body_load(population, time_h, kinetics, self.reduced) if elsewhere else load_mg
            known, clock = self._described(population, kinetics), grid_h.to(self.log_sd)

            def curves(rows: slice) -> Tensor:
                subjects = population if rows == slice(None) else population[rows]
                batch = {name: value[rows] for name, value in known.items()} | {"time_h": clock}
                batch["dosing"] = dosing(subjects, grid_h, load_mg[rows]).to(clock)
                batch["reduced"] = equilibrium_concentrations(subjects, load_mg[rows], clock)
                on_grid = self.concentration(batch)
                return self._at(time_h, subjects, asked_mg[rows], batch, on_grid, grid_h) if elsewhere else on_grid

            if len(population) <= EVALUATION_BATCH:
                return curves(slice(None))
            said = clock.new_empty(len(population), len(ORGANS), len(time_h))
            for n in range(0, len(population), EVALUATION_BATCH):  # what the network handles fits into the cache
                said[n : n + EVALUATION_BATCH] = curves(slice(n, n + EVALUATION_BATCH))
            return said

    def _at(
        self, time_h: Tensor, population: Population, load_mg: Tensor, batch: Batch, curves: Tensor, grid_h: Tensor
    ) -> Tensor:
        """Concentrations [S, 14, A] at times [A], where the loads are [S, A], by the curves on the grid [S, 14, T]."""
        asked = equilibrium_concentrations(population, load_mg, curves)
        share, mg_per_kg = absorbed_share(population, time_h).to(curves), batch["dose_mg"] / batch["weight_kg"]
        grid_h, time_h = grid_h.to(self.device), time_h.to(self.device)
        curves = at_times(curves, batch["reduced"], grid_h, asked, time_h, mg_per_kg)
        return curves_within_dose(curves, batch, share) if self.within_dose else curves

    @torch.no_grad()
    def in_domain(self, population: Population, grid_h: Tensor, kinetics: str = "saturable") -> Tensor:
        """Whether subjects are like those of the training, all inputs taken together: bool [S].

        Args:
            population: of S subjects.
            grid_h: [T], the times that the model was trained on (`run.data.time_h`).
            kinetics: that the model was trained on.

        Raises:
            FulmenError: a subject that cannot be; a model that was trained with model.trusted=false.
        """
        if self.trust is None:
            raise FulmenError("in_domain: the model has no domain; take one that was trained with model.trusted=true")
        refuse_untrained_times(grid_h, self.trust.trained_h(grid_h))
        refuse_other_grid(grid_h, self.trust.trained_h(grid_h))
        load_mg = body_load(validate(population), grid_h, kinetics, self.reduced)
        driven = {"dosing": dosing(population, grid_h, load_mg).to(self.log_sd)}
        return self.trust.distance(self._described(population, kinetics) | driven) <= self.trust.limit

    def _described(self, population: Population, kinetics: str) -> Batch:
        """What the network reads of subjects of one's own that does not change with time, on its device."""
        precise = torch.promote_types(self.log_sd.dtype, torch.float32)
        known = described(population, kinetics, precise)
        return {name: value.to(self.device, self.log_sd.dtype) for name, value in known.items()}

    def summarize(self, predicted: Mapping[str, Tensor], data: Any, figures: Path) -> Summary:
        """Compare with the solver and the baselines on the test split, hold it against the laws, and draw it."""
        from fulmen.workloads.pbpk.evaluate import summarize

        def ask(population: Population) -> Tensor:
            parts = torch.arange(len(population)).split(EVALUATION_BATCH)
            return torch.cat(
                [self.predict_population(population[part], data.time_h, data.kinetics).cpu() for part in parts]
            )

        return summarize(predicted, data, figures if self.figures else None, ask, self.margin)

    @classmethod
    def signal_margins(cls, margin: float) -> dict[str, float]:
        return {"r2_log": margin}

    @classmethod
    def verbs(cls) -> Mapping[str, Verb]:
        from fulmen.workloads.pbpk.sensitivity_verb import write_sensitivities
        from fulmen.workloads.pbpk.verbs import export, simulate

        return {"export": export, "sensitivities": write_sensitivities, "simulate": simulate}

    def _start(self, batch: dict[str, Tensor]) -> Tensor | float:
        """What u + FLOOR is relative to: [B, 14, T] or 1."""
        if not self.residual:
            return 1.0
        return normalized(batch["reduced"], batch["dose_mg"], batch["weight_kg"]) + FLOOR

    def _offset(self, batch: dict[str, Tensor]) -> Tensor | float:
        """The same on the log scale, for the target: [B, 14, T] or 0."""
        start = self._start(batch)
        return start.log() if isinstance(start, Tensor) else 0.0

    def _dosed(self, u: Tensor, batch: dict[str, Tensor]) -> Tensor:
        """u = C W / dose [B, 14, T] -> C in mg/L, never negative."""
        return u.clamp(min=0) * (batch["dose_mg"] / batch["weight_kg"])[:, None, None]

    def _with_bounds(self, concentration: Tensor, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """Concentrations [B, 14, T] in mg/L and, if there are any, the ends of their intervals; the domain [B]."""
        said = {"concentration_mg_per_l": concentration}
        if not self.trust:
            return said
        distance = self.trust.distance(batch)
        half = self.trust.log_half_width(distance, batch["time_h"])
        low, high = bounds(concentration, half, batch["dose_mg"] / batch["weight_kg"])
        return said | {"low_90_mg_per_l": low, "high_90_mg_per_l": high, "in_domain": distance <= self.trust.limit}

    def _linear(self, y: Tensor, batch: dict[str, Tensor]) -> Tensor:
        """Network output [B, 14, T] -> u = C W / dose."""
        u = (y * self.log_sd + self.log_mean + self._offset(batch)).exp() - FLOOR
        return within_dose(u, batch) if self.within_dose else u

    def _loss(self, y_hat: Tensor, batch: Batch) -> tuple[Tensor, Tensor, Tensor]:
        """Of a network output [B, 14, T]: the mean loss, the output as u = C W / dose, and the true u."""
        u = normalized(batch["concentration"], batch["dose_mg"], batch["weight_kg"])
        y = ((u + FLOOR).log() - self._offset(batch) - self.log_mean) / self.log_sd
        u_hat = self._linear(y_hat, batch)
        loss = mse_loss(y_hat, y) + self.linear_weight * smooth_l1_loss(u_hat / self.linear_sd, u / self.linear_sd)
        return loss, u_hat, u

    def constant_loss(self, batch: Batch) -> Tensor:
        """Of the mean curve of the training split, or what stands for it under `residual`."""
        return self._loss(torch.zeros_like(batch["concentration"]), batch)[0]

    def step(self, batch: Batch, stage: Stage) -> tuple[Tensor, Batch]:
        y_hat = self(batch)
        loss, u_hat, u = self._loss(y_hat, batch)
        if stage == "train":
            return loss, {}
        metrics = self.metrics[stage]
        assert isinstance(metrics, MetricCollection)
        log_hat, log_true = (u_hat.clamp(min=0) + FLOOR).log(), (u + FLOOR).log()
        metrics.update(log_hat.flatten(), log_true.flatten())
        self.log_dict(metrics)
        if stage == "val" and self.trust:
            errors = (log_hat - log_true).abs().flatten(1)
            self.errors.update(torch.cat([self.trust.distance(batch)[:, None], errors], 1))
        concentration = self._dosed(u_hat, batch)
        if stage == "test":
            return loss, self._with_bounds(concentration, batch)
        return loss, {"concentration_mg_per_l": concentration}
