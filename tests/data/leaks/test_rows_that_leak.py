"""Copies, near copies and groups across splits are found; rows that chance makes equal are no copies."""

import numpy as np
import pytest

from fulmen.data.leaks import Samples, scan
from fulmen.data.leaks.groups import group_leaks


def samples(columns, y, seed=0, **more):
    split = np.random.default_rng(seed).choice(3, len(y), p=[0.64, 0.16, 0.2])
    return Samples(y, "classes", split, columns, splitting="random", sample="row", order=np.arange(len(y)), **more)


def readings(rng, rows, digits=3):
    x = rng.normal(size=(rows, 5)).round(digits)
    return x, (x[:, 0] + rng.normal(size=rows) > 0.5).astype(int)


def named(x):
    return {f"c{i}": x[:, i] for i in range(x.shape[1])}


def codes(found):
    return [leak.code for leak in found if leak.severity != "note"]


@pytest.mark.parametrize("levels", [2, 3, 5])
@pytest.mark.parametrize("questions", [3, 6, 10])
def test_equal_answers_to_a_few_questions_are_no_copies(levels, questions):
    rng = np.random.default_rng(levels * questions)
    mood = rng.normal(size=2000)
    x = np.clip(np.round(levels / 2 + mood[:, None] + rng.normal(size=(2000, questions))), 1, levels)
    y = (mood + rng.normal(size=2000) > 0).astype(int)
    assert codes(scan(samples(named(x), y))) == []


def test_coarse_readings_of_a_machine_that_stands_are_no_copies():
    rng = np.random.default_rng(0)
    x, y = readings(rng, 3000)
    x[rng.random(3000) < 0.3] = 0.0
    assert codes(scan(samples(named(x), y))) == []


@pytest.mark.parametrize("noise", [1e-4, 0.02])
def test_rows_copied_with_a_little_noise_are_near_copies(noise):
    rng = np.random.default_rng(0)
    x, y = readings(rng, 1000)
    more = rng.choice(1000, 100, replace=False)
    both = np.vstack([x, x[more] + noise * rng.normal(size=(100, 5))])
    assert codes(scan(samples(named(both), np.append(y, y[more])))) == ["near_copies"]
    assert codes(scan(samples(named(x), y))) == []


@pytest.mark.parametrize("times", [6, 10, 40])
def test_events_drawn_again_many_times_with_a_little_noise_are_near_copies(times):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(3000, 5)).round(3)
    y = (x[:, 0] + rng.normal(size=3000) > 2.6).astype(int)
    again = np.repeat(np.flatnonzero(y == 1), times)
    order = rng.permutation(3000 + len(again))
    both = np.vstack([x, x[again] + 0.01 * rng.normal(size=(len(again), 5))])[order]
    (leak,) = scan(samples(named(both), np.append(y, y[again])[order]))
    assert (leak.code, leak.severity) == ("near_copies", "error")
    assert leak.evidence["share_of_class"] > 0.5 > 10 * leak.evidence["share_of_others"]


@pytest.mark.parametrize("spread", [0.3, 1.0, 3.0])
def test_events_that_are_rarer_or_denser_than_others_are_no_near_copies(spread):
    rng = np.random.default_rng(0)
    y = (rng.random(3000) < 0.2).astype(int)
    x = np.where(y[:, None] == 1, 2 + spread * rng.normal(size=(3000, 5)), rng.normal(size=(3000, 5))).round(3)
    assert [leak for leak in scan(samples(named(x), y)) if leak.code == "near_copies"] == []


def test_rows_copied_but_for_one_column_are_near_copies():
    rng = np.random.default_rng(0)
    x, y = readings(rng, 1000)
    more = rng.choice(1000, 100, replace=False)
    again = x[more].copy()
    again[:, 2] = rng.normal(size=100)
    (leak,) = scan(samples(named(np.vstack([x, again])), np.append(y, y[more])))
    assert leak.code == "near_copies"
    assert "in all but c2" in leak.finding


def test_rows_three_times_over_with_random_labels_are_copies():
    rng = np.random.default_rng(0)
    x, _ = readings(rng, 300)
    y = np.tile(rng.integers(0, 2, 300), 3)
    found = scan(samples(named(np.tile(x, (3, 1))), y))
    assert codes(found) == ["copies"] * 3


def people(rng, effect, persons=120, visits=8):
    who = np.repeat(np.arange(persons), visits)
    x = rng.normal(size=(persons, 6))[who] * effect + rng.normal(size=(len(who), 6))
    y = (rng.normal(size=persons)[who] * 1.5 * effect + x[:, 0] + rng.normal(size=len(who)) > 0).astype(int)
    order = rng.permutation(len(who))
    return who[order], x[order], y[order]


@pytest.mark.parametrize("where", ["given", "also", "feature"])
@pytest.mark.parametrize("effect", [1.2, 3.0])
def test_people_in_several_splits_are_found_wherever_their_number_stands(where, effect):
    rng = np.random.default_rng(0)
    who, x, y = people(rng, effect)
    number = rng.permutation(5000)[:120][who]
    more = {"given": {"group": who}, "also": {"also": {"person": number}}, "feature": {}}[where]
    columns = named(x) | ({"person": number.astype(float)} if where == "feature" else {})
    (leak,) = [leak for leak in scan(samples(columns, y, **more)) if leak.severity != "note"]
    assert leak.code == "group_in_several_splits"
    assert leak.columns == (() if where == "given" else ("person",))


def test_groups_without_an_effect_are_none():
    rng = np.random.default_rng(0)
    who, x, y = people(rng, 0.0)
    assert codes(scan(samples(named(x), y, group=who))) == []
    age = np.clip(np.round(rng.normal(50, 15, len(y))), 18, 90)
    sick = (age / 10 + rng.normal(size=len(y)) > 5.5).astype(int)
    assert codes(scan(samples(named(x) | {"age": age}, sick))) == []
    assert codes(scan(samples(named(x), sick, also={"age": age.astype(int)}))) == []


@pytest.mark.parametrize("rows", [0, 1, 10, 60])
def test_data_that_say_nothing_end_in_no_finding_and_no_error(rows):
    rng = np.random.default_rng(0)
    columns = {
        "constant": np.ones(rows),
        "gone": np.full(rows, np.nan),
        "text": np.array([f"t{i % 3}" for i in range(rows)], dtype=object),
        "level": rng.integers(-1, 3, rows),
        "endless": np.full(rows, np.inf),
        "value": rng.normal(size=rows),
    }
    gone = {"one": np.full(rows, np.nan), "other": np.full(rows, np.nan)}
    assert [leak for leak in scan(samples(gone, np.arange(rows) % 2)) if leak.code in ("copies", "time_order")] == []
    for y in (np.zeros(rows, int), np.arange(rows) % 2):
        found = scan(samples(columns, y, time=np.full(rows, np.nan), group=np.zeros(rows, int)))
        assert [leak for leak in found if leak.id.startswith("FUL-L") and leak.severity != "note"] == []


def test_a_rounded_cause_among_many_columns_is_no_group():
    """Neighbouring values share the target as equal ones do: what a value has in common comes from what it says."""
    rng = np.random.default_rng(1)
    x = rng.normal(size=(20_000, 60))
    x[:, :15] = np.round(x[:, :15], 1)
    target = (x[:, 0] + rng.normal(size=len(x)) > 0).astype(int)
    split = rng.choice(3, len(x), p=[0.6, 0.2, 0.2])
    columns = {f"c{i}": x[:, i] for i in range(60)}
    assert group_leaks(Samples(target, "classes", split, columns, sample="row", splitting="random")) == []
