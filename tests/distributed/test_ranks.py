"""All ranks decide alike and count everything once, and there is one place for it."""

import ast
from pathlib import Path

import pytest
import torch
from processes import on_ranks

import fulmen
from fulmen.distributed import ranks

SOURCE = Path(fulmen.__file__).parent
EXCHANGES = {"all_gather", "broadcast", "barrier", "reduce", "reduce_boolean_decision"}  # of Lightning's strategies


def everything():
    rank, world = ranks.rank_and_world()
    rows = torch.arange(2.0 * rank).view(-1, 1).expand(-1, 3) if rank else torch.empty(0)
    return {
        "rank": (rank, world),
        "any": [ranks.any_rank(rank == 1), ranks.any_rank(False), ranks.any_rank(True)],
        "first": ranks.from_first({"best": [rank, "a"]}),
        "given": ranks.first_given(None if rank == 0 else f"rank {rank}"),
        "sum": ranks.sum_over_ranks(torch.tensor([rank + 1, 2**60])).tolist(),
        "mean": ranks.sum_over_ranks(torch.tensor(0.1)).double().item(),
        "rows": [(tuple(x.shape), x.tolist()) for x in ranks.gather_rows(rows)],
        "scalars": [x.tolist() for x in ranks.gather_rows(torch.tensor(rank))],
    }


@pytest.mark.ddp
def test_every_rank_comes_to_the_same():
    first, second = on_ranks(2, everything)
    assert (first.pop("rank"), second.pop("rank")) == ((0, 2), (1, 2))
    assert first == second
    assert first["any"] == [True, False, True]
    assert first["first"] == {"best": [0, "a"]}
    assert first["given"] == "rank 1"
    assert first["sum"] == [3, 2**61]
    assert first["mean"] == 2 * torch.tensor(0.1).double().item()
    assert first["rows"] == [((0, 3), []), ((2, 3), [[0.0] * 3, [1.0] * 3])]
    assert first["scalars"] == [0, 1]


def test_one_process_gets_back_what_it_gives():
    x = torch.arange(3)
    assert ranks.rank_and_world() == (0, 1)
    assert (ranks.any_rank(True), ranks.any_rank(False)) == (True, False)
    assert ranks.from_first(x) is x
    assert ranks.first_given(x) is x
    assert ranks.sum_over_ranks(x) is x
    assert ranks.gather_rows(x)[0] is x


@pytest.mark.parametrize("path", sorted(SOURCE.rglob("*.py")), ids=lambda path: path.relative_to(SOURCE).as_posix())
def test_nothing_else_talks_between_ranks(path):
    if path == SOURCE / "distributed" / "ranks.py":
        return
    for node in ast.walk(ast.parse(path.read_text())):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Attribute):
            names = [ast.unparse(node)]
            owner = ast.unparse(node.value)
            asks = node.attr in EXCHANGES and (owner.endswith("strategy") or owner in ("self", "module", "trainer"))
            assert not asks, f"{names[0]}: ranks agree through fulmen.distributed.ranks"
        assert [name for name in names if name.startswith("torch.distributed")] == [], "only ranks.py"
