"""The loss of a forecast that costs nothing is that of the rows it is asked of, against plain NumPy."""

import math

import numpy as np
import pytest
import torch

from fulmen.config.check import check_overrides
from fulmen.runs.run import run

SMALL = {
    "stocks": ["experiment=stocks", "network=01_lstm_classic", "data.tickers=2", "data.days=400",
               "data.lookback_days=10", "model.figures=false"],
    "pbpk": ["experiment=pbpk_mlp", "data.compounds=80", "data.validation_compounds=20", "data.test_compounds=10",
             "model.figures=false"],
}  # fmt: skip


@pytest.mark.parametrize("name", SMALL)
def test_a_run_compares_its_loss_with_that_of_a_constant_forecast_on_the_same_rows(name, tmp_path):
    typed = [*SMALL[name], "trainer.max_epochs=1", "test=false", "trainer.accelerator=cpu", "logger=null",
             "callbacks.early_stopping=null", "seed=1", f"output_dir={tmp_path / 'run'}"]  # fmt: skip
    run(check_overrides(typed), typed)
    state = torch.load(tmp_path / "run" / "checkpoints" / "last.ckpt", weights_only=False)
    seen = next(value for key, value in state["callbacks"].items() if "Diagnosis" in key)
    assert seen["base_of"] == "a constant predictor"
    assert math.isfinite(seen["base"])
    assert 0.2 < seen["base"] < 5, "a standardised target"
    assert set(seen["errors"]) == {"train", "val", "gain"}


def test_persistence_of_a_stock_is_the_mean_square_of_its_changes():
    from fulmen.workloads.stocks.module import StockForecaster

    class Fake:
        target, target_sd = "return", torch.tensor([0.02, 0.03])
        _target = StockForecaster._target

    change = torch.randn(50, 2) * 0.02
    found = float(StockForecaster.constant_loss(Fake(), {"log_return": change, "price": torch.ones(50)}))
    assert found == pytest.approx(float(np.mean((change.numpy() / [0.02, 0.03]) ** 2)), rel=1e-5)
