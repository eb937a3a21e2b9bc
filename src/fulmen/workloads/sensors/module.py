"""A classifier of table rows whose encoding, threshold and probabilities travel in its checkpoint."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import torch
from torch import Tensor, nn
from torchmetrics import CatMetric

from fulmen.config.protocols import Fulfils
from fulmen.config.ranges import between
from fulmen.data.batches import Batch
from fulmen.data.leaks.samples import Fitted, rows_in, rows_of
from fulmen.data.predicting import Answer, Inputs, Record, Schema
from fulmen.distributed.ranks import gather_rows
from fulmen.errors import FulmenError
from fulmen.io.options import NAMES
from fulmen.optim.schedulers import optimizers
from fulmen.report.contest import Contest, Once, Variant
from fulmen.report.summary import Summary
from fulmen.workload import Stage, Workload
from fulmen.workloads.sensors import predict
from fulmen.workloads.sensors.contract import TableNetwork
from fulmen.workloads.sensors.metrics import BOUNDS, CONSTANT, DIRECTIONS, LARGER_IS_BETTER, choose_threshold
from fulmen.workloads.sensors.networks.tabular import TableNet, parameter_groups, probability, row_loss


class SensorClassifier(Workload):
    """Trains one `networks.TableNet` on batches of `data.SensorData` with the cross-entropy.

    Of two labels the decision is a threshold on the probability of the second, chosen on the validation split after
    every epoch: each checkpoint holds that of its own weights.

    Args:
        network: from columns to logits; it knows the columns and the labels.
        optimizer: makes an optimizer of parameters; only matrices are decayed.
        scheduler: makes a learning-rate scheduler of an optimizer; see `fulmen.optim.schedulers`.
        threshold: how it is chosen: "f1", or "cost".
        cost_ratio: how many false alarms cost as much as one missed event.
        figures: draw curves of the test split.
        margin: ROC-AUC from which on a signal counts: the verdict on the test split says whether one was found, or
            would have been.
    """

    ranking_metrics = LARGER_IS_BETTER
    score_bounds = BOUNDS
    constant_baseline = CONSTANT
    ensemble = "fulmen.workloads.sensors.ensemble.SensorEnsemble"
    directions = DIRECTIONS

    network: TableNet
    threshold: Tensor

    def __init__(
        self,
        network: Annotated[nn.Module, Fulfils(TableNetwork)],
        optimizer: Callable[..., torch.optim.Optimizer] = torch.optim.AdamW,
        scheduler: Callable[..., Any] | None = None,
        threshold: Literal["f1", "cost"] = "f1",
        cost_ratio: float = 1.0,
        figures: bool = True,
        margin: Annotated[float, between(0.5, 1)] = 0.56,
    ):
        super().__init__(network, optimizer, scheduler)
        if cost_ratio <= 0:
            raise FulmenError(f"cost_ratio is {cost_ratio}; it must be above 0")
        self.by, self.cost_ratio, self.figures, self.margin = threshold, cost_ratio, figures, margin
        self.register_buffer("threshold", torch.tensor(0.5))
        self._fitted: predict.Fitted | None = None
        self.targets, self.probabilities = (CatMetric(dist_sync_fn=gather_rows) for _ in range(2))

    def setup(self, stage: str) -> None:
        """Fit the encoding to the training split."""
        if stage == "fit":
            data = self.datamodule
            if not len(data.splits["validation"]["target"]):
                raise FulmenError("data.validation is 0; training watches the validation split and needs one")
            self.network.inputs.fit(data.splits["train"]["x"])

    def forward(self, batch: Mapping[str, Tensor]) -> Tensor:
        """Logits [B, M, O]."""
        return self.network(batch["x"][None], batch["category"][None])[0]

    def step(self, batch: Batch, stage: Stage) -> tuple[Tensor, Batch]:
        logits = self(batch)
        loss = row_loss(logits, batch["target"]).mean()
        if stage == "train":
            return loss, {}
        p = probability(logits)
        if stage == "val" and p.shape[-1] == 2:
            self.targets.update(batch["target"])
            self.probabilities.update(p[:, 1])
        return loss, {"probability": p}

    def predict_step(self, batch: dict[str, Tensor], batch_idx: int = 0) -> dict[str, Tensor]:
        p = probability(self(batch))
        decision = (p[:, 1] >= self.threshold).long() if p.shape[1] == 2 else p.argmax(1)
        return {"row": batch["row"], "probability": p, "decision": decision}

    def on_validation_epoch_end(self) -> None:
        if self.targets.update_called:
            target, p = (each.compute().flatten().cpu().numpy() for each in (self.targets, self.probabilities))
            self.threshold.fill_(choose_threshold(target.astype(int), p, self.by, self.cost_ratio))
        self.targets.reset()
        self.probabilities.reset()

    def configure_optimizers(self) -> Any:
        return optimizers(self, parameter_groups(self.network))

    @torch.no_grad()
    def summarize(self, predicted: Mapping[str, Tensor], data: Any, figures: Path) -> Summary:
        """Compare with the baselines on the test split, and draw it."""
        from fulmen.workloads.sensors.evaluate import summarize

        self.eval()

        def predict(part: Mapping[str, Tensor]) -> Any:
            return probability(self({name: value.to(self.device) for name, value in part.items()})).cpu().numpy()

        p = predicted["probability"].numpy()
        return summarize(p, predict, float(self.threshold), self, data, figures if self.figures else None)

    @torch.no_grad()
    def validation_items(self, data: Any) -> dict[str, Any]:
        """Of the whole validation split, beside the shares of the classes in training."""
        from fulmen.workloads.sensors.items import items_of

        self.eval()
        batches = ({name: value.to(self.device) for name, value in each.items()} for each in data.whole("validation"))
        p = torch.cat([probability(self(batch)) for batch in batches]).cpu().numpy()
        count = np.bincount(data.splits["train"]["target"].numpy(), minlength=p.shape[1])
        return items_of(data.splits["validation"], p, count / count.sum())

    def chosen(self, data: Any) -> list[Fitted]:
        """The threshold, by the probabilities of the weights that are there."""
        if self.network.outputs != 1:
            return []

        @torch.no_grad()
        def again(rows: np.ndarray) -> np.ndarray:
            parts = [rows_of(data.splits, some) for some in np.array_split(rows, max(1, len(rows) // self.at_once))]
            moved = [{name: value.to(self.device) for name, value in part.items()} for part in parts]
            p = torch.cat([probability(self(part))[:, 1] for part in moved]).cpu().numpy()
            target = torch.cat([part["target"] for part in parts]).numpy()
            return np.array([choose_threshold(target, p, self.by, self.cost_ratio)])

        held = rows_in(data.splits, "validation")
        return [Fitted("decision threshold", self.threshold.cpu().double().numpy()[None], again, held, "choice")]

    def decision_threshold(self) -> float:
        return float(self.threshold)

    reading = NAMES
    at_once = 4096
    endings = (".csv", ".parquet")

    def input_schema(self, data: Any) -> Schema:
        """What a table must look like to be predicted."""
        from fulmen.workloads.sensors.input_format import schema

        return schema(data)

    def read_file(self, path: Path, schema: Schema, **reading: str) -> Inputs:
        """The rows of a CSV, Parquet or Excel file."""
        return predict.read_file(path, self._read(schema), reading)

    def read_records(self, records: Sequence[Record], schema: Schema) -> Inputs:
        """Rows of `{column: value}`."""
        return predict.read_records(records, self._read(schema))

    def answer(self, inputs: Inputs, predicted: Batch, schema: Schema) -> Answer:
        """A decision and the probabilities of every row."""
        return predict.answer(inputs, predicted, self._read(schema))

    def _read(self, schema: Schema) -> predict.Fitted:
        """What is read of a schema, which stays the same as long as a kept model is used."""
        if self._fitted is None or self._fitted.schema is not schema:
            self._fitted = predict.Fitted.of(schema, self.network.inputs.names)
        return self._fitted

    def example_records(self, schema: Schema, kept: Batch) -> list[dict[str, Any]]:
        return predict.example_records(schema, kept)

    def as_file(self, records: Sequence[Record], ending: str, schema: Schema) -> bytes:
        """A table as the training data were: the same delimiter."""
        return predict.as_file(records, ending, schema)

    def rows_needed(self, schema: Schema) -> int:
        """Two where features look back: a machine's row and one before it."""
        return 2 if predict.as_fitted(schema).windows else 1

    @classmethod
    def signal_margins(cls, margin: float) -> dict[str, float]:
        return {"roc_auc": margin - 0.5}

    @classmethod
    def cross_validate(
        cls, folds: Sequence[Any], variants: Mapping[str, Variant], seeds: Sequence[int], once: Once
    ) -> Contest:
        """All networks of a variant are trained together, a hundred times faster than a run for each fold."""
        from fulmen.workloads.sensors.cross_validate import cross_validate

        return cross_validate(folds, variants, seeds, once)

    @classmethod
    def baseline_network(cls, name: str, network: Mapping[str, Any]) -> dict[str, Any] | None:
        """The config of a network that predicts as the baseline `name` does, in the place of `network`."""
        from fulmen.workloads.sensors.baselines import BASELINES

        if name not in BASELINES:
            return None
        estimator = "fulmen.workloads.sensors.networks.estimator.TableEstimator"
        return {"_target_": estimator, "inputs": network["inputs"], "labels": network["labels"], "kind": name}
