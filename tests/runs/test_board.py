"""What TensorBoard shows of an outputs folder with every kind of run in it, asked over its own HTTP interface."""

import json
import subprocess
import sys
import time
from urllib.parse import quote
from urllib.request import Request, urlopen

import pytest
from helpers import PBPK, StopAt
from tensorboard import program

import fulmen
import fulmen.callbacks.monitor
from fulmen.callbacks.time_budget import TimeBudget
from fulmen.config.check import check_overrides
from fulmen.errors import Interrupted
from fulmen.runs.run import run

pytestmark = [pytest.mark.slow, pytest.mark.service, pytest.mark.usefixtures("warm_start")]

QUIET = ["callbacks.progress=null", "callbacks.summary=null", "trainer.accelerator=cpu", "model.figures=false"]
FEW = ["trainer.limit_train_batches=2", "trainer.max_epochs=2"]
WORKLOADS = {
    "pbpk_mlp": [*PBPK, "trainer.max_epochs=3"],
    "images_plain": FEW,
    "sensors": ["data.machines=6", "data.days=6", "trainer.max_epochs=2"],
    "stocks": FEW,
}
STAMP = "2026-11-28_12-00-00-000000"
SETTINGS = {"model.network", "Learning rate", "data.batch_size", "trainer.max_epochs", "seed"}
PATIENCE_S = 60


@pytest.fixture(scope="module")
def outputs(tmp_path_factory):
    """Monitored runs of four workloads, one resumed within an epoch, a multirun, and a search with its champion."""
    folder = tmp_path_factory.mktemp("board") / "outputs"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fulmen.callbacks.monitor, "TimeBudget", lambda share: TimeBudget(1e9))
        for experiment, few in WORKLOADS.items():
            there = f"output_dir={folder / 'runs' / experiment / STAMP}"
            fulmen.train(f"experiment={experiment}", "callbacks=monitor", *few, *QUIET, there)
    resumed(folder / "mine")
    base = ["experiment=pbpk_mlp", *PBPK, *QUIET, "trainer.max_epochs=2", "data.cache=null"]
    multirun = [sys.executable, "-m", "fulmen", "train", "-m", *base, "model.optimizer.lr=0.001,0.01"]
    subprocess.run(multirun, cwd=folder.parent, check=True, capture_output=True)
    fulmen.sweep(*base, "search=random", "search.trials=2", "search.name=s", f"search.folder={folder / 'sweeps'}")
    return folder


def resumed(folder):
    """A run that was stopped within its second epoch and went on, with an epoch more than first asked for."""
    typed = ["experiment=pbpk_mlp", "callbacks=monitor", *PBPK, *QUIET, "data.batch_size=8", "trainer.max_epochs=3",
             f"output_dir={folder}"]  # fmt: skip
    cfg = check_overrides(typed)
    with pytest.raises(Interrupted):
        run(stopping(cfg), typed, {"stop": StopAt(3)})
    fulmen.train(f"resume={folder}", "trainer.max_epochs=4", "callbacks.stop=null")


def stopping(cfg):
    cfg.callbacks["stop"] = {"_target_": "helpers.StopAt", "step": 3}
    return cfg


@pytest.fixture(scope="module", params=["false", "true"], ids=["its own reader", "its fast reader"])
def board(request, outputs):
    """What asks a TensorBoard over the outputs folder: `--logdir outputs`."""
    server = program.TensorBoard()
    server.configure(argv=[None, "--logdir", str(outputs), "--port", "0", "--load_fast", request.param])
    url, until = server.launch(), time.monotonic() + PATIENCE_S

    def ask(path, content=None):
        body = None if content is None else json.dumps(content).encode()
        return json.loads(
            urlopen(Request(f"{url}data/plugin/{path}", body, {"Content-Type": "application/json"})).read()
        )

    events = {path.parent.relative_to(outputs).as_posix() for path in outputs.rglob("events.out.tfevents.*")}
    while set(ask("scalars/tags")) != events or any(len(tags) < 3 for tags in ask("scalars/tags").values()):
        assert time.monotonic() < until, "TensorBoard does not read all runs"
        time.sleep(0.2)
    return ask


def hparams(board):
    """Run -> its settings and metrics in the tab HPARAMS."""
    statuses = [f"STATUS_{name}" for name in ("UNKNOWN", "SUCCESS", "FAILURE", "RUNNING")]
    asked = {"allowedStatuses": statuses, "colParams": [], "startIndex": 0, "sliceSize": 100}
    groups = board("hparams/session_groups", asked)["sessionGroups"]
    return {group["name"]: (group["hparams"], {each["name"]["tag"]: each["value"] for each in group["metricValues"]})
            for group in groups}  # fmt: skip


def results(outputs):
    """Folder of a run below the outputs folder -> its result."""
    return {path.parent.relative_to(outputs).as_posix(): json.loads(path.read_text())
            for path in outputs.rglob("result.json")}  # fmt: skip


