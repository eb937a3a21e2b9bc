"""Which images an epoch shows, and in what order.

A sampler is a function of the labels, a generator that is seeded by run and epoch, and the share of the training that
is behind; it returns as many indices as there are labels. `balances` is how far it makes up for unequal classes: not at
all (0), wholly (1). Batches, ranks and resuming are the loader's business.
"""

from typing import Annotated

import torch
from torch import Generator, Tensor

from fulmen.config.ranges import Fraction, between, refuses_out_of_range


class Shuffle:
    """Every image once."""

    balances = 0.0

    def __call__(self, labels: Tensor, generator: Generator, progress: float) -> Tensor:
        return torch.randperm(len(labels), generator=generator)


class Weighted:
    """Draws with replacement, an image of a class of n with probability proportional to n^-power.

    The class is drawn first, then one of its images: the same distribution as `WeightedRandomSampler`, which weighs
    every image, without its limit of 2^24 images.

    Args:
        power: 1 shows all classes equally often, 0.5 is square-root sampling, 0 leaves them as they are.
    """

    @refuses_out_of_range
    def __init__(self, power: Annotated[float, between(0, 2)] = 1.0):
        self.power = self.balances = power

    def __call__(self, labels: Tensor, generator: Generator, progress: float) -> Tensor:
        counts = labels.bincount()
        share = torch.where(counts > 0, counts.double() ** (1 - self.power), 0.0)
        drawn = torch.multinomial(share, len(labels), replacement=True, generator=generator)
        within = (torch.rand(len(labels), generator=generator, dtype=torch.float64) * counts[drawn]).long()
        first = counts.cumsum(0) - counts
        return labels.argsort(stable=True)[first[drawn] + within]


class ClassBalanced:
    """All classes equally often, to the image, and within a class no image a second time before all had their turn."""

    balances = 1.0

    def __call__(self, labels: Tensor, generator: Generator, progress: float) -> Tensor:
        members = [(labels == c).nonzero()[:, 0] for c in labels.unique()]
        lucky = torch.randperm(len(members), generator=generator)  # these get one more if it does not divide
        indices = []
        for position, own in enumerate(members):
            quota = len(labels) // len(members) + int(lucky[position] < len(labels) % len(members))
            rounds = -(-quota // len(own))
            turns = [own[torch.randperm(len(own), generator=generator)] for _ in range(rounds)]
            indices.append(torch.cat(turns)[:quota])
        order = torch.cat(indices)
        return order[torch.randperm(len(order), generator=generator)]


class Deferred:
    """Every image once for most of the training, all classes equally often at its end (Cao et al. 2019, DRS).

    Args:
        share: of the epochs before the switch.
    """

    balances = 1.0

    @refuses_out_of_range
    def __init__(self, share: Fraction = 0.75):
        self.share = share
        self.early, self.late = Shuffle(), ClassBalanced()

    def __call__(self, labels: Tensor, generator: Generator, progress: float) -> Tensor:
        return (self.late if progress >= self.share else self.early)(labels, generator, progress)
