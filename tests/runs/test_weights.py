"""`weights=`: a new run starts from those of another run or of a kept model; one line says what fits."""

import json
import shutil
from pathlib import Path

import pytest
import torch
from lightning.pytorch import Callback

import fulmen
from fulmen.callbacks.resume import read_checkpoint
from fulmen.config.check import check_overrides
from fulmen.entrypoints import before_search, before_work, started_from
from fulmen.errors import FulmenError
from fulmen.registry import promote
from fulmen.registry.start_from import resolved
from fulmen.runs.run import run

FROZEN = Path(__file__).parents[1] / "frozen" / "4332109"
WORKLOADS = sorted(path.name for path in (FROZEN / "runs").iterdir())
RTOL = 1e-4  # another CPU changes the last bits


class AtStart(Callback):
    """The validation loss and the tensors before the first optimizer step."""

    def on_sanity_check_end(self, trainer, module):
        self.loss = float(trainer.callback_metrics["val/loss"])
        self.state = {name: value.clone() for name, value in module.state_dict().items()}


# What has another default since
BEFORE = {"pbpk": ["data.reduced=runge_kutta", "model.reduced=runge_kutta",
                   "model.trusted=false", "model.within_dose=false"]}  # fmt: skip


def typed_for(workload):
    """What the frozen run of a workload was told, for a run of one epoch."""
    said = (FROZEN / "runs" / workload / "overrides.txt").read_text().splitlines()
    said = [override for override in said if not override.startswith("output_dir=")]
    return [*said, *BEFORE.get(workload, []), "trainer.max_epochs=1", "trainer.num_sanity_val_steps=-1", "test=false",
            "callbacks.progress=null", "callbacks.summary=null", "logger.tensorboard=null"]  # fmt: skip


def tune(workload, folder, *more):
    typed = [*started_from([*typed_for(workload), *more]), f"output_dir={folder}"]
    watching = AtStart()
    return run(check_overrides(typed), typed, {"learning_rate": watching}), watching


def started(folder):
    return json.loads((folder / "environment.json").read_text())["starts"][-1]


@pytest.fixture
def registry(tmp_path, monkeypatch):
    monkeypatch.setenv("FULMEN_REGISTRY", str(shutil.copytree(FROZEN / "models", tmp_path / "models")))
    return tmp_path / "models"


@pytest.mark.parametrize("workload", WORKLOADS)
def test_a_run_starts_at_the_loss_where_the_other_ended(workload, tmp_path, capsys):
    source = FROZEN / "runs" / workload
    tuned, begun = tune(workload, tmp_path, f"weights={source}")
    assert begun.loss == pytest.approx(fulmen.load_run(source).result["metrics"]["best/val/loss"], rel=RTOL)
    stored = read_checkpoint(source / "checkpoints" / "best.ckpt")["state_dict"]
    learned = [name for name in stored if name not in ("tau", "threshold", "quantiles")]  # of the validation just made
    differ = [name for name in learned if not torch.equal(begun.state[name], stored[name])]
    assert differ == []
    assert f"starting from {source}: " in capsys.readouterr().out
    assert started(tuned.folder)["weights"]["of"] == str(source)
    assert tuned.steps > 0


def test_an_alias_of_a_kept_model_is_led_to_its_version_and_that_is_recorded(registry, tmp_path, capsys):
    promote("pbpk:1", "champion")
    tuned, begun = tune("pbpk", tmp_path / "run", "weights=pbpk@champion")
    assert f"weights={registry}/pbpk/1/weights.safetensors" in (tuned.folder / "overrides.txt").read_text().splitlines()
    facts = started(tuned.folder)["weights"]
    assert (facts["of"], facts["loaded"]) == ("pbpk:1", facts["tensors"])
    assert begun.loss == pytest.approx(
        fulmen.load_run(FROZEN / "runs" / "pbpk").result["metrics"]["best/val/loss"], rel=RTOL
    )
    assert f"{facts['tensors']} of {facts['tensors']} tensors loaded" in capsys.readouterr().out

    shutil.rmtree(registry)  # a run that goes on needs them no more
    again = [f"resume={tuned.folder}", "trainer.max_epochs=2"]
    assert run(check_overrides(again), again).epochs == 2
    assert "weights" not in started(tuned.folder)


def test_means_and_scales_come_with_the_weights_whatever_the_new_data(tmp_path, capsys):
    _, begun = tune("pbpk", tmp_path, f"weights={FROZEN}/runs/pbpk", "data.seed=7")
    stored = read_checkpoint(FROZEN / "runs" / "pbpk" / "checkpoints" / "best.ckpt")["state_dict"]
    assert torch.equal(begun.state["log_mean"], stored["log_mean"])
    assert " of them fitted to its data (means, scales and the like)" in capsys.readouterr().out


