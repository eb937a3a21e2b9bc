"""Leaks of every mechanism, planted in data of one's own, as strong as one likes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal, get_args

import numpy as np

from fulmen.config.mistakes import did_you_mean
from fulmen.errors import FulmenError
from fulmen.testing.leaks import curves, hooks, pictures, prices, tables
from fulmen.testing.leaks.planting import Planting
from fulmen.testing.leaks.scores import metric, score
from fulmen.testing.leaks.sources import Curves, Pictures, Prices, Source, Table, opened, typed
from fulmen.workload import WorkloadData

Mechanism = Literal[
    "target_copy", "target_proxy", "group", "duplicate", "temporal", "identifier", "preprocessing", "selection"
]
MECHANISMS: tuple[Mechanism, ...] = get_args(Mechanism)
Strength = float | Literal["perfect", "middle", "weak"]
Planter = Callable[[Source, float, np.random.Generator], Planting]
WEAK = 0.05  # that a weak leak adds to the score
MEASURABLE = 1.5 * WEAK  # that the strongest leak has to add, so that half of it is no chance
DIALS = {"perfect": 1.0, "middle": 0.5, "weak": 0.1}  # of mechanisms that move the score by less than `MEASURABLE`
HALVINGS = 6  # of the interval in which the dial is sought

CELLS: Mapping[type, Mapping[Mechanism, Planter | str]] = {  # how it is planted, or why it cannot be
    Table: {
        "target_copy": tables.target_copy,
        "target_proxy": tables.target_proxy,
        "group": tables.group,
        "duplicate": tables.duplicate,
        "temporal": tables.temporal,
        "identifier": tables.identifier,
        "preprocessing": hooks.preprocessing,
        "selection": hooks.selection,
    },
    Pictures: {
        "target_copy": pictures.target_copy,
        "target_proxy": pictures.target_proxy,
        "group": pictures.group,
        "duplicate": pictures.duplicate,
        "temporal": "pictures are read without times, and none of their splits is made by time",
        "identifier": "pixels alone are inputs: names and numbers of files are not",
        "preprocessing": hooks.preprocessing,
        "selection": hooks.selection,
    },
    Prices: {
        "target_copy": prices.target_copy,
        "target_proxy": prices.target_proxy,
        "group": "splits are made by time for all tickers at once, so that none of them is held out as a whole",
        "duplicate": prices.duplicate,
        "temporal": prices.temporal,
        "identifier": "features are made of prices and volumes alone: dates and tickers are not inputs",
        "preprocessing": hooks.preprocessing,
        "selection": hooks.selection,
    },
    Curves: {
        "target_copy": "every input is a parameter of the equations of which the curve follows: it tells all as it is",
        "target_proxy": "as a copy of the target: what could tell of the curve is an input already",
        "group": curves.group,
        "duplicate": curves.duplicate,
        "temporal": "subjects are read without the time at which they were measured",
        "identifier": "numbers of subjects and compounds are no inputs",
        "preprocessing": hooks.preprocessing,
        "selection": hooks.selection,
    },
}


@dataclass(frozen=True)
class Planted:
    """Data with a leak.

    Attributes:
        mechanism: how it leaks.
        dial: how strong it is, in [0, 1]; 1 is as strong as the mechanism can be.
        planting: the sources and what was planted.
    """

    mechanism: Mechanism
    dial: float
    planting: Planting

    @property
    def source(self) -> Source:
        """The data with the leak."""
        return self.planting.leaky

    @property
    def columns(self) -> tuple[str, ...]:
        """That leak, or that tell which rows belong together."""
        return self.planting.columns

    @property
    def rows(self) -> np.ndarray:
        """That leak, as far as single ones do: numbers in the source [n]."""
        return self.planting.rows

    @property
    def expected(self) -> tuple[str, ...]:
        """Findings that name it rightly, keys of `fulmen.diagnosis.findings.FINDINGS`; the most exact first."""
        return self.planting.expected

    @cached_property
    def leaky_score(self) -> float:
        """What a fast model reaches on the test split with the leak; `metric` says of what kind."""
        return self._score(self.planting.leaky, self.planting.hook)

    @cached_property
    def honest_score(self) -> float:
        """What it reaches without the leak: without the columns or rows, or with the split or fit that is right."""
        return self._score(self.planting.honest, self.planting.honest_hook)

    @cached_property
    def metric(self) -> str:
        """AUC of two classes, accuracy of more, R2 of numbers."""
        with TemporaryDirectory() as folder:
            return metric(self.source, self.open(folder))

    def write(self, folder: str | Path) -> list[str]:
        """Writes the file with the leak into a folder; what to type after `python train.py` to train on it.

        Raises:
            FulmenError: the leak lies in what a data class fits, which no file can hold: see `open`.
        """
        if self.planting.hook is not None:
            raise FulmenError(f"{self.mechanism} lies in what the data class fits, not in a file: use open(folder)")
        path = Path(folder) / self.source.file
        path.parent.mkdir(parents=True, exist_ok=True)
        self.source.write(path)
        return typed(self.source, path)

    def open(self, folder: str | Path) -> WorkloadData:
        """The data with the leak, written into an empty folder, read from there and set up."""
        Path(folder).mkdir(parents=True, exist_ok=True)
        return opened(self.source, Path(folder), self.planting.hook)

    def _score(self, source: Source, hook: type[WorkloadData] | None) -> float:
        import warnings

        with TemporaryDirectory() as folder, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return score(source, opened(source, Path(folder), hook))


def plant(data: Source, mechanism: Mechanism, strength: Strength = 1.0, seed: int = 0) -> Planted:
    """Data with a leak of one mechanism, to see whether a search for leaks, or a pipeline, notices it.

    Args:
        data: a `Table`, `Pictures`, `Prices` or `Curves`.
        mechanism: of the leak; `CELLS` says how it is planted in data of each kind, and where it cannot exist.
        strength: a dial in [0, 1], where 1 is as strong as the mechanism can be, or by the effect on the score of a
            fast model: "perfect" is 1, "middle" lifts the score half as much, "weak" by 0.05. Where the mechanism
            cannot lift it by that, such as a scaler that has seen the test split, these are the dials 1, 0.5 and 0.1.
        seed: of what is drawn, such as the kind of a column.

    Raises:
        FulmenError: there is no such mechanism, or it cannot exist in such data.
    """
    if mechanism not in MECHANISMS:
        raise FulmenError(f"there is no mechanism {mechanism!r}{did_you_mean(mechanism, MECHANISMS)}")
    planter = CELLS[type(data)][mechanism]
    if isinstance(planter, str):
        raise FulmenError(f"{mechanism} cannot exist in {type(data).__name__}: {planter}")

    def at(dial: float) -> Planted:
        return Planted(mechanism, dial, planter(data, dial, np.random.default_rng(seed)))

    if isinstance(strength, int | float):
        if not 0 <= strength <= 1:
            raise FulmenError(f"strength is {strength}; it must lie between 0 and 1")
        return at(float(strength))
    if strength not in DIALS:
        raise FulmenError(f"strength is {strength!r}; write a number from 0 to 1, or perfect, middle or weak")
    return at(1.0) if strength == "perfect" else _by_effect(at, strength)


def _by_effect(at: Callable[[float], Planted], strength: str) -> Planted:
    """The leak whose score lies nearest to the one wanted, by halving the interval of the dial."""
    strongest = at(1.0)
    effect = strongest.leaky_score - strongest.honest_score
    if effect < MEASURABLE:
        return at(DIALS[strength])
    wanted = effect / 2 if strength == "middle" else WEAK
    tried, low, high = [strongest], 0.0, 1.0
    for _ in range(HALVINGS):
        tried.append(at((low + high) / 2))
        if tried[-1].leaky_score - tried[-1].honest_score < wanted:
            low = tried[-1].dial
        else:
            high = tried[-1].dial
    return min(tried, key=lambda each: abs(each.leaky_score - each.honest_score - wanted))
