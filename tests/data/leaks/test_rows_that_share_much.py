"""Rows of one product are no copies of each other; findings name lines of the file, and what to do about them."""

import numpy as np
import pytest

from fulmen.data.leaks import Samples, scan
from fulmen.data.leaks.times import by_other_column


def samples(columns, y, **more):
    split = np.random.default_rng(0).choice(3, len(y), p=[0.64, 0.16, 0.2])
    known = {"splitting": "random", "sample": "row", "order": np.arange(len(y))}
    return Samples(y, "classes", split, columns, **known | more)


def doubts(found):
    return [leak for leak in found if leak.severity != "note"]


def products(of_each, measured=1, seed=0):
    """Rows of products whose measures are fixed, and a value or more that is measured on each."""
    rng = np.random.default_rng(seed)
    what = rng.integers(0, 2400 // of_each, 2400)
    length, mass, wall = (rng.lognormal(3, 0.5, 2400 // of_each).round(2)[what] for _ in range(3))
    melt = {f"melt{i}": rng.normal(50, 6, 2400).round(2) for i in range(measured)}
    y = (melt["melt0"] + 3 * rng.normal(size=2400) > 57).astype(int)
    return {"length": length, "mass": mass, "wall": wall, **melt}, y


@pytest.mark.parametrize("of_each", [3, 8, 40])
@pytest.mark.parametrize("measured", [1, 2])
def test_products_of_fixed_measures_are_no_copies_of_each_other(of_each, measured):
    assert doubts(scan(samples(*products(of_each, measured)))) == []


def test_rows_that_share_all_but_a_column_are_asked_after_their_group():
    (leak,) = [leak for leak in scan(samples(*products(8))) if leak.code == "group_in_several_splits"]
    assert "in all but melt0" in leak.finding
    assert "data.group=COLUMN data.split=group" in leak.finding


def test_one_row_that_equals_another_is_a_note_and_many_are_an_error():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(1500, 5)).round(2)
    y = rng.integers(0, 2, 1500)
    split = samples({}, y).split
    train, test = np.flatnonzero(split == 0), np.flatnonzero(split == 2)
    for count, severity in ((1, "note"), (20, "error")):
        x[test[:count]] = x[train[:count]]
        (leak,) = [each for each in scan(samples({f"c{i}": x[:, i] for i in range(5)}, y)) if each.code == "copies"]
        assert leak.severity == severity


def test_a_share_of_near_copies_as_small_as_words_make_by_chance_is_a_note():
    rng = np.random.default_rng(0)
    for count, severity in ((6, ["note"]), (60, ["error"])):
        x = rng.normal(size=(2500, 5)).round(3)
        y = rng.integers(0, 2, 2500)
        split = samples({}, y).split
        train, test = np.flatnonzero(split == 0)[:count], np.flatnonzero(split == 2)[:count]
        x[test], y[test] = x[train] + 1e-4, y[train]
        assert [leak.severity for leak in scan(samples({f"c{i}": x[:, i] for i in range(5)}, y))] == severity


def test_findings_name_lines_of_the_file_where_there_are_lines():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(1000, 4)).round(3)
    more = np.vstack([x, x[:200]])
    y = rng.integers(0, 2, 1200)
    for noise, number in ((0.0, "FUL-L01"), (1e-4, "FUL-L02")):
        noisy = {f"c{i}": more[:, i] + noise * rng.normal(size=1200) for i in range(4)}
        y[1000:] = y[:200]
        found = doubts(scan(samples(noisy, y, line=np.arange(1200) + 2, advice={"copies": "drop them"})))
        assert found[0].id == number
        one, other = found[0].evidence["pairs"][0]
        assert abs(one - other) == 1000
        assert f"first: line {other} of the file" in found[0].finding
        assert found[0].finding.endswith("; drop them") == (number == "FUL-L01")


def test_an_order_of_the_file_is_removed_by_the_column_that_goes_with_it():
    rng = np.random.default_rng(0)
    level = np.cumsum(rng.normal(size=(1500, 3)), axis=0) / 10
    y = (np.sin(level.sum(1)) + 0.2 * rng.normal(size=1500) > 0).astype(int)
    columns = {f"c{i}": level[:, i] + rng.normal(size=1500) for i in range(3)}
    ways = {"by_time": lambda name: [f"time {name}"], "by_group": lambda name: [f"group {name}"]}
    also = {"noise": rng.permutation(1500), "when": np.arange(1500)}
    (leak,) = doubts(scan(samples(columns, y, also=also, **ways)))
    assert (leak.code, leak.cures) == ("time_order", ("time when",))
    by_machine = samples(columns, y, also={"noise": also["noise"], "machine": np.arange(1500) // 100}, **ways)
    assert by_other_column(by_machine, np.arange(1500)) == ["group machine"]
    (leak,) = doubts(scan(samples(columns, y, advice={"time_order": "add a column of times"})))
    assert leak.finding.endswith("; add a column of times")
