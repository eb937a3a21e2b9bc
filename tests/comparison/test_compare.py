"""What `fulmen compare` calls runs, what it leads with, and what it returns."""

import json
import math
import shutil

import numpy as np
import pytest
from rich.console import Console
from sklearn.metrics import roc_auc_score

from fulmen.comparison.compare import conclusion, summed_up
from fulmen.comparison.labels import labels_of
from fulmen.comparison.main_score import BALANCED, Main, main_of, margin_of, plain_main
from fulmen.comparison.named import compare
from fulmen.comparison.paired import Difference, Items, scores
from fulmen.report.summary import print_table
from fulmen.report.test_predictions import ratio_scores, write_items
from fulmen.runs.run_folder import load_run
from tests.result_folders import loadable


def run_of(folder, name, *typed, experiment="sensors"):
    """A run of which so much was typed."""
    there = folder.with_name(name)
    shutil.copytree(folder, there)
    (there / "overrides.txt").write_text("\n".join([f"experiment={experiment}", *typed]))
    (there / "result.json").write_text((there / "result.json").read_text().replace("sensors", experiment))
    return load_run(there)


@pytest.fixture
def folder(tmp_path):
    return loadable(tmp_path / "outputs")


FEW = ["data.days=9", "trainer.max_epochs=2"]


@pytest.mark.parametrize(
    ("runs", "labels"),
    [
        ([("sensors", *FEW, "model.network.width=8"), ("sensors", *FEW, "model.network.width=16")],
         ["width=8", "width=16"]),
        ([("images_plain", *FEW), ("images_balanced", *FEW)], ["images_plain", "images_balanced"]),
        ([("images_plain",), ("images_plain", "loss=focal")], ["images_plain", "images_plain loss=focal"]),
        ([("sensors", *FEW), ("sensors", *FEW)], ["0", "1"]),
        ([("a", "seed=1"), ("a", "seed=2"), ("b", "seed=2", "resume=outputs/runs/x", "trainer.max_epochs=9")],
         ["a seed=1", "a seed=2", "b seed=2"]),
    ],
)  # fmt: skip
def test_runs_are_called_by_what_not_all_share(folder, runs, labels):
    made = [run_of(folder, str(number), *typed, experiment=experiment)
            for number, (experiment, *typed) in enumerate(runs)]  # fmt: skip
    assert labels_of(made) == labels


def test_a_comparison_shows_itself_and_keeps_its_report(folder, monkeypatch, tmp_path, capsys):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    for number in range(2):
        run = run_of(folder, str(number), f"model.network.width={8 * (number + 1)}")
        write_items(run.folder, {"item": np.arange(40), "loss": rng.random(40) + number})
    found = compare("sensors/0", "sensors/1")
    assert found.answer.startswith("width=16 is worse than width=8: loss +")
    assert list(found.table.index) == ["width=8", "width=16"]
    assert found.report.read_text().startswith("# ")
    shown = found._repr_html_()
    for part in (found.answer, ">width=16<", 'alt="differences"'):
        assert part in shown, part
    printed = capsys.readouterr().out
    assert "width=16: outputs/runs/sensors/1" in printed
    (row,) = [line for line in printed.splitlines() if line.strip().startswith("width=16 - width=8  ")]
    assert "[+" in row, "the difference and its interval"


def two_runs(folder, **result):
    """The first as it is, the second with so much in its result, and better."""
    for number in range(2):
        run = run_of(folder, str(number), f"model.network.width={8 * (number + 1)}")
        write_items(run.folder, {"item": np.arange(40), "loss": np.random.default_rng(0).random(40) - number})
    path = run.folder / "result.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | result))
    return run


def test_a_comparison_says_of_leaks_what_the_reports_of_its_runs_say(folder, monkeypatch, tmp_path, capsys):
    monkeypatch.chdir(tmp_path)
    leak = {"id": "FUL-L07", "code": "foretells_target", "severity": "error", "finding": "the feature report tells it"}
    two_runs(folder, leaks=[leak])
    report = compare("sensors/0", "sensors/1").report.read_text()
    said = "The data have 1 leak (FUL-L07 foretells target): the scores that are compared here cannot be believed."
    assert said in report
    assert said in capsys.readouterr().out


