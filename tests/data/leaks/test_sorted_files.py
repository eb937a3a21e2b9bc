"""A feature by which a file is sorted is no id, and its order no time; numbers of people are found all the same."""

import numpy as np
import pytest

from fulmen.data.leaks import Samples, scan
from fulmen.data.leaks.sorting import evenly, sorted_by


def sorted_file(column, rows=1500, seed=0, law=np.abs):
    """Independent rows in the order of one of their features, by which the target goes."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, 5))
    x[:, 0] = column(rng, rows)
    x = x[np.argsort(x[:, 0], kind="stable")]
    z = (x[:, 0] - x[:, 0].mean()) / x[:, 0].std()
    y = (law(z) + 0.3 * x[:, 1] + 0.5 * rng.normal(size=rows) > 0.8).astype(int)
    return dealt(rng, y, {f"c{i}": x[:, i] for i in range(5)})


def dealt(rng, y, columns, **more):
    split = rng.choice(3, len(y), p=[0.64, 0.16, 0.2])
    return Samples(y, "classes", split, columns, splitting="random", sample="row", order=np.arange(len(y)), **more)


COLUMNS = {
    "floats without ties": lambda rng, n: rng.normal(size=n),
    "rounded": lambda rng, n: rng.lognormal(10, 0.5, n).round(-2),
    "whole numbers": lambda rng, n: rng.normal(246, 50, n).round(),
    "even chances": lambda rng, n: rng.uniform(0, 1000, n).round(),
    "few values": lambda rng, n: rng.integers(0, 20, n).astype(float),
}


@pytest.mark.parametrize("law", [np.abs, np.negative, lambda z: np.sin(2 * z)], ids=["bowl", "falls", "waves"])
@pytest.mark.parametrize("name", COLUMNS)
def test_a_feature_by_which_a_file_is_sorted_is_neither_an_id_nor_a_time(name, law):
    assert [leak for leak in scan(sorted_file(COLUMNS[name], law=law)) if leak.severity != "note"] == []


@pytest.mark.parametrize(
    "made",
    [np.arange(900.0), np.arange(900) * 3.0 + 7, np.arange(1200.0)[np.random.default_rng(0).random(1200) < 0.75]],
    ids=["each", "every third", "some left out"],
)
def test_an_id_goes_on_by_even_steps_and_a_sorted_column_does_not(made):
    assert evenly(made)
    assert not evenly(np.sort(np.random.default_rng(1).uniform(size=len(made))))
    rng = np.random.default_rng(0)
    of_ids = dealt(rng, rng.integers(0, 2, len(made)), {"number": made, "other": rng.normal(size=len(made))})
    assert not sorted_by(of_ids, np.arange(len(made)))


def test_a_column_that_is_hardly_ever_anything_but_zero_sorts_no_file():
    rng = np.random.default_rng(0)
    rare = (rng.random(2000) < 0.003).astype(float)
    assert not sorted_by(dealt(rng, rng.integers(0, 2, 2000), {"rare": rare}), np.arange(2000))


@pytest.mark.parametrize("shuffled", [False, True], ids=["in order", "shuffled"])
def test_the_number_of_a_person_among_the_features_is_a_group_and_no_time(shuffled):
    rng = np.random.default_rng(0)
    who = np.sort(rng.integers(0, 400, 3200))
    nature = rng.normal(size=(400, 3))[who]
    x = nature + 0.2 * rng.normal(size=(3200, 3))
    y = (0.5 * x[:, 0] + rng.normal(size=400)[who] + rng.normal(size=3200) > 0.8).astype(int)
    columns = {f"c{i}": x[:, i].round(1) for i in range(3)} | {"patient": who + 10_000.0}
    order = rng.permutation(3200) if shuffled else np.arange(3200)
    found = scan(dealt(rng, y[order], {name: values[order] for name, values in columns.items()}))
    assert [(leak.code, leak.columns) for leak in found if leak.severity != "note"] == [
        ("group_in_several_splits", ("patient",))
    ]


def test_numbers_of_a_design_each_of_which_comes_once_are_no_ids():
    rng = np.random.default_rng(0)
    set_values = {name: rng.permutation(900) + 100.0 for name in ("speed", "depth", "feed")}
    y = (set_values["speed"] + 200 * rng.normal(size=900) > 600).astype(int)
    assert scan(dealt(rng, y, {**set_values, "force": rng.normal(size=900)})) == []
    (leak,) = scan(dealt(rng, y, {"speed": set_values["speed"], **{f"c{i}": rng.normal(size=900) for i in range(3)}}))
    assert leak.code == "identifier"


def test_a_finding_quotes_errors_only_where_they_show_what_it_says():
    rng = np.random.default_rng(0)
    for seed in range(4):
        who = np.sort(rng.integers(0, 60, 1200))
        x = (rng.normal(size=(60, 4))[who] + rng.normal(size=(1200, 4))).round(2)
        y = (rng.normal(size=60)[who] * 0.9 + rng.normal(size=1200) > 0.5).astype(int)
        for leak in scan(dealt(np.random.default_rng(seed), y, {f"c{i}": x[:, i] for i in range(4)}, group=who)):
            assert ("squared error" in leak.finding) == (leak.evidence["error_with"] < leak.evidence["error_without"])
