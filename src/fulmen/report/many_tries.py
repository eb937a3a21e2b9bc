"""Many models on the same items: which of them can be the best, and is the best one more than the luckiest?

The losses of M models are a matrix [M, U] of means over U units, which are independent, or, in a series, periods in
their order, of which neighbours may resemble each other. The tests are those of the library `arch` (extra `stats`):

- the model confidence set (Hansen, Lunde & Nason 2011, Econometrica 79:453) holds the best with a probability of 95 %;
- the test for superior predictive ability (Hansen 2005, Journal of Business & Economic Statistics 23:365) asks whether
  the best is better than a reference if as many had been tried without any being better.

Both draw blocks of units anew (stationary bootstrap, Politis & Romano 1994); blocks are as long as the losses of a
series call for (Politis & White 2004), and as the days ahead that a forecast is judged by overlap.
"""

import math
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from fulmen.diagnosis.findings import FINDINGS
from fulmen.diagnosis.ignored import in_a_line
from fulmen.errors import FulmenError
from fulmen.report.shared_losses import Losses, shared_losses

ALPHA = 0.05
DRAWS = 1000
FEWEST_MODELS = 3  # two are told apart by a test of their own
FEWEST_UNITS = 20
PAIRED = 60  # models up to which each is compared with each other one; their number of pairs needs memory
NAMED = 12  # models that a sentence names
INSTALL = "which models can be the best, all tries counted, is not said without arch: pip install 'fulmen[stats]'"


