import math

import numpy as np
import pytest
from scipy import stats

from fulmen.comparison.places import conclusion, places
from fulmen.comparison.run_scores import over_seeds, rankable, with_metric
from fulmen.comparison.statistics import corrected_t_test, t_test
from fulmen.report.contest import Contest


def test_without_overlap_it_is_the_t_test():
    d = np.random.default_rng(0).normal(0.3, 1, 12)
    test = corrected_t_test(d, train_rows=1e12, test_rows=1)
    plain = stats.ttest_1samp(d, 0)
    assert test.t == pytest.approx(plain.statistic)
    assert test.p == pytest.approx(plain.pvalue)
    interval = plain.confidence_interval(0.95)
    assert (test.low, test.high) == pytest.approx((interval.low, interval.high))


def test_five_folds_divide_t_by_three_halves():
    d = [0.01, 0.02, 0.015, 0.03, 0.005]
    test = corrected_t_test(d, train_rows=4, test_rows=1)
    assert test.t == pytest.approx(stats.ttest_1samp(d, 0).statistic / 1.5)  # sqrt((1/5 + 1/4) / (1/5))


def test_equal_learners_are_seldom_called_different():
    """200 sets of noise, 10 fold-wise differences each between two means of overlapping training samples."""
    rng, claims = np.random.default_rng(1), 0
    for _ in range(200):
        rows = rng.normal(size=(2, 100))
        folds = np.array_split(rng.permutation(100), 10)
        d = [np.delete(rows, f, 1).mean(1) @ [1, -1] + rows[:, f].mean(1) @ [1, -1] for f in folds]
        claims += corrected_t_test(d, 90, 10).p < 0.05
    assert claims / 200 < 0.2


def test_one_difference_says_nothing_and_equal_ones_everything():
    assert math.isnan(corrected_t_test([0.1], 4, 1).p)
    assert corrected_t_test([0.0, 0.0], 4, 1).p == 1
    assert corrected_t_test([0.1, 0.1], 4, 1).p == 0


def test_folds_that_follow_each_other_in_time_have_the_plain_t_test():
    """Nadeau and Bengio's variance is of splits at random; nothing is cut where a metric has no bounds."""
    d = [0.01, 0.02, 0.015, 0.03, 0.005]
    assert t_test(d).p == pytest.approx(stats.ttest_1samp(d, 0).pvalue)
    scores = {"a": {"skill": np.array([0.9, 1.4, 0.2])}, "b": {"skill": np.array([-0.5, 0.1, -2.0])}}
    in_time = places(Contest(scores, {}, 2, 1, in_time=True), "skill", larger=True)
    at_random = places(Contest(scores, {}, 2, 1), "skill", larger=True)
    bounded = places(Contest(scores, {}, 2, 1, bounds={"skill": (0.0, 1.0)}), "skill", larger=True)
    assert in_time[1]["p"] == pytest.approx(stats.ttest_rel(scores["a"]["skill"], scores["b"]["skill"]).pvalue)
    assert at_random[1]["± (95 %)"] > in_time[1]["± (95 %)"]
    assert in_time[1]["from"] < 0
    assert (bounded[1]["from"], bounded[0]["to (95 %)"]) == (0.0, 1.0)


def test_leaders_that_do_not_differ_are_named():
    scores = {"a": [0.90, 0.91, 0.92], "b": [0.91, 0.89, 0.92], "c": [0.50, 0.52, 0.51]}
    contest = Contest(
        {name: {"auc": np.array(values)} for name, values in scores.items()}, dict.fromkeys(scores, 1.0), 2, 1
    )
    rows = places(contest, "auc", larger=True)
    assert [(row["model"], row[""]) for row in rows] == [("a", "1 gold"), ("b", "2 silver"), ("c", "3 bronze")]
    assert conclusion(rows, "auc") == "a has the best mean auc; it is not shown to differ from b (p >= 0.05)."
    assert [row["model"] for row in places(contest, "auc", larger=False)] == ["c", "b", "a"]


def test_there_are_no_medals_where_nobody_is_told_from_the_first():
    scores = {"a": {"auc": np.array([0.9, 0.7, 0.8])}, "b": {"auc": np.array([0.7, 0.9, 0.7])}}
    assert [row[""] for row in places(Contest(scores, {}, 2, 1), "auc", larger=True)] == ["1", "2"]


def test_scores_of_runs_are_means_over_seeds_fold_by_fold():
    seeds = [
        [{"a": 1.0, "a_p": 0.5, "b": None}, {"a": 2.0, "a_p": 0.5, "b": 1.0}],
        [{"a": 3.0, "a_p": 0.1, "b": 1.0}] * 2,
    ]
    found = over_seeds(seeds)
    assert found["a"].tolist() == [2.0, 2.5]
    assert list(found) == ["a", "b"], "a mean of p-values says nothing"
    contest = Contest({"x": found, "y": {"a": np.ones(2)}}, {}, 1, 1)
    assert rankable(contest, ["x"], {"b": True, "a": True}) == {"a": True}, "b has no value on one fold"
    assert list(with_metric(contest, "b").scores) == []
    assert "left out: x, y" in with_metric(contest, "b").notes[-1]