def test_every_run_is_compared_by_what_was_typed_and_by_its_main_metrics(board, outputs):
    shown, found = hparams(board), results(outputs)
    assert {name.rpartition("/")[0] for name in shown} == set(found), "every run, trial and champion, once"
    for name, (settings, metrics) in shown.items():
        result = found[name.rpartition("/")[0]]
        assert settings["Experiment"] == result["experiment"]
        assert settings["Command"] not in ("", "defaults"), name
        assert SETTINGS - set(settings) == set(), name
        assert metrics["main/best/val/loss"] == pytest.approx(result["metrics"]["best/val/loss"]), name
        tested = [tag for tag in metrics if tag.startswith("main/test/")]
        assert len(tested) == (0 if "/trial_000" in name and "champion" not in name else 3), name
        for tag in tested:
            assert metrics[tag] == pytest.approx(result["metrics"][tag.removeprefix("main/")], rel=1e-5), name
    typed = {settings["Command"].split()[-1] for settings, _ in shown.values()}
    assert {"lr=0.001", "lr=0.01"} <= typed


def test_columns_are_those_of_all_runs_with_the_command_and_the_main_metrics_first(board):
    experiment = board("hparams/experiment", {})
    columns = [each["name"] for each in experiment["hparamInfos"]]
    assert columns[:3] == ["Command", "Experiment", "Learning rate"]
    assert {"data.machines", "trainer.limit_train_batches"} <= set(columns)
    metrics = [each["name"]["tag"] for each in experiment["metricInfos"]]
    main = [tag for tag in metrics if tag.startswith("main/")]
    assert metrics[: len(main)] == main
    assert main[0] == "main/best/val/loss"
    assert len(main) <= 1 + 3 * len(WORKLOADS)


def test_groups_are_few_and_what_a_training_comes_to_is_in_the_first(board):
    tags = {tag for run in board("scalars/tags").values() for tag in run}
    groups = sorted({tag.partition("/")[0] for tag in tags})
    assert groups == ["main", "train", "val", "val_classes", "watch"]
    histograms = {tag for run in board("histograms/tags").values() for tag in run}
    assert {tag.partition("/")[0] for tag in histograms} == {"watch_activations", "weights", "weights_gradients"}


def test_no_step_is_doubled(board):
    doubled = []
    for run_name, tags in board("scalars/tags").items():
        for tag in tags:
            steps = [step for _, step, _ in board(f"scalars/scalars?run={quote(run_name)}&tag={quote(tag)}")]
            doubled += [(run_name, tag, steps)] if len(set(steps)) < len(steps) else []
    assert doubled == []


def test_a_resumed_run_is_named_as_it_was_begun_and_compared_by_what_was_typed_last(board, outputs):
    (name,) = [name for name in hparams(board) if name.startswith("mine/")]
    assert name.startswith("mine/pbpk_mlp,")
    assert "max_epochs=3" in name
    settings, _ = hparams(board)[name]
    assert settings["trainer.max_epochs"] == 4
    assert settings["Command"].endswith("max_epochs=4")
    losses = board(f"scalars/scalars?run={quote(name)}&tag={quote('val/loss')}")
    assert [step for _, step, _ in losses] == [1, 3, 5, 7]


def test_every_monitored_run_has_its_graph(board):
    monitored = {f"runs/{experiment}/{STAMP}" for experiment in WORKLOADS}
    assert {name.rpartition("/")[0] for name in board("graphs/info")} >= monitored


def test_trials_of_a_search_have_curves(board):
    trials = {name: tags for name, tags in board("scalars/tags").items() if name.startswith("sweeps/s/trial_")}
    assert len(trials) == 2
    for name in trials:
        assert len(board(f"scalars/scalars?run={quote(name)}&tag={quote('train/loss')}")) == 2


def test_the_diagnosis_is_that_of_the_whole_training(board):
    (name,) = [name for name in board("text/tags") if name.startswith("runs/pbpk_mlp/" + STAMP)]
    last = board(f"text/text?run={quote(name)}&tag={quote('diagnosis/text_summary')}")[-1]
    assert "3 of the 6 validations" in last["text"]


def test_classes_and_images_are_shown_as_they_were_at_the_end(board, outputs):
    last = {name: result["steps"] for name, result in results(outputs).items()}
    for experiment, tag in (("images_plain", "val_classes/confusion"), ("images_plain", "watch_images/predictions"),
                            ("sensors", "val_classes/confusion")):  # fmt: skip
        (name,) = [name for name in board("images/tags") if name.startswith(f"runs/{experiment}/")]
        steps = [each["step"] for each in board(f"images/images?run={quote(name)}&tag={quote(tag)}&sample=0")]
        assert steps[-1] == last[name.rpartition("/")[0]], tag
        assert len(set(steps)) == len(steps)
