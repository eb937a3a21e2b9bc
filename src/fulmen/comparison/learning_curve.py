"""What more training samples would bring: the maths of a learning curve, no runs.

Validation loss falls with the number n of training samples as a + b n^-c (Cortes et al. 1994; Hestness et al. 2017).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from fulmen.comparison.statistics import t_test
from fulmen.errors import FulmenError

EXPONENTS = np.geomspace(0.05, 2, 60)
LITTLE = 0.02  # of the loss: what half of the data costs at most where more data hardly help
FITS = 1.25  # times the training loss: a validation loss below it is as low as the model can bring it
DRAWS = 200
Outcome = Literal["more_data", "larger_model", "less_freedom", "undecided"]
NEXT = {
    "more_data": "More data of this kind are the next thing to get.",
    "larger_model": "The model is too small for these data, or their inputs do not tell more: try a larger one, or "
    "further inputs, before more data.",
    "less_freedom": "More data of this kind will hardly help, though the model fits its training samples much better "
    "than others: more regularisation or augmentation is the next thing to try.",
    "undecided": "More seeds will tell (--seeds).",
}
TOO_SHORT = (
    "A share of {share:.3g} of the data did better than all of them by more than the seeds differ: the trainings may "
    "be too short, try more epochs first."
)


@dataclass(frozen=True)
class Points:
    """Losses of runs on P shares of the data with S seeds.

    Attributes:
        samples: training samples of each share [P], rising.
        val: lowest validation loss of each run [P, S].
        train: loss of training samples at that epoch, taken as the validation loss is [P, S].
    """

    samples: np.ndarray
    val: np.ndarray
    train: np.ndarray

    def __post_init__(self) -> None:
        if len(self.samples) < 3 or (np.diff(self.samples) <= 0).any():
            raise FulmenError(f"a learning curve takes three or more shares of the data, not {list(self.samples)}")


@dataclass(frozen=True)
class Law:
    """Loss = floor + scale * n ** -exponent."""

    floor: float
    scale: float
    exponent: float

    def at(self, samples: float | np.ndarray) -> np.ndarray:
        return self.floor + self.scale * np.asarray(samples, dtype=float) ** -self.exponent


@dataclass(frozen=True)
class Verdict:
    """What a learning curve says.

    Attributes:
        outcome: what to try next.
        law: fitted to all runs.
        halved: what half of the data costs, as a share of the loss on all: mean and 95 % interval over the seeds.
        doubled: what twice the data is expected to bring, likewise, of the law: median and 95 % interval.
        gap: validation by training loss on all data, a mean.
        better_share: of the data, on which the loss was lower than on all by more than the seeds differ; NaN: on none.
    """

    outcome: Outcome
    law: Law
    halved: tuple[float, float, float]
    doubled: tuple[float, float, float]
    gap: float
    better_share: float = math.nan

    def __str__(self) -> str:
        halved, low, high = (f"{100 * each:.1f}" for each in self.halved)
        doubled, least, most = (f"{100 * each:.1f}" for each in self.doubled)
        said = "Undecided: half" if self.outcome == "undecided" else "Half"
        said += f" of the data costs {halved} % of the validation loss (95 % interval {low} to {high} %)"
        if self.law.scale <= 0 and self.outcome != "larger_model":
            said += "; no law of falling losses fits these runs, so that what twice the data would bring is not known"
        elif self.outcome != "larger_model":
            said += f"; twice the data is expected to lower it by {doubled} % ({least} to {most} %, extrapolated)"
        times = f"validation loss is {self.gap:.3g} times the training loss" if math.isfinite(self.gap) else ""
        short = f" {TOO_SHORT.format(share=self.better_share)}" if math.isfinite(self.better_share) else ""
        return f"{said}{f'; {times}' if times else ''}. {NEXT[self.outcome]}{short}"


def judge(points: Points, seed: int = 0) -> Verdict:
    """What to try next: more data, a larger model, less freedom; or that the seeds do not tell.

    More data help where half of them costs more, by the interval over the seeds; they hardly do where it costs less
    than 2 % of the loss by the same interval.
    """
    law = fit(np.repeat(points.samples, points.val.shape[1]), points.val.ravel())
    last = points.val[-1].mean()
    costs = (_at_half(points) - points.val[-1]) / last
    tested = t_test(costs)
    low, high = (tested.low, tested.high) if math.isfinite(tested.low) else (-math.inf, math.inf)
    train = points.train[-1].mean()
    gap = float(last / train) if train > 0 and last > 0 else math.nan
    outcome: Outcome = "undecided"
    if low > 0:
        outcome = "more_data"
    elif high < LITTLE:
        outcome = "less_freedom" if gap > FITS else "larger_model"
    return Verdict(outcome, law, (tested.mean, low, high), _doubled(points, law, seed), gap, _better(points))


def fit(samples: np.ndarray, loss: np.ndarray) -> Law:
    """Least squares of relative errors over floor and scale for each of many exponents; floor and scale are not below
    0 where the losses are not.

    Args:
        samples: of each run [N].
        loss: likewise.
    """
    weight = 1 / np.maximum(np.abs(loss), 1e-12)
    y, one = loss * weight, weight
    u = (samples / samples.max())[None] ** -EXPONENTS[:, None] * weight  # [exponents, N]
    oo, ou, uu, oy, uy = one @ one, u @ one, (u * u).sum(1), one @ y, u @ y
    determinant = np.maximum(oo * uu - ou**2, 1e-300)
    floor, scale = (uu * oy - ou * uy) / determinant, (oo * uy - ou * oy) / determinant
    floor, scale = np.where(scale < 0, oy / oo, floor), np.maximum(scale, 0)
    if loss.min() >= 0:
        floor, scale = np.maximum(floor, 0), np.where(floor < 0, uy / uu, scale)
    error = ((floor[:, None] * one + scale[:, None] * u - y) ** 2).sum(1)
    best = int(error.argmin())
    exponent = float(EXPONENTS[best])
    return Law(float(floor[best]), float(scale[best] * samples.max() ** exponent), exponent)


def _at_half(points: Points) -> np.ndarray:
    """Validation loss on half of the data [S], between the shares on a line over the logarithm of their sizes."""
    at = np.log(points.samples[-1] / 2)
    return np.array([np.interp(at, np.log(points.samples), each) for each in points.val.T])


def _better(points: Points) -> float:
    """The smallest share whose loss is below that on all data by an interval over the seeds, adjusted for the shares.

    NaN where there is none.
    """
    level = 1 - 0.05 / (len(points.samples) - 1)
    for samples, each in zip(points.samples[:-1], points.val[:-1], strict=True):
        if t_test(points.val[-1] - each, level).low > 0:
            return float(samples / points.samples[-1])
    return math.nan


def _doubled(points: Points, law: Law, seed: int) -> tuple[float, float, float]:
    """What twice the data brings, as a share of the loss: median and 95 % interval, by drawn residuals."""
    samples = np.repeat(points.samples, points.val.shape[1])
    expected = law.at(samples)
    residual = (points.val.ravel() - expected) / np.abs(expected).clip(min=1e-12)
    rng, most = np.random.default_rng(seed), samples.max()
    gains = []
    for _ in range(DRAWS):
        drawn = fit(samples, expected * (1 + rng.choice(residual, len(residual))))
        gains.append(float(1 - drawn.at(2 * most) / drawn.at(most)))
    low, middle, high = np.quantile(gains, [0.025, 0.5, 0.975])
    return float(middle), float(low), float(high)


def shares_of(words: Sequence[float]) -> list[float]:
    """Shares of the data, rising, the last of which is all.

    Raises:
        FulmenError: there are fewer than three, or one is not above 0 and at most 1.
    """
    shares = sorted({*words, 1.0})
    if len(shares) < 3 or shares[0] <= 0 or shares[-1] > 1:
        raise FulmenError(f"shares are {list(words)}; give two or more above 0 and below 1, such as 0.125 0.25 0.5")
    return shares
