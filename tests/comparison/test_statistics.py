import math

import numpy as np
import pytest
from scipy import stats

from fulmen.comparison.gains import interval, leads
from fulmen.comparison.places import places
from fulmen.comparison.ranking_files import coded
from fulmen.comparison.run_scores import over_seeds, rankable, with_metric
from fulmen.comparison.standing import standing
from fulmen.comparison.statistics import corrected_t_test, share_interval, t_test, z_test
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


def test_one_difference_says_nothing_and_equal_ones_are_no_certainty():
    """Of differences that are all alike the signs are left: of five of one sign p is 2 / 2^5."""
    assert math.isnan(corrected_t_test([0.1], 4, 1).p)
    assert corrected_t_test([0.0, 0.0], 4, 1).p == 1
    alike = corrected_t_test([0.1] * 5, 4, 1)
    assert alike.p == pytest.approx(stats.binomtest(5, 5).pvalue)
    assert math.isnan(alike.low)
    known = corrected_t_test([0.1] * 5, 4, 1, least=0.02)
    assert (known.low, known.high) == pytest.approx(stats.t.interval(0.95, 4, 0.1, 0.02))


def test_the_interval_of_a_share_is_the_exact_one():
    for hits in (0, 3, 40):
        exact = stats.binomtest(hits, 40).proportion_ci(0.95, "exact")
        assert share_interval(hits / 40, 40) == pytest.approx((exact.low, exact.high))


def test_a_perfect_score_on_all_folds_leaves_open_what_so_many_units_leave_open():
    """Areas of 1 over 30 pairs: a true area of .88 would give that once in forty."""
    scores = {"a": {"auc": np.ones(5)}, "b": {"auc": np.full(5, 0.5)}}
    contest = Contest(scores, {}, 4, 1, bounds={"auc": (0.0, 1.0)}, units={"auc": 30}, constant="b")
    low, high = interval(contest, "auc", np.ones(5))
    assert high == 1
    assert low**30 == pytest.approx(0.025)
    first, second = places(contest, "auc", larger=True)
    assert first["from"] == low
    assert second["p"] == pytest.approx(2 * stats.t.sf(0.5 * 32, 4)), (
        "half a unit either way is far less than the half that lies between them"
    )
    unknown = Contest(scores, {}, 4, 1, bounds={"auc": (0.0, 1.0)})
    assert math.isnan(places(unknown, "auc", larger=True)[0]["from"])


def test_the_interval_covers_a_share_near_its_bound():
    """5 folds of 12 rows each, true accuracy .98: the t-interval of folds that are all 1 would be [1, 1]."""
    rng, covered, trials = np.random.default_rng(0), 0, 300
    for _ in range(trials):
        scores = rng.binomial(12, 0.98, 5) / 12
        contest = Contest({"a": {"x": scores}}, {}, 4, 1, bounds={"x": (0.0, 1.0)}, units={"x": 60})
        low, high = interval(contest, "x", scores)
        covered += low <= 0.98 <= high
    assert covered >= 0.95 * trials


def test_with_a_known_variance_it_is_the_normal_distribution():
    test = z_test([0.1, 0.3], 0.02)
    assert test.p == pytest.approx(2 * stats.norm.sf(0.2 / 0.1))
    assert (test.low, test.high) == pytest.approx(stats.norm.interval(0.95, 0.2, 0.1))
    assert z_test([0.1, 0.3], 0.02, shared=0.5).se == pytest.approx(math.sqrt(0.02))


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
    assert [(row["model"], row[""]) for row in rows] == [("a", "1"), ("b", "2"), ("c", "3")]
    said = standing(contest, "auc", True, "AUC", ["a", "b", "c"])
    assert said.sentence.endswith("no difference is shown among the first 2.")
    assert said.findings[-1] == "no_difference"
    assert [row["model"] for row in places(contest, "auc", larger=False)] == ["c", "b", "a"]


def test_a_row_is_level_with_the_first_where_and_only_where_its_interval_in_the_table_holds_0():
    """The interval of the table is that of the sentence: adjusted, as p is."""
    open_ones = 0
    for seed in range(30):
        contest = noisy(seed, {"a": 0.9, "b": 0.895, "c": 0.89, "constant": 0.5}, folds=5)
        ahead, rows = leads(contest, "auc", larger=True), places(contest, "auc", larger=True)
        for row in rows[1:]:
            gain = ahead[row["model"]]
            assert (row["± (95 %)"] < abs(row["difference"])) == (row["p"] < 0.05) == (gain.low > 0)
            assert row["± (95 %)"] == pytest.approx((gain.high - gain.low) / 2)
            open_ones += row["p"] >= 0.05
    assert open_ones > 5


