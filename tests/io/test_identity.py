"""Equal rows, names that look alike and marks of missing values are found where they are, and nowhere else."""

import time

import numpy as np
import pandas as pd
import pytest

from fulmen.io.identity import empty_names, look_alikes, same_rows, sentinel

# rows


def by_pandas(columns):
    """The class of each row and their number, by pandas, which has another way to compare rows."""
    frame = pd.DataFrame({name: pd.Series(values, dtype=object) for name, values in columns.items()})
    group = frame.fillna("missing").astype(str).groupby(list(frame), sort=False).ngroup().to_numpy()
    return group.tolist(), int(group.max()) + 1


@pytest.mark.parametrize("seed", range(20))
def test_equal_rows_are_those_of_pandas(seed):
    draw = np.random.default_rng(seed)
    size = int(draw.integers(1, 300))
    columns = {
        "a": draw.choice([0.5, -1.5, np.nan, 1e300, 5e-324], size),
        "b": draw.integers(-2, 2, size),
        "c": pd.Series(draw.choice(["x", "X", "x ", ""], size)),
        "d": draw.choice([True, False], size),
    }
    found = same_rows(columns)
    assert (found.row.tolist(), found.distinct) == by_pandas(columns)
    assert found.repeated == size - found.distinct
    assert same_rows(pd.DataFrame(columns)).row.tolist() == found.row.tolist()


def test_a_table_three_times_over_is_told():
    draw = np.random.default_rng(0)
    once = {name: draw.normal(size=720) for name in "abc"}
    found = same_rows({name: np.tile(values, 3) for name, values in once.items()})
    assert found.distinct == 720
    assert found.row.tolist() == list(range(720)) * 3


def test_nan_equals_nan_and_zero_equals_minus_zero():
    assert same_rows({"x": np.array([np.nan, -np.nan, 0.0, -0.0])}).row.tolist() == [0, 0, 1, 1]
    assert same_rows({"x": pd.Series(["a", None, np.nan, "a"], dtype=object)}).distinct == 2


def test_swapped_columns_and_neighbouring_numbers_are_no_equal_rows():
    assert same_rows({"x": np.array([1.0, 2.0]), "y": np.array([2.0, 1.0])}).distinct == 2
    grid = np.stack(np.meshgrid(np.arange(300), np.arange(300)), -1).reshape(-1, 2)
    assert same_rows({"x": grid[:, 0], "y": grid[:, 1]}).distinct == 90_000
    assert same_rows({"x": grid[:, 0] * 1e-9, "y": grid[:, 1] * 1.0}).distinct == 90_000


def test_a_table_without_columns_has_no_rows():
    assert same_rows({}).distinct == 0


def test_300000_rows_take_less_than_a_second():
    draw = np.random.default_rng(0)
    columns = {str(i): draw.normal(size=300_000) for i in range(6)}
    same_rows(columns)
    start = time.process_time()
    same_rows(columns)
    assert time.process_time() - start < 1  # 0.1 s on a quiet machine


# names

ALIKE = {
    "case": ("Pump", "pump"), "white space": ("AAPL", "AAPL "), "inner white space": ("pump 1", "pump  1"),
    "no-break space": ("pump 1", "pump\u00a01"), "a point": ("3", "3.0"), "a zero": ("3", "03"),
    "composed": ("caf\u00e9", "cafe\u0301"), "zero width": ("a", "a\u200b"), "full width": ("A1", "\uff21\uff11"),
    "byte order mark": ("a", "\ufeffa"), "none between": ("pump 1", "pump1"), "both": ("Pump 1",
    " PUMP1"), "tab": ("a\tb", "a b"),
}  # fmt: skip


@pytest.mark.parametrize("pair", ALIKE.values(), ids=ALIKE)
def test_names_that_look_alike_are_found_with_their_rows(pair):
    found = look_alikes([pair[0], pair[1], pair[0], "other", "else"])
    assert [(each.names, each.rows) for each in found] == [(pair, (2, 1))]
    assert repr(pair[1]) in str(found[0])


