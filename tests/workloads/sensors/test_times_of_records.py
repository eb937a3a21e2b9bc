"""A record says its time in the unit that the training data had, as a row of a file does."""

import numpy as np
import pandas as pd
import pytest
import torch

from fulmen.workloads.sensors import predict
from fulmen.workloads.sensors.data import SensorData
from fulmen.workloads.sensors.input_format import schema
from fulmen.workloads.sensors.simulator.plant import simulate_plant

UNITS = {  # how hours since 1970 are written -> what the schema says
    "seconds": (lambda h: (h * 3600).round().astype(int), "time: ISO, or seconds"),
    "milliseconds": (lambda h: (h * 3_600_000).round().astype(int), "time: ISO, or milliseconds"),
    "excel_days": (lambda h: (h / 24 + 25_569).round(6), "time: ISO, or days of Excel"),
    "digits": (
        lambda h: pd.to_datetime(h, unit="h").strftime("%Y%m%d%H%M").astype(int),
        "time: ISO, or digits of a date",
    ),
    "dates": (lambda h: pd.to_datetime(h, unit="h").strftime("%Y-%m-%dT%H:%M"), "time: ISO, or hours"),
}


@pytest.mark.parametrize("unit", UNITS)
def test_a_record_has_the_hour_of_the_row_that_it_was(tmp_path, unit):
    plant = simulate_plant(machines=4, days=10, missing=0.0, seed=1)
    write, told = UNITS[unit]
    hours = plant.time_h + 474_792  # from 2024-03-01 on
    frame = pd.DataFrame(
        {
            "machine": plant.machine, "time": write(pd.Index(hours)), "light_lux": plant.light_lux,
            "temperature_c": plant.temperature_c, "vibration_mm_s": plant.vibration_mm_s,
            "maintenance": plant.maintenance,
        }
    )  # fmt: skip
    frame.to_csv(tmp_path / "plant.csv", index=False)
    data = SensorData(csv=str(tmp_path / "plant.csv"), cache=str(tmp_path), folds=3)
    data.prepare_data()
    data.setup()
    known = schema(data)
    assert next(each["dtype"] for each in known["columns"] if each["name"] == "time") == told
    fitted = predict.Fitted.of(known, data.numeric)
    of_file = predict.read_file(tmp_path / "plant.csv", fitted, {}).batch["x"]
    records = frame.head(7).astype(object).to_dict("records")
    for i, record in enumerate(records):
        of_record = predict.read_records([record], fitted).batch["x"]
        assert torch.equal(of_record[0], of_file[i])
    hour = np.arctan2(of_file[:, -2], of_file[:, -1]) / (2 * np.pi) * 24 % 24
    np.testing.assert_allclose(np.cos(hour * np.pi / 12), np.cos(hours * np.pi / 12), atol=1e-5)
