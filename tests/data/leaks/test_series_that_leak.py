"""Prices that know later ones, or come twice, are found; what markets do by themselves is not."""

import numpy as np
import pytest

from fulmen.data.leaks.delayed import delayed, repeated_blocks
from fulmen.data.leaks.filled import filled
from fulmen.data.leaks.foretold import foretold
from fulmen.data.leaks.samples import Samples, Series
from fulmen.data.leaks.stretches import shared_stretches
from fulmen.workloads.stocks.simulator import simulate_market

DAYS = 1500


def leaks(samples):
    return [leak for detector in (delayed, shared_stretches, filled, foretold) for leak in detector(samples)]


def samples(*closes, columns=None, split=None, horizon=1.0, values=None, made_of=None):
    """Windows of series of prices [T] on one calendar, split in time; `columns` are features [T] of the first alone.

    Args:
        values: further ones of each day, such as high.
        made_of: which features are made of them.
    """
    series = [
        Series(f"S{i}", np.arange(len(close), dtype=float), {"close": close} | (values or {}))
        for i, close in enumerate(closes)
    ]
    day = np.arange(DAYS - 1)
    split = np.repeat([0, 1, 2], [1000, 200, 299]) if split is None else split
    return Samples(
        np.diff(np.log(closes[0])), "numbers", split, {k: v[:-1] for k, v in (columns or {}).items()},
        time=day.astype(float), splitting="time", horizon=horizon, series=series, sample="window",
        without=lambda names: (f"without={list(names)}",), target_name="log-return of the next day", made_of=made_of,
    )  # fmt: skip


def close(seed=0, signal=0.05):
    return np.round(simulate_market(DAYS, seed, signal).close, 2)


def found_in(*args, **kwargs):
    return [(leak.code, leak.severity) for leak in leaks(samples(*args, **kwargs))]


@pytest.mark.parametrize("seed", range(4))
def test_markets_with_a_signal_of_five_percent_leak_nothing(seed):
    price = close(seed)
    features = {"return": np.diff(np.log(price), prepend=np.nan), "moving average": np.log(price)}
    assert found_in(price, close(seed + 50), columns={k: np.nan_to_num(v) for k, v in features.items()}) == []


@pytest.mark.parametrize("level", [0.1, 0.5, 3.0])
def test_cheap_shares_in_whole_cents_and_shares_that_stand_still_leak_nothing(level):
    price = np.maximum(np.round(level * close(3, 0.0) / 100, 2), 0.02)
    still = price.copy()
    for day in range(100, 1400, 30):
        still[day : day + 3] = still[day - 1]
    features = {"return": np.diff(np.log(price), prepend=np.log(price[0])), "level": price}
    assert found_in(price, columns=features) == []
    assert found_in(still) == []


def test_a_centred_mean_of_prices_is_found_and_one_on_lines_between_others_too():
    price = close()
    mean = np.convolve(np.pad(price, 1, mode="edge"), np.ones(3) / 3, "valid")
    assert found_in(mean) == [("look_ahead", "error")]
    kept = np.random.default_rng(0).random(DAYS) > 0.1
    kept[[0, -1]] = True
    line = np.interp(np.arange(DAYS), np.flatnonzero(kept), price[kept])
    assert found_in(np.round(line, 2)) == [("look_ahead", "error")]


