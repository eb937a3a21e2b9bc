"""Classifiers of images whose probabilities are averaged."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from fulmen.utils.members import Members
from fulmen.workloads.images.module import ImageClassifier


class ImageMembers(Members):
    """Members in the place of an `ImageNetwork`; `classes` are theirs."""

    def __init__(self, models: Sequence[ImageClassifier]):
        super().__init__(models)
        self.shared("the number of classes", [model.classes for model in models])
        self.classes = models[0].classes


class ImageEnsemble(ImageClassifier):
    """Says the mean of the probabilities of its members, each adjusted and mirrored as it was trained to be.

    Args:
        members: trained.
        figures: draw the confusion matrix, scores per class and calibration.
    """

    network: Any

    def __init__(self, members: Sequence[nn.Module], figures: bool = True):
        models = [model for model in members if isinstance(model, ImageClassifier)]
        super().__init__(ImageMembers(models), figures=figures, margin=models[0].margin)

    def take_over(self) -> None:
        self.counts.copy_(self.network.of_one("counts"))

    def forward(self, image: Tensor) -> Tensor:
        """Logarithms of the mean probabilities [B, C] of uint8 images."""
        return self.network.mean(lambda model: model.adjusted(model(image)).exp()).clamp(min=_LEAST).log()


_LEAST = torch.finfo(torch.float32).tiny
