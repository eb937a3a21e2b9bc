"""Importing fulmen and running trainings in a process leaves everything there as it was."""

import io
import logging
import os
import pkgutil
import random
import subprocess
import sys
import warnings

import matplotlib
import numpy as np
import pytest
import torch
from helpers import PBPK

import fulmen
from fulmen.comparison.benchmark import hold
from fulmen.config.check import check_overrides
from fulmen.runs.run import run
from fulmen.runs.surroundings import QUIET_LOGGERS, kept_surroundings

STATE = {
    "backend": lambda: matplotlib.get_backend(auto_select=False),
    "figure settings": lambda: {key: matplotlib.rcParams[key] for key in matplotlib.rcParams if key != "backend"},
    "threads": torch.get_num_threads,
    "Python's random state": random.getstate,
    "NumPy's random state": lambda: [np.asarray(part).tolist() for part in np.random.get_state()],  # noqa: NPY002
    "torch's random state": lambda: torch.get_rng_state().tolist(),
    "deterministic work": torch.are_deterministic_algorithms_enabled,
    "deterministic convolutions": lambda: torch.backends.cudnn.deterministic,
    "default type": torch.get_default_dtype,
    "environment": lambda: dict(os.environ),
    "warning filters": lambda: list(warnings.filters),
    "logging levels": lambda: {name: logging.getLogger(name).level for name in QUIET_LOGGERS},
    "streams": lambda: (sys.stdout, sys.stderr),
    "folder": os.getcwd,
    "search path": lambda: list(sys.path),
}

SMALL = {
    "pbpk_mlp": PBPK,
    "stocks": [],
    "images": [],
    "sensors": ["data.machines=8", "data.days=15"],
}
TINY = ["trainer.max_epochs=1", "trainer.limit_train_batches=2", "trainer.limit_val_batches=1",
        "trainer.limit_test_batches=1", "callbacks.summary=null", "callbacks.progress=null"]  # fmt: skip


def train(*typed):
    return run(check_overrides(list(typed)), list(typed))


def differing(before):
    return [name for name, read in STATE.items() if read() != before[name]]


@pytest.mark.parametrize("deterministic", ["false", "true"])
def test_a_run_leaves_its_process_as_it_was(deterministic, tmp_path, monkeypatch):
    monkeypatch.delenv("PL_GLOBAL_SEED", raising=False)
    typed = ["experiment=pbpk_mlp", *SMALL["pbpk_mlp"], *TINY, "trainer.max_epochs=2", f"output_dir={tmp_path / 'run'}"]
    cfg = check_overrides([*typed, "threads=2", f"+trainer.deterministic={deterministic}"])
    before = {name: read() for name, read in STATE.items()}
    run(cfg, typed)
    assert differing(before) == []
    assert (tmp_path / "run" / "figures" / "training_curve.svg").exists(), "a run that draws nothing would show less"


def test_a_run_that_fails_leaves_its_process_as_it_was(tmp_path, monkeypatch):
    typed = ["experiment=pbpk_mlp", *SMALL["pbpk_mlp"], *TINY, f"output_dir={tmp_path / 'run'}", "threads=2"]
    cfg = check_overrides(typed)
    monkeypatch.setattr("fulmen.runs.run.evaluate", lambda *_: 1 / 0)
    before = {name: read() for name, read in STATE.items()}
    with pytest.raises(ZeroDivisionError):
        run(cfg, typed)
    assert differing(before) == []


@pytest.mark.slow
def test_a_ranking_leaves_its_process_and_folder_as_they_were(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    typed = ["network=mlp", *SMALL["sensors"], "trainer.max_epochs=1", "threads=2"]
    hold("sensors", typed, folds=2)  # the first imports what it needs
    before = {name: read() for name, read in STATE.items()}
    contest = hold("sensors", typed, folds=2)
    assert differing(before) == []
    assert "mlp" in contest.scores
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_importing_any_module_changes_nothing():
    modules = [module.name for module in pkgutil.walk_packages(fulmen.__path__, "fulmen.")]
    program = f"""
import logging, os, random, sys, warnings
import lightning.pytorch, matplotlib, numpy as np, optuna, torch
import scipy.optimize, scipy.stats, sklearn.ensemble, torchmetrics, torchvision.transforms.v2, tensorboard  # theirs
from torch.utils.tensorboard import SummaryWriter
STATE = dict(
    backend=lambda: matplotlib.get_backend(auto_select=False),
    figures=lambda: [(key, matplotlib.rcParams[key]) for key in matplotlib.rcParams if key != "backend"],
    threads=torch.get_num_threads,
    python=random.getstate,
    numpy=lambda: str(np.random.get_state()),
    torch=lambda: torch.get_rng_state().tolist(),
    environment=lambda: dict(os.environ),
    pyplot=lambda: "matplotlib.pyplot" in sys.modules,
    levels=lambda: [logging.getLogger(name).level for name in {list(QUIET_LOGGERS)}],
    hooks=lambda: (warnings.showwarning, sys.excepthook, list(sys.path)),
)
before, filters = {{name: read() for name, read in STATE.items()}}, list(warnings.filters)
for name in {modules}:
    __import__(name)
print("changed:", [name for name, read in STATE.items() if read() != before[name]])
print("filters:", [each for each in warnings.filters if each not in filters and "fulmen" in str(each)])
"""
    found = subprocess.run([sys.executable, "-W", "ignore", "-c", program], capture_output=True, text=True, check=True)
    assert found.stdout.splitlines() == ["changed: []", "filters: []"]


def test_advice_of_others_is_silent_inside_and_heard_outside(monkeypatch, tmp_path):
    from lightning.fabric.plugins.environments.slurm import SLURMEnvironment

    (tmp_path / "srun").write_text("#!/bin/sh\n")
    (tmp_path / "srun").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    with pytest.warns(match="srun"):
        SLURMEnvironment._validate_srun_used()
    with warnings.catch_warnings(record=True) as heard, kept_surroundings():
        SLURMEnvironment._validate_srun_used()
    assert heard == []


def test_figures_are_drawn_without_the_callers_pyplot(tmp_path):
    from matplotlib import pyplot

    from fulmen.report.figures import figure

    backend, mine = matplotlib.get_backend(), pyplot.figure()
    try:
        with figure(tmp_path / "one.png", 2, 1, sharex=True) as (above, below):
            above.plot([1, 2], label="a")
            below.hist([1, 2, 2])
        assert pyplot.get_fignums() == [mine.number]
        assert pyplot.gcf() is mine
        assert matplotlib.get_backend() == backend
        assert pyplot.imread(io.BytesIO((tmp_path / "one.png").read_bytes())).std() > 0
    finally:
        pyplot.close(mine)


def test_a_warning_inside_a_training_is_a_line_without_its_place_and_as_ever_afterwards():
    before = warnings.formatwarning
    with kept_surroundings():
        assert warnings.formatwarning(UserWarning("drift: light_lux"), UserWarning, "a.py", 3) == (
            "warning: drift: light_lux\n"
        )
        with pytest.warns(UserWarning, match="light_lux"):
            warnings.warn("drift: light_lux", stacklevel=1)
    assert warnings.formatwarning is before