@dataclass(frozen=True)
class Tries:
    """What many models show, all of them counted.

    Attributes:
        names: of the models, the lowest mean loss first.
        confident: those of the 95 % model confidence set, the lowest mean loss first.
        units: of the losses.
        block: their mean number in a block of the bootstrap.
        reference: what the best is compared with; "" where there is nothing.
        p: that the best would be so much better than the reference if none of the models were; NaN without a reference.
        alone: the same, had the best been the only one.
        optimism: by how much the lowest of the mean losses is too low, as the lowest of many.
        unit: what the units are.
        ignored: names of findings that are not reported.
    """

    names: tuple[str, ...]
    confident: tuple[str, ...]
    units: int
    block: int
    reference: str = ""
    p: float = math.nan
    alone: float = math.nan
    optimism: float = math.nan
    unit: str = "items"
    ignored: frozenset[str] = frozenset()

    @property
    def beaten(self) -> bool:
        """Whether the best is better than the reference."""
        return self.p < ALPHA

    @property
    def findings(self) -> list[str]:
        """Names of the findings: `many_tries` where the best beats the reference only if the others are forgotten, and
        `no_difference` where more than one model can be the best."""
        return [name for name in self._all if name not in self.ignored]

    @property
    def sentences(self) -> list[str]:
        """In words; of a finding that is ignored there is only a line that it is."""
        left_out = self.ignored.intersection(self._all)
        said = [self._of_best()] if self.reference and "many_tries" not in left_out else []
        said += [self._of_set()] if "no_difference" not in left_out else []
        line = in_a_line({"id": FINDINGS[name].code, "code": name} for name in self._all if name in left_out)
        return [*said, *filter(None, [line])]

    @property
    def _all(self) -> list[str]:
        lucky = bool(self.reference) and not self.beaten and self.alone < ALPHA
        return ["many_tries"] * lucky + ["no_difference"] * (len(self.confident) > 1)

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for programs."""
        found = [FINDINGS[name]._asdict() for name in self.findings]
        plain = {name: getattr(self, name) for name in ("units", "unit", "block", "reference")}
        numbers = {name: getattr(self, name) for name in ("p", "alone", "optimism")}
        known = {name: value for name, value in numbers.items() if math.isfinite(value)}
        return {"models": list(self.names), "confident": list(self.confident), **plain, **known, "findings": found}

    def _of_best(self) -> str:
        word = "is better" if self.beaten else "is not shown to be better"
        said = f"{self.names[0]}, the best of {len(self.names)}, {word} than {self.reference} when all are counted"
        said += f" (p = {self.p:.2g}, test for superior predictive ability"
        lucky = "many_tries" in self.findings
        return said + (f"; as if it were the only one: {self.alone:.2g}; {FINDINGS['many_tries']})." if lucky else ").")

    def _of_set(self) -> str:
        count, total = len(self.confident), len(self.names)
        kept = set(self.confident)
        out = [name for name in self.names if name not in kept]
        of = f"95 % confidence set, {self.units:,} {self.unit}"
        if count == 1:
            return f"{self.confident[0]} is the best of {total} ({of}): each other is shown to be worse."
        if not out:
            return f"Each of the {total} can be the best ({of}): no difference is shown."
        return f"{count} of {total} can be the best ({of}): {listed(self.confident)}. Shown to be worse: {listed(out)}."


def listed(names: Sequence[str]) -> str:
    """Names, the first of them where there are many."""
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return f"{', '.join(names[:NAMED])}{more}"


def tried(models: Mapping[str, Mapping[str, np.ndarray]]) -> Tries | None:
    """What the losses of many models on the same items show.

    Args:
        models: name -> arrays of `Summary.items`.

    Returns:
        None: fewer than three models share enough items for a word.

    Raises:
        FulmenError: `arch` is not installed.
    """
    found = shared_losses(models)
    if found is None or len(found.names) < FEWEST_MODELS or found.loss.shape[1] < FEWEST_UNITS:
        return None
    return judged(found)


def said_of(
    models: Mapping[str, Mapping[str, np.ndarray]], ignored: Iterable[str] = ()
) -> tuple[Tries | None, list[str]]:
    """What `tried` finds and the sentences for it; where it finds nothing, why, if there is more to say than that there
    are few models: too few units, or no `arch`, and how to get it.

    Args:
        ignored: names of findings that are not reported.
    """
    try:
        found = shared_losses(models)
        if found is None or len(found.names) < FEWEST_MODELS:
            return None, []
        if (units := found.loss.shape[1]) < FEWEST_UNITS:
            if "too_few" in ignored:
                return None, []
            few = f"{units} {found.unit} are too few to say which of {len(found.names)} can be the best"
            return None, [f"{FINDINGS['too_few']}: {few}, all counted; {FEWEST_UNITS} are the fewest."]
        tries = replace(judged(found), ignored=frozenset(ignored))
    except FulmenError as error:
        return None, [str(error)]
    return tries, tries.sentences


def judged(losses: Losses, draws: int = DRAWS, seed: int = 0) -> Tries:
    """What losses show; equal seeds give equal answers."""
    order = np.argsort(losses.loss.mean(1), kind="stable")
    names, loss = [losses.names[i] for i in order], losses.loss[order]
    block = block_length(loss, losses.reference, losses.span) if losses.in_time else 1
    kept = confidence_set(loss, block, draws, seed)
    p = alone = math.nan
    if losses.reference is not None:
        p, alone = (superior(losses.reference, each, block, draws, seed) for each in (loss, loss[:1]))
    return Tries(
        tuple(names), tuple(name for name, inside in zip(names, kept, strict=True) if inside), loss.shape[1], block,
        losses.reference_name, p, alone, optimism(loss, block, draws, seed), losses.unit,
    )  # fmt: skip


def confidence_set(loss: np.ndarray, block: int, draws: int = DRAWS, seed: int = 0) -> np.ndarray:
    """Which of the models [M] are in the 95 % confidence set; those with the same losses stand or fall together.

    Args:
        loss: [M, U].
        block: mean length of a block of units.
    """
    multiple = _arch()
    alike, place = np.unique(loss, axis=0, return_inverse=True)
    if len(alike) == 1:
        return np.ones(len(loss), dtype=bool)
    method = "R" if len(alike) <= PAIRED else "max"
    found = multiple.MCS(alike.T, ALPHA, draws, block, method, seed=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of differences that are all but 0
        found.compute()
    return np.isin(place.ravel(), found.included)


def superior(reference: np.ndarray, loss: np.ndarray, block: int, draws: int = DRAWS, seed: int = 0) -> float:
    """p of "the best of the models is not better than the reference", all M of them counted (Hansen's consistent p).

    The advantage of each is divided by its standard error first, or one whose losses jump would hide the others.

    Args:
        reference: [U] losses.
        loss: [M, U].
        block: mean length of a block of units.
    """
    multiple = _arch()
    from arch.bootstrap import StationaryBootstrap

    gain = (reference - loss).T  # [U, M]
    gain = gain[:, np.ptp(gain, axis=0) > 0]
    if not gain.shape[1]:
        return 1.0
    means = StationaryBootstrap(block, gain, seed=seed).apply(lambda drawn: drawn.mean(0), draws)
    error = means.std(0)
    scaled = gain[:, error > 0] / error[error > 0]
    found = multiple.SPA(np.zeros(len(scaled)), -scaled, block, draws, seed=seed)
    found.compute()
    return float((1 + round(found.pvalues["consistent"] * draws)) / (1 + draws))


def optimism(loss: np.ndarray, block: int, draws: int = DRAWS, seed: int = 0) -> float:
    """By how much the lowest mean loss is too low for having been chosen as the lowest of M.

    In each draw the model that is lowest on the units drawn is judged by those that were not (Tsamardinos, Greasidou &
    Borboudakis 2018, Machine Learning 107:1895).

    Args:
        loss: [M, U].
        block: mean length of a block of units.
    """
    judged_by_others = []
    for units in stationary_draws(loss.shape[1], block, draws, seed):
        left = np.ones(loss.shape[1], dtype=bool)
        left[units] = False
        if left.any():
            judged_by_others.append(loss[loss[:, units].mean(1).argmin(), left].mean())
    return float(np.mean(judged_by_others) - loss.mean(1).min())


def stationary_draws(count: int, block: int, draws: int, seed: int) -> Iterator[np.ndarray]:
    """Units [U] of each draw of the stationary bootstrap (Politis & Romano 1994): blocks of random length, in a ring.

    The same units as those of `arch.bootstrap.StationaryBootstrap`, whose import costs more than many such draws, for
    every run that is tested asks how far the best of a few flatters itself.

    Args:
        count: of units.
        block: mean length of a block.
    """
    rng, place = np.random.default_rng(seed), np.arange(count)
    for _ in range(draws):
        first, begins = rng.integers(count, size=count), rng.random(count) <= 1 / block
        begins[0] = True
        start = np.flatnonzero(begins)[np.cumsum(begins) - 1]
        yield (first[start] + place - start) % count


def block_length(loss: np.ndarray, reference: np.ndarray | None, span: int) -> int:
    """Mean length of the blocks for losses of a series, by the differences that are tested; at most a tenth of it.

    Args:
        loss: [M, U], in the order of time.
        reference: [U].
        span: periods on whose outcomes the loss of one depends: blocks are at least as long.
    """
    _arch()
    from arch.bootstrap import optimal_block_length

    against = loss.mean(0) if reference is None else reference
    gain = (against - loss).T
    gain = gain[:, gain.std(0) > 0]
    longest = max(loss.shape[1] // 10, 1)
    if not gain.shape[1]:
        return min(max(span, 1), longest)
    asked = float(np.nanmedian(optimal_block_length(gain)["stationary"]))
    return min(max(math.ceil(asked) if math.isfinite(asked) else 1, span, 1), longest)


def _arch() -> Any:
    """The tests of the library.

    Raises:
        FulmenError: it is not installed.
    """
    try:
        from arch.bootstrap import multiple_comparison
    except ImportError as error:
        raise FulmenError(INSTALL) from error
    return multiple_comparison
