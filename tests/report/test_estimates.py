"""Intervals are those of independent oracles, count what is independent, and have a width at the boundary."""

import math

import numpy as np
import pytest
from scipy import optimize, stats
from sklearn.metrics import roc_auc_score

from fulmen.report.estimates import agreement, area, balanced_accuracy, difference, gain, lead
from fulmen.report.intervals import counted, long_run
from fulmen.workloads.stocks.metrics import diebold_mariano


def two(score):
    return np.stack([1 - score, score], 1)


def rows(count, share=0.3, seed=0, signal=0.0):
    rng = np.random.default_rng(seed)
    target = (rng.random(count) < share).astype(int)
    return target, rng.normal(size=count) + signal * target


def test_an_area_is_that_of_scikit_learn_ties_and_several_classes_included():
    rng = np.random.default_rng(0)
    target, score = rng.integers(2, size=90), rng.integers(5, size=90) / 4
    assert area(target, two(score)).value == pytest.approx(roc_auc_score(target, score))
    target, p = rng.integers(4, size=200), rng.dirichlet(np.ones(4), 200)
    assert area(target, p).value == pytest.approx(roc_auc_score(np.eye(4)[target], p, average="macro"))


@pytest.mark.parametrize("seed", range(30))
def test_an_area_is_better_than_chance_where_the_test_of_mann_and_whitney_says_so(seed):
    target, score = rows(60, seed=seed, signal=0.5)
    p = stats.mannwhitneyu(
        score[target == 1], score[target == 0], method="asymptotic", use_continuity=False
    ).pvalue  # fmt: skip
    low, high = area(target, two(score)).ends(0.05)
    assert (low > 0.5 or high < 0.5) == (p < 0.05)


def test_pulls_of_an_area_leave_out_one_machine_after_the_other():
    target, score = rows(120, seed=1, signal=1.0)
    machine = np.arange(120) % 6 + 10
    found = area(target, two(score), machine)
    left = [roc_auc_score(target[machine != m], score[machine != m]) for m in np.unique(machine)]
    assert found.pulls == pytest.approx(6 * found.value - 5 * np.array(left))


def test_a_perfect_area_may_be_less_than_perfect_by_newcombes_fifth_method():
    m, n, z = 12, 30, stats.norm.ppf(0.975)
    target, score = np.repeat([1, 0], [m, n]), np.repeat([0.9, 0.1], [m, n])
    low, high = area(target, two(score)).ends(0.05)

    def beyond(x):
        more = 1 + ((m + n) / 2 - 1) * ((1 - x) / (2 - x) + x / (1 + x))
        return (1 - x) - z * math.sqrt(x * (1 - x) * more / (m * n))

    assert low == pytest.approx(optimize.brentq(beyond, 0.3, 1 - 1e-9), abs=1e-6)
    assert high == 1
    machine = np.arange(m + n) % 5
    assert area(target, two(score), machine).ends(0.05)[0] < low - 0.1, "five machines say less than 42 rows"


def test_all_events_of_one_machine_say_nothing_of_another():
    target = np.repeat([1, 0], [20, 40])
    found = area(target, two(np.linspace(1, 0, 60)), np.repeat(np.arange(6), 10) * (target == 0) + 7 * target)
    assert not np.isfinite(found.pulls).all()


@pytest.mark.parametrize(("hits", "items"), [(0, 20), (20, 20), (7, 20), (1, 1000)])
def test_a_share_has_the_exact_interval(hits, items):
    expected = stats.binomtest(hits, items).proportion_ci(0.95, "exact")
    assert counted(hits / items, items, 0.05) == pytest.approx((expected.low, expected.high))


def test_a_perfect_accuracy_has_the_interval_of_as_many_images():
    label = np.arange(50) % 2
    expected = stats.binomtest(50, 50).proportion_ci(0.95, "exact").low
    assert balanced_accuracy(label, np.ones(50, bool), label).ends(0.05) == pytest.approx((expected, 1))


def test_a_network_that_always_says_the_same_has_a_chance_of_one_class():
    label = np.arange(90) % 3
    found = balanced_accuracy(label, label == 1, np.ones(90, int))
    low, high = found.ends(0.05)
    assert found.value == pytest.approx(1 / 3)
    assert low <= 1 / 3 <= high


