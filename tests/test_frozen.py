"""Run folders and kept models of earlier commits load, predict, verify and go on as if they were of today.

What they recorded holds to 1e-4: another CPU or another build of torch changes the last bits.
"""

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

import fulmen
from fulmen.config.check import check_overrides
from fulmen.registry import verify
from fulmen.registry.bundle import Bundle
from fulmen.registry.examples import predictions
from fulmen.registry.store import Store
from fulmen.runs.run import run

FROZEN = Path(__file__).parent / "frozen"
FOLDERS = sorted(FROZEN.glob("*/runs/*"))
NAMES = [f"{folder.parent.parent.name}-{folder.name}" for folder in FOLDERS]
RTOL = 1e-4

of_each = pytest.mark.parametrize("folder", FOLDERS, ids=NAMES)


def resumed(folder, tmp_path, *typed):
    """What `python train.py resume=<a copy of the folder> ...` gives; the copy lies where the run never was."""
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    typed = [f"resume={copy}", *typed]
    return run(check_overrides(typed), typed)


def assert_close(now, then):
    """Every recorded number is there again, to `RTOL`."""
    assert now.keys() >= then.keys()
    off = {name: (now[name], value) for name, value in then.items() if not close(now[name], value)}
    assert not off, "name: (now, recorded)"


def close(now, then):
    return np.allclose(now, np.nan if then is None else then, rtol=RTOL, atol=1e-6, equal_nan=True)


@of_each
def test_a_run_loads_and_predicts(folder):
    old = fulmen.load_run(folder)
    assert old.config.output_dir == str(folder)
    assert old.result["status"] == "completed"
    assert len(old.metrics) == old.result["epochs"] == 3
    batch = old.data.on_after_batch_transfer(next(iter(old.data.predict_dataloader())), 0)
    with torch.no_grad():
        assert {type(value) for value in old.model.predict_step(batch, 0).values()} == {torch.Tensor}


@of_each
def test_a_kept_model_verifies_and_predicts_what_was_recorded(folder):
    registry = folder.parents[1] / "models"
    assert [row["state"] for row in verify(f"{folder.name}:1", registry=registry)] == [""]
    bundle = Bundle(Store(registry).find(f"{folder.name}:1"))
    inputs, recorded = bundle.example
    for model in (bundle.model(), fulmen.load_run(folder).model):
        said = predictions(model, inputs)
        assert_close({name: said[name].numpy() for name in said}, {name: recorded[name].numpy() for name in recorded})


@pytest.mark.slow
@of_each
def test_a_finished_run_is_evaluated_again_to_the_same_numbers(folder, tmp_path):
    again, recorded = resumed(folder, tmp_path), fulmen.load_run(folder).result
    assert again.status == "completed"
    tested = {name: value for name, value in recorded["metrics"].items() if name.startswith("test/")}
    assert tested
    assert_close(again.metrics, tested)
    for baseline, scores in recorded["baselines"].items():
        assert_close(again.baselines[baseline], scores)


@pytest.mark.slow
@of_each
def test_an_interrupted_run_ends_as_the_one_that_was_never_stopped(folder, tmp_path):
    again = resumed(folder.parents[1] / "interrupted" / folder.name, tmp_path)
    whole = fulmen.load_run(folder)
    assert (again.status, again.epochs, again.steps) == ("completed", whole.result["epochs"], whole.result["steps"])
    assert_close(again.metrics, whole.result["metrics"])
    table = fulmen.load_run(again.folder).metrics
    assert_close({name: table[name] for name in table}, {name: whole.metrics[name] for name in whole.metrics})


@pytest.mark.slow
@of_each
def test_a_finished_run_can_be_trained_longer(folder, tmp_path):
    before = fulmen.load_run(folder).result
    longer = resumed(folder, tmp_path, "trainer.max_epochs=4")
    assert (longer.status, longer.epochs) == ("completed", 4)
    assert longer.steps == before["steps"] * 4 // 3
