"""Machines in need, and what the columns are worth."""

import numpy as np
import pytest
import torch
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.inspection import permutation_importance

from fulmen.workloads.sensors.data import SensorData
from fulmen.workloads.sensors.importance import importance, in_need, sources
from fulmen.workloads.sensors.said import when


@pytest.fixture(scope="module")
def data():
    made = SensorData(machines=8, days=14, seed=3, folds=4, windows=["mean_24h", "rise_24h", "since_fall"])
    made.setup()
    return made


def shaking(part):
    """Knows the vibration alone."""
    return part["x"][:, 2].nan_to_num(1.5).sigmoid().numpy()


def test_every_machine_is_judged_by_its_latest_row_the_likeliest_first(data):
    rows = in_need(shaking, data, 0.9)
    assert sorted(row["machine"] for row in rows) == [f"M{i:02d}" for i in range(1, 9)]
    assert [row["probability"] for row in rows] == sorted((row["probability"] for row in rows), reverse=True)
    for row in rows:
        assert row["needs maintenance"] == ("yes" if row["probability"] >= 0.9 else "no")
        assert row["row"] == int(row["machine"][1:]) * 14 * 12  # the last of the machine
        assert row["time"] == f"{13 * 24 + 22} h"
        assert row["row"] in data.splits[row["part"]]["row"]


def test_times_are_told_as_they_were_given():
    assert when(np.datetime64("2024-01-31T14:00").astype("datetime64[h]").astype(float), True) == "2024-01-31 14:00"
    assert when(0.5, True, "UTC") == "1970-01-01 00:30 UTC"
    assert when(36.0, False) == "36 h"


def test_windows_are_shuffled_with_their_column(data):
    found = sources(data.features)
    assert list(found) == ["light_lux", "temperature_c", "vibration_mm_s", "time of day", "time since the last fall"]
    assert [data.numeric[i] for i in found["vibration_mm_s"]] == [
        "vibration_mm_s", "vibration_mm_s_mean_24h", "vibration_mm_s_rise_24h"
    ]  # fmt: skip
    assert sorted(i for places in found.values() for i in places) == list(range(len(data.numeric)))


class Shaking(ClassifierMixin, BaseEstimator):
    classes_ = np.array([0, 1])

    def fit(self, x, y):
        return self

    def predict_proba(self, x):
        p = shaking({"x": torch.from_numpy(x)})
        return np.stack([1 - p, p], 1)


@pytest.mark.slow
def test_importance_is_what_scikit_learn_finds(data):
    part = data.splits["train"]
    rows = {row[""]: row for row in importance(shaking, part, {n: [i] for i, n in enumerate(data.numeric)}, [], 30)}
    assert next(iter(rows)) == "vibration_mm_s"
    for scoring, key in (("average_precision", "loss of PR-AUC"), ("roc_auc", "loss of ROC-AUC")):
        x, y = part["x"].numpy(), part["target"].numpy()
        wanted = permutation_importance(Shaking(), x, y, scoring=scoring, n_repeats=30, random_state=1)
        for name, mean, sd in zip(data.numeric, wanted.importances_mean, wanted.importances_std, strict=True):
            assert rows[name][key] == pytest.approx(mean, abs=1e-9 + 4 * sd / np.sqrt(30))
