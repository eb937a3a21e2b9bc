"""What was fitted on test rows is found, whoever says what was fitted; what only looks so is not."""

import numpy as np
import pytest

from fulmen.data.leaks.fitted import fitted_leaks, refitted
from fulmen.data.leaks.samples import Fitted, Samples

ROWS = 600
SPLIT = np.repeat([0, 1, 2], [400, 80, 120])
TRAIN, TEST = np.flatnonzero(SPLIT == 0), np.flatnonzero(SPLIT == 2)
X = np.random.default_rng(0).normal(3, 2, (ROWS, 40))


def mean(rows):
    return X[rows].mean(0)


def samples(fitted=(), x=X):
    named = {f"c{i}": x[:, i] for i in range(x.shape[1])}
    return Samples(X[:, 0], "numbers", SPLIT, named, splitting="time", fitted=fitted)


def found_in(value, again=mean, **others):
    return [(leak.code, leak.severity) for leak in fitted_leaks(samples([Fitted("means", value, again, **others)]))]


@pytest.mark.parametrize("rows", [np.arange(ROWS), np.union1d(TRAIN, TEST), TEST], ids=["all", "train, test", "test"])
def test_means_of_more_than_the_training_split_are_found(rows):
    assert found_in(mean(rows)) == [("fitted_on_test", "error")]


def test_means_of_a_half_of_the_test_split_beside_the_training_split_are_found():
    assert found_in(mean(np.union1d(TRAIN, TEST[::2])))[0][0] == "fitted_on_test"


def test_means_of_the_training_split_of_a_part_of_it_or_of_single_precision_are_right():
    assert found_in(mean(TRAIN)) == []
    assert found_in(mean(TRAIN[::2])) == []
    assert found_in(X[TRAIN].astype(np.float32).mean(0)) == []
    assert found_in(mean(np.union1d(TRAIN, np.flatnonzero(SPLIT == 1)))) == []


@pytest.mark.parametrize("seed", range(4))
def test_means_of_inputs_that_drift_are_found_where_half_of_the_test_split_was_seen_and_in_no_other_part(seed):
    rng = np.random.default_rng(seed)
    x = 0.02 * np.cumsum(rng.normal(size=(ROWS, 8)), 0) @ rng.normal(size=(8, 40)) + rng.normal(size=(ROWS, 40)) * 0.1
    held, half = np.flatnonzero(SPLIT == 1), rng.permutation(TEST)[::2]

    def means(rows):
        return x[rows].mean(0)

    def codes(rows):
        found = Samples(x[:, 0], "numbers", SPLIT, time=np.arange(ROWS) * 1.0, splitting="time",
                        fitted=[Fitted("means", means(rows), means)])  # fmt: skip
        return [leak.code for leak in fitted_leaks(found)]

    assert codes(np.union1d(TRAIN, half)) == ["fitted_on_test"]
    assert codes(np.union1d(TRAIN, held)) == codes(TRAIN[200:]) == codes(rng.permutation(TRAIN)[::2]) == []


def test_a_value_that_test_rows_would_not_change_proves_nothing():
    assert found_in(np.array([1.0, 2.0]), lambda rows: np.array([1.0, 2.0])) == []
    assert found_in(np.zeros(3), lambda rows: np.round(X[rows].mean() * 0)[None].repeat(3)) == []


def test_columns_chosen_with_test_rows_are_a_choice_on_test():
    target = np.random.default_rng(1).normal(size=ROWS)

    def best(rows):
        return np.sort(np.argsort(-np.abs(X[rows].T @ (target[rows] - target[rows].mean())))[:8])

    assert found_in(best(np.union1d(TRAIN, TEST)), best, kind="choice") == [("chosen_on_test", "error")]
    assert found_in(best(TRAIN), best, kind="choice") == []


def test_a_threshold_that_the_validation_split_chose_is_right_and_one_that_the_test_split_chose_is_not():
    score = np.random.default_rng(2).random(ROWS)
    held = np.flatnonzero(SPLIT == 1)

    def threshold(rows):
        return np.array([np.median(score[rows])])

    for rows, codes in ((held, []), (TEST, ["chosen_on_test"])):
        each = Fitted("threshold", threshold(rows), threshold, held, "choice")
        assert [leak.code for leak in refitted(each, samples())] == codes


@pytest.mark.parametrize("seed", range(6))
def test_a_threshold_that_a_part_of_the_validation_split_chose_is_right_wherever_it_lies(seed):
    score = np.random.default_rng(seed).random(ROWS)
    held = np.flatnonzero(SPLIT == 1)

    def threshold(rows):
        return np.array([np.median(score[rows])])

    assert refitted(Fitted("threshold", threshold(held[:40]), threshold, held, "choice"), samples()) == []


def test_inputs_that_were_scaled_over_training_and_test_rows_are_found_by_their_numbers_alone():
    together = np.union1d(TRAIN, TEST)
    scaled = (X - mean(together)) / X[together].std(0)
    (leak,) = fitted_leaks(samples(x=scaled))
    assert (leak.code, leak.evidence["count"]) == ("fitted_on_test", 40)
    assert fitted_leaks(samples(x=(X - mean(TRAIN)) / X[TRAIN].std(0))) == []
    assert fitted_leaks(samples()) == []
