"""Scores of prices on the validation split say what they are called, and change nothing of a training."""

import csv

import numpy as np
import pytest
from helpers import differing

from fulmen.callbacks.resume import read_checkpoint
from fulmen.config.check import check_overrides
from fulmen.runs.run import run
from fulmen.workloads.stocks.price_scores import price_scores

TYPED = ["experiment=stocks_fast", "network=04_lstm_narrow_deep", "data.days=300", "test=false",
         "trainer.max_epochs=2", "trainer.precision=32-true"]  # fmt: skip
ASKED = ["+callbacks.price_scores._target_=fulmen.workloads.stocks.price_scores.PriceScores"]


def test_a_forecast_of_no_change_scores_as_persistence():
    rng = np.random.default_rng(0)
    price, true = rng.uniform(50, 150, 200), rng.normal(0, 0.02, (200, 3))
    found = price_scores(np.zeros_like(true), true, price)
    assert found["rmse"] == pytest.approx(found["persistence_rmse"])
    truth = price[:, None] * np.exp(true)
    assert found["mae"] == pytest.approx(np.abs(truth - price[:, None]).mean())
    assert found["mape"] == pytest.approx(100 * np.abs(1 - price[:, None] / truth).mean())


def test_the_truth_itself_has_no_error():
    rng = np.random.default_rng(0)
    price, true = rng.uniform(50, 150, 200), rng.normal(0, 0.02, (200, 1))
    found = price_scores(true, true, price)
    assert (found["rmse"], found["mae"], found["mape"]) == (0, 0, 0)
    assert (found["r2"], found["accuracy"]) == (1, 1)
    assert found["pearson_corr"] == pytest.approx(1)


@pytest.mark.slow
def test_watching_the_errors_of_prices_changes_no_bit_of_a_training(tmp_path):
    found = []
    for name, asked in {"plain": [], "watched": ASKED}.items():
        typed = [*TYPED, *asked, f"output_dir={tmp_path / name}"]
        assert run(check_overrides(typed), typed).status == "completed"
        found.append(read_checkpoint(tmp_path / name / "checkpoints" / "last.ckpt")["state_dict"])
    assert differing(*found) == []
    rows = list(csv.DictReader((tmp_path / "watched" / "metrics.csv").open()))
    assert [row for row in rows if not float(row["val/rmse"]) * float(row["val/persistence_rmse"]) > 0] == []
