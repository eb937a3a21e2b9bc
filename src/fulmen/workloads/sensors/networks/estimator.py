"""A baseline of scikit-learn in the place of a network: the same columns in, log odds of the same kind out."""

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from fulmen.utils.estimators import Estimator
from fulmen.workloads.sensors import baselines
from fulmen.workloads.sensors.networks.encoder import Inputs
from fulmen.workloads.sensors.networks.tabular import TableNet

SMALLEST = 1e-7  # probability that still has a logarithm


class TableEstimator(TableNet, Estimator):
    """Predicts what the baseline `kind` predicts; see `baselines.BASELINES`.

    Args:
        inputs: names the columns; its encoding is that of networks and not used.
        labels: of the target, in their order, or their number.
        kind: the baseline.
    """

    stackable = False

    def __init__(
        self,
        inputs: Inputs,
        labels: Sequence | int = (0, 1),
        kind: Literal["logistic regression", "random forest", "gradient boosting"] = "random forest",
    ):
        super().__init__(inputs, labels)
        self.kind = kind

    def fit_to(self, splits: Mapping[str, Mapping[str, Tensor]]) -> None:
        train = splits["train"]
        columns = self._columns(train["x"], train["category"])
        self.estimator = baselines.BASELINES[self.kind]().fit(columns, train["target"].numpy())

    def forward(self, x: Tensor, category: Tensor) -> Tensor:
        """Numeric columns [1, B, n] and level numbers [1, B, c] -> logits [1, B, 1, O] in double precision."""
        estimator = self.fitted
        p = np.zeros((x.shape[1], max(self.outputs, 2)))
        if len(p):
            p[:, estimator.classes_] = estimator.predict_proba(self._columns(x[0], category[0]))
        p = np.clip(p, SMALLEST, 1 - SMALLEST)
        logits = np.log(p[:, 1:] / p[:, :1]) if self.outputs == 1 else np.log(p)
        return torch.from_numpy(logits).to(x.device)[None, :, None]

    def _columns(self, x: Tensor, category: Tensor) -> np.ndarray:
        return baselines.one_hot({"x": x.cpu(), "category": category.cpu()}, self.inputs.levels)
