"""Residuals are drawn of every organ, and only of what reaches the floor."""

import numpy as np
import pytest
import torch

from fulmen.report.figures import WIDTH
from fulmen.workloads.pbpk.figures import log_ratio, residuals_per_organ
from fulmen.workloads.pbpk.simulator.physiology import ORGANS

DOSE, WEIGHT = torch.full((5,), 70.0), torch.full((5,), 70.0)
TIMES = torch.linspace(0.5, 24, 120)


def curves(factor=1.0):
    return factor * torch.exp(-0.4 * TIMES).expand(5, 14, -1).contiguous()


def test_a_ratio_is_that_of_prediction_to_truth_where_there_is_enough_of_it():
    ratio = log_ratio(curves(2.0), curves(), DOSE, WEIGHT)
    enough = (curves() >= 1e-3).numpy()
    assert 0 < enough.sum() < enough.size
    assert ratio[enough] == pytest.approx(np.log10(2.0))
    assert np.isnan(ratio[~enough]).all()


def test_every_organ_has_its_residuals_on_one_scale(tmp_path, recwarn):
    path = tmp_path / "residuals.svg"
    residuals_per_organ(path, TIMES, curves(1.2), curves(), DOSE, WEIGHT)
    drawn = path.read_text()
    assert f'width="{WIDTH * 72:g}pt"' in drawn
    assert [organ for organ in ORGANS if f">{organ}<" not in drawn] == []
    assert drawn.count(">log10 ratio<") == 5
    assert [str(each.message) for each in recwarn if issubclass(each.category, RuntimeWarning)] == []
