"""The sentence about the champion says what the numbers say."""

import re

import pytest

from fulmen.sweep.champion import shared_metrics, verdict


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