def test_class_counts_stay_those_of_the_new_data(tmp_path):
    _, begun = tune("images", tmp_path, f"weights={FROZEN}/runs/images", "data.imbalance.keep=0.5")
    stored = read_checkpoint(FROZEN / "runs" / "images" / "checkpoints" / "best.ckpt")["state_dict"]
    assert not torch.equal(begun.state["counts"], stored["counts"])
    assert torch.equal(begun.state["mean"], stored["mean"])


def test_what_does_not_fit_is_named(tmp_path, capsys):
    tune("pbpk", tmp_path, f"weights={FROZEN}/runs/pbpk", "model.network.recurrent=4")
    line = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("starting from"))
    assert " tensors loaded" in line
    assert ") there and (" in line


@pytest.mark.parametrize(
    ("weights", "said"),
    [
        (f"{FROZEN}/runs/stocks", r"weights: nothing of \S+/stocks fits this model: \S+ is missing there, .* \d+ more"),
        ("{broken}", r"weights: \S+ of {broken} is not finite; that training had diverged, take another"),
        ("{empty}", r"weights: {empty} has no checkpoint"),
        ("{several}", r"weights: {several} stands for several runs; choose one, such as \S+/seed_3/fold_0"),
        ("outputs/runs/none", r"weights=outputs/runs/none: there is no run folder and no file of weights"),
        ("pumpp", r"weights=pumpp: no run folder, and as a kept model: .*pumpp"),
        ("pbpk:7", r"weights=pbpk:7: no run folder, and as a kept model: pbpk:7: there is no version 7"),
    ],
)  # fmt: skip
def test_weights_that_cannot_be_used_are_an_error_before_training(weights, said, registry, tmp_path):
    folders = {name: tmp_path / name for name in ("broken", "empty", "several")}
    for folder in folders.values():
        shutil.copytree(FROZEN / "runs" / "pbpk", folder)
    for path in (folders["empty"] / "checkpoints").iterdir():
        path.unlink()
    (folders["several"] / "seed_3" / "fold_0").mkdir(parents=True)
    checkpoint = read_checkpoint(folders["broken"] / "checkpoints" / "best.ckpt")
    next(iter(checkpoint["state_dict"].values())).view(-1)[0] = torch.nan
    torch.save(checkpoint, folders["broken"] / "checkpoints" / "best.ckpt")
    with pytest.raises(FulmenError, match=f"^{said.format(**folders)}"):
        tune("pbpk", tmp_path / "run", f"weights={weights.format(**folders)}")
    assert not (tmp_path / "run" / "config.yaml").exists()


def test_a_damaged_kept_model_is_not_started_from(registry):
    path = registry / "pbpk" / "1" / "weights.safetensors"
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    with pytest.raises(FulmenError, match=r"weights=pbpk: no run folder, and as a kept model: \S+ is damaged"):
        resolved(["weights=pbpk"])


def test_weights_beside_resume_are_refused(tmp_path):
    folder = shutil.copytree(FROZEN / "interrupted" / "pbpk", tmp_path / "run")
    with pytest.raises(
        FulmenError, match=r"^weights=pbpk: a resumed run goes on with its own weights; start a new run"
    ):
        before_work(["train.py", f"resume={folder}", "weights=pbpk"])


def test_every_value_of_a_multirun_is_led_to_its_place(registry):
    one, two = f"{FROZEN}/runs/pbpk", f"{registry}/stocks/1/weights.safetensors"
    assert resolved(["seed=1,2", f"weights={one},'stocks',null"]) == ["seed=1,2", f"weights={one},{two},null"]
    assert resolved(["+weights=null"]) == ["+weights=null"]


def test_a_search_takes_weights_for_all_its_trials(registry):
    (plan,) = before_search(["experiment=pbpk_mlp", "search=random", "weights=pbpk"])
    assert f"weights={registry}/pbpk/1/weights.safetensors" in plan.overrides


@pytest.mark.slow
def test_runs_over_seeds_all_start_from_the_weights(tmp_path):
    typed = [o for o in typed_for("pbpk") if not o.startswith("seed=")]
    typed += [f"weights={FROZEN}/runs/pbpk", "seeds=2", "test=true", "model.figures=false", f"output_dir={tmp_path}"]
    result = run(check_overrides(typed), typed)
    assert [started(tmp_path / name)["weights"]["of"] for name in result.runs] == [f"{FROZEN}/runs/pbpk"] * 2
