"""Run folders: what they remember, and what happens when they are damaged, foreign or hostile."""

import json
import re
import shutil
import subprocess
from html import unescape
from pathlib import Path

import pytest
import torch
from helpers import PBPK

import fulmen
from fulmen.callbacks.resume import read_checkpoint
from fulmen.cli import main as command
from fulmen.comparison.find_or_run import completed_run
from fulmen.config.check import check_overrides
from fulmen.distributed.process_identity import owner
from fulmen.entrypoints import before_work
from fulmen.errors import FulmenError
from fulmen.runs.named_by import flatten
from fulmen.runs.ownership import LOCK
from fulmen.runs.reading import read_result
from fulmen.runs.result import Result, write_provenance
from fulmen.runs.run import run
from fulmen.runs.run_folder import list_runs

TINY = [*PBPK, "trainer.accelerator=cpu"]
QUIET = ["callbacks.progress=null", "callbacks.summary=null", "logger.tensorboard=null"]


def start(*overrides):
    return run(check_overrides(list(overrides)), overrides)


@pytest.fixture(scope="module")
def outputs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("outputs")
    for name, experiment, size in (("one", "pbpk_mlp", 16), ("two", "pbpk_mlp", 24)):
        where = f"output_dir={folder}/runs/{experiment}/{name}"
        start(f"experiment={experiment}", *TINY, *QUIET, "trainer.max_epochs=2", f"model.network.hidden={size}", where)
    return folder


@pytest.fixture
def folder(outputs, tmp_path):
    return shutil.copytree(outputs / "runs" / "pbpk_mlp" / "one", tmp_path / "copy")


def test_environment_says_where_the_numbers_come_from(folder):
    environment = json.loads((folder / "environment.json").read_text())
    start_ = environment["starts"][0]
    assert start_["seed"] == 42
    assert start_["packages"]["torch"] == torch.__version__.partition("+")[0]
    assert set(start_["git"]) == {"commit", "dirty"}
    assert environment["data_fingerprint"] == fulmen.load_run(folder).data.fingerprint


def test_the_page_of_a_run_holds_its_final_numbers(folder):
    """result.json, but for the seconds of the whole run, which go on while the page is written."""
    (shown,) = re.findall(
        r"<summary>All numbers</summary>\s*<pre[^>]*>(.*?)</pre>", (folder / "report.html").read_text(), re.S
    )
    shown, kept = json.loads(unescape(shown)), json.loads((folder / "result.json").read_text())
    del kept["cost"]["seconds"]
    assert shown == kept


def test_a_result_says_which_way_its_metrics_are_better(folder):
    result = read_result(folder)
    assert result["better"]["r2_log"] == "max"
    assert set(result["better"]) <= {name.removeprefix("test/") for name in result["metrics"]}


def test_resume_adds_to_the_history_and_trains_on(folder):
    result = start(f"resume={folder}", "trainer.max_epochs=3")
    assert (result.status, result.epochs) == ("completed", 3)
    assert len(json.loads((folder / "environment.json").read_text())["starts"]) == 2
    assert f"resume={folder}" in (folder / "overrides.txt").read_text()
    report = (folder / "report.md").read_text()
    assert "experiment=pbpk_mlp" in report, "the report names what made the run"
    assert f"resume={folder} trainer.max_epochs=3" in report
    assert len((folder / "metrics.csv").read_text().splitlines()) == 1 + 3


def test_resuming_a_completed_run_only_evaluates_it(folder):
    before = read_result(folder)
    weights = (folder / "checkpoints" / "last.ckpt").read_bytes()
    result = start(f"resume={folder}")
    assert (folder / "checkpoints" / "last.ckpt").read_bytes() == weights
    assert result.metrics["test/r2_log"] == before["metrics"]["test/r2_log"]
    assert (result.epochs, result.steps) == (before["epochs"], before["steps"])


SECONDS = {  # what is typed while another process owns the folder, or once a run lies there
    "resume": lambda folder: [f"resume={folder}"],
    "train on": lambda folder: [f"resume={folder}", "trainer.max_epochs=9"],
    "new": lambda folder: ["experiment=pbpk_mlp", *TINY, *QUIET, f"output_dir={folder}"],
    "seeds": lambda folder: ["experiment=pbpk_mlp", "seeds=2", *TINY, *QUIET, f"output_dir={folder}"],
}


def test_the_seconds_of_training_outlive_a_kill(folder):
    seconds = read_result(folder)["cost"]["fit_seconds"]
    stored = read_result(folder) | {"status": "running", "cost": {}}
    (folder / "result.json").write_text(json.dumps(stored))
    path = folder / "checkpoints" / "last.ckpt"
    kept = read_checkpoint(path)["result"]["fit_seconds"]
    assert 0 < kept <= seconds
    result = start(f"resume={folder}", "trainer.max_epochs=3")
    assert result.cost["fit_seconds"] > kept


