"""A linear baseline in the place of a network: normalised images in, log-probabilities out."""

from collections.abc import Mapping
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from fulmen.utils.estimators import Estimator
from fulmen.workloads.images import baselines

SMALLEST = 1e-12  # probability that still has a logarithm


class LinearEstimator(Estimator):
    """Predicts what the baseline `kind` predicts; it knows how images are normalised.

    Args:
        classes: C.
        kind: the baseline; see `baselines.LINEAR`.
    """

    mean: Tensor
    sd: Tensor

    def __init__(self, classes: int, kind: Literal["linear", "linear, weighted"] = "linear"):
        super().__init__()
        self.classes, self.kind = classes, kind
        self.register_buffer("mean", torch.zeros(3))
        self.register_buffer("sd", torch.ones(3))

    def fit_to(self, splits: Mapping[str, Mapping[str, Tensor]]) -> None:
        train = splits["train"]
        channels = train["image"].double().transpose(0, 1).flatten(1)
        self.mean.copy_(channels.mean(1))
        self.sd.copy_(channels.std(1, correction=0).clamp(min=1.0))
        self.estimator = baselines.fit_linear(baselines.small(train["image"]), train["label"].numpy(), self.kind)

    def forward(self, image: Tensor) -> Tensor:
        """Normalised images [B, 3, H, W] -> [B, C]."""
        shape = (1, 3, 1, 1)
        pixels = (image * self.sd.view(shape) + self.mean.view(shape)).cpu()
        p = np.zeros((len(image), self.classes))
        p[:, self.fitted.classes_] = self.fitted.predict_proba(baselines.small(pixels))
        return torch.from_numpy(np.log(np.clip(p, SMALLEST, 1))).to(image)
