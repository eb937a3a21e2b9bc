"""Losses for unequal classes: per-image values of logits [B, C] and labels [B].

Each is cross-entropy of changed logits, a focal factor, or both, times a weight per class. What it needs to know of
the training split, the images per class, travels in a buffer.
"""

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, one_hot

from fulmen.config.ranges import Count, NotNegative, Positive, Share, refuses_out_of_range


def class_weights(counts: Tensor, kind: Literal["inverse", "effective"], beta: float) -> Tensor:
    """Weights [C] whose mean over the training images is 1.

    inverse: 1 / n. effective: (1 - beta) / (1 - beta^n), one over the effective number of images (Cui et al. 2019).
    """
    n = counts.double().clamp(min=1)
    weights = 1 / n if kind == "inverse" else (1 - beta) / -torch.expm1(n * torch.log(torch.tensor(beta).double()))
    return (weights * counts.sum() / (weights * counts).sum()).float()


class CrossEntropy(nn.Module):
    """Cross-entropy, with label smoothing and class weights if asked for.

    Args:
        classes: C.
        weights: "none", "inverse" of the images per class, or of their "effective" number (class-balanced loss).
        beta: of the effective number.
        defer: share of the epochs without weights (DRW of Cao et al. 2019); 0: weights from the start.
        label_smoothing: share of the target that is spread over all classes.
    """

    counts: Tensor
    rebalances = 0.0  # how far the loss makes up for unequal classes: not at all (0), wholly (1)

    @refuses_out_of_range
    def __init__(
        self,
        classes: Count,
        weights: Literal["none", "inverse", "effective"] = "none",
        beta: Share = 0.9999,
        defer: Share = 0.0,
        label_smoothing: Share = 0.0,
    ):
        super().__init__()
        self.weights, self.beta, self.defer, self.label_smoothing = weights, beta, defer, label_smoothing
        self.rebalances = 1.0 if weights != "none" else type(self).rebalances
        self.register_buffer("counts", torch.ones(classes, dtype=torch.long))

    def fit(self, counts: Tensor) -> None:
        """Take over the images per class [C] of the training split."""
        self.counts.copy_(counts)

    def forward(self, logits: Tensor, label: Tensor, progress: float = 1.0) -> Tensor:
        """Loss per image [B]; `progress` is the share of the epochs that is behind."""
        loss = self.unweighted(logits.float(), label)
        if self.weights == "none" or progress < self.defer:
            return loss
        return loss * class_weights(self.counts, self.weights, self.beta)[label]

    def unweighted(self, logits: Tensor, label: Tensor) -> Tensor:
        return cross_entropy(logits, label, reduction="none", label_smoothing=self.label_smoothing)


class Focal(CrossEntropy):
    """Cross-entropy times (1 - p)^gamma, p the probability of the true class (Lin et al. 2017)."""

    @refuses_out_of_range
    def __init__(
        self, classes: Count, gamma: NotNegative = 2.0, weights: Literal["none", "inverse", "effective"] = "none",
        beta: Share = 0.9999, defer: Share = 0.0,
    ):  # fmt: skip
        super().__init__(classes, weights, beta, defer)
        self.gamma = gamma

    def unweighted(self, logits: Tensor, label: Tensor) -> Tensor:
        loss = cross_entropy(logits, label, reduction="none")
        return (-torch.expm1(-loss)).clamp(min=1e-12) ** self.gamma * loss


class LogitAdjusted(CrossEntropy):
    """Cross-entropy of logits + tau log(prior): the network learns what is left when the prior is known.

    tau = 1 is balanced softmax (Ren et al. 2020), any tau the logit-adjusted loss (Menon et al. 2021). Predictions use
    the logits as they are: for equal classes.

    Args:
        tau: how much of the prior is taken away; 1 is all of it.
    """

    def __init__(self, classes: int, tau: float = 1.0, label_smoothing: float = 0.0):
        super().__init__(classes, label_smoothing=label_smoothing)
        self.tau = self.rebalances = tau

    def unweighted(self, logits: Tensor, label: Tensor) -> Tensor:
        return super().unweighted(logits + self.tau * log_prior(self.counts), label)


class LDAM(CrossEntropy):
    """Cross-entropy with a margin per class, larger for smaller classes (Cao et al. 2019).

    The margin is proportional to n^(-1/4) and `max_margin` for the smallest class. It is meant for logits that are
    cosines times `scale`, as a network with `head=cosine` gives them.
    """

    rebalances = 1.0

    @refuses_out_of_range
    def __init__(
        self, classes: Count, max_margin: Positive = 0.5, scale: float = 30.0,
        weights: Literal["none", "inverse", "effective"] = "effective", beta: Share = 0.9999, defer: Share = 0.75,
    ):  # fmt: skip
        super().__init__(classes, weights, beta, defer)
        self.max_margin, self.scale = max_margin, scale

    def unweighted(self, logits: Tensor, label: Tensor) -> Tensor:
        margin = self.counts.clamp(min=1).float() ** -0.25
        margin = margin * (self.max_margin / margin.max())
        own = one_hot(label, len(margin)).bool()
        return cross_entropy(torch.where(own, logits - self.scale * margin, logits), label, reduction="none")


def log_prior(counts: Tensor) -> Tensor:
    """Log of the share of each class [C]; a class without images counts as half an image."""
    n = counts.float().clamp(min=0.5)
    return torch.log(n / n.sum())
