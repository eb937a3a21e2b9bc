"""A deep search says what a score is worth without what is suspected, and which splits let labels be remembered."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from fulmen.data.leaks import Leak, Samples, scan
from fulmen.data.leaks.deep import among, deepened, of_groups, permuted, shifted
from fulmen.data.leaks.refit import auc, gain, problem_of, score

ROWS = 1000
SPLIT = np.arange(ROWS) % 5


def split(number=SPLIT):
    return np.where(number == 0, 2, np.where(number == 1, 1, 0))


def table(rows=ROWS, noise=1.0, seed=0):
    """Six columns, the first of which says something of the target."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, 6))
    y = (x[:, 0] + noise * rng.normal(size=rows) > 0).astype(int)
    return {f"c{i}": x[:, i] for i in range(6)}, y


def suspect(code, *columns, severity="error", **evidence):
    return Leak(code, severity, "it is suspected", columns, evidence)


def test_a_column_that_tells_the_target_costs_its_score_and_the_other_copy_of_it_hides_nothing():
    columns, y = table()
    columns |= {"c4": y + 0.01 * columns["c5"], "c5": 1.0 * y}
    suspects = [suspect("target_copy", "c4", severity="warning"), suspect("target_copy", "c5")]
    for leak in deepened(Samples(y, "classes", split(), columns), suspects):
        assert leak.severity == "error"
        assert leak.evidence["with"] > 0.99
        assert 0.7 < leak.evidence["without"] < 0.9
        assert leak.evidence["interval"][0] > 0.05
        assert leak.finding.endswith(f"AUC 1.000, {leak.evidence['without']:.3f} without it".replace("0.", ".", 1))


def test_a_suspect_that_changes_nothing_is_a_note():
    columns, y = table()
    (leak,) = deepened(Samples(y, "classes", split(), columns), [suspect("identifier", "c3")])
    assert leak.severity == "note"
    assert leak.finding.endswith("without it: it changes nothing")


def test_copies_with_labels_by_chance_are_worth_nothing_without_each_other():
    columns, _ = table(400)
    rng = np.random.default_rng(1)
    order, y = rng.permutation(1200), rng.integers(0, 2, 400)
    samples = Samples(np.tile(y, 3)[order], "classes", split(np.arange(1200) % 5),
                      {name: np.tile(values, 3)[order] for name, values in columns.items()},
                      cures={"copies": ["data.copies=one_split"]})  # fmt: skip
    found = {
        leak.code: leak
        for leak in deepened(samples, scan(samples))
        if "with" in leak.evidence or "alike" in leak.evidence
    }
    copied = found["copies"].evidence
    assert copied["with"] > 0.85
    assert abs(copied["without"] - 0.5) < 0.1
    assert found["learns_permuted_labels"].severity == "error"
    assert found["learns_permuted_labels"].cures == ("data.copies=one_split",)


def test_near_copies_cost_their_score_without_each_other():
    columns, _ = table(600)
    rng = np.random.default_rng(1)
    order, y = rng.permutation(1200), rng.integers(0, 2, 600)
    twice = {name: np.tile(values, 2)[order] + 1e-3 * rng.normal(size=1200) for name, values in columns.items()}
    samples = Samples(np.tile(y, 2)[order], "classes", split(np.arange(1200) % 5), twice)
    suspected = suspect("near_copies", severity="warning", share=0.6)
    (leak,) = deepened(samples, [suspected])
    assert leak.severity == "error"
    assert leak.evidence["with"] > 0.7
    assert abs(leak.evidence["without"] - 0.5) < 0.1
    columns, y = table()
    assert deepened(Samples(y, "classes", split(), columns), [suspected]) == [suspected]


@pytest.mark.parametrize("knows", [True, False], ids=["columns know the machine", "columns do not"])
def test_machines_in_all_splits_are_a_leak_where_the_columns_know_them(knows):
    rng = np.random.default_rng(2)
    machine = np.repeat(np.arange(25), 40)
    mark = rng.normal(size=(25, 6))[machine] * knows
    columns = {f"c{i}": mark[:, i] + 0.3 * rng.normal(size=ROWS) for i in range(6)}
    y = (rng.random(ROWS) < rng.beta(0.4, 0.4, 25)[machine]).astype(int)
    samples = Samples(y, "classes", split(rng.permutation(ROWS) % 5), columns, group=machine, splitting="random")
    found = {leak.code: leak for leak in deepened(samples, [suspect("group_in_several_splits")])}
    assert ("learns_permuted_labels" in found) == knows
    assert found["group_in_several_splits"].severity == ("error" if knows else "note")
    by_machine = Samples(y, "classes", split(machine % 5), columns, group=machine, splitting="group")
    assert deepened(by_machine, []) == []


