"""Every file in conf/experiment must keep these promises; a new experiment is tested by being there."""

import csv
import signal

import pytest
import torch
from helpers import StopAt
from lightning.pytorch import LightningDataModule, LightningModule
from processes import on_ranks

import fulmen
import fulmen.runs.run
from fulmen.callbacks.resume import read_checkpoint
from fulmen.config.check import check_overrides, load_config
from fulmen.config.schema import choices
from fulmen.errors import Interrupted
from fulmen.registry import save_run, verify
from fulmen.runs.run import assemble, callbacks, run

pytestmark = pytest.mark.slow  # every experiment is trained, several times
EXPERIMENTS = choices("experiment")
FEW = [
    "trainer.limit_train_batches=4",
    "trainer.limit_val_batches=1",
    "trainer.limit_test_batches=1",
    "trainer.max_epochs=2",
]


def start(experiment, folder, *overrides):
    """What `python train.py experiment=... output_dir=...` does once Hydra has composed: check, run."""
    same_everywhere = ["trainer.accelerator=cpu", "trainer.precision=32-true"]
    typed = [f"experiment={experiment}", f"output_dir={folder}", *same_everywhere, *overrides]
    return run(check_overrides(typed), typed)


@pytest.fixture(scope="module", params=EXPERIMENTS)
def finished(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param) / "run"
    return request.param, start(request.param, folder, *FEW)


def test_one_batch_of_everything_runs(tmp_path):
    for experiment in EXPERIMENTS:
        result = start(experiment, tmp_path / experiment, "debug=fast_dev_run", "test=false")
        assert result.status == "completed"


def test_a_run_leaves_the_whole_folder(finished):
    _, result = finished
    files = {path.relative_to(result.folder).as_posix() for path in result.folder.rglob("*") if path.is_file()}
    promised = {"config.yaml", "overrides.txt", "metrics.csv", "result.json", "environment.json", "report.md"}
    assert promised | {"checkpoints/best.ckpt", "checkpoints/last.ckpt", "figures/training_curve.png"} <= files
    assert sum("tfevents" in file for file in files) == 1
    assert result.status == "completed"
    assert "\n\ncompleted after 2 epochs" in (result.folder / "report.md").read_text()
    assert [name for name in result.metrics if name.startswith("test/")]
    assert result.baselines, "a number means something beside what costs nothing"


@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_one_batch_can_be_learned_by_heart(experiment, tmp_path):
    """200 steps on one batch, 60 for images, take away nine tenths of the first step's loss."""
    steps = 60 if experiment.startswith("images") else 200
    quick = ["scheduler=null", "callbacks.diagnosis=null", "logger.tensorboard=null", "test=false"]
    quick += [f"trainer.max_epochs={steps}", f"trainer.check_val_every_n_epoch={steps}"]
    result = start(experiment, tmp_path / "run", "debug=overfit", *quick)
    with (result.folder / "metrics.csv").open() as file:
        losses = [float(row["train/loss"]) for row in csv.DictReader(file) if row["train/loss"]]
    assert len(losses) == steps
    assert losses[-1] < 0.1 * losses[0], f"from {losses[0]:.3g} to {losses[-1]:.3g}"


def test_resumed_equals_uninterrupted(finished, tmp_path, monkeypatch):
    """Stopped in mid-epoch; `test_resume_grid.py` and `callbacks/test_resume.py` stop at other moments."""
    experiment, whole = finished
    monkeypatch.setattr(fulmen.runs.run, "callbacks", lambda cfg, *ready: [StopAt(2), *callbacks(cfg, *ready)])
    with pytest.raises(Interrupted) as interruption:
        start(experiment, tmp_path / "run", *FEW)
    assert interruption.value.exit_code == 128 + signal.SIGTERM
    assert fulmen.load_run(tmp_path / "run").result["status"] == "interrupted"
    monkeypatch.undo()
    typed = [f"resume={tmp_path / 'run'}"]
    resumed = run(check_overrides(typed), typed)
    weights = [read_checkpoint(r.folder / "checkpoints" / "last.ckpt")["state_dict"] for r in (whole, resumed)]
    assert not [name for name, value in weights[0].items() if not torch.equal(value, weights[1][name])]
    assert (whole.folder / "metrics.csv").read_text() == (resumed.folder / "metrics.csv").read_text()
    assert {n: v for n, v in whole.metrics.items() if n.startswith("test/")} == pytest.approx(
        {n: v for n, v in resumed.metrics.items() if n.startswith("test/")}, nan_ok=True
    )


