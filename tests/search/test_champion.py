"""The sentence about the champion says what the numbers say."""

import re

import pytest

from fulmen.search.comparing import compared, conclusion, deciding, shared_metrics, tells


def results(*pairs):
    """One run a seed: (champion, best baseline), both errors."""
    return [
        {"metrics": {"test/rmse": own, "val/loss": 0.0}, "baselines": {"mean": {"rmse": 9.0}, "naive": {"rmse": base}}}
        for own, base in pairs
    ]


@pytest.mark.parametrize(
    ("pairs", "mode", "said"),
    [
        (
            [(1.0, 2.0), (1.1, 2.1), (0.9, 1.9)],
            "min",
            "beats every baseline on the test split: RMSE 1.00 ± 0.10 against 2",
        ),
        ([(1.0, 2.0), (3.0, 2.0), (1.0, 2.0)], "min", "not certain that the champion beats .* better in 2 of 3 seeds"),
        ([(3.0, 2.0), (3.1, 2.0)], "min", "No candidate beats the best baseline .* of 'naive', better in 0 of 2 seeds"),
        ([(9.5, 2.0), (9.6, 2.0)], "max", "beats every baseline .* of 'mean', better in 2 of 2 seeds"),
        ([(float("nan"), 2.0)], "min", "No candidate beats"),
        (
            [(None, 2.0), (1.0, 2.0)],
            "min",
            r"not certain .* RMSE 1 \(in 1 of 2\) against 2 ± 0 .* better in 1 of 2 seeds",
        ),
        ([(None, 2.0), (None, 2.0)], "min", "No candidate beats .* RMSE no value against 2"),
        ([(1.0, None), (8.0, 2.0)], "min", "beats every baseline .* of 'mean', better in 2 of 2"),
    ],
)
def test_the_conclusion_is_honest(pairs, mode, said):
    assert re.search(said, conclusion(results(*pairs), "rmse", mode))


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("better_than_baselines", "^The champion beats every baseline on the test split: RMSE"),
        ("better_than_constant", "do not show to be more than luck: .* Better than chance .*FUL-V01 .* in both seeds"),
        ("undecided_result", "ahead of every baseline, which the test splits do not show .* Undecided"),
    ],
)
def test_what_the_test_splits_do_not_show_is_not_claimed_of_the_champion(code, said):
    runs = [one | {"shown": {"code": code}} for one in results((1.0, 1.01), (1.0, 1.02))]
    assert re.search(said, conclusion(runs, "rmse", "min"))


def test_without_baselines_nothing_is_claimed():
    assert "no baselines" in conclusion([{"metrics": {"test/rmse": 1.0}, "baselines": {}}], None, "min")
    assert shared_metrics([{"metrics": {"test/rmse": 1.0}, "baselines": {}}]) == []


def test_only_metrics_that_all_have_are_compared():
    runs = results((1.0, 2.0))
    runs[0]["metrics"]["test/r2"] = 0.5
    assert shared_metrics(runs) == ["rmse"]


STOCKS = {"monitor": "val/loss", "mode": "min", "model": {"_target_": "fulmen.workloads.stocks.module.StockForecaster"}}


@pytest.mark.parametrize(("metric", "better"), [("skill", "max"), ("mase", "min"), ("loss", "min"), ("odd", None)])
def test_which_way_is_better_is_asked_where_the_metric_is_defined(metric, better):
    runs = [{"metrics": {f"test/{metric}": 1.0}, "baselines": {"naive": {metric: 2.0}}}]
    assert deciding(runs, STOCKS, chosen=metric) == (metric, better)
    assert deciding(runs, STOCKS, chosen=metric, mode="max") == (metric, "max")


def test_a_metric_whose_better_way_is_known_decides_before_one_of_which_nobody_says_it():
    runs = [{"metrics": {"test/odd": 1.0, "test/skill": 1.0}, "baselines": {"naive": {"odd": 2.0, "skill": 0.0}}}]
    assert deciding(runs, STOCKS) == ("skill", "max")
    assert "search.compare_mode=min or max" in conclusion(runs, "odd", None)


def test_nothing_has_to_beat_the_ceiling():
    runs = results((1.0, 2.0), (1.1, 2.0))
    for run in runs:
        run["baselines"]["ceiling"] = {"rmse": 0.5}
    assert "beats every baseline" in conclusion(runs, "rmse", "min")


def test_a_baseline_without_a_value_decides_nothing_and_its_cell_says_so():
    runs = results((1.0, 2.0), (1.1, None))
    for run in runs:
        run["metrics"]["test/direction"] = 0.5
        for scores in run["baselines"].values():
            scores["direction"] = None
    assert "No baseline has a value of direction" in conclusion(runs, "direction", "max")
    table = {row[""]: row for row in compared(runs, "rmse")}
    assert table["naive"] == {"": "naive", "rmse": "2 (in 1 of 2)", "direction": "no value"}
    assert tells(runs, "rmse")
    assert not tells(runs, "direction")


def test_a_metric_that_nothing_has_is_named_when_the_work_is_done():
    assert "search.compare=rsme decides nothing: champion and baselines share rmse" in conclusion(
        results((1.0, 2.0)), "rsme", "min"
    )