def everything(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("typed", SECONDS.values(), ids=SECONDS)
def test_the_second_in_one_folder_is_told_who_holds_it(folder, typed):
    process = subprocess.Popen(["sleep", "60"])
    try:
        (folder / LOCK).write_text(json.dumps({"format": 1, **owner(process.pid)}))
        before = everything(folder)
        with pytest.raises(FulmenError, match=f"belongs to process {process.pid} on ") as refused:
            start(*typed(folder))
        assert (refused.value.exit_code, before) == (2, everything(folder))
        with pytest.raises(FulmenError, match=f"belongs to process {process.pid} on "):
            before_work(["train.py", *typed(folder)])  # before anything is imported
    finally:
        process.kill()
        process.wait()
    if typed(folder)[0].startswith("resume="):
        assert start(*typed(folder)).status == "completed"
        assert not (folder / LOCK).exists()


@pytest.mark.parametrize("stands", ["completed", "killed"])
@pytest.mark.parametrize("typed", [SECONDS["new"], SECONDS["seeds"]], ids=["new", "seeds"])
def test_a_new_run_does_not_mix_with_one_that_lies_there(folder, typed, stands):
    if stands == "killed":
        (folder / "result.json").write_text(json.dumps(read_result(folder) | {"status": "running"}))
    before = everything(folder)
    with pytest.raises(FulmenError, match=rf"holds a run already \({stands}\); resume={folder} .*={folder}_2"):
        start(*typed(folder))
    with pytest.raises(FulmenError, match="holds a run already"):
        before_work(["train.py", *typed(folder)])
    assert before == everything(folder)


def test_a_start_that_came_to_nothing_is_no_run(folder):
    (folder / "checkpoints" / "last.ckpt").unlink()
    (folder / "result.json").write_text(json.dumps({"status": "interrupted", "trained": False}))
    (folder / "events.out.tfevents.1.host.2.0").write_bytes(b"of the start before")
    result = start(*SECONDS["new"](folder), "trainer.max_epochs=1")
    assert result.status == "completed"
    assert not (folder / "events.out.tfevents.1.host.2.0").exists()


def test_a_run_that_was_killed_is_known_as_dead(outputs, folder):
    where = shutil.copytree(outputs, folder.parent / "outputs") / "runs" / "pbpk_mlp" / "one"
    stored = json.loads((where / "result.json").read_text()) | {"status": "running"}
    (where / "result.json").write_text(json.dumps(stored))
    process = subprocess.Popen(["sleep", "60"])
    (where / LOCK).write_text(json.dumps({"format": 1, **owner(process.pid)}))

    def listed():
        return next(row for row in list_runs(folder.parent / "outputs") if row["run"] == "pbpk_mlp/one")

    assert listed()["status"] == "running"
    process.kill()
    process.wait()
    assert (listed()["status"], listed()["message"]) == (
        "killed",
        f"killed; go on with: python train.py resume={where}",
    )
    assert start(f"resume={where}").status == "completed"
    assert listed()["status"] == "completed"


@pytest.mark.parametrize("override", ["data.dose_mg=50", "model.optimizer.lr=1e-5", "seed=1", "network=dynamic_gnn"])
def test_resume_keeps_what_the_weights_were_made_of(folder, override):
    config = (folder / "config.yaml").read_text()
    with pytest.raises(FulmenError, match="a resumed run keeps its"):
        start(f"resume={folder}", override)
    assert (folder / "config.yaml").read_text() == config


def test_fewer_epochs_than_trained_are_refused_and_nothing_is_lost(folder):
    before = {name: (folder / name).read_bytes() for name in ("config.yaml", "result.json", "metrics.csv")}
    with pytest.raises(FulmenError, match=r"trainer\.max_epochs=1: .* has 2 already"):
        start(f"resume={folder}", "trainer.max_epochs=1")
    assert before == {name: (folder / name).read_bytes() for name in before}


def test_damaged_side_files_are_set_aside(folder, capsys):
    for name in ("environment.json", "metrics.csv", "result.json"):
        (folder / name).write_text("{")
    result = start(f"resume={folder}", "trainer.max_epochs=3")
    assert (result.status, result.epochs) == ("completed", 3)
    warnings = capsys.readouterr().err
    for name in ("environment.json", "metrics.csv", "result.json"):
        assert (folder / f"{name}.damaged").read_text() == "{"
        assert f"{name} is damaged" in warnings


def test_truncated_checkpoint_is_refused_and_kept(folder):
    path = folder / "checkpoints" / "last.ckpt"
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(FulmenError, match=r"last\.ckpt is damaged.*best\.ckpt"):
        start(f"resume={folder}")
    assert path.stat().st_size == 5000
    assert read_result(folder)["status"] == "completed"


def test_checkpoint_of_another_model_is_refused(outputs, folder):
    shutil.copy(outputs / "runs" / "pbpk_mlp" / "two" / "checkpoints" / "last.ckpt", folder / "checkpoints")
    with pytest.raises(FulmenError, match=r"does not fit the model.*\(24, .*in the checkpoint and \(16, "):
        start(f"resume={folder}")


def test_run_folder_of_another_experiment_is_refused(folder):
    with pytest.raises(FulmenError, match="one of experiment=pbpk_mlp"):
        start(f"resume={folder}", "experiment=pbpk_gnn")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("config.yaml", None, "config.yaml"),
        ("config.yaml", "{", "config.yaml"),
        ("result.json", "{", r"result\.json is damaged"),
    ],
)
def test_missing_or_damaged_files_are_named(folder, name, content, message):
    (folder / name).unlink()
    if content is not None:
        (folder / name).write_text(content)
    run = fulmen.load_run(folder)
    with pytest.raises(FulmenError, match=message):
        _ = run.config if name == "config.yaml" else run.result


