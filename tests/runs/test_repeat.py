"""Folds and seeds of one experiment: as many runs as asked for, summed up, found again, compared."""

import json
import shutil

import numpy as np
import pytest

import fulmen
from fulmen.cli import main
from fulmen.config.check import check_overrides
from fulmen.errors import FulmenError, Interrupted
from fulmen.report.test_predictions import read_items, write_items
from fulmen.runs import repeat
from fulmen.runs.run import run

pytestmark = pytest.mark.slow

QUICK = [
    "trainer.accelerator=cpu", "trainer.max_epochs=2", "trainer.limit_train_batches=2", "data.days=900",
    "callbacks.summary=null", "callbacks.progress=null", "model.figures=false", "logger.tensorboard=null",
]  # fmt: skip


def start(folder, *overrides, experiment="stocks"):
    typed = [f"experiment={experiment}", *QUICK, *overrides, f"output_dir={folder}"]
    return run(check_overrides(typed), typed)


@pytest.fixture(scope="module")
def repeated(tmp_path_factory):
    return start(tmp_path_factory.mktemp("repeated") / "run", "folds=2", "seeds=2")


def test_every_fold_of_every_seed_is_a_run_of_its_own(repeated):
    assert repeated.runs == ["seed_42/fold_0", "seed_42/fold_1", "seed_43/fold_0", "seed_43/fold_1"]
    configs = [fulmen.load_run(repeated.folder / name).config for name in repeated.runs]
    assert [(c.seed, c.data.seed, c.data.fold, c.data.folds) for c in configs] == [
        (42, 42, 0, 2), (42, 42, 1, 2), (43, 43, 0, 2), (43, 43, 1, 2),
    ]  # fmt: skip
    days = [fulmen.load_run(repeated.folder / name).data.splits["test"]["day"] for name in repeated.runs[:2]]
    assert days[0].max() < days[1].min()


def test_the_result_is_the_mean_and_the_deviation_of_the_runs(repeated):
    each = [json.loads((repeated.folder / name / "result.json").read_text()) for name in repeated.runs]
    values = [one["metrics"]["test/skill"] for one in each]
    whole = fulmen.load_run(repeated.folder).result
    assert whole["status"] == "completed"
    assert whole["metrics"]["test/skill"] == pytest.approx(np.mean(values))
    assert whole["sd"]["test/skill"] == pytest.approx(np.std(values, ddof=1))
    assert whole["baselines"]["ridge"]["skill"] == pytest.approx(
        np.mean([o["baselines"]["ridge"]["skill"] for o in each])
    )
    assert "test/dm_p" not in whole["metrics"], "a mean of p-values says nothing"
    assert len(read_items(repeated.folder)["item"]) == sum(
        len(read_items(repeated.folder / name)["item"]) for name in repeated.runs
    )
    with pytest.raises(FulmenError, match="stands for 4 runs"):
        fulmen.load_run(repeated.folder).model  # noqa: B018


def test_the_folder_says_how_far_the_runs_are(repeated):
    whole, one = (json.loads((folder / "progress.json").read_text()) for folder in
                  (repeated.folder, repeated.folder / "seed_43" / "fold_1"))  # fmt: skip
    assert (whole["unit"], whole["done"], whole["total"], whole["best"]["metric"]) == ("runs", 4, 4, "val/loss")
    assert (one["unit"], one["done"], one["total"], one["best"]["metric"]) == ("epochs", 2, 2, "val/loss")
    assert whole["best"]["value"] <= one["best"]["value"]


