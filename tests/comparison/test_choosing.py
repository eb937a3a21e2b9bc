"""What choosing the best is worth: nested folds say it, the first of a table flatters itself."""

import json

import numpy as np
import pytest

from fulmen.cli import main
from fulmen.comparison.choosing import by_inner_folds, by_other_folds, by_validation, in_words
from fulmen.comparison.run_scores import watched
from fulmen.report.contest import Contest

ROWS, COLUMNS = 60, 20


def accuracies(x, y, rest, folds):
    """Scores on folds of `rest` of models that each look at one column alone: model -> [folds]."""
    parts = np.array_split(rest, folds)
    scores = np.empty((COLUMNS, folds))
    for k, test in enumerate(parts):
        train = np.concatenate([part for i, part in enumerate(parts) if i != k])
        way = np.sign(((2 * y[train] - 1)[:, None] * x[train]).mean(0))
        scores[:, k] = ((x[test] * way > 0) == y[test, None]).mean(0)
    return {f"column {j}": {"accuracy": scores[j]} for j in range(COLUMNS)}


def test_on_random_labels_choosing_by_inner_folds_is_worth_chance_where_the_table_promises_more():
    """100 tables of 60 rows and 20 models that know nothing."""
    naive, nested, others = [], [], []
    for seed in range(100):
        rng = np.random.default_rng(seed)
        x, y = rng.normal(size=(ROWS, COLUMNS)), rng.integers(0, 2, ROWS)
        parts = np.array_split(np.arange(ROWS), 5)
        contest = Contest(accuracies(x, y, np.arange(ROWS), 5), {}, 48, 12)
        inner = [Contest(accuracies(x, y, np.setdiff1d(np.arange(ROWS), test), 3), {}, 32, 16) for test in parts]
        choice = by_inner_folds(contest, inner, "accuracy", True)
        assert choice.is_nested
        naive.append(choice.naive)
        nested.append(choice.scores.mean())
        others.append(by_other_folds(contest, "accuracy", True).scores.mean())
    error = np.std(nested) / 10
    assert abs(np.mean(nested) - 0.5) < 3 * error
    assert np.mean(naive) > 0.55
    assert np.mean(naive) - np.mean(others) > 0, "choosing by the other folds flatters less than the table"


def test_one_model_that_is_better_everywhere_is_chosen_without_optimism():
    scores = {"a": {"auc": np.array([0.9, 0.8, 0.85])}, "b": {"auc": np.array([0.5, 0.6, 0.55])}}
    choice = by_other_folds(Contest(scores, {}, 2, 1), "auc", True)
    assert choice.chosen == ["a"] * 3
    assert choice.optimism(larger=True) == 0
    assert "no optimism is seen. Chosen: a 3 times." in in_words(choice, Contest(scores, {}, 2, 1), "auc", True, "AUC")


def test_folds_in_time_are_chosen_for_by_those_before():
    scores = {"a": {"loss": np.array([1.0, 3.0, 3.0])}, "b": {"loss": np.array([2.0, 1.0, 1.0])}}
    choice = by_other_folds(Contest(scores, {}, 2, 1, in_time=True), "loss", larger=False)
    assert (choice.folds, choice.chosen) == ([1, 2], ["a", "b"]), "the means of two folds are 2 and 1.5"
    assert choice.scores.tolist() == [3.0, 1.0]
    assert choice.naive == 1.0


def test_runs_are_chosen_for_by_the_validation_split_of_their_fold():
    runs = {"a": [[{"metrics": {"best/val/loss": loss}} for loss in (1.0, 3.0)]],
            "b": [[{"metrics": {"best/val/loss": loss}} for loss in (2.0, 1.0)]],
            "c": [[{"metrics": {"best/val/loss": None}}, {"metrics": {"best/val/loss": 0.0}}]]}  # fmt: skip
    seen = watched(runs, "val/loss")
    assert list(seen) == ["a", "b"]
    scores = {name: {"r2": np.array([k + 0.1, k + 0.2])} for k, name in enumerate("abc")}
    choice = by_validation(Contest(scores, {}, 2, 1, validation=seen), "r2", larger=True)
    assert (choice.chosen, choice.scores.tolist(), choice.of) == (["a", "b"], [0.1, 1.2], 2)


def test_nested_folds_are_told_and_written_down(tmp_path, capsys):
    small = ["network=logistic", "data.machines=12", "data.days=15", "trainer.max_epochs=1", "--folds", "2"]
    assert main(["rank", "sensors", *small, "--nested", "2", "--outputs", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    assert "choosing for fold 2 of 2 by 2 folds of the others" in said
    assert "Choosing the best of 5 by inner folds scores ROC-AUC" in said
    result = json.loads(next((tmp_path / "rankings").glob("*/ranking.json")).read_text())
    assert result["choice"]["by"] == "inner folds"
    assert result["choice"]["scores"] == [result["scores"][name]["roc_auc"][k]
                                          for k, name in enumerate(result["choice"]["chosen"])]  # fmt: skip
    assert "What choosing the best is worth" in next((tmp_path / "rankings").glob("*/ranking.md")).read_text()
    assert not (tmp_path / "rankings" / ".unfinished").exists()


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        (["sensors", "--nested", "1"], "--nested 1: take 2 inner folds or more"),
        (["stocks_fast", "--nested"], "--nested judges a choice, and there is one variant: name several"),
    ],
)
def test_what_cannot_be_nested_is_one_line(typed, says, capsys):
    assert main(["rank", *typed]) == 2
    assert says in capsys.readouterr().err
