"""The basis of curves is that of a singular value decomposition, and the network stays within its span."""

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA

from fulmen.errors import FulmenError
from fulmen.workloads.pbpk.data import PBPKData
from fulmen.workloads.pbpk.networks import POD
from fulmen.workloads.pbpk.networks.basis import principal_curves


@pytest.fixture(scope="module")
def train():
    data = PBPKData(compounds=60, validation_compounds=2, test_compounds=2, time_points=31)
    data.setup()
    target = (data.splits["train"]["concentration"] + 1e-3).log()
    return data.splits["train"], target, data.time_h


def test_principal_curves_are_those_of_scikit_learn():
    curves = torch.from_numpy(np.random.default_rng(0).normal(size=(40, 12)) @ np.diag(np.arange(1.0, 13)))
    mean, basis = principal_curves(curves, 5)
    expected = PCA(5).fit(curves.numpy())
    np.testing.assert_allclose(mean, expected.mean_)
    np.testing.assert_allclose(basis.norm(dim=1), expected.explained_variance_**0.5)
    np.testing.assert_allclose((basis / basis.norm(dim=1, keepdim=True)).abs(), np.abs(expected.components_), rtol=1e-6)


def test_more_modes_than_dimensions_are_zero():
    _, basis = principal_curves(torch.randn(9, 4), 6)
    assert basis.shape == (6, 4)
    assert basis[4:].abs().sum() == 0


def test_with_all_modes_the_basis_holds_every_training_curve(train):
    split, target, _ = train
    network = POD(modes=56, times=30)
    network.fit(split, target)
    off = target.flatten(1) - network.basis.mean
    coefficients = torch.linalg.lstsq(network.basis.curves.T.double(), off.T.double()).solution
    torch.testing.assert_close(network.basis.curves.T.double() @ coefficients, off.T.double(), rtol=1e-3, atol=1e-3)


def test_an_untrained_network_answers_near_the_mean_curve(train):
    split, target, time_h = train
    network = POD(modes=8, times=30)
    network.fit(split, target)
    names = ("node", "edge", "context", "dosing")
    answered = network(*(split[name] for name in names), time_h)
    assert answered.shape == target.shape
    away = (answered - target.mean(0)).flatten(1)
    inside = torch.linalg.lstsq(network.basis.curves.T, away.T).solution
    torch.testing.assert_close(network.basis.curves.T @ inside, away.T, rtol=1e-3, atol=1e-4)


def test_another_number_of_times_is_told_with_the_setting(train):
    split, target, time_h = train
    with pytest.raises(FulmenError, match=r"set model\.network\.times=30"):
        POD(times=99).fit(split, target)
    with pytest.raises(FulmenError, match=r"set model\.network\.times=30"):
        POD(times=99)(*(split[name] for name in ("node", "edge", "context", "dosing")), time_h)
