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


def test_rises_are_over_the_lowest_mean_of_the_machines_own_past():
    rng = np.random.default_rng(1)
    n = 90
    group, time = np.repeat([0, 1, 2], n // 3), rng.choice(300, n, replace=False).astype(float)
    columns = {"heat": rng.standard_normal(n), "shake": rng.gamma(3, size=n)}
    made = rolling(columns, group, time, [24], [100], ratios=["shake"])
    assert list(made.columns) == feature_names(["heat", "shake"], [24], [100])[2:]
    for i in range(n):
        past = (group == group[i]) & (time <= time[i]) & (time > time[i] - 100)
        for name, formula in (("heat", np.subtract), ("shake", np.divide)):
            means = made[f"{name}_mean_24h"].to_numpy()
            wanted = formula(means[i], means[past].min())
            assert np.isclose(made[f"{name}_mean_24h_over_lowest_100h"][i], wanted)
    before = time < 150
    cut = rolling({k: v[before] for k, v in columns.items()}, group[before], time[before], [24], [100], ["shake"])
    assert np.allclose(cut, made[before])  # what comes later changes nothing


def test_physics_features_are_their_formulas():
    columns = {"Torque [Nm]": np.array([40.0]), "Rotational speed [rpm]": np.array([1500.0]),
               "Process temperature [K]": np.array([310.0]), "Air temperature [K]": np.array([300.0]),
               "Tool wear [min]": np.array([100.0])}  # fmt: skip
    assert np.isclose(derive("power_w", columns), 40 * 1500 / 60 * 2 * np.pi)
    assert derive("temperature_difference_k", columns) == 10
    assert derive("strain_nm_min", columns) == 4000
    assert source_columns(["strain_nm_min", "Torque [Nm]", "hour_sin"]) == ["Torque [Nm]", "Tool wear [min]"]
