"""On real prices the pipeline does no harm, and a run folder gives back what was measured."""

import numpy as np
import pytest
import torch

import fulmen
from fulmen.config.check import check_overrides
from fulmen.runs.run import run


@pytest.mark.slow
def test_nvidia_is_forecast_as_well_as_by_persistence_and_the_folder_reproduces_it(shared, tmp_path):
    typed = ["experiment=stocks_fast", f"data.csv={shared / 'NVDA.csv'}", "data.features=[return]",
             "trainer.accelerator=cpu", f"output_dir={tmp_path / 'run'}"]  # fmt: skip
    result = run(check_overrides(typed), typed)
    rmse = result.metrics["test/rmse_price"]
    assert rmse < 1.01 * result.baselines["persistence"]["rmse_price"]
    loaded = fulmen.load_run(tmp_path / "run")
    test = loaded.data.splits["test"]
    with torch.no_grad():
        predicted = loaded.model.predict_step(test)
    actual = test["price"].double() * test["log_return"][:, 0].double().exp()
    error = (predicted["price"][:, 0].double() - actual).numpy()
    assert np.sqrt(np.mean(error**2)) == pytest.approx(rmse, rel=1e-5)
    covered = (predicted["low_80"][:, 0] <= actual) & (actual <= predicted["high_80"][:, 0])
    assert float(covered.double().mean()) == pytest.approx(result.metrics["test/coverage_80"], abs=0.005)
