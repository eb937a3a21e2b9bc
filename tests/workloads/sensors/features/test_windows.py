"""Windows over a machine's own past: causal, named, none beyond the last repair."""

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression

from fulmen.errors import FulmenError
from fulmen.workloads.sensors.data import SensorData
from fulmen.workloads.sensors.features.windows import fit_windows, last_falls, parse, window_columns, window_names
from fulmen.workloads.sensors.simulator.plant import simulate_plant

WINDOWS = ["residual", "mean_24h", "rise_24h", "slope_72h", "since_fall"]


@pytest.fixture
def worn():
    """Two machines that wear for ten days, are repaired, and wear again; irregular times, gaps, a daily cycle."""
    rng = np.random.default_rng(0)
    group, time = np.repeat([0, 1], 300), np.concatenate([np.sort(rng.choice(960, 300, False)) / 2 for _ in range(2)])
    wear = (time % 240) / 240
    heat = 20 + 8 * wear + 3 * np.sin(2 * np.pi * time / 24) + 5 * group + 0.5 * rng.standard_normal(600)
    shake = np.exp(1.5 * wear + 0.1 * rng.standard_normal(600))
    heat[rng.random(600) < 0.05] = np.nan
    order = rng.permutation(600)
    return {"heat": heat[order], "shake": shake[order]}, group[order], time[order]


def made(columns, group, time, fitted=None):
    fitted = fitted or fit_windows(columns, group, time, ["shake"])
    x = window_columns(columns, group, time, WINDOWS, fitted)
    return dict(zip(window_names(list(columns), WINDOWS), x.T, strict=True)), fitted


def test_statistics_are_their_definitions(worn):
    columns, group, time = worn
    got, fitted = made(*worn)
    start = time - got["hours_since_fall"]
    for name, x in (("heat", columns["heat"]), ("shake", np.log(columns["shake"]))):
        x = x - np.array(fitted[name]["cycle"])[(time % 24).astype(int)]
        assert np.allclose(got[f"{name}_residual"], x, equal_nan=True)
        for i in range(0, 600, 7):
            own = (group == group[i]) & (time <= time[i]) & (time >= start[i] - 1e-9) & ~np.isnan(x)
            day, early = own & (time > time[i] - 24), own & (time < start[i] + 48)
            mean = x[day].mean() if day.any() else np.nan
            assert np.isclose(got[f"{name}_mean_24h"][i], mean, equal_nan=True)
            rise = mean - x[early].mean() if day.any() else np.nan
            assert np.isclose(got[f"{name}_rise_24h"][i], rise, equal_nan=True)
            line = own & (time > time[i] - 72)
            if line.sum() > 2:
                slope = LinearRegression().fit(time[line, None] / 24, x[line]).coef_[0]
                assert np.isclose(got[f"{name}_slope_72h"][i], slope, atol=1e-6)


def test_what_comes_later_changes_nothing(worn):
    columns, group, time = worn
    whole, fitted = made(*worn)
    for until in (100, 241, 243, 300):
        past = time <= until
        cut, _ = made({name: x[past] for name, x in columns.items()}, group[past], time[past], fitted)
        for name, x in cut.items():
            assert np.allclose(x, whole[name][past], equal_nan=True), name


def test_repairs_are_found_soon_and_nothing_else_is_one(worn):
    time = worn[2]
    got, _ = made(*worn)
    assert not got["fall_seen"][time < 240].any()
    late = time > 252
    assert got["fall_seen"][late].all()
    assert np.abs(time - got["hours_since_fall"] - 240)[late].max() < 6


def test_renewals_of_the_plant_are_found():
    """Most of those with two days of records around them, and few falls that are none."""
    r = simulate_plant(seed=7)
    columns = {"temperature_c": r.temperature_c, "vibration_mm_s": r.vibration_mm_s}
    fitted = fit_windows(columns, r.machine, r.time_h, ["vibration_mm_s"])
    since = window_columns(columns, r.machine, r.time_h, ["since_fall"], fitted).reshape(24, -1, 2)
    falls = 0
    for hours, seen in since.transpose(0, 2, 1):
        starts = (r.time_h[:420] - hours)[seen > 0]
        falls += sum(np.unique(starts, return_counts=True)[1] > 12)  # the place is settled within a day
    assert 20 <= falls <= 32  # 24 machines, 35 days, a mean life of 32 days: 26 renewals


def test_a_fall_lasts_as_long_as_it_deepens():
    time = np.arange(0, 80, 2.0)
    drop = np.zeros(40)
    drop[20:23] = [-3, -5, -4]  # one fall, deepest at 42 h
    start, seen = last_falls(time, drop)
    assert (start[:20] == 0).all()
    assert not seen[:20].any()
    assert (start[20], start[21], start[39]) == (18, 19, 19)


def test_the_cycle_and_the_noise_are_of_training_rows_alone():
    data = SensorData(machines=8, days=10, seed=1, windows=WINDOWS)
    data.setup()
    train = data.splits["train"]
    x, place = train["x"].numpy(), data.numeric.index("temperature_c")
    hours = data.hours["train"].astype(int) % 24
    means = np.array([np.nanmean(x[hours == h, place]) if (hours == h).any() else np.nan for h in range(24)])
    wanted = np.nan_to_num(means - np.nanmean(x[:, place]))
    assert np.allclose(data.features.fitted["temperature_c"]["cycle"], wanted, atol=1e-4)
    assert train["x"].shape[1] == len(data.numeric) == 5 + 2 * 4 + 2


@pytest.mark.parametrize("window", ["mean", "mean_0h", "max_24h", "mean_24", "slope_-3h"])
def test_a_window_that_is_none_is_one_line(window):
    with pytest.raises(FulmenError, match="is no statistic; there is residual, mean_<n>h"):
        parse(window)