def test_what_they_differ_in_is_told():
    told = {name: look_alikes(pair)[0].differ for name, pair in ALIKE.items()}
    assert told["case"] == "case"
    assert told["white space"] == told["inner white space"] == told["none between"] == "white space"
    assert told["a point"] == told["a zero"] == "how a number is written"
    assert told["composed"] == told["zero width"] == told["no-break space"] == "signs that look alike"
    assert told["both"] == "case and white space"


@pytest.mark.parametrize(
    "names",
    [["a", "b"], ["3", "30", "3.01", "-3"], ["pump 1", "pump 2"], ["1 11", "11 1"], ["BRK.A", "BRK.B"], ["A", "Á"],
     ["1.5", "15"], ["x", "x2"], ["3", "3a"], ["", "a"], ["0.0", "-1"], ["v1.0", "v1"]],
)  # fmt: skip
def test_names_that_differ_do_not_look_alike(names):
    assert look_alikes(names) == []


def test_empty_names_are_found():
    assert empty_names(["a", "", " ", "\u200b", "\u00a0", "0", "-"]).tolist() == [1, 2, 3, 4]


# marks of missing values


def honest(name, draw, size):
    """Columns as they are measured or counted, without a mark."""
    return {
        "normal": lambda: draw.normal(20, 5, size),
        "cold": lambda: np.round(draw.uniform(-230, -170, size)),
        "cold to -200": lambda: np.maximum(np.round(draw.normal(-190, 10, size)), -200),
        "counts to 999": lambda: draw.integers(0, 1000, size).astype(float),
        "counts above 999": lambda: draw.poisson(990, size).astype(float),
        "saturated": lambda: np.minimum(draw.exponential(400, size).round(), 999),
        "prices": lambda: np.round(draw.lognormal(5, 1, size)) - 1,
        "large": lambda: np.round(draw.uniform(0, 20_000, size), -1) + 9,
        "binary": lambda: draw.choice([0.0, 999.0], size),
        "rare event": lambda: draw.choice([0.0, 1.0, -999.0], size, p=[0.5, 0.3, 0.2]),
        "constant": lambda: np.full(size, -999.0),
        "both signs": lambda: np.round(draw.normal(0, 500, size)),
        "gains": lambda: draw.standard_t(3, size) * 10,
        "volume": lambda: np.round(draw.lognormal(14, 1, size)),
        "years": lambda: draw.integers(1950, 2030, size).astype(float),
        "missing": lambda: np.full(size, np.nan),
    }[name]()


HONEST = ["normal", "cold", "cold to -200", "counts to 999", "counts above 999", "saturated", "prices", "large",
"binary",
          "rare event", "constant", "both signs", "gains", "volume", "years", "missing"]  # fmt: skip


@pytest.mark.parametrize("name", HONEST)
@pytest.mark.parametrize("size", [30, 500, 20_000])
def test_honest_columns_have_no_mark(name, size):
    for seed in range(10):
        assert sentinel(honest(name, np.random.default_rng(seed), size)) is None, seed


AIR = {  # of the shape of the air of an Italian town: lowest, median, spread of the logarithm
    "CO": (0.1, 1.8, 0.6), "NOx": (2, 180, 0.9), "NO2": (2, 109, 0.4), "benzene": (0.1, 8, 0.8), "sensor": (400,
    1063, 0.2),
    "humidity": (9, 49, 0.3),
}  # fmt: skip


@pytest.mark.parametrize("name", AIR)
@pytest.mark.parametrize("mark", [-200.0, -999.0, -9999.0, 99999.0, 1e20])
def test_marks_far_from_all_readings_are_found(name, mark):
    low, median, spread = AIR[name]
    for seed in range(10):
        draw = np.random.default_rng(seed)
        values = np.round(np.maximum(low, median * np.exp(spread * draw.normal(size=2000))), 1)
        values[draw.choice(2000, 40, replace=False)] = mark
        assert sentinel(values) == mark, seed


@pytest.mark.parametrize("mark", [-999.0, 999.0, 9999.0, -9999.0])
def test_marks_among_temperatures_are_found_beside_gaps(mark):
    values = np.random.default_rng(0).normal(15, 10, 300)
    values[:10], values[10:30] = mark, np.nan
    assert sentinel(values) == mark


def test_one_such_value_is_no_mark():
    values = np.random.default_rng(0).normal(15, 10, 300)
    values[7] = -999
    assert sentinel(values) is None