def evaluated(folder, samples, devices):
    """What the best checkpoint in `folder` scores on `samples` of validation and test, and its buffers."""
    cfg = load_config(folder)
    several = {"strategy": "ddp", "devices": devices} if devices > 1 else {}
    cfg.trainer = {
        "accelerator": "cpu",
        "_target_": cfg.trainer["_target_"],
        "use_distributed_sampler": False,
        **several,
    }
    cfg.callbacks, cfg.logger = None, None
    data, model, trainer = assemble(cfg)
    data.prepare_data()
    data.setup("fit")
    data.splits |= {
        part: {name: x[:samples] for name, x in data.splits[part].items()} for part in ("validation", "test")
    }
    data.setup = lambda stage: None
    checkpoint = read_checkpoint(folder / "checkpoints" / "best.ckpt")
    model.load_state_dict(checkpoint["state_dict"])
    model.on_load_checkpoint(checkpoint)
    found = {}
    for evaluate in (trainer.validate, trainer.test):
        evaluate(model, datamodule=data, verbose=False)
        found |= {name: float(value) for name, value in trainer.callback_metrics.items()}
    return found | {name: buffer.flatten().tolist() for name, buffer in model.named_buffers()}


@pytest.mark.ddp
@pytest.mark.parametrize("samples", [12, 11, 1], ids=["even", "odd", "fewer than processes"])
def test_two_processes_evaluate_as_one(finished, samples, monkeypatch):
    monkeypatch.setattr("fulmen.data.batches.EVALUATION_BATCH", 4)
    folder = finished[1].folder
    one = evaluated(folder, samples, devices=1)
    assert {"val/loss", "test/loss"} <= set(one)
    for rank in on_ranks(2, evaluated, folder, samples, 2):
        assert set(rank) == set(one)
        for name, value in one.items():
            assert rank[name] == pytest.approx(value, rel=1e-6, abs=1e-6, nan_ok=True), name


def test_checkpoints_hold_plain_values(finished):
    for name in ("best", "last"):
        torch.load(finished[1].folder / "checkpoints" / f"{name}.ckpt", weights_only=True)


def test_the_folder_is_enough_to_predict(finished, tmp_path):
    run = fulmen.load_run(finished[1].folder)
    assert isinstance(run.model, LightningModule)
    assert isinstance(run.data, LightningDataModule)
    assert len(run.metrics) == 2
    batch = next(iter(run.data.predict_dataloader()))
    batch = run.data.on_after_batch_transfer(batch, 0)
    with torch.no_grad():
        first, second = run.model.predict_step(batch, 0), run.model.predict_step(batch, 0)
    assert isinstance(first, dict)
    assert {type(value) for value in first.values()} == {torch.Tensor}
    assert not [name for name, value in first.items() if not torch.equal(value, second[name])]
    finished[1].folder.rename(tmp_path / "moved")
    try:
        assert fulmen.load_run(tmp_path / "moved").config.output_dir == str(tmp_path / "moved")
    finally:
        (tmp_path / "moved").rename(finished[1].folder)


def test_a_kept_model_predicts_the_same_and_describes_its_input(finished, tmp_path):
    _, result = finished
    version = save_run(result.folder, "kept", registry=tmp_path)
    assert [row["state"] for row in verify(version, registry=tmp_path)] == [""]
    assert version.manifest["input_schema"]["format"]
    assert hasattr(fulmen.load_run(result.folder).model, "predict_file")
