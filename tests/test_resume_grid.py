"""A dozen cells of the resume grid; `make proofs ARGS=resume_grid` covers all pairs of its values."""

import pytest

import fulmen.runs.evaluation
import fulmen.runs.run
from benchmarks.proofs.resume_grid import (
    EXPERIMENTS,
    HOW,
    RANKS,
    SCHEDULES,
    SHARED,
    WHERE,
    cells,
    differences,
    try_cell,
)
from fulmen.config.check import check_overrides
from fulmen.errors import FulmenError
from fulmen.runs.result import Result
from fulmen.runs.run import run

pytestmark = pytest.mark.slow

CELLS = [  # one experiment of each kind, so that the uninterrupted run serves several cells
    ("pbpk_mlp", "plateau", "in an epoch", "signal", 1),
    ("pbpk_mlp", "plateau", "report", "kill -9", 1),
    ("stocks_fast", "one_cycle", "in an epoch", "kill -9", 1),
    ("stocks_fast", "one_cycle", "before the report", "kill -9", 1),
    ("stocks_fast", "one_cycle", "validation", "signal", 1),
    ("stocks_fast", "one_cycle", "last batch", "kill -9", 1),
    ("sensors", "cosine", "in an epoch", "signal", 1),
    ("sensors", "cosine", "report", "signal", 1),
    ("images_plain", "none", "last batch", "signal", 1),
    ("images_plain", "none", "validation", "kill -9", 1),
    pytest.param(("stocks_fast", "plateau", "in an epoch", "signal", 2), marks=pytest.mark.ddp),
    pytest.param(("stocks_fast", "plateau", "before the report", "kill -9", 2), marks=pytest.mark.ddp),
]


@pytest.fixture(scope="module")
def scratch(tmp_path_factory):
    return tmp_path_factory.mktemp("grid")


@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_ended_and_resumed_equals_uninterrupted(scratch, cell):
    assert try_cell(cell, scratch) == []


def test_the_grid_meets_every_pair():
    chosen = cells()
    dimensions = (EXPERIMENTS, SCHEDULES, WHERE, HOW, RANKS)
    for i, one in enumerate(dimensions):
        for j, other in enumerate(dimensions[:i]):
            assert {(cell[i], cell[j]) for cell in chosen} == {(a, b) for a in one for b in other}


FEW = ["trainer.accelerator=cpu", *SHARED, "callbacks.diagnosis=null", "scheduler=null", "test=false"]


def start(*overrides):
    return run(check_overrides(list(overrides)), overrides)


@pytest.mark.parametrize("experiment", ["stocks_fast", "synthetic_mlp", "sensors", "images_plain"])
def test_a_run_that_was_trained_longer_twice_counts_as_one_that_was_longer(tmp_path, experiment):
    typed = [f"experiment={experiment}", *FEW, *EXPERIMENTS[experiment]]
    start(*typed, f"output_dir={tmp_path / 'parts'}", "trainer.max_epochs=1")
    on = f"resume={tmp_path / 'parts'}"
    start(on, "trainer.max_epochs=2")
    start(on, "trainer.max_epochs=4", "trainer.max_steps=10")
    start(on, "trainer.max_steps=-1")
    start(*typed, f"output_dir={tmp_path / 'whole'}", "trainer.max_epochs=4")
    assert differences(tmp_path / "whole", tmp_path / "parts") == []


@pytest.mark.parametrize("full", ["training has ended", "the report"])
def test_a_disk_that_gets_full_loses_nothing_that_was_reached(tmp_path, full, monkeypatch):
    typed = ["experiment=stocks_fast", "trainer.accelerator=cpu", *SHARED, *EXPERIMENTS["stocks_fast"]]
    start(*typed, f"output_dir={tmp_path / 'whole'}")

    def no_space(*_, **__):
        raise FulmenError("cannot write: no space left on the device")

    if full == "the report":
        monkeypatch.setattr(fulmen.runs.evaluation, "write_report", no_space)
    else:
        write = Result.write
        monkeypatch.setattr(Result, "write", lambda self: no_space() if self.trained else write(self))
    with pytest.raises(FulmenError, match="no space left"):
        start(*typed, f"output_dir={tmp_path / 'parts'}")
    monkeypatch.undo()
    start(f"resume={tmp_path / 'parts'}")
    assert differences(tmp_path / "whole", tmp_path / "parts") == []