def test_series_that_are_split_at_random_are_found_and_rows_without_order_are_not():
    rng = np.random.default_rng(3)
    walk = np.cumsum(rng.normal(size=(ROWS, 3)), 0)
    y = (np.convolve(rng.normal(size=ROWS + 29), np.ones(30), "valid") > 0).astype(int)
    at_random = split(rng.permutation(ROWS) % 5)
    columns = {f"c{i}": walk[:, i] for i in range(3)}
    samples = Samples(y, "classes", at_random, columns, time=np.arange(ROWS, dtype=float), splitting="random")
    found = {leak.code: leak for leak in deepened(samples, [suspect("time_order")])}
    assert set(found) == {"time_order", "learns_permuted_labels"}
    assert found["time_order"].evidence["with"] > found["time_order"].evidence["without"] + 0.1
    columns, y = table()
    honest = Samples(y, "classes", at_random, columns, time=np.arange(ROWS, dtype=float), splitting="random")
    assert deepened(honest, []) == []


def test_numbers_are_scored_by_r2_and_what_cannot_be_fitted_comes_back_as_it_is():
    columns, _ = table()
    y = columns["c0"] + columns["c1"]
    (leak,) = deepened(Samples(y, "numbers", split(), columns), [suspect("target_proxy", "c0")])
    assert leak.evidence["score"] == "R2"
    assert leak.evidence["with"] > leak.evidence["without"] + 0.2
    few = Samples(y[:30], "numbers", split()[:30], {name: values[:30] for name, values in columns.items()})
    assert deepened(few, [suspect("target_proxy", "c0")]) == [suspect("target_proxy", "c0")]
    texts = columns | {"level": np.array(["a", "b"], dtype=object)[np.arange(ROWS) % 2]}
    assert problem_of(Samples(y, "numbers", split(), texts)).x.shape == (ROWS, 7)


def test_the_score_is_that_of_scikit_learn_and_the_interval_holds_the_difference():
    rng = np.random.default_rng(4)
    y, found = rng.integers(0, 2, 300), rng.integers(0, 9, 300) / 9.0
    assert auc(found, y == 1) == pytest.approx(roc_auc_score(y, found))
    columns, y = table()
    problem = problem_of(Samples(y, "classes", split(), columns))
    rows = problem.test
    one, other = (np.stack([1 - p, p], 1) for p in (y[rows] * 0.6 + rng.random(len(rows)), rng.random(len(rows))))
    low, high = gain(problem, one, other, y[rows], rows)
    assert low < score(problem, one, y[rows]) - score(problem, other, y[rows]) < high
    wider = gain(problem, one, other, y[rows], np.arange(len(rows)) // 40)
    assert wider[1] - wider[0] > 0.5 * (high - low)


def test_dealt_labels_are_alike_where_they_should_be_and_no_more():
    rng = np.random.default_rng(5)
    y = rng.integers(0, 2, 4000)
    same = rng.integers(0, 1000, 4000)
    dealt = among(y, same, np.random.default_rng(0))
    assert all(len(set(dealt[same == kind])) <= 1 for kind in range(20))
    assert abs(np.corrcoef(dealt, y)[0, 1]) < 0.06
    group = np.repeat(np.arange(4), 1000)
    rate = np.repeat([0.0, 0.2, 0.6, 1.0], 1000)
    labels = (rng.random(4000) < rate).astype(int)
    shares = sorted(of_groups(labels, group, np.random.default_rng(1)).reshape(4, -1).mean(1))
    assert shares == pytest.approx([0.0, 0.2, 0.6, 1.0], abs=0.06)
    moved = shifted(np.arange(4000), np.arange(4000)[::-1].astype(float), np.random.default_rng(2))
    assert sorted(moved) == list(range(4000))
    assert min((moved - np.arange(4000)) % 4000) >= 1000


def test_permuted_labels_of_honest_data_are_not_foretold():
    alarms = 0
    for seed in range(12):
        columns, y = table(300, seed=seed)
        group = np.random.default_rng(seed).integers(0, 30, 300)
        samples = Samples(y, "classes", split(np.arange(300) % 5), columns, group=group, splitting="random")
        problem = problem_of(samples)
        alarms += bool(permuted(samples, problem, []))
    assert alarms == 0
