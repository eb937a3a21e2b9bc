"""The synthetic points of the deep multilayer perceptron are those that scikit-learn makes of the same settings."""

import numpy as np
import pytest
import torch
from sklearn.datasets import make_classification

from fulmen.errors import FulmenError
from fulmen.workloads.sensors.networks.encoder import Inputs
from fulmen.workloads.sensors.networks.tabular import DeepMLP
from fulmen.workloads.sensors.synthetic import SyntheticClassification


def test_informative_and_redundant_features_and_noise_are_those_that_are_asked_for():
    data = SyntheticClassification(rows=400, features=30, classes=4, informative=5, redundant=3, noise=0.2, seed=7)
    data.setup()
    x, y = make_classification(
        400, 30, n_informative=5, n_redundant=3, n_classes=4, n_clusters_per_class=1, flip_y=0.2, class_sep=2.0,
        random_state=7,
    )  # fmt: skip
    for split in data.splits.values():
        rows = split["row"].numpy()
        np.testing.assert_array_equal(split["x"].numpy(), x[rows].astype(np.float32))
        np.testing.assert_array_equal(split["target"].numpy(), y[rows])


def test_data_of_other_settings_are_other_data():
    """The settings of before keep the fingerprint of before: kept models do not warn."""
    assert SyntheticClassification().fingerprint == "make_classification-2000x100-10-2-42"
    assert SyntheticClassification(noise=0.1).fingerprint != SyntheticClassification().fingerprint


@pytest.mark.parametrize(
    "asked", [{"informative": 3}, {"informative": 90, "redundant": 20}, {"informative": 0}], ids=str
)
def test_features_that_cannot_be_are_refused_in_a_line(asked):
    with pytest.raises(FulmenError, match="10 classes need 4 informative ones"):
        SyntheticClassification(**asked)


@pytest.mark.parametrize(("fan", "columns"), [("in", 40), ("out", 400)])
def test_kaiming_initialisation_keeps_the_variance_in_the_direction_that_is_asked_for(fan, columns):
    torch.manual_seed(0)
    inputs = Inputs([f"x{i}" for i in range(40)], None, wear=[], windows=[], missing=False, log=False, bins=0)
    first = DeepMLP(inputs, 3, hidden=(400, 50), fan=fan).layers[0]
    assert float(first.weight.detach().std()) == pytest.approx((2 / columns) ** 0.5, rel=0.03)