def test_after_a_comparison_that_an_ensemble_wins_it_is_kept(folder, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    run = two_runs(folder, members=[{"run": "a", "metrics": {}}, {"run": "b", "metrics": {}}])
    (run.folder / "overrides.txt").write_text("")
    following = compare("sensors/0", "sensors/1").report.read_text().partition("## What to do next")[2]
    assert "fulmen models save outputs/runs/sensors/1 --name sensors" in following.partition("##")[0]


@pytest.mark.parametrize(("count", "name"), [([100, 90, 80], "accuracy"), ([100, 90, 10], BALANCED)])
def test_where_classes_are_of_unequal_size_each_counts_alike(count, name):
    items = Items(np.arange(3), np.zeros((1, 3)), np.arange(3), np.eye(3)[None], train_count=np.array(count))
    assert plain_main(items).name == name


def classifier(seed, noise):
    """Items of a binary classifier of 60 rows whose probability of the event is right but for so much noise."""
    rng, target = np.random.default_rng(seed), np.repeat([0, 1], (40, 20))
    p = 1 / (1 + np.exp(-(2 * target - 1 + noise * np.random.default_rng(seed + 1).normal(size=60))))
    return {"item": np.arange(60), "loss": rng.random(60), "target": target, "probability": np.stack([1 - p, p], 1)}


def test_areas_are_those_of_scikit_learn_however_often_an_item_counts():
    rng = np.random.default_rng(0)
    for classes in (2, 3):
        target = rng.integers(0, classes, 80)
        p = rng.dirichlet(np.ones(classes), 80).round(1)  # with ties
        weight = rng.integers(0, 3, 80).astype(float)
        items = Items(np.arange(80), np.zeros((1, 80)), target, p[None])
        hot = target if classes == 2 else np.eye(classes)[target]
        truth = roc_auc_score(hot, p[:, 1] if classes == 2 else p, sample_weight=weight)
        assert float(scores(items, weight)["roc_auc"]) == pytest.approx(truth)


def test_the_main_score_of_the_workload_decides(folder, monkeypatch, tmp_path, capsys):
    """Sensors are ranked by the area: the second has a better one, and a worse loss."""
    monkeypatch.chdir(tmp_path)
    for number, noise in enumerate((3.0, 0.1)):
        run = run_of(folder, str(number), f"model.network.width={8 * (number + 1)}")
        write_items(run.folder, classifier(number, noise))
    found = compare("sensors/0", "sensors/1")
    assert "width=16 is better than width=8: ROC-AUC +" in found.answer
    assert next(iter(found.table)) == "roc_auc"
    assert "best val/loss" in found.table
    assert "best validation loss" in found.report.read_text()


@pytest.mark.parametrize(
    ("low", "high", "p", "says"),
    [
        (0.01, 0.03, 0.01, "the first of the two is better"),
        (-0.03, -0.01, 0.01, "the first of the two is worse"),
        (-0.02, 0.03, 0.6, "no difference: one of 0.06 or more is ruled out, FUL-V06"),
        (-0.02, 0.07, 0.6, "no difference shown, and one of 0.06 or more is not ruled out, FUL-V03"),
    ],
)
def test_words_tell_better_from_no_difference_and_from_undecided(low, high, p, says):
    found = {"roc_auc": Difference((low + high) / 2, low, high, p)}
    assert says in conclusion("b - a", found, Main("roc_auc", True, 0.06), 3)
    assert "no difference shown" in conclusion("b - a", {"loss": Difference(0, -1, 1, 0.5)}, Main("loss", False), 3)


def test_a_code_that_is_ignored_is_left_out_of_the_words():
    found = {"roc_auc": Difference(0, -0.02, 0.03, 0.6)}
    said = conclusion("b - a", found, Main("roc_auc", True, 0.06), 3, {"no_difference"})
    assert "no difference: one of 0.06 or more is ruled out (" in said
    assert "FUL-" not in said


def test_less_of_a_loss_is_better_in_the_sentence_too():
    found = {"b - a": {"loss": Difference(-1, -2, -0.5, 0.01)}, "c - a": {"loss": Difference(1, 0.5, 2, 0.01)}}
    assert summed_up(found, Main("loss", False)) == "In loss, b is better than the first and c is worse than the first."


def test_without_a_main_score_of_the_items_the_plain_one_decides(folder):
    run = run_of(folder, "9")
    items = Items(np.arange(3), np.zeros((1, 3)))
    assert main_of([run], [items]) == Main("loss", False)


@pytest.mark.parametrize("power", [1.0, 0.5])
def test_the_scores_of_items_have_the_score_as_their_mean_and_move_as_it_does(power):
    rng = np.random.default_rng(0)
    part, whole = rng.gamma(2, 1, 400), rng.gamma(3, 1, 400)
    each = ratio_scores(part, whole, power)
    assert each.mean() == pytest.approx(1 - (part.mean() / whole.mean()) ** power)
    drawn = rng.integers(0, 400, (300, 400))
    truth = [1 - (part[rows].mean() / whole[rows].mean()) ** power for rows in drawn]
    assert np.std(each[drawn].mean(1)) == pytest.approx(np.std(truth), rel=0.05)


def test_a_long_name_never_costs_a_table_its_numbers(capsys):
    rows = [{"": "a very long name of a run " * 6, "p": 0.001, "loss": "+0.142 [+0.103, +0.183]"}]
    assert print_table("Differences", rows, Console(width=80)) == []
    printed = capsys.readouterr().out
    assert "+0.142 [+0.103, +0.183]" in printed
    assert printed.split().count("run") == 6


@pytest.mark.parametrize(
    ("workload", "metric", "default", "set_to", "margin"),
    [
        ("sensors.module.SensorClassifier", "roc_auc", 0.06, 0.6, 0.1),
        ("images.module.ImageClassifier", "balanced_accuracy", 0.03, 0.05, 0.05),
        ("stocks.module.StockForecaster", "r2_oos", 0.01, 0.19, 0.19),
        ("stocks.module.StockForecaster", "skill", 1 - 0.99**0.5, 0.19, 0.1),
        ("pbpk.module.PBPKSurrogate", "r2_log", 0.1, 0.2, 0.2),
        ("pbpk.module.PBPKSurrogate", "gmfe", math.nan, 0.2, math.nan),
    ],
)
def test_the_margin_is_what_the_config_says_or_the_default_of_the_class(workload, metric, default, set_to, margin):
    model = {"_target_": f"fulmen.workloads.{workload}"}
    assert margin_of(model, metric) == pytest.approx(default, nan_ok=True)
    assert margin_of({**model, "margin": set_to}, metric) == pytest.approx(margin, nan_ok=True)
