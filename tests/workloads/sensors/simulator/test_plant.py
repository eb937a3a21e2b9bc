"""The simulated plant is what its docstring says, and its ceiling is the posterior."""

import numpy as np
import pytest
from scipy.stats import norm
from sklearn.metrics import roc_auc_score

from fulmen.workloads.sensors.simulator.bayes_history import history_probability
from fulmen.workloads.sensors.simulator.bayes_one_row import bayes_probability
from fulmen.workloads.sensors.simulator.plant import simulate_plant


@pytest.fixture(scope="module")
def many():
    readings = simulate_plant(machines=150, seed=0)
    return readings, bayes_probability(readings.time_h % 24, readings.temperature_c, readings.vibration_mm_s)


def test_a_tenth_of_the_rows_needs_maintenance_and_three_percent_of_the_readings_are_missing(many):
    readings, _ = many
    assert readings.maintenance.mean() == pytest.approx(0.095, abs=0.01)
    for name in ("light_lux", "temperature_c", "vibration_mm_s"):
        assert np.isnan(getattr(readings, name)).mean() == pytest.approx(0.03, abs=0.002)
    assert len(readings.machine) == 150 * 35 * 12


def test_ceiling_is_the_posterior_that_sampling_the_latents_gives():
    rng = np.random.default_rng(0)
    life = 30 * np.exp(0.35 * rng.standard_normal(400_000))
    age = life * rng.random(len(life))
    load = rng.random(len(life)) < 0.9
    a, v0 = 2 * rng.standard_normal(len(life)), 1.2 * np.exp(0.25 * rng.standard_normal(len(life)))
    wear, need = (age / life) ** 2, life - age <= 3
    for hour, temperature, vibration in [(12.0, 33.0, 3.5), (8.0, 35.0, np.nan), (20.0, np.nan, 4.5), (10, 27.0, 1.3)]:
        weight = life.copy()  # a long life is met more often
        if not np.isnan(temperature):
            mean = 21 + a + 4 * np.sin(2 * np.pi * (hour - 9) / 24) + 5 * load + 9 * wear
            weight *= norm.pdf(temperature, mean, 1.5)
        if not np.isnan(vibration):
            weight *= norm.pdf(np.log(vibration), np.log(v0 * (0.7 + 0.3 * load)) + 1.6 * wear, 0.18)
        sampled = 0.01 + 0.94 * (weight * need).sum() / weight.sum()
        exact = bayes_probability(np.array([hour]), np.array([temperature]), np.array([vibration]))[0]
        assert exact == pytest.approx(sampled, abs=0.015)


def test_ceiling_is_calibrated_and_better_than_any_sensor(many):
    readings, p = many
    for part in np.array_split(np.argsort(p), 10):
        assert p[part].mean() == pytest.approx(readings.maintenance[part].mean(), abs=0.06)
    vibration = np.nan_to_num(readings.vibration_mm_s, nan=1.5)
    assert roc_auc_score(readings.maintenance, p) > roc_auc_score(readings.maintenance, vibration) + 0.02


@pytest.mark.slow
def test_the_ceiling_of_the_whole_past_is_calibrated_and_above_that_of_a_row():
    readings = simulate_plant(seed=3, machines=16, days=20)
    p = history_probability(readings, lives=32)
    for part in np.array_split(np.argsort(p), 4):
        assert p[part].mean() == pytest.approx(readings.maintenance[part].mean(), abs=0.04)
    row = bayes_probability(readings.time_h % 24, readings.temperature_c, readings.vibration_mm_s)
    assert roc_auc_score(readings.maintenance, p) > roc_auc_score(readings.maintenance, row) + 0.015
    first = readings.time_h == 0  # no past yet: both are the posterior of one row
    assert np.allclose(p[first], row[first], atol=0.02)


def test_light_says_nothing_beyond_the_ceiling(many):
    readings, p = many
    close = np.abs(p - 0.3) < 0.1
    light = np.nan_to_num(readings.light_lux, nan=500)
    assert roc_auc_score(readings.maintenance[close], light[close]) == pytest.approx(0.5, abs=0.05)


def test_faults_do_what_their_names_say():
    sound = simulate_plant(seed=5, missing=0)
    late = sound.time_h >= sound.time_h.max() * 2 / 3
    drift, dim = simulate_plant(seed=5, missing=0, fault="drift"), simulate_plant(seed=5, missing=0, fault="dimming")
    assert np.allclose(drift.temperature_c - sound.temperature_c, np.where(late, 6, 0))
    assert np.allclose(dim.light_lux / sound.light_lux, np.where(late, 0.5, 1))
    stuck = simulate_plant(seed=5, missing=0, fault="stuck")
    repeated = [np.ptp(stuck.vibration_mm_s[late & (stuck.machine == m)]) == 0 for m in np.unique(stuck.machine)]
    assert sum(repeated) == 3
    lost = np.isnan(simulate_plant(seed=5, missing=0, fault="dropout").vibration_mm_s)
    assert sound.vibration_mm_s[lost].min() > np.median(sound.vibration_mm_s)


def test_the_seed_is_the_plant():
    a, b, c = simulate_plant(seed=1), simulate_plant(seed=1), simulate_plant(seed=2)
    assert np.array_equal(a.vibration_mm_s, b.vibration_mm_s, equal_nan=True)
    assert not np.array_equal(a.vibration_mm_s, c.vibration_mm_s, equal_nan=True)
