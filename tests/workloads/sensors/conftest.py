"""Small tables to break, and a sample of AI4I."""

import pandas as pd
import pytest

from fulmen.config.schema import project_root
from fulmen.workloads.sensors.data import SensorData


@pytest.fixture
def ai4i():
    """A sample of AI4I 2020; see the notes beside it."""
    return project_root() / "tests" / "data_samples" / "ai4i2020.csv"


@pytest.fixture
def readings(tmp_path):
    """A CSV of a small simulated plant, and its rows to change."""
    path = tmp_path / "readings.csv"
    SensorData(machines=6, days=12, seed=1).export(path)
    return path, pd.read_csv(path)


@pytest.fixture
def small():
    """Arguments of a small plant."""
    return {"machines": 8, "days": 14, "seed": 3}