def test_few_images_of_rare_classes_are_no_better_than_chance_by_luck():
    """Of nine frequent classes and one with two images, of which a hit counts much."""
    rng, claims = np.random.default_rng(0), 0
    for _ in range(300):
        label, predicted = np.repeat(np.arange(10), [30] * 9 + [2]), rng.integers(10, size=272)
        claims += balanced_accuracy(label, label == predicted, predicted).ends(0.05)[0] > 0.1
    assert claims <= stats.binom.ppf(0.999, 300, 0.025)


def test_agreement_is_pearsons_and_is_found_where_permutations_find_it():
    rng = np.random.default_rng(0)
    true = rng.normal(size=(40, 1))
    forecast = 0.4 * true + rng.normal(size=(40, 1))
    found = agreement(true, forecast)
    assert found.value == pytest.approx(stats.pearsonr(true[:, 0], forecast[:, 0]).statistic)
    low, high = found.ends(0.05)
    expected = stats.pearsonr(true[:, 0], forecast[:, 0]).confidence_interval(0.95)
    assert (low, high) == pytest.approx((expected.low, expected.high), abs=0.09)
    assert agreement(true, np.ones((40, 1))).value == 0


def test_a_gain_has_the_interval_of_the_paired_t_test_of_machines():
    rng = np.random.default_rng(0)
    ours, theirs, machine = rng.random(60), rng.random(60), np.arange(60) % 6
    each = [(theirs - ours)[machine == m].mean() for m in range(6)]
    expected = stats.ttest_1samp(each, 0).confidence_interval(0.95)
    assert gain(ours, theirs, machine).ends(0.05) == pytest.approx((expected.low, expected.high))


@pytest.mark.parametrize("span", [1, 5])
def test_the_variance_of_a_series_is_that_of_diebold_and_mariano(span):
    d = np.convolve(np.random.default_rng(0).normal(size=400), np.ones(5))[:400] + 0.3
    statistic, _ = diebold_mariano(np.zeros(400), d, span)
    assert d.mean() / math.sqrt(long_run(d, span)) == pytest.approx(statistic)


def test_differences_of_two_areas_have_the_width_of_draws():
    rng, found, covered = np.random.default_rng(0), [], 0
    for _ in range(200):
        target = np.repeat([1, 0], 80)
        shared = rng.normal(size=160)
        scores = [shared + rng.normal(size=160) + shift * target for shift in (1.5, 1.0)]
        each = difference(*(area(target, two(score)) for score in scores))
        low, high = each.ends(0.05)
        found.append(each.value)
        true = stats.norm.cdf(1.5 / 2) - stats.norm.cdf(1.0 / 2)
        covered += low <= true <= high
    assert 180 <= covered <= 199, "95 % of 200, within what chance allows"


def test_two_perfect_scores_differ_by_nothing_within_their_widths():
    target, score = np.repeat([1, 0], 20), np.repeat([0.9, 0.1], 20)
    one = area(target, two(score))
    low, high = difference(one, one).ends(0.05)
    assert low < 0 < high
    assert high == pytest.approx(1 - one.ends(0.05)[0])


def test_the_best_of_several_is_not_chosen_where_it_is_tested():
    """Of five equal models none is better than the best of the others, nor worse."""
    rng, better, worse = np.random.default_rng(0), 0, 0
    for _ in range(300):
        losses = rng.normal(size=(5, 60))
        found = lead({str(k): gain(losses[0], losses[k]) for k in range(1, 5)}, 0.05)
        better, worse = better + (found.low > 0), worse + (found.high < 0)
    assert better <= 2
    assert worse <= stats.binom.ppf(0.999, 300, 0.025)
    assert lead({}, 0.05) is None


@pytest.mark.parametrize("machines", [0, 4, 8])
def test_labels_without_a_signal_are_called_better_than_chance_as_seldom_as_is_stated(machines):
    """Machines differ in how many events they have and in how high their scores are."""
    rng, claims = np.random.default_rng(machines), 0
    for _ in range(200):
        count = machines or 200
        share = np.repeat(rng.beta(2, 4, count), 200 // count)
        target = (rng.random(200) < share).astype(int)
        score = np.repeat(rng.normal(size=count), 200 // count) + rng.normal(size=200)
        unit = np.repeat(np.arange(count), 200 // count) if machines else None
        claims += area(target, two(score), unit).ends(0.05)[0] > 0.5
    assert claims <= stats.binom.ppf(0.999, 200, 0.025)
