"""A class that no column tells and two or three tell together is found; columns that go together by nature are not."""

import numpy as np
import pytest

from fulmen.data.leaks import Samples, scan

ROWS = 1500


def table(rng, y, x, **columns):
    split = rng.choice(3, ROWS, p=[0.64, 0.16, 0.2])
    named = {f"c{i}": x[:, i] for i in range(x.shape[1])} | columns
    return Samples(
        y, "classes", split, named, splitting="random", target_name="sick", sample="row", order=np.arange(ROWS),
        without=lambda names: [f"without {' '.join(names)}"],
    )  # fmt: skip


@pytest.fixture
def honest():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(ROWS, 4)).round(3)
    return rng, (x[:, 0] + rng.normal(size=ROWS) > 0.8).astype(int), x


def doubts(found):
    return [leak for leak in found if leak.severity != "note"]


def parts(rng, y, x, name):
    whole = rng.integers(0, 50, ROWS).astype(float)
    real = rng.normal(size=ROWS).round(4)
    billed = rng.lognormal(5, 1, ROWS).round(2)
    return {
        "sum": {"part": y - real, "rest": real},
        "ten times": {"part": (10 * y - real).round(4), "rest": real},
        "difference": {"total": whole + y, "negative": whole},
        "checksum": {"age": whole, "visits": rng.poisson(3, ROWS) * 1.0, "check": 0.0},
        "paid": {"billed": billed, "paid": np.where(y == 1, (billed * rng.uniform(0, 0.9, ROWS)).round(2), billed)},
    }[name]


@pytest.mark.parametrize("name", ["sum", "ten times", "difference", "checksum", "paid"])
def test_parts_of_the_class_are_found_together(honest, name):
    rng, y, x = honest
    columns = parts(rng, y, x, name)
    if name == "checksum":
        columns["check"] = columns["age"] + columns["visits"] + y
    (leak,) = doubts(scan(table(rng, y, x, **columns)))
    assert (leak.severity, set(leak.columns)) == ("error", set(columns))
    assert leak.cures == (f"without {' '.join(leak.columns)}",)


def test_two_flags_that_cross_to_the_class_are_found_and_a_rule_with_errors_is_not(honest):
    rng, _, x = honest
    a, b = (rng.integers(0, 2, ROWS).astype(float) for _ in range(2))
    y = (a != b).astype(int)
    (leak,) = doubts(scan(table(rng, y, x, a=a, b=b)))
    assert leak.columns == ("a", "b")
    wrong = np.where(rng.random(ROWS) < 0.02, 1 - y, y)
    assert doubts(scan(table(rng, wrong, x, a=a, b=b))) == []
    rare = np.zeros(ROWS, int)
    rare[:20] = 1
    assert [leak for leak in scan(table(rng, rng.permutation(rare), x, a=a, b=b)) if leak.columns == ("a", "b")] == []


@pytest.mark.parametrize("noise", [0.1, 0.3])
def test_columns_whose_difference_is_a_cause_are_no_leak(honest, noise):
    rng, _, x = honest
    air = rng.normal(300, 5, ROWS).round(1)
    process = (air + rng.normal(10, 1, ROWS)).round(1)
    y = (process - air + noise * rng.normal(size=ROWS) > 11).astype(int)
    assert doubts(scan(table(rng, y, x, air=air, process=process))) == []
