"""Columns that are the target, number the rows or know what comes are found; honest columns of every kind are not."""

import numpy as np
import pytest

from fulmen.data.leaks import Samples, scan


def table(rows=1500, seed=0, **columns):
    """Independent rows with a target of middling difficulty, and what is added to them."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, 5))
    y = (x[:, 0] + 0.7 * x[:, 1] + rng.normal(size=rows) > 0.8).astype(int)
    named = {f"c{i}": x[:, i] for i in range(5)} | {name: make(rng, y, x) for name, make in columns.items()}
    split = rng.choice(3, rows, p=[0.64, 0.16, 0.2])
    return Samples(
        y, "classes", split, named, splitting="random", target_name="y", sample="row", order=np.arange(rows),
        without=lambda names: [f"without {each}" for each in names],
    )  # fmt: skip


def flipped(rng, y, share):
    return np.where(rng.random(len(y)) < share, 1 - y, y)


LEAKS = {
    "equal": ("target_copy", lambda rng, y, x: y.astype(float)),
    "inverted": ("target_copy", lambda rng, y, x: 7.0 - 3 * y),
    "recoded as texts": ("target_copy", lambda rng, y, x: np.array(["ok", "broken"], dtype=object)[y]),
    "equal but for a few rows": ("target_copy", lambda rng, y, x: flipped(rng, y, 0.005).astype(float)),
    "many codes of one class each": ("target_copy", lambda rng, y, x: y * 4 + rng.integers(0, 4, len(y))),
    "with noise": ("target_proxy", lambda rng, y, x: y * 4.5 + rng.normal(size=len(y))),
    "a probability": ("target_proxy", lambda rng, y, x: 1 / (1 + np.exp(2 - y * 4.6 - rng.normal(size=len(y))))),
    "missing where nothing happened": (
        "target_proxy", lambda rng, y, x: np.where(flipped(rng, y, 0.02) == 1, rng.gamma(2, 50, len(y)), np.nan),
    ),
    "the number of the row": ("identifier", lambda rng, y, x: np.arange(len(y)) * 3.0 + 1000),
    "a shuffled number": ("identifier", lambda rng, y, x: rng.permutation(len(y)) + 5000.0),
    "a shuffled number with ties": ("identifier", lambda rng, y, x: rng.permutation(len(y)) // 2 + 5000.0),
    "a shuffled time stamp": ("identifier", lambda rng, y, x: 1.7e9 + rng.permutation(len(y)) * 907.0),
    "a text of its own": ("identifier", lambda rng, y, x: np.array([f"{i:x}" for i in rng.permutation(len(y)) * 977])),
}  # fmt: skip


@pytest.mark.parametrize("name", LEAKS)
def test_a_column_that_leaks_is_named_rightly_and_once(name):
    code, make = LEAKS[name]
    (leak,) = [each for each in scan(table(suspect=make)) if each.severity != "note"]
    assert (leak.code, leak.columns, leak.cures) == (code, ("suspect",), ("without suspect",))


HONEST = {
    "a unique reading": lambda rng, y, x: rng.normal(20, 3, len(y)),
    "a wear counter": lambda rng, y, x: np.arange(len(y)) * 3 % 241.0,
    "the hour of the day": lambda rng, y, x: np.arange(len(y)) % 24.0,
    "a level": lambda rng, y, x: rng.integers(0, 4, len(y)),
    "a count": lambda rng, y, x: rng.poisson(30, len(y)).astype(float),
    "whole pascals": lambda rng, y, x: np.round(rng.normal(101_325, 900, len(y))),
    "gaps at random": lambda rng, y, x: np.where(rng.random(len(y)) < 0.2, np.nan, rng.normal(size=len(y))),
}


@pytest.mark.parametrize("name", HONEST)
def test_an_honest_column_is_no_leak(name):
    assert scan(table(suspect=HONEST[name])) == []


@pytest.mark.parametrize("noise", [0.1, 0.2, 0.4])
@pytest.mark.parametrize("share", [0.05, 0.5])
def test_a_strong_cause_is_at_most_a_note(noise, share):
    rng = np.random.default_rng(1)
    x = rng.normal(size=(4000, 5))
    score = x[:, 0] + 0.3 * x[:, 1] + noise * rng.normal(size=4000)
    y = (score > np.quantile(score, 1 - share)).astype(int)
    split = rng.choice(3, 4000, p=[0.64, 0.16, 0.2])
    found = scan(Samples(y, "classes", split, {f"c{i}": x[:, i] for i in range(5)}, splitting="random"))
    assert [leak for leak in found if leak.severity != "note"] == []


def test_kinds_of_the_event_are_the_target_in_parts():
    parts = {
        f"kind {i}": lambda rng, y, x, i=i: ((y == 1) & (np.arange(len(y)) % 3 == i)).astype(float) for i in range(3)
    }
    (leak,) = scan(table(**parts))
    assert (leak.code, leak.columns) == ("target_copy", tuple(parts))


def test_a_target_of_numbers_is_found_in_another_unit_with_noise_and_as_a_sum():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(1000, 4))
    y = x @ [1.0, 0.5, 0.2, 0.0] + rng.normal(size=1000)
    split = rng.choice(3, 1000, p=[0.6, 0.2, 0.2])
    named = {f"c{i}": x[:, i] for i in range(4)}

    def found(**more):
        return [(leak.code, leak.columns) for leak in scan(Samples(y, "numbers", split, named | more))]

    assert found() == []
    assert found(other=9 * y / 5 + 32) == [("target_copy", ("other",))]
    assert found(other=y + 0.1 * rng.normal(size=1000)) == [("target_proxy", ("other",))]
    first = rng.normal(size=1000)
    assert found(first=first, second=y - first) == [("target_copy", ("first", "second"))]


def walk(rng, rows, stay=0.97):
    values = np.zeros(rows)
    steps = rng.normal(size=rows)
    for i in range(1, rows):
        values[i] = stay * values[i - 1] + np.sqrt(1 - stay**2) * steps[i]
    return values


@pytest.fixture
def series():
    """Readings of one machine that goes on, later ones of which test."""
    rng = np.random.default_rng(3)
    hidden = walk(rng, 2000)
    named = {f"s{i}": hidden + walk(rng, 2000, 0.8) for i in range(3)}
    y = (hidden + 0.3 * rng.normal(size=2000) > 0.5).astype(int)
    split = np.repeat([0, 1, 2], [1200, 300, 500])
    time = np.arange(2000.0)
    return Samples(y, "classes", split, named, time=time, order=time, splitting="time", target_name="y")


def with_column(samples, name, values):
    return Samples(**vars(samples) | {"columns": {**samples.columns, name: values}})


def test_features_of_the_future_are_found_and_those_of_the_past_are_not(series):
    s0, y = series.columns["s0"], series.target
    ahead = np.append(y[1:], 0).astype(float)
    around = np.convolve(s0, np.ones(7) / 7, "same")
    following = np.append(s0[1:], np.nan)
    for values in (ahead, around, following):
        assert [leak.code for leak in scan(with_column(series, "suspect", values))] == ["look_ahead"]
    behind = np.insert(s0[:-1], 0, np.nan)
    trailing = np.convolve(s0, np.ones(7) / 7)[:2000]
    before = np.insert(y[:-1], 0, 0).astype(float)
    for values in (behind, trailing, before):
        assert [leak for leak in scan(with_column(series, "suspect", values)) if leak.severity != "note"] == []


@pytest.mark.parametrize("steps", [2, 3, 4])
def test_a_mean_of_coming_readings_is_told_as_that_and_not_as_one_of_them(series, steps):
    s0 = series.columns["s0"]
    following = np.mean([np.append(s0[step:], np.full(step, np.nan)) for step in range(1, steps + 1)], 0)
    (leak,) = scan(with_column(series, "mean_next", following))
    assert f"is the mean of s0 over the next {steps} steps" in leak.finding


def test_a_series_that_is_split_at_random_breaks_the_order_of_time(series):
    rng = np.random.default_rng(0)
    shuffled = Samples(**vars(series) | {"split": rng.permutation(series.split), "splitting": "random"})
    (leak,) = scan(shuffled)
    assert (leak.code, leak.severity) == ("time_order", "error")
    assert scan(series) == []


def test_the_sine_and_the_cosine_of_the_hour_know_no_future(series):
    angle = 2 * np.pi * np.arange(2000) / 12
    both = with_column(with_column(series, "hour_sin", np.sin(angle)), "hour_cos", np.cos(angle))
    assert scan(both) == []
