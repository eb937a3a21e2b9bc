"""The encoding knows its training rows alone, and is what it says."""

import pytest
import torch
from sklearn.preprocessing import KBinsDiscretizer, StandardScaler

from fulmen.errors import FulmenError
from fulmen.workloads.sensors.networks.encoder import Inputs


@pytest.fixture
def x():
    torch.manual_seed(0)
    return torch.stack([torch.randn(500) * 3 + 1, torch.rand(500) + 0.1, torch.randint(0, 3, (500,)).float()], 1)


def encode(inputs, x):
    return inputs(x[None], torch.empty(1, len(x), 0, dtype=torch.long))[0]


def test_columns_are_standardised_as_scikit_learn_does(x):
    inputs = Inputs(3, missing=False, log=False, bins=0)
    inputs.fit(x)
    wanted = StandardScaler().fit_transform(x.double().numpy())
    assert torch.allclose(encode(inputs, x).double(), torch.from_numpy(wanted), atol=5e-3)  # n - 1


def test_logarithms_are_of_what_has_one(x):
    inputs = Inputs(3, missing=False, bins=0)
    inputs.fit(x)
    made = encode(inputs, x)[:, 3:]
    assert (made[:, 0] == 0).all()  # the column has negative values
    for i, log in ((1, x[:, 1].log()), (2, x[:, 2].log1p())):
        assert torch.allclose(made[:, i], (log - log.mean()) / log.std(), atol=1e-4)


def test_bins_lie_between_training_quantiles_and_fill_from_the_left(x):
    inputs = Inputs(3, missing=False, log=False, bins=8)
    inputs.fit(x)
    made = encode(inputs, x)[:, 3:].unflatten(1, (3, 8))
    bins = KBinsDiscretizer(8, encode="ordinal", strategy="quantile", quantile_method="linear", subsample=None)
    ordinal = torch.from_numpy(bins.fit_transform(x[:, :1].double().numpy())[:, 0]).long()
    rows = torch.arange(len(x))
    assert ((made[rows, 0] == 1).sum(1) >= ordinal - 1).all()
    partial = made[rows, 0, ordinal]
    assert ((partial >= -1e-5) & (partial <= 1 + 1e-5)).all()
    assert made[:, 2].unique(dim=0).shape[0] == 3  # three values: as many codes, bins that do not exist are 0


def test_outer_bins_are_open_and_clipped(x):
    inputs = Inputs(3, missing=False, log=False, bins=4)
    inputs.fit(x)
    far = encode(inputs, torch.tensor([[1e6, 0.5, 1.0], [-1e6, 0.5, 1.0]]))[:, 3:].unflatten(1, (3, 4))
    assert far[0, 0].tolist() == [1, 1, 1, 2]
    assert far[1, 0].tolist() == [-1, 0, 0, 0]


def test_missing_readings_take_the_training_median_and_are_marked(x):
    inputs = Inputs(3, log=False, bins=0)
    with_gaps = x.clone()
    with_gaps[::5, 0] = torch.nan
    inputs.fit(with_gaps)
    made = encode(inputs, with_gaps)
    median = with_gaps[:, 0].nanmedian()
    assert torch.allclose(made[::5, 0], (median - inputs.mean[0, 0]) / inputs.sd[0, 0])
    assert (made[::5, 3] == 1).all()
    assert made[:, 3].sum() == 100
    assert torch.isfinite(made).all()


def test_categories_are_one_hot_and_an_unknown_level_is_all_zeros(x):
    inputs = Inputs(3, {"type": ["a", "b"]}, missing=False, log=False, bins=0)
    inputs.fit(x)
    category = torch.tensor([[[0], [1], [-1]]])
    assert inputs(x[None, :3], category)[0, :, 3:].tolist() == [[1, 0], [0, 1], [0, 0]]
    assert inputs.feature.tolist() == [0, 1, 2, 3, 3]


def test_a_column_without_a_value_is_named():
    inputs = Inputs(["light", "heat"])
    with pytest.raises(FulmenError, match="heat has no value"):
        inputs.fit(torch.tensor([[1.0, torch.nan], [2.0, torch.nan]]))
