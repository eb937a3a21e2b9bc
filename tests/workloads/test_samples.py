"""What each workload shows to a scan for leaks: its samples by split, inputs as a person knows them, groups, times."""

import numpy as np
import pytest

from fulmen.data.leaks import scan
from fulmen.workloads.images.data import ImagesData
from fulmen.workloads.pbpk.data import PBPKData
from fulmen.workloads.pbpk.simulator.physiology import ORGANS
from fulmen.workloads.stocks.data import StocksData


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return str(tmp_path_factory.mktemp("cache"))


def ready(data):
    data.prepare_data()
    data.setup("fit")
    sizes = [len(next(iter(data.splits[name].values()))) for name in ("train", "validation", "test")]
    samples = data.all_samples()
    assert np.bincount(samples.split).tolist() == sizes
    return data, samples


def test_images_are_pixels_with_labels(cache):
    data, samples = ready(ImagesData(cache=cache))
    assert samples.content.dtype == np.uint8
    first = samples.rows(2)[0]
    assert (samples.content[first] == data.splits["test"]["image"][0].numpy()).all()
    assert (samples.target[first], samples.kind) == (data.splits["test"]["label"][0], "classes")
    assert scan(samples) == []


def test_an_image_data_set_that_validates_on_its_test_split_is_told_of_as_such(cache):
    with pytest.warns(UserWarning, match="original_protocol"):
        _, samples = ready(ImagesData(cache=cache, original_protocol=True))
    (leak,) = [leak for leak in scan(samples) if leak.severity == "error"]
    assert (leak.id, leak.cures) == ("FUL-L10", ("data.original_protocol=false",))


def test_windows_know_the_days_of_trading_their_ticker_and_the_prices_they_are_of(cache):
    _, samples = ready(StocksData(cache=cache, tickers=2, days=600, horizon_days=3, lookback_days=20))
    assert samples.horizon == 3
    assert len(np.unique(samples.group)) == len(samples.series) == 2
    close = samples.series[0].values["close"]
    row = int(np.flatnonzero(samples.group == 0)[100])
    today = int(samples.time[row])
    assert samples.target[row, 2] == pytest.approx(np.log(close[today + 3] / close[today]), abs=1e-6)
    assert samples.columns["return"][row] == pytest.approx(np.log(close[today] / close[today - 1]), abs=1e-6)
    assert scan(samples) == []


def test_the_override_that_leaves_a_feature_out_is_one_that_builds(cache):
    data, samples = ready(StocksData(cache=cache, days=600, lookback_days=20))
    assert samples.without(["volume"]) == ("data.features=[return,range,moving_average_20,volatility_20]",)
    assert samples.without(data.features) == ()


def test_subjects_are_their_parameters_and_their_curves(cache):
    size = {"compounds": 40, "validation_compounds": 8, "test_compounds": 8, "time_points": 20}
    data, samples = ready(PBPKData(cache=cache, kinetics="linear", **size))
    test = samples.rows(2)
    own = data.splits["test"]["subject"]
    liver = data.population[own].kp[:, ORGANS.index("liver")]
    assert samples.columns["kp.liver"][test].tolist() == liver.tolist()
    assert samples.columns["weight_kg"][test].tolist() == data.population[own].weight_kg.tolist()
    assert (samples.outcome[test] == data.splits["test"]["concentration"].numpy()).all()
    assert samples.outcome.shape[-1] == len(samples.outcome_time) == 19
    assert set(samples.also) >= {"compound", "lipophilicity", "age_y"}
    assert "compound" not in samples.columns
    assert [leak for leak in scan(samples) if leak.id.startswith("FUL-L")] == []
