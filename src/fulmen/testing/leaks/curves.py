"""Leaks in subjects of a population: one drug under several numbers, and subjects that are there twice."""

from dataclasses import replace

import numpy as np

from fulmen.testing.leaks.planting import Planting, curves_of
from fulmen.testing.leaks.sources import Curves, Source


def group(source: Source, dial: float, rng: np.random.Generator) -> Planting:
    """Subjects of one drug have numbers of their own, as if each had another; the dial: the share of such drugs."""
    curves = curves_of(source)
    compound = curves.arrays["compound"].copy()
    drugs = rng.permutation(np.unique(compound))
    rows = np.flatnonzero(np.isin(compound, drugs[: round(dial * len(drugs))]))
    compound[rows] = compound.max() + 1 + np.arange(len(rows))
    share = len(np.unique(compound)) / len(drugs)
    leaky = replace(curves, arrays={**curves.arrays, "compound": compound}, held_out=round(curves.held_out * share))
    return Planting(leaky, curves, ("compound",), rows, ("group_in_several_splits", "near_copies", "copies"))


def duplicate(source: Source, dial: float, rng: np.random.Generator) -> Planting:
    """Subjects that come once more under the number of another drug, with a weight that differs in its last digits."""
    curves = curves_of(source)
    size = len(curves.arrays["compound"])
    rows = np.sort(rng.permutation(size)[: round(dial * size)])
    added = {name: value[rows] for name, value in curves.own.items()}
    factor = 1 + 1e-5 * rng.standard_normal(size)[rows]
    added["dose_mg"] = added["dose_mg"] * factor
    added["concentration_mg_per_l"] = (added["concentration_mg_per_l"] * factor[:, None, None]).astype(np.float32)
    added["compound"] = curves.arrays["compound"].max() + 1 + np.arange(len(rows))
    arrays = {**curves.arrays, **{n: np.concatenate([curves.arrays[n], value]) for n, value in added.items()}}
    share = len(np.unique(arrays["compound"])) / len(np.unique(curves.arrays["compound"]))
    leaky = Curves(arrays, round(curves.held_out * share))
    return Planting(leaky, curves, (), np.arange(size, size + len(rows)), ("near_copies", "copies"))