def test_hostile_config_runs_no_code(folder, tmp_path):
    config = (folder / "config.yaml").read_text()
    (folder / "config.yaml").write_text(config.replace("torch.optim.Adam", "os.mkdir"))
    with pytest.raises(FulmenError, match=r"os\.mkdir"):
        fulmen.load_run(folder)
    with pytest.raises(FulmenError, match=r"os\.mkdir"):
        start(f"resume={folder}")


def test_checkpoint_with_objects_is_refused(folder):
    class Payload:
        def __reduce__(self):
            return (pytest.fail, ("code was run",))

    torch.save({"state_dict": Payload()}, folder / "checkpoints" / "best.ckpt")
    with pytest.raises(FulmenError, match="damaged or no plain checkpoint"):
        _ = fulmen.load_run(folder).model


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("model.optimizer.lr=-1", r"model\.optimizer: Invalid learning rate: -1"),
        ("monitor=val/los", r"val/los\b"),
        ("data.dose_mg=-5", r"data\.dose_mg"),
        ("data.organs.liver.flow=0.5", r"data\.organs: the flow fractions sum to 1\.435"),
        ("data.npz=absent.npz", r"data\.npz: there is no file absent\.npz"),
        ("model.network.hidden=0", r"model\.network\.hidden: must be a whole number of at least 1, got 0"),
    ],
)
def test_values_that_cannot_be_are_messages(tmp_path, override, message):
    with pytest.raises(FulmenError, match=message):
        start("experiment=pbpk_mlp", *TINY, *QUIET, "trainer.max_epochs=1", override, f"output_dir={tmp_path / 'run'}")


def test_failed_run_says_why(tmp_path, monkeypatch):
    def fail(*_):
        raise RuntimeError("the cat unplugged it")

    monkeypatch.setattr("fulmen.workloads.pbpk.module.PBPKSurrogate.validation_step", fail)
    with pytest.raises(RuntimeError):
        start("experiment=pbpk_mlp", *TINY, *QUIET, f"output_dir={tmp_path / 'run'}")
    result = read_result(tmp_path / "run")
    assert (result["status"], result["message"]) == ("failed", "RuntimeError: the cat unplugged it")


def test_runs_are_listed_with_their_metrics(outputs, tmp_path, capsys):
    assert [row["run"] for row in list_runs(outputs)] == ["pbpk_mlp/one", "pbpk_mlp/two"]
    assert command(["runs", "--outputs", str(outputs)]) == 0
    assert "pbpk_mlp/two" in capsys.readouterr().out
    assert command(["runs", "--outputs", str(tmp_path)]) == 0
    assert "no runs" in capsys.readouterr().out
    assert command(["runs", str(outputs)]) == 2
    assert "is no experiment; `fulmen runs --outputs FOLDER`" in capsys.readouterr().err


def test_listed_runs_are_grouped_by_experiment_and_failed_ones_say_why(tmp_path, capsys):
    Result("stocks", tmp_path / "runs/stocks/one", "completed", metrics={"test/skill": 0.1}).write()
    Result("images", tmp_path / "runs/images/two", "failed", message="FulmenError: no file x.npz\nmore").write()
    assert command(["runs", "--outputs", str(tmp_path)]) == 0
    shown = capsys.readouterr().out
    assert "images/two failed: FulmenError: no file x.npz\n" in shown
    assert shown.count("skill") == 1
    assert command(["runs", "stocks", "--outputs", str(tmp_path)]) == 0
    assert "images" not in capsys.readouterr().out


