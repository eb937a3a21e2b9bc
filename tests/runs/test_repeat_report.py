"""The report of folds and seeds says of how many runs the network is better, and of how many it is worse."""

import pytest

from fulmen.runs import repeat_report
from fulmen.runs.result import Result

SEEDS, FOLDS = ["seed_1", "seed_2"], ["seed_1/fold_0", "seed_1/fold_1"]


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
        ([(0.9, 0.5), (0.8, 0.6)], "ahead of the best baseline (forest, 0.550 ± 0.071) in both"),
        ([(0.3, 0.5), (0.4, 0.6), (0.2, 0.7)], "behind the best baseline (forest, 0.60 ± 0.10) in all 3"),
        ([(0.9, 0.5), (0.4, 0.6)], "ahead of the best baseline (forest, 0.550 ± 0.071) in 1 of 2 and behind it in 1"),
        ([(0.5, 0.5), (0.4, 0.6)], "ahead of the best baseline (forest, 0.550 ± 0.071) in 0 of 2 and behind it in 1"),
    ],
)  # fmt: skip
def test_the_answer_says_ahead_or_behind_as_the_runs_are(pairs, said, tmp_path):
    results = results_of(*pairs)
    found = repeat_report.answer(
        whole(tmp_path, [f"seed_{i}" for i in range(len(pairs))]), results, "roc_auc", "forest"
    )
    assert found.startswith("ROC-AUC is ")
    assert found.endswith(f"{said}; whether that is more than chance was not judged.")


OPEN = {"code": "better_than_constant", "measure": "ROC-AUC", "chance": 0.5, "sentence": "Better than chance."}
LOST = {"code": "undecided_result", "measure": "ROC-AUC", "chance": 0.5, "sentence": "Undecided: it may be chance."}


@pytest.mark.parametrize(
    ("verdicts", "begins"),
    [
        ([OPEN, OPEN], "Better than chance and than the constant, not shown to differ from the best simple model "
                       "(FUL-V01 better than constant in both seeds): ROC-AUC is "),
        ([LOST, LOST], "Undecided: not shown to be better than chance (FUL-V03 undecided result in both seeds): "),
        ([OPEN, LOST], "The seeds do not agree: of 2 they show FUL-V01 better than constant in 1, FUL-V03 undecided "
                       "result in 1: "),
    ],
)  # fmt: skip
def test_the_answer_claims_no_more_than_the_verdicts_of_its_runs(verdicts, begins, tmp_path):
    """Both seeds are ahead of the baseline, and neither says that it is better."""
    results = [one | {"shown": shown} for one, shown in zip(results_of((0.9, 0.5), (0.8, 0.6)), verdicts, strict=True)]
    found = repeat_report.answer(whole(tmp_path, SEEDS), results, "roc_auc", "forest")
    assert found.startswith(begins)
    assert "(chance 0.5)" in found
    assert "better than the best baseline" not in found
    step = repeat_report.next_of(whole(tmp_path, SEEDS), results, "roc_auc", "forest", ["experiment=x"])
    assert ("No run is shown to be better than chance" in step[0]) is (OPEN not in verdicts)


@pytest.mark.parametrize(("own", "members"), [(OPEN, "Each of its members shows the same: ROC-AUC"),
                                              (LOST, "Its members: better than chance")])  # fmt: skip
def test_an_ensemble_answers_with_its_own_verdict(own, members, tmp_path):
    results = [one | {"shown": OPEN} for one in results_of((0.9, 0.5), (0.8, 0.6))]
    found = repeat_report.answer(whole(tmp_path, SEEDS), results, "roc_auc", "forest", {"shown": own})
    assert found.startswith("The ensemble (FUL-V0")
    assert own["sentence"] in found
    assert members in found


@pytest.mark.parametrize(("splits", "told"), [(("a", "a"), True), (("a", "b"), False), (("", ""), False)])
def test_seeds_of_one_test_split_say_that_their_spread_tells_nothing_of_other_rows(splits, told, tmp_path):
    results = [one | {"looks": {"split": split}} for one, split in
               zip(results_of((0.9, 0.5), (0.8, 0.6)), splits, strict=True)]  # fmt: skip
    of = whole(tmp_path, SEEDS)
    (tmp_path / "figures").mkdir()
    of.counted = "rows"
    text = repeat_report.write_report(of, results, [], ["experiment=x"]).read_text()
    assert ("that ± says nothing of other rows" in text) is told


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