def test_an_interrupted_series_goes_on_with_what_is_left(repeated, tmp_path, monkeypatch):
    trained = []

    def interrupted_at_third(cfg, overrides):
        trained.append(cfg.output_dir)
        if len(trained) == 3:
            raise Interrupted("before the first step", 143)
        return run(cfg, overrides)

    typed = ["experiment=stocks", *QUICK, "folds=2", "seeds=2", f"output_dir={tmp_path / 'run'}"]
    with pytest.raises(Interrupted, match=f"resume={tmp_path / 'run'}"):
        repeat.repeat(check_overrides(typed), typed, interrupted_at_third)
    typed = [f"resume={tmp_path / 'run'}"]
    resumed = run(check_overrides(typed), typed)
    assert len(trained) == 3
    assert resumed.status == "completed"
    same = [name for name in repeated.metrics if name.startswith("test/")]
    assert [resumed.metrics[name] for name in same] == pytest.approx([repeated.metrics[name] for name in same])


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["folds=3", "data.fold=1"], "choose one"),
        (["folds=1"], "at least 2"),
        (["seeds=0"], "at least 1"),
    ],
)
def test_what_cannot_be_repeated_is_refused_before_work(tmp_path, overrides, message):
    with pytest.raises(FulmenError, match=message):
        start(tmp_path / "run", *overrides)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(("second", "runs"), [([4, 5], [42, 42, 42, 42]), ([1, 2], [0, 0, 1, 1])])
def test_folds_that_test_the_same_items_are_runs_of_their_own(second, runs):
    items = [{"item": np.array(each), "loss": np.zeros(2)} for each in ([1, 2], second)]
    assert repeat.merged(items, [42, 42])["run"].tolist() == runs


def test_data_without_folds_are_named():
    with pytest.raises(FulmenError, match="SyntheticClassification cannot be split into folds; seeds=3 repeats it"):
        repeat.refuse(check_overrides(["experiment=synthetic_mlp", "folds=3"]))


def test_compare_runs_what_is_missing_once_and_pairs_the_rest(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    command = ["compare", "stocks", "stocks model.optimizer.lr=3e-3", *QUICK, "seeds=2", "-o", "report"]
    assert main(command) == 0
    assert capsys.readouterr().out.count("not run yet") == 2
    assert main(command) == 0
    out = capsys.readouterr().out
    assert "not run yet" not in out
    assert "stocks lr=3e-3 - stocks: " in out
    found = {path.name for path in (tmp_path / "report").iterdir()}
    assert found == {"comparison.md", "differences.svg", "learning_curves.svg", "progress.json", "report.html"}


def test_classifiers_get_f1_per_class_and_confusions(repeated, tmp_path, capsys):
    rng = np.random.default_rng(0)
    target = rng.integers(0, 3, 200)
    for name, skill in (("plain", 0.5), ("better", 3.0)):
        folder = shutil.copytree(repeated.folder / repeated.runs[0], tmp_path / name)
        logits = rng.normal(size=(200, 3)) + skill * np.eye(3)[target]
        probability = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
        loss = -np.log(probability[np.arange(200), target])
        items = {"item": np.arange(200), "target": target, "probability": probability, "loss": loss}
        write_items(folder, items | {"train_count": [5, 100, 100]})
    assert main(["compare", str(tmp_path / "plain"), str(tmp_path / "better"), "-o", str(tmp_path / "report")]) == 0
    report = (tmp_path / "report" / "comparison.md").read_text()
    assert "is better (balanced accuracy +0." in report
    assert "0 (minority)" in report
    assert "better, difference" in report
    assert (tmp_path / "report" / "confusion.svg").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["stocks"], "two runs or more"),
        (["stocks", "stock"], "neither a run folder nor an experiment"),
        (["stocks", "stocks data.dayz=3"], "did you mean days"),
    ],
)
def test_compare_says_what_it_cannot_compare(arguments, message, capsys):
    assert main(["compare", *arguments]) == 2
    assert message in capsys.readouterr().err


def test_a_run_without_items_is_named(repeated, tmp_path, capsys):
    folders = [shutil.copytree(repeated.folder / repeated.runs[0], tmp_path / name) for name in "ab"]
    (folders[1] / "test_items.npz").write_bytes(b"PK\x03\x04 torn")
    assert main(["compare", *map(str, folders)]) == 2
    assert "test_items.npz is damaged" in capsys.readouterr().err
    (folders[1] / "test_items.npz").unlink()
    assert main(["compare", *map(str, folders)]) == 2
    assert "summarize gives no Summary.items, or the file was lost" in capsys.readouterr().err


def test_overrides_may_follow_options(capsys):
    assert main(["rank", "synthetic_mlp", "--folds", "2", "trainer.max_epochs=1"]) == 2
    assert "fold" in capsys.readouterr().err
    assert main(["runs", "--nonsense"]) == 2
    assert "unrecognized arguments: --nonsense" in capsys.readouterr().err