DAMAGED = {
    "cut short": b'{"status": "comp',
    "empty": b"",
    "no text": b"\xff\xfe\x00",
    "deep": b"[" * 100_000,
    "a list": b"[]",
    "metrics that are none": b'{"status": "completed", "metrics": [1]}',
    "a cost that is none": b'{"status": "completed", "cost": null}',
    "a status that is none": b'{"status": {}}',
    "a message that is none": b'{"status": "failed", "message": 5}',
    "a metric like markup": b'{"status": "completed", "metrics": {"test/[/x]": "[/y]"}}',
    "a folder": None,
}


@pytest.mark.parametrize("damage", DAMAGED)
def test_one_damaged_run_hides_no_other(damage, tmp_path, capsys):
    for name in ("one", "three"):
        Result("stocks", tmp_path / "runs/stocks" / name, "completed", metrics={"test/skill": 0.1}).write()
    path = tmp_path / "runs/stocks/damaged/result.json"
    path.parent.mkdir()
    path.mkdir() if DAMAGED[damage] is None else path.write_bytes(DAMAGED[damage])
    assert [row["run"] for row in list_runs(tmp_path)] == ["stocks/damaged", "stocks/one", "stocks/three"]
    assert command(["runs", "--outputs", str(tmp_path)]) == 0
    shown = capsys.readouterr().out
    assert "stocks/one" in shown
    assert "stocks/three" in shown
    if "markup" not in damage:
        assert "stocks/damaged damaged: result.json is damaged (" in shown


@pytest.mark.parametrize("file", ["config.yaml", "result.json"])
@pytest.mark.parametrize("damage", [name for name in DAMAGED if name != "a metric like markup"])
def test_what_looks_for_a_run_goes_past_damaged_ones(damage, file, tmp_path):
    cfg = check_overrides(["experiment=pbpk_mlp", f"output_dir={tmp_path}/runs/pbpk_mlp/one"])
    Result("pbpk_mlp", Path(cfg.output_dir), "completed").write()
    write_provenance(Path(cfg.output_dir), cfg, [], resumed=False)
    other = shutil.copytree(cfg.output_dir, tmp_path / "runs/pbpk_mlp/two")
    (other / file).unlink()
    (other / file).mkdir() if DAMAGED[damage] is None else (other / file).write_bytes(DAMAGED[damage])
    assert completed_run(cfg, tmp_path) == Path(cfg.output_dir)


def test_a_training_says_little_before_its_first_epoch_and_names_the_page_last(tmp_path, capsys):
    few = "leaks=off"  # so few subjects would be told of
    start("experiment=pbpk_mlp", *TINY, few, "logger.tensorboard=null", f"output_dir={tmp_path / 'run'}")
    lines = capsys.readouterr().out.splitlines()
    before = lines[: next(number for number, line in enumerate(lines) if line.startswith("epoch "))]
    assert len(before) == 2
    assert before[1].startswith("network MLP: ")
    assert lines[len(before)].startswith("epoch 1/")
    assert lines[-1] == f"report: {tmp_path / 'run' / 'report.html'}, the same in report.md"


def test_a_run_of_before_that_showed_its_training_otherwise_is_found(tmp_path):
    cfg = check_overrides(["experiment=pbpk_mlp", f"output_dir={tmp_path}/runs/pbpk_mlp/one"])
    before = check_overrides(["experiment=pbpk_mlp", f"output_dir={tmp_path}/runs/pbpk_mlp/one"])
    before.callbacks.summary = {"_target_": "lightning.pytorch.callbacks.RichModelSummary", "max_depth": 2}
    Result("pbpk_mlp", Path(cfg.output_dir), "completed").write()
    write_provenance(Path(cfg.output_dir), before, [], resumed=False)
    assert completed_run(cfg, tmp_path) == Path(cfg.output_dir)


@pytest.mark.parametrize(("preset", "epochs"), [("limit", 2), ("profiler", 2)])
def test_debug_presets_run(tmp_path, preset, epochs):
    result = start("experiment=pbpk_mlp", *TINY, *QUIET, f"debug={preset}", f"output_dir={tmp_path / 'run'}")
    assert (result.status, result.epochs) == ("completed", epochs)


def test_hyperparameters_are_flat_and_readable():
    tree = {"model": {"_target_": "a.b.Net", "lr": 0.1, "opt": {"_target_": "x.Adam", "_partial_": True}, "n": None}}
    assert flatten(tree) == {"model": "Net", "model.lr": 0.1, "model.opt": "Adam"}
