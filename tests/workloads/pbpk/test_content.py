"""Content and proportionality: what holds by construction, whatever the weights are."""

import dataclasses

import pytest
import torch
from helpers import quiet_trainer

from fulmen.migrations import migrate
from fulmen.migrations.step_3_within_dose import MODEL
from fulmen.workloads.pbpk.content import LIMIT, curves_within_dose, taken_up, within_dose
from fulmen.workloads.pbpk.data import PBPKData
from fulmen.workloads.pbpk.graph import absorbed_share, inputs
from fulmen.workloads.pbpk.metrics import normalized
from fulmen.workloads.pbpk.module import PBPKSurrogate
from fulmen.workloads.pbpk.networks import MLP, POD, DynamicGNN
from fulmen.workloads.pbpk.simulator.sampling import sample_population
from fulmen.workloads.pbpk.simulator.solvers import concentrations, simulate

GRID_H = torch.linspace(0, 24, 25, dtype=torch.float64)


def held(concentration, subjects):
    """Amounts in all organs over the dose: [S, T]."""
    return (concentration * subjects.volume_l[:, :, None]).sum(1) / subjects.dose_mg[:, None]


@pytest.fixture(scope="module")
def subjects():
    return sample_population(60, seed=5, n_doses=2, interval_h=12.0)


@pytest.fixture(scope="module")
def batch(subjects):
    return inputs(subjects, GRID_H[1:])


def test_what_the_solver_says_passes_as_it_is(subjects, batch):
    true = concentrations(subjects, simulate(subjects, GRID_H))[:, :, 1:]
    u = normalized(true, subjects.dose_mg, subjects.weight_kg).float()
    torch.testing.assert_close(within_dose(u, batch), u, rtol=4e-4, atol=0)


def test_the_organs_never_hold_more_than_was_taken_up(subjects, batch):
    for size in (1.0, 10.0, 1e4):
        u = size * torch.rand(60, 14, 24, generator=torch.Generator().manual_seed(0))
        low = within_dose(u, batch) * (subjects.dose_mg / subjects.weight_kg)[:, None, None]
        assert bool((held(low, subjects) <= LIMIT * taken_up(batch) * (1 + 1e-5)).all())
        assert bool((low >= 0).all())


def test_the_share_that_was_taken_up_is_what_the_solver_has_let_in(subjects, batch):
    """All that was given less what still lies in the gut's lumen, or was never absorbed."""
    share = absorbed_share(subjects, GRID_H[1:])
    torch.testing.assert_close(share.float(), taken_up(batch))
    gone = dataclasses.replace(subjects, clint_l_per_h=subjects.clint_l_per_h * 1e-9,
                               renal_clint_l_per_h=subjects.renal_clint_l_per_h * 1e-9)  # fmt: skip
    content = held(concentrations(gone, simulate(gone, GRID_H)), gone)[:, 1:]
    torch.testing.assert_close(content, share, rtol=1e-4, atol=1e-4)


def test_times_of_ones_own_are_bounded_too(subjects, batch):
    asked_h = torch.tensor([0.7, 3.3, 12.4], dtype=torch.float64)
    share = absorbed_share(subjects, asked_h)
    low = curves_within_dose(torch.full((60, 14, 3), 1e4), batch, share)
    assert bool((held(low, subjects) <= LIMIT * share * (1 + 1e-5)).all())


@pytest.mark.parametrize("network", [MLP, POD, DynamicGNN])
def test_with_linear_kinetics_curves_are_proportional_to_the_dose(network):
    data = PBPKData(compounds=40, validation_compounds=12, test_compounds=12, time_points=15, kinetics="linear")
    model = PBPKSurrogate(network(**({} if network is DynamicGNN else {"times": 14})))
    trainer = quiet_trainer(max_epochs=1)
    trainer.fit(model, data)
    test = data.population[data.splits["test"]["subject"]]
    more = dataclasses.replace(test, dose_mg=100 * test.dose_mg)
    one, hundred = (model.predict_population(p, data.time_h, "linear") for p in (test, more))
    assert bool((one > 0).any())
    torch.testing.assert_close(hundred, 100 * one, rtol=1e-4, atol=1e-6 * float(hundred.max()))
    batches = [inputs(p, data.time_h, "linear") for p in (test, more)]
    torch.testing.assert_close(*(model.trust.distance(each) for each in batches), rtol=1e-4, atol=1e-4)


def test_a_model_of_before_is_not_bounded():
    before = {"model": {"_target_": MODEL, "reduced": "exponential", "trusted": True}, "format": 2}
    assert migrate(before, "config.yaml")["model"]["within_dose"] is False
