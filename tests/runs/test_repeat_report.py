"""The report of folds and seeds says of how many runs the network is better, and of how many it is worse."""

import pytest

from fulmen.runs import repeat_report
from fulmen.runs.result import Result


def results_of(*pairs):
    """A run for each pair of scores: of the network, of the baseline."""
    return [{"metrics": {"test/roc_auc": own}, "baselines": {"forest": {"roc_auc": rival}}} for own, rival in pairs]


def whole(tmp_path, runs):
    return Result(
        "x", tmp_path, "completed", better={"roc_auc": "max"}, runs=runs, baselines={"forest": {"roc_auc": 0.5}}
    )


@pytest.mark.parametrize(
    ("pairs", "said"),
    [
        ([(0.9, 0.5), (0.8, 0.6)], "better than the best baseline (forest, 0.550 ± 0.071) in both."),
        ([(0.3, 0.5), (0.4, 0.6), (0.2, 0.7)], "worse than the best baseline (forest, 0.60 ± 0.10) in all 3."),
        ([(0.9, 0.5), (0.4, 0.6)], "better than the best baseline (forest, 0.550 ± 0.071) in 1 of 2 and worse in 1."),
        ([(0.5, 0.5), (0.4, 0.6)], "better than the best baseline (forest, 0.550 ± 0.071) in 0 of 2 and worse in 1."),
    ],
)  # fmt: skip
def test_the_answer_says_better_or_worse_as_the_runs_do(pairs, said, tmp_path):
    results = results_of(*pairs)
    found = repeat_report.answer(
        whole(tmp_path, [f"seed_{i}" for i in range(len(pairs))]), results, "roc_auc", "forest"
    )
    assert found.startswith("ROC-AUC is ")
    assert found.endswith(said)


SEEDS, FOLDS = ["seed_1", "seed_2"], ["seed_1/fold_0", "seed_1/fold_1"]


@pytest.mark.parametrize(
    ("pairs", "runs", "holds"),
    [
        ([(0.9, 0.5), (0.8, 0.6)], SEEDS, "fulmen models save"),
        ([(0.9, 0.5), (0.4, 0.6)], SEEDS, "python train.py experiment=sensors lr=1 seeds=4"),
        ([(0.9, 0.5), (0.8, 0.6)], FOLDS, "python train.py experiment=sensors lr=1"),
        ([(0.9, 0.5), (0.4, 0.6)], FOLDS, "fulmen rank sensors lr=1 --folds 2"),
        ([(0.3, 0.5), (0.4, 0.6)], FOLDS, "fulmen diagnose"),
    ],
)
def test_the_next_step_follows_from_how_often_the_network_is_ahead(pairs, runs, holds, tmp_path):
    typed = ["experiment=sensors", "lr=1", f"{'folds' if runs is FOLDS else 'seeds'}=2"]
    result = Result("sensors", tmp_path, "completed", better={"roc_auc": "max"}, runs=runs,
                    baselines={"forest": {"roc_auc": 0.5}})  # fmt: skip
    why, command = repeat_report.next_of(result, results_of(*pairs), "roc_auc", "forest", typed)
    assert why.endswith(":")
    assert holds in command
