"""`train(...)` is what `python train.py experiment=curves ...` does; `plain(...)` the same by Lightning alone."""

from pathlib import Path

import pytest

from fulmen.config import allow_list

HERE = Path(__file__).parent


@pytest.fixture(autouse=True)
def _curves_can_be_imported(monkeypatch):
    monkeypatch.syspath_prepend(str(HERE))
    monkeypatch.setattr(allow_list, "PARTS", (*allow_list.PARTS, "curves"))  # a run folder may name it


CURVES = (f"hydra.searchpath=[file://{HERE / 'conf'}]", "experiment=curves")


@pytest.fixture
def train(tmp_path):
    """Trains the toy and returns the result and the module."""

    def train(*more: str):
        from curves import Curve

        from fulmen.config.check import check_overrides
        from fulmen.runs.run import run

        return run(check_overrides([*CURVES, f"output_dir={tmp_path / 'run'}", *more]), more), Curve.made

    return train


@pytest.fixture
def plain(tmp_path):
    """Trains the toy by Lightning alone and returns trainer and module."""

    def plain(data=None, callbacks=(), **arguments):
        from curves import Curve, Numbers
        from helpers import quiet_trainer

        defaults = {"max_epochs": 6, "default_root_dir": tmp_path, "enable_checkpointing": bool(callbacks)}
        trainer = quiet_trainer(**defaults | arguments, callbacks=[*callbacks])
        trainer.fit(model := Curve(), datamodule=data or Numbers())
        return trainer, model

    return plain
