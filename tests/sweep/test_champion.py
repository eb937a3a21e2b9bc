"""The sentence about the champion says what the numbers say."""

import re

import pytest

from fulmen.sweep.champion import compared, larger_is_better, shared_metrics, tells, verdict


def results(*pairs):
    """One run a seed: (champion, best baseline), both errors."""
    return [
        {"metrics": {"test/rmse": own, "val/loss": 0.0}, "baselines": {"mean": {"rmse": 9.0}, "naive": {"rmse": base}}}
        for own, base in pairs
    ]


@pytest.mark.parametrize(
    ("pairs", "mode", "said"),
    [
        ([(1.0, 2.0), (1.1, 2.1), (0.9, 1.9)], "min", "beats every baseline on the test part: rmse 1 ± 0.1 against 2"),
        ([(1.0, 2.0), (3.0, 2.0), (1.0, 2.0)], "min", "not certain that the champion beats .* better in 2 of 3 seeds"),
        ([(3.0, 2.0), (3.1, 2.0)], "min", "No candidate beats the best baseline .* of 'naive', better in 0 of 2 seeds"),
        ([(9.5, 2.0), (9.6, 2.0)], "max", "beats every baseline .* of 'mean', better in 2 of 2 seeds"),
        ([(float("nan"), 2.0)], "min", "No candidate beats"),
        (
            [(None, 2.0), (1.0, 2.0)],
            "min",
            r"not certain .* rmse 1 \(in 1 of 2\) against 2 ± 0 .* better in 1 of 2 seeds",
        ),
        ([(None, 2.0), (None, 2.0)], "min", "No candidate beats .* rmse no value against 2"),
        ([(1.0, None), (8.0, 2.0)], "min", "beats every baseline .* of 'mean', better in 2 of 2"),
    ],
)
def test_the_verdict_is_honest(pairs, mode, said):
    assert re.search(said, verdict(results(*pairs), "rmse", mode))


def test_without_baselines_nothing_is_claimed():
    assert "no baselines" in verdict([{"metrics": {"test/rmse": 1.0}, "baselines": {}}], None, "min")
    assert shared_metrics([{"metrics": {"test/rmse": 1.0}, "baselines": {}}]) == []


def test_only_metrics_that_all_have_are_compared():
    runs = results((1.0, 2.0))
    runs[0]["metrics"]["test/r2"] = 0.5
    assert shared_metrics(runs) == ["rmse"]


@pytest.mark.parametrize("metric", ["roc_auc", "pr_auc", "r2_log", "balanced_accuracy", "within_10_percent", "val/f1"])
def test_metrics_of_which_more_is_better_are_known_by_their_names(metric):
    assert larger_is_better(metric)


@pytest.mark.parametrize("metric", ["auc_gmfe", "rmse_price", "log_loss", "brier", "val/loss", "dm_p"])
def test_the_others_are_errors(metric):
    assert not larger_is_better(metric)


def test_nothing_has_to_beat_the_ceiling():
    runs = results((1.0, 2.0), (1.1, 2.0))
    for run in runs:
        run["baselines"]["ceiling"] = {"rmse": 0.5}
    assert "beats every baseline" in verdict(runs, "rmse", "min")


def test_a_baseline_without_a_value_decides_nothing_and_its_cell_says_so():
    runs = results((1.0, 2.0), (1.1, None))
    for run in runs:
        run["metrics"]["test/direction"] = 0.5
        for scores in run["baselines"].values():
            scores["direction"] = None
    assert "No baseline has a value of direction" in verdict(runs, "direction", "max")
    table = {row[""]: row for row in compared(runs, "rmse")}
    assert table["naive"] == {"": "naive", "rmse": "2 (in 1 of 2)", "direction": "no value"}
    assert tells(runs, "rmse")
    assert not tells(runs, "direction")


def test_a_metric_that_nothing_has_is_named_when_the_work_is_done():
    assert "search.compare=rsme decides nothing: champion and baselines share rmse" in verdict(
        results((1.0, 2.0)), "rsme", "min"
    )
