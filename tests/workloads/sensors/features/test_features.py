import numpy as np

from fulmen.workloads.sensors.features.features import derive, source_columns


def test_physics_features_are_their_formulas():
    columns = {"Torque [Nm]": np.array([40.0]), "Rotational speed [rpm]": np.array([1500.0]),
               "Process temperature [K]": np.array([310.0]), "Air temperature [K]": np.array([300.0]),
               "Tool wear [min]": np.array([100.0])}  # fmt: skip
    assert np.isclose(derive("power_w", columns), 40 * 1500 / 60 * 2 * np.pi)
    assert derive("temperature_difference_k", columns) == 10
    assert derive("strain_nm_min", columns) == 4000
    assert source_columns(["strain_nm_min", "Torque [Nm]", "hour_sin"]) == ["Torque [Nm]", "Tool wear [min]"]
