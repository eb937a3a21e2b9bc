"""What is read from amounts by name: by hand, in closed form, and as a body has to behave."""

import pytest
import torch

from fulmen.errors import FulmenError
from fulmen.workloads.pbpk.simulator.compartments import (
    ARTERIAL,
    LUMEN,
    METABOLISED,
    N_STATES,
    TISSUE_STATES,
    UNABSORBED,
    URINE,
    VENOUS,
)
from fulmen.workloads.pbpk.simulator.outputs import OUTPUTS, curves, from_organs, units
from fulmen.workloads.pbpk.simulator.physiology import INDEX, ORGANS
from fulmen.workloads.pbpk.simulator.population import ROUTES
from fulmen.workloads.pbpk.simulator.sampling import sample_population
from fulmen.workloads.pbpk.simulator.solvers import KINETICS, administered_mg, concentrations, simulate

DAY_H = torch.linspace(0, 24, 49, dtype=torch.float64)


@pytest.fixture(scope="module")
def by_hand():
    """Two subjects of 6 and 12 L of blood, at a blood:plasma ratio of 2, and amounts [2, 1, 20]."""
    population = sample_population(2, seed=0, drug={"blood_plasma_ratio": 2.0})
    population.volume_l[:, INDEX["blood"]] = torch.tensor([6.0, 12.0])
    population.volume_l[:, INDEX["brain"]] = 1.5
    amounts = torch.zeros(2, 1, N_STATES, dtype=torch.float64)
    amounts[..., VENOUS], amounts[..., ARTERIAL] = 40.0, 8.0
    amounts[..., TISSUE_STATES.start + ORGANS.index("brain") - 1] = 3.0
    amounts[..., METABOLISED], amounts[..., URINE], amounts[..., UNABSORBED] = 5.0, 7.0, 11.0
    return population, amounts


def test_outputs_are_what_a_calculation_by_hand_gives(by_hand):
    names = ("urine", "metabolised", "blood", "plasma", "venous_plasma", "arterial_plasma", "brain")
    found = curves(*by_hand, names)
    assert found.shape == (2, 7, 1)
    expected = [[7, 5, 8, 4, 40 / 4 / 2, 8 / 2 / 2, 2], [7, 5, 4, 2, 40 / 8 / 2, 8 / 4 / 2, 2]]
    torch.testing.assert_close(found[..., 0], torch.tensor(expected, dtype=torch.float64))


def test_organs_are_concentrations_whatever_the_order(by_hand):
    backwards = ORGANS[::-1]
    assert torch.equal(curves(*by_hand, backwards), concentrations(*by_hand).flip(1))


def test_a_surrogate_gives_of_its_organs_what_the_solver_gives(by_hand):
    names = ("plasma", "brain", "blood")
    organs = concentrations(*by_hand)
    assert torch.equal(from_organs(by_hand[0], organs, names), curves(*by_hand, names))
    assert from_organs(by_hand[0], organs.float(), names).dtype == torch.float32


def test_every_output_has_a_unit():
    assert units(OUTPUTS) == dict.fromkeys(OUTPUTS[:17], "mg/L") | {"urine": "mg", "metabolised": "mg"}


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["plsma"], "outputs: unknown output 'plsma'; did you mean 'plasma'?"),
        (["brain", "tumour"], "outputs: unknown output 'tumour'; known: blood, liver"),
        ([], "outputs: none is named; choose from blood, liver"),
    ],
)
def test_an_unknown_output_is_refused(by_hand, names, message):
    for ask in (lambda: curves(*by_hand, names), lambda: units(names), lambda: from_organs(*by_hand, names)):
        with pytest.raises(FulmenError) as error:
            ask()
        assert str(error.value).startswith(message)
        assert "\n" not in str(error.value)


def test_what_organs_do_not_say_is_left_to_the_solver(by_hand):
    population, amounts = by_hand
    with pytest.raises(FulmenError) as error:
        from_organs(population, concentrations(population, amounts), ["plasma", "urine", "venous_plasma"])
    assert str(error.value) == (
        "outputs: a surrogate knows the 14 organs and plasma, not urine or venous_plasma; the solver gives the rest"
    )


@pytest.mark.parametrize("kinetics", KINETICS)
@pytest.mark.parametrize("route", ROUTES)
def test_veins_arteries_and_their_pool_come_to_one_plasma_level(kinetics, route):
    """Once the drug leaves slowly, arteries and veins differ by what elimination takes in one passage."""
    slow = {"clint_l_per_h": 0.1, "renal_clint_l_per_h": 0.1, "absorption_rate_per_h": 3.0}
    population = sample_population(8, seed=1, routes=[route], drug=slow)
    pooled, venous, arterial = curves(
        population, simulate(population, DAY_H, kinetics), ("plasma", "venous_plasma", "arterial_plasma")
    ).unbind(1)
    torch.testing.assert_close(pooled, (2 * venous + arterial) / 3)
    torch.testing.assert_close(venous[:, -1], arterial[:, -1], rtol=0.02, atol=0)
    if route == "bolus":
        assert (venous[:, 0] > 1e6 * arterial[:, 0]).all()


@pytest.mark.parametrize("kinetics", KINETICS)
def test_urine_metabolites_and_all_that_remains_are_what_was_given(kinetics):
    population = sample_population(30, seed=2, n_doses=2, interval_h=9.0)
    amounts = simulate(population, DAY_H, kinetics)
    gone = curves(population, amounts, ("urine", "metabolised"))
    assert (gone.diff(dim=2) >= 0).all()
    within = (curves(population, amounts, ORGANS) * population.volume_l[..., None]).sum(1)
    left = within + amounts[..., LUMEN] + amounts[..., UNABSORBED]
    torch.testing.assert_close(gone.sum(1) + left, administered_mg(population, DAY_H), rtol=1e-11, atol=1e-9)
