"""Distributions that moved are seen, and those that did not are left alone."""

import warnings

import numpy as np
import pytest
from scipy.stats import ks_2samp, norm

from fulmen.workloads.sensors import drift
from fulmen.workloads.sensors.data import SensorData


def test_psi_of_a_shifted_normal_is_its_closed_form():
    """Of two normals a mean apart, twice the mean of both Kullback-Leibler divergences is the gap squared."""
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal(400_000), rng.standard_normal(400_000) + 0.5
    borders = np.linspace(-4, 4.5, 200)
    cells = [np.append(np.diff(norm.cdf(borders, m), prepend=0), 1 - norm.cdf(borders[-1], m)) for m in (0, 0.5)]
    assert drift.psi(*cells, least=1e-12) == pytest.approx(0.25, rel=0.01)
    assert drift.psi(drift.shares(a, borders), drift.shares(b, borders), least=1e-6) == pytest.approx(0.25, rel=0.05)
    assert drift.psi(np.array([0.5, 0.5]), np.array([0.8, 0.2])) == pytest.approx(0.3 * np.log(1.6) - 0.3 * np.log(0.4))


def test_bins_hold_equal_shares_and_gaps_have_their_own():
    values = np.append(np.random.default_rng(1).standard_normal(900), np.full(100, np.nan))
    bins = drift.bins_of(values)
    assert np.allclose(bins["shares"], [0.09] * 10 + [0.1], atol=2e-3)
    counts, _ = np.histogram(values[:900], [-np.inf, *bins["borders"], np.inf])
    assert np.allclose(drift.shares(values, bins["borders"])[:-1] * 1000, counts)
    lost = np.where(np.random.default_rng(2).random(1000) < 0.4, np.nan, values)
    assert drift.compare(values, lost)[0] > drift.ALARM


def test_the_same_distribution_is_no_drift_and_ks_is_scipys():
    rng = np.random.default_rng(3)
    a, b = rng.gamma(2, size=5000), rng.gamma(2, size=drift.FEWEST)
    index, gap = drift.compare(a, b)
    assert index < drift.ALARM / 2
    assert gap == pytest.approx(ks_2samp(a, b).statistic)


def alarms(**options):
    data = SensorData(machines=24, seed=2, **options)
    data.setup()
    parts = [data.splits[name]["x"][:, : len(data.sensors)].numpy() for name in ("train", "test")]
    return drift.alarms(drift.table(data.sensors, *parts, data.hours["train"]))


@pytest.mark.parametrize(("fault", "column"), [("drift", "temperature_c"), ("dimming", "light_lux")])
def test_a_fault_of_the_sensors_is_drift_over_time_and_a_sound_plant_has_none(fault, column):
    assert alarms() == []
    (said,) = alarms(fault=fault)
    assert said.startswith(f"drift: {column}: the last third of the training time")


def test_a_test_part_after_the_drift_began_is_unlike_the_training_part():
    said = alarms(fault="drift", split="time", folds=5, fold=2)
    assert [each for each in said if each.startswith("drift: temperature_c: the test split")], said


def test_a_file_unlike_the_training_part_is_a_warning_and_a_short_one_is_not():
    rng = np.random.default_rng(4)
    columns = [{"name": "a", "bins": drift.bins_of(rng.standard_normal(3000))}, {"name": "b"}]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert drift.alarms_of_file(columns, {"a": rng.standard_normal(500), "b": np.ones(500)}, "f.csv") == []
        assert drift.alarms_of_file(columns, {"a": np.full(9, 7.0)}, "f.csv") == []
        (said,) = drift.alarms_of_file(columns, {"a": rng.standard_normal(500) + 2}, "f.csv")
    assert said.startswith("drift: f.csv, column a: distributed unlike the training split (PSI ")
