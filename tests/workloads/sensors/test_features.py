import numpy as np

from fulmen.workloads.sensors.features import derive, feature_names, rolling, source_columns


def test_windows_see_the_row_itself_and_the_hours_before_but_nothing_later():
    rng = np.random.default_rng(0)
    n = 120
    group, time = np.repeat([0, 1], n // 2), rng.choice(400, n, replace=False).astype(float)
    values = np.where(rng.random(n) < 0.1, np.nan, rng.standard_normal(n))
    made = rolling({"v": values}, group, time, [24])
    assert list(made.columns) == feature_names(["v"], [24])[1:]
    for i in range(n):
        seen = values[(group == group[i]) & (time <= time[i]) & (time > time[i] - 24)]
        seen = seen[~np.isnan(seen)]
        wanted = [seen.mean()] if len(seen) else [np.nan]
        assert np.allclose(made.iloc[i], wanted, equal_nan=True)


def test_physics_features_are_their_formulas():
    columns = {"Torque [Nm]": np.array([40.0]), "Rotational speed [rpm]": np.array([1500.0]),
               "Process temperature [K]": np.array([310.0]), "Air temperature [K]": np.array([300.0]),
               "Tool wear [min]": np.array([100.0])}  # fmt: skip
    assert np.isclose(derive("power_w", columns), 40 * 1500 / 60 * 2 * np.pi)
    assert derive("temperature_difference_k", columns) == 10
    assert derive("strain_nm_min", columns) == 4000
    assert source_columns(["strain_nm_min", "Torque [Nm]", "hour_sin"]) == ["Torque [Nm]", "Tool wear [min]"]
