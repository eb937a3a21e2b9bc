"""The table of intervals counts what they cover."""

import pytest
import torch

from fulmen.workloads.pbpk.intervals import rows
from fulmen.workloads.pbpk.trust import bounds

DOSE, WEIGHT = torch.full((6,), 70.0), torch.full((6,), 70.0)
TRUE = torch.linspace(0.5, 2.0, 6 * 14 * 10).view(6, 14, 10)


def said(off, inside):
    """Predictions off by a log factor [6, 14, 10] with intervals of 0.1 to both sides."""
    low, high = bounds(TRUE * off.exp(), torch.full_like(TRUE, 0.1), DOSE / WEIGHT)
    return {"low_90_mg_per_l": low, "high_90_mg_per_l": high, "in_domain": torch.tensor(inside)}


def test_points_are_counted_in_the_domain_and_beyond_it():
    off = torch.zeros_like(TRUE)
    off[:2, :, :3], off[4:, :7] = 0.2, -0.2  # 3 of 10 times of two subjects inside; half of the organs outside
    near, far = rows(said(off, [True] * 4 + [False] * 2), TRUE, DOSE, WEIGHT)
    assert (near["test subjects"], near["subjects"]) == ("in the domain", 4)
    assert near["points covered (%)"] == pytest.approx(85)
    assert near["share of them (%)"] == pytest.approx(100 * 4 / 6)
    assert near["median of high / low"] == pytest.approx(torch.tensor(0.2).exp().item(), rel=1e-3)
    assert (far["test subjects"], far["subjects"]) == ("beyond it", 2)
    assert far["points covered (%)"] == pytest.approx(50)


def test_there_is_no_row_for_nobody():
    (row,) = rows(said(torch.zeros_like(TRUE), [True] * 6), TRUE, DOSE, WEIGHT)
    assert row["share of them (%)"] == 100


def test_widths_are_not_of_points_next_to_nothing():
    low = TRUE.clone()
    low[:, :, 1:] = 1e-9
    wide = said(torch.zeros_like(TRUE), [True] * 6)
    wide["high_90_mg_per_l"][:, :, 1:] = 50.0
    assert rows(wide, low, DOSE, WEIGHT)[0]["median of high / low"] < 1.3
