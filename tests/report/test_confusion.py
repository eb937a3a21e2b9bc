"""Means over classes are of the classes that have items; the oracle is scikit-learn."""

import numpy as np
import pytest
from sklearn import metrics as sk

from fulmen.report.confusion import classification_scores, confusion


def test_mean_f1_leaves_out_a_class_without_items_though_it_is_predicted():
    rng = np.random.default_rng(0)
    target, predicted = rng.integers(0, 3, 200), rng.integers(0, 4, 200)
    minority = np.array([False, False, True, True])
    found = classification_scores(confusion(target, predicted, 4), minority)
    for name, labels in (("macro F1", [0, 1, 2]), ("minority F1", [2]), ("majority F1", [0, 1])):
        expected = sk.f1_score(target, predicted, labels=labels, average="macro", zero_division=0)
        assert float(found[name]) == pytest.approx(expected), name


def test_a_group_of_classes_without_any_item_has_no_f1():
    target = np.array([0, 0, 1])
    found = classification_scores(confusion(target, target, 3), np.array([False, False, True]))
    assert np.isnan(found["minority F1"])
    assert found["majority F1"] == found["macro F1"] == 1