def test_a_gap_to_the_constant_has_the_p_of_the_same_gap_to_another():
    """The spread of chance tells nothing of a gap that folds show by themselves; without them it decides."""
    high, low = np.array([0.90, 0.92, 0.91, 0.93, 0.89]), np.full(5, 0.5)
    scores = {"a": {"auc": high}, "b": {"auc": low}, "nothing": {"auc": low}}
    contest = Contest(scores, {}, 4, 1, constant="nothing", by_chance={"auc": np.full(5, 0.01)})
    of_b, of_nothing = leads(contest, "auc", larger=True).values()
    assert of_nothing.p == pytest.approx(of_b.p)
    assert of_nothing.half == pytest.approx(of_b.half)
    wild = {"a": {"auc": np.array([0.4, 0.9, 0.55, 0.7, 0.5])}, "nothing": {"auc": low}}
    contest = Contest(wild, {}, 4, 1, constant="nothing", by_chance={"auc": np.full(5, 0.01)})
    assert leads(contest, "auc", larger=True)["nothing"].is_shown


def test_there_are_no_medals_where_nobody_is_told_from_the_first():
    scores = {"a": {"auc": np.array([0.9, 0.7, 0.8])}, "b": {"auc": np.array([0.7, 0.9, 0.7])}}
    assert [row[""] for row in places(Contest(scores, {}, 2, 1), "auc", larger=True)] == ["1", "2"]


def noisy(seed, centres, folds=10, sd=0.01):
    """Scores of models around their means, fold by fold."""
    rng = np.random.default_rng(seed)
    scores = {name: {"auc": centre + sd * rng.normal(size=folds)} for name, centre in centres.items()}
    return Contest(scores, {}, 9, 1, constant="constant")


def test_medals_go_down_as_far_as_the_folds_tell_the_models_apart():
    """0.9, 0.8 and two at 0.7: gold and silver, and nothing for two that are the same."""
    rows = places(noisy(0, {"a": 0.9, "b": 0.8, "c": 0.7, "d": 0.7, "constant": 0.5}), "auc", larger=True)
    assert [row[""] for row in rows] == ["1 gold", "2 silver", "3", "4", "5"]


@pytest.mark.parametrize(
    ("centres", "finding"),
    [
        ({"net": 0.9, "forest": 0.7, "constant": 0.5}, "better_than_baselines"),
        ({"net": 0.9, "forest": 0.9, "constant": 0.5}, "better_than_constant"),
        ({"forest": 0.9, "net": 0.7, "constant": 0.5}, "better_than_constant"),
        ({"net": 0.5, "forest": 0.5, "constant": 0.5}, "no_signal"),
        ({"net": 0.4, "forest": 0.4, "constant": 0.5}, "worse_than_constant"),
    ],
)
def test_the_sentence_says_what_is_shown_of_the_leader(centres, finding):
    said = standing(noisy(1, centres), "auc", True, "AUC", ["net"], margin=0.06)
    assert said.findings[0] == finding
    assert ("is ruled out" in said.sentence) == (finding == "no_signal")
    undecided = standing(noisy(1, centres, sd=0.4), "auc", True, "AUC", ["net"], margin=0.06)
    assert undecided.findings[0] == "undecided_result"


def test_random_labels_give_neither_a_signal_nor_medals():
    """200 rankings of 6 models that know nothing, areas of 40 rows on 5 folds: claims at most at the level of .05."""
    claims, gold, spread = 0, 0, math.sqrt(41 / (12 * 20 * 20))
    for seed in range(200):
        contest = noisy(seed, {f"net {i}": 0.5 for i in range(6)}, folds=5, sd=spread)
        contest.scores["constant"] = {"auc": np.full(5, 0.5)}
        contest.by_chance["auc"] = np.full(5, spread)
        rows = places(contest, "auc", larger=True)
        claims += standing(contest, "auc", True, "AUC", list(contest.scores)).findings[0].startswith("better")
        gold += "gold" in rows[0][""]
    assert claims <= 15
    assert gold <= 2


def test_an_interval_leaves_out_nothing_where_and_only_where_p_says_so():
    for seed in range(30):
        contest = noisy(seed, {"a": 0.52, "b": 0.51, "c": 0.505, "constant": 0.5}, sd=0.02)
        for gain in leads(contest, "auc", True).values():
            assert (gain.p < 0.05) == (not gain.low <= 0 <= gain.high)


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


def test_findings_by_scores_that_cannot_be_believed_come_after_the_leak():
    leak = {"id": "FUL-L06", "code": "target_copy", "severity": "error"}
    assert coded(["better_than_constant"], [leak, leak | {"severity": "note"}]) == (
        "FUL-L06 target copy; by scores that cannot be believed: FUL-V01 better than constant"
    )
    assert coded(["better_than_constant"], [leak | {"severity": "warning"}]) == "FUL-V01 better than constant"