@pytest.mark.parametrize("width", [3, 5])
def test_of_smoothed_prices_one_thing_is_said_whatever_is_made_of_them(width):
    raw = close()
    price = np.round(np.convolve(np.pad(raw, width // 2, mode="edge"), np.ones(width) / width, "valid"), 2)
    mean = np.convolve(price, np.ones(20) / 20)[:DAYS]
    features = {"return": np.diff(np.log(price), prepend=np.log(price[0])), "moving average": np.log(price / mean)}
    found = leaks(samples(price, columns=features, values={"open": raw}, made_of={"open": ()}))
    assert [(leak.severity, "smoothed" in leak.finding) for leak in found] == [("error", True)]


def test_weekly_prices_on_lines_between_are_no_stretches_that_come_twice():
    line = np.interp(np.arange(DAYS), np.arange(0, DAYS, 5), close()[::5])
    (leak,) = leaks(samples(line))
    assert "lie on a line" in leak.finding


@pytest.mark.parametrize("seed", range(3))
def test_a_price_that_returns_to_a_level_leaks_nothing(seed):
    rng = np.random.default_rng(seed)
    price = np.round(np.where(rng.random(DAYS) < 0.7, 1.0, 1 + rng.normal(0, 0.003, DAYS)), 4)
    mean = np.convolve(price, np.ones(20) / 20)[:DAYS]
    features = {"return": np.diff(np.log(price), prepend=0.0), "moving average": np.log(price / mean)}
    opened = np.round(1 + rng.normal(0, 0.0003, DAYS), 4)
    assert found_in(price, columns=features, values={"open": opened}, made_of={"open": ()}) == []


def span(price, seed, wide=0.006):
    """High and Low of days whose Close is given."""
    rng = np.random.default_rng(seed)
    opened = np.append(price[:1], price[:-1])
    high = np.maximum(price, opened) * np.exp(wide * rng.random(DAYS))
    return {"high": np.round(high, 2), "low": np.round(np.minimum(price, opened) * np.exp(-wide * rng.random(DAYS)), 2)}


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("names", [("high", "low"), ("low",)])
def test_highs_and_lows_that_hold_the_next_close_are_found_and_those_of_the_day_are_not(seed, names):
    price = close(seed)
    values, ahead = span(price, seed), np.append(price[1:], price[-1])
    made_of = {"high": ("range",), "low": ("range",)}
    assert found_in(price, values=values, made_of=made_of) == []
    changed = {name: (np.maximum if name == "high" else np.minimum)(values[name], ahead) for name in names}
    (leak,) = leaks(samples(price, values=values | changed, made_of=made_of))
    assert (leak.severity, leak.columns, leak.cures) == ("error", names, ("without=['range']",))
    assert "the next Close lies" in leak.finding


def test_a_value_that_knows_tomorrow_is_a_note_where_no_feature_is_made_of_it_and_told_once_where_one_is():
    price = close()
    ahead = np.append(price[1:], price[-1])
    (leak,) = leaks(samples(price, values={"open": ahead}, made_of={"open": ()}))
    assert (leak.severity, leak.columns) == ("note", ("open",))
    gap = np.log(ahead / np.append(price[:1], price[:-1]))
    (leak,) = leaks(samples(price, columns={"gap": gap}, values={"open": ahead}, made_of={"open": ("gap",)}))
    assert (leak.severity, leak.columns, leak.cures) == ("error", ("gap",), ("without=['gap']",))


@pytest.mark.parametrize("begin", [0, 200, 1000])
def test_a_series_that_is_another_one_from_some_day_on_is_found_with_the_day(begin):
    price, spliced = close(), close(7)
    spliced[begin:] = np.round(price[begin:] * 0.37 * spliced[begin - 1] / price[begin - 1], 2)
    (leak,) = leaks(samples(price, spliced, close(9)))
    assert (leak.code, leak.severity, set(leak.columns)) == ("near_copies", "warning", {"S0", "S1"})
    assert leak.cures == ("without=['S1']",)
    assert begin == 0 or abs(leak.evidence["start"] - begin) <= 2


def test_two_classes_of_one_share_are_no_copies_however_alike_they_are():
    rng = np.random.default_rng(3)
    step = rng.normal(0, 0.01, DAYS)
    prices = [np.round(each * np.exp(np.cumsum(step + rng.normal(0, 0.0009, DAYS))), 2) for each in (100, 100, 7)]
    assert found_in(*prices) == []


def test_gaps_that_are_filled_backwards_are_found_and_gaps_that_are_filled_forwards_are_not():
    price, rng = simulate_market(DAYS, 1, 0.0).close, np.random.default_rng(0)
    forwards, backwards = price.copy(), price.copy()
    for day in rng.choice(np.arange(10, DAYS - 10, 10), 60, replace=False):
        forwards[day : day + 4] = price[day - 1]
        backwards[day : day + 4] = price[day + 4]
    assert found_in(forwards) == []
    (leak,) = leaks(samples(backwards))
    assert (leak.code, "backwards" in leak.finding) == ("look_ahead", True)


def test_a_feature_that_knows_tomorrow_is_named_with_the_override_that_leaves_it_out():
    price = close()
    step = np.diff(np.log(price), append=np.log(price[-1]))
    noise = np.random.default_rng(1).normal(size=DAYS)
    (leak,) = leaks(samples(price, columns={"volume": step / step.std() + noise, "range": noise}))
    assert (leak.code, leak.columns, leak.cures) == ("look_ahead", ("volume",), ("without=['volume']",))


def test_a_series_that_is_another_one_days_before_and_one_that_is_the_same_are_found():
    price, other = close(), close(9)
    ahead = np.exp(0.5 * np.log(np.roll(price, -5))) * (1 + 1e-3 * np.random.default_rng(2).normal(size=DAYS))
    (leak,) = leaks(samples(price, ahead, other))
    assert (leak.code, leak.evidence["steps"], set(leak.columns)) == ("look_ahead", -5, {"S0", "S1"})
    assert "S1 does what S0 does 5 steps later" in leak.finding
    (leak,) = leaks(samples(price, np.roll(ahead, 4), other))
    assert "1 step later" in leak.finding
    assert leak.cures == ("without=['S1']",)
    assert found_in(price, 1.7 * price, other) == [("near_copies", "warning")]


def test_a_block_of_days_that_comes_twice_is_found_in_both_splits():
    step = np.diff(np.log(simulate_market(DAYS, 5, 0.0).close))
    step[1300:1360] = 1.5 * step[200:260]
    (leak,) = leaks(samples(100 * np.exp(np.append(0, np.cumsum(step)))))
    assert (leak.code, leak.severity) == ("near_copies", "error")
    first, second = leak.evidence["places"][0]
    assert second - first == 1100


def test_blocks_of_independent_steps_never_repeat():
    assert len(repeated_blocks(np.random.default_rng(0).standard_t(4, 3000))) == 0


def test_targets_that_reach_into_the_next_split_and_splits_that_are_no_blocks_are_found():
    price = close()
    split = np.repeat([0, 2], [1000, 499])
    assert found_in(price, split=split, horizon=1.0) == []
    (leak,) = leaks(samples(price, split=split, horizon=5.0))
    assert (leak.code, leak.evidence["count"], leak.evidence["later"]) == ("look_ahead", 4, 0)
    mixed = np.random.default_rng(0).choice(3, DAYS - 1)
    assert ("time_order", "error") in found_in(price, split=mixed)
