"""Models that were trained and judged on the same folds."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from fulmen.report.behind import ITEMS

Once = Callable[[str, Callable[[], Any]], Any]


@dataclass(frozen=True)
class Variant:
    """What to train: `make(seed)` builds the module with fresh weights, as a run with that seed would."""

    make: Callable[[int], Any]
    epochs: int


@dataclass
class Contest:
    """Scores of all candidates on the same folds.

    Attributes:
        scores: candidate -> metric -> [folds].
        seconds: CPU time of training on all folds, by candidate.
        train_rows: of a fold.
        test_rows: of a fold.
        ceiling: metric -> the best that is possible, where it is known.
        notes: sentences a reader needs.
        chance: metric -> what knowing nothing scores, where it is known.
        bounds: metric -> lowest and highest value it can have; without them any.
        in_time: whether the folds follow each other in time, later ones trained on what earlier ones test on.
        seeds: that the score of a network on a fold is a mean over.
        counted: what the rows are: "windows", "images".
        runs: candidate -> the folder of its runs, where each fold was a run.
        leaks: that a scan of the folds found, as `fulmen.data.leaks.Leak.as_dict` has them; None: there was no scan.
        constant: the candidate that predicts the same for every item; "" where none does.
        units: metric -> how many independent units (rows, machines, events) are behind it in all folds together, where
            that is known: what a score that is equal on all folds leaves open.
        by_chance: metric -> sd of the score that a prediction which knows nothing has on each fold [folds], where it
            follows from the labels alone.
        validation: candidate -> the score that its training watched, at its best on the validation split [folds].
        watched_larger: whether more of that is better.
        data: fingerprints of the data of the folds, where no run says them.
    """

    scores: dict[str, dict[str, np.ndarray]]
    seconds: dict[str, float]
    train_rows: float
    test_rows: float
    ceiling: dict[str, float] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    chance: dict[str, float] = field(default_factory=dict)
    bounds: dict[str, tuple[float, float]] = field(default_factory=dict)
    in_time: bool = False
    seeds: int = 1
    counted: str = ITEMS
    runs: dict[str, Path] = field(default_factory=dict)
    leaks: Sequence[Mapping[str, Any]] | None = None
    constant: str = ""
    units: dict[str, float] = field(default_factory=dict)
    by_chance: dict[str, np.ndarray] = field(default_factory=dict)
    data: tuple[str, ...] = ()
    validation: dict[str, np.ndarray] = field(default_factory=dict)
    watched_larger: bool = False
