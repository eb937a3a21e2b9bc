"""Random numbers by name: what is drawn of one quantity depends on nothing but the seed and its name."""

import math

import torch
from scipy.special import betaincinv
from torch import Tensor

from fulmen.utils.seeding import derived_seed


class Streams:
    """One generator for each quantity.

    Draws are uniform and sequential: the first rows of a longer draw are those of a shorter one, which
    `torch.randn` does not promise.
    """

    def __init__(self, seed: int):
        self.seed = seed

    def uniform(self, name: str, *shape: int) -> Tensor:
        generator = torch.Generator().manual_seed(derived_seed(self.seed, name))
        return torch.rand(shape, dtype=torch.float64, generator=generator) + 2**-54  # in (0, 1]

    def normal(self, name: str, *shape: int) -> Tensor:
        return torch.special.ndtri(self.uniform(name, *shape).clamp(max=1 - 2**-53))

    def log_normal(self, name: str, median: float, sigma: float, *shape: int) -> Tensor:
        return median * (sigma * self.normal(name, *shape)).exp()

    def log_uniform(self, name: str, low: float, high: float, *shape: int) -> Tensor:
        return low * (math.log(high / low) * self.uniform(name, *shape)).exp()

    def beta(self, name: str, a: float, b: float, *shape: int) -> Tensor:
        return torch.from_numpy(betaincinv(a, b, self.uniform(name, *shape).numpy()))

    def choice(self, name: str, choices: int, *shape: int) -> Tensor:
        """Whole numbers below `choices`, long."""
        return (self.uniform(name, *shape) * choices).long().clamp(max=choices - 1)


def sigma(cv: float) -> float:
    """Standard deviation of the logarithm of a log-normal variable with this coefficient of variation."""
    return math.sqrt(math.log1p(cv**2))
