"""A small cell of the comparison of networks; `make proofs ARGS=pbpk_networks` trains all for a minute each."""

import pytest
import torch

from benchmarks.proofs.pbpk_networks import NETWORKS, Clock, cell_name, cells, people_of, print_table, try_cell
from fulmen.workloads.pbpk.simulator import compiled

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not compiled.available(), reason="needs Numba"),
]


def test_a_cell_trains_for_about_its_budget_and_says_what_it_reached(tmp_path, monkeypatch):
    monkeypatch.setenv("FULMEN_CACHE", str(tmp_path))
    cell = try_cell("pod", 100, seed=1, budget_s=2.0, pilot_s=0.5, subjects=50)
    assert 1.0 < cell["training_cpu_seconds"] < 4.0
    assert (cell["training_subjects"], cell["test_subjects"]) == (100, 50)
    assert cell["steps"] % 20 == 0  # the last validation is the end of the cycle
    assert 0.5 < cell["r2"] < 1
    assert 1 < cell["gmfe"] < 2
    assert cell["learning_rate"] == NETWORKS["pod"].lr


def test_all_networks_and_sizes_of_a_seed_are_judged_on_the_same_subjects():
    time_h = torch.tensor([1.0, 24.0])
    (people, true), (again, same) = people_of(1, 3, time_h), people_of(1, 3, time_h)
    assert torch.equal(people.kp, again.kp)
    assert torch.equal(true, same)
    assert not torch.equal(people.kp, people_of(2, 3, time_h)[0].kp)


def test_every_network_meets_every_size_and_seed_and_the_table_has_mean_and_sd(capsys):
    assert len({cell_name(*each) for each in cells()}) == len(cells()) == len(NETWORKS) * 9
    one = {"r2": 0.9, "r2_log": 0.9, "within_10_percent": 80.0, "gmfe": 1.1, "training_cpu_seconds": 60.0,
           "steps": 100, "parameters": 1234}  # fmt: skip
    print_table({("mlp", 800, 1): one, ("mlp", 800, 2): one | {"r2": 0.8}})
    assert "| 800 | mlp | 2 | 0.85 ± 0.071 | 0.9 | 80.0 | 1.1 | 60.0 | 100 | 1,234 |" in capsys.readouterr().out


def test_the_first_batches_do_not_count_in_what_a_batch_costs():
    clock = Clock()
    clock.ticks = [0.0, *(5.0 + 0.1 * n for n in range(30))]
    assert clock.seconds_per_batch == pytest.approx(0.1)
