"""A dozen cells of the resume grid; `make proofs ARGS=resume_grid` covers all pairs of its values."""

import pytest

from benchmarks.proofs.resume_grid import EXPERIMENTS, HOW, RANKS, SCHEDULES, WHERE, cells, try_cell

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
