"""The proof that surrogates carry over to other subjects and times judges as it says."""

from types import SimpleNamespace

import pytest
import torch

from benchmarks.proofs import pbpk_transfer
from benchmarks.proofs.pbpk_transfer import NETWORKS, judged
from fulmen.config.check import check_overrides
from fulmen.workloads.pbpk.simulator.solvers import concentrations, simulate


@pytest.fixture
def few(monkeypatch):
    monkeypatch.setattr(pbpk_transfer, "SUBJECTS", 6)


def solver(factor):
    """A model that says what the solver does, times a factor."""

    def predict_population(people, time_h, grid_h):
        with_start = torch.cat([torch.zeros(1, dtype=torch.float64), time_h])
        return factor * concentrations(people, simulate(people, with_start))[:, :, 1:]

    return SimpleNamespace(predict_population=predict_population)


@pytest.mark.parametrize(("factor", "within"), [(1.0, 100.0), (1.05, 100.0), (1.2, 0.0)])
def test_a_share_within_10_percent_is_that_of_the_solver_itself_times_a_factor(few, factor, within):
    for asked in (NETWORKS["24 h"][1]["lipophilic"], NETWORKS["surrogate"][1]["clinical times"]):
        score = judged(solver(factor), SimpleNamespace(time_h=asked.time_h), asked)
        assert score["within_10_percent"] == pytest.approx(within)
        assert score["gmfe"] == pytest.approx(factor, rel=1e-4)


@pytest.mark.parametrize("name", NETWORKS)
def test_every_network_of_the_proof_can_be_trained_and_every_set_drawn(few, name):
    options, sets = NETWORKS[name]
    check_overrides(options)
    assert all(len(asked.subjects()) == 6 for asked in sets.values())
