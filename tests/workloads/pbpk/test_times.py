"""A surrogate answers at any times within its grid: exactly what it was trained to at its own times, close between."""

import pytest
import torch

from fulmen.errors import FulmenError
from fulmen.workloads.pbpk.baselines import reduced_physics
from fulmen.workloads.pbpk.simulator.sampling import sample_population
from fulmen.workloads.pbpk.simulator.solvers import concentrations, simulate
from fulmen.workloads.pbpk.times import at_times, refuse_other_grid, refuse_untrained_times, stretched, time_grid


@pytest.fixture(scope="module")
def people():
    return sample_population(20, seed=5)


def solved(people, time_h):
    with_start = torch.cat([torch.zeros(1, dtype=torch.float64), time_h])
    return concentrations(people, simulate(people, with_start))[:, :, 1:]


def moved(people, grid_h, asked_h):
    """The solver's own curves on a grid, read at other times."""
    reduced, asked = (reduced_physics(people, time_h, "saturable", "exponential") for time_h in (grid_h, asked_h))
    return at_times(solved(people, grid_h), reduced, grid_h, asked, asked_h, people.dose_mg / people.weight_kg)


def test_at_its_own_times_nothing_changes(people):
    grid_h = time_grid(24, 40, "stretched")[1:]
    curves, reduced = solved(people, grid_h), reduced_physics(people, grid_h, "saturable", "exponential")
    again = at_times(curves, reduced, grid_h, reduced[:, :, ::3], grid_h[::3], people.dose_mg / people.weight_kg)
    torch.testing.assert_close(again, curves[:, :, ::3], rtol=1e-9, atol=1e-12)


def test_between_the_times_of_a_stretched_grid_curves_stay_within_a_hundredth(people):
    """n = 20 subjects, clinical times; over the points that reach a thousandth of dose / weight."""
    clinical = torch.tensor([0.03, 0.08, 0.25, 0.5, 0.75, 1.5, 3.0, 5.0, 8.0, 12.0, 20.0, 23.0], dtype=torch.float64)
    true, read = solved(people, clinical), moved(people, time_grid(24, 112, "stretched")[1:], clinical)
    seen = true >= 1e-3 * (people.dose_mg / people.weight_kg)[:, None, None]
    off = (read[seen] / true[seen] - 1).abs()
    assert off.quantile(0.99) < 0.01
    assert off.median() < 1e-3


def test_a_stretched_grid_is_even_on_its_scale_and_ends_where_it_should():
    grid_h = time_grid(72, 113, "stretched")
    assert grid_h[0] == 0
    assert grid_h[-1] <= 72
    torch.testing.assert_close(grid_h[-1], torch.tensor(72.0, dtype=torch.float64))
    steps = stretched(grid_h).diff()
    torch.testing.assert_close(steps, steps.mean().expand_as(steps))
    assert (grid_h < 1).sum() > 40


BAD_TIMES = {
    "is 25 h; the model was trained from 0.1 to 24 h": [1.0, 25.0],
    "is 0.01 h; the model was trained from 0.1 to 24 h": [0.01, 1.0],
    "is -1 h; the model": [-1.0, 1.0],
    "increasing times": [2.0, 1.0],
    "at least one": [],
    "is no finite number of hours": [float("nan")],
}


@pytest.mark.parametrize("said", BAD_TIMES)
def test_times_that_nobody_knows_are_refused(said):
    with pytest.raises(FulmenError, match=said):
        refuse_untrained_times(torch.tensor(BAD_TIMES[said]), torch.linspace(0.1, 24, 10))


def test_the_start_is_no_time_beyond():
    refuse_untrained_times(torch.tensor([0.0, 0.5]), torch.linspace(0.1, 24, 10))


def test_another_grid_than_that_of_the_training_is_refused_even_if_it_has_as_many_times():
    grid_h = torch.linspace(0, 24, 15, dtype=torch.float64)[1:]
    refuse_other_grid(grid_h.float(), grid_h[[0, -1]])
    with pytest.raises(FulmenError, match=r"from 0.8571 to 12 h, that of the training from 1.714 to 24 h.*grid_h=run"):
        refuse_other_grid(grid_h / 2, grid_h[[0, -1]])
