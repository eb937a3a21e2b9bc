"""What may be asked of a simulation by name: concentrations of organs and plasma, and what has left the body."""

from collections.abc import Sequence

import torch
from torch import Tensor

from fulmen.errors import FulmenError
from fulmen.workloads.pbpk.simulator.compartments import ARTERIAL, METABOLISED, URINE, VENOUS
from fulmen.workloads.pbpk.simulator.physiology import ARTERIAL_SHARE, INDEX, ORGANS, known
from fulmen.workloads.pbpk.simulator.population import Population
from fulmen.workloads.pbpk.simulator.solvers import concentrations

FROM_ORGANS = (*ORGANS, "plasma")  # what follows from the concentrations of the organs
AMOUNTS = ("urine", "metabolised")
OUTPUTS: tuple[str, ...] = (*FROM_ORGANS, "venous_plasma", "arterial_plasma", *AMOUNTS)
"""Organs in mg per litre of tissue, of which `blood` pools arteries and veins; `plasma` is that blood's, in mg/L, as
`venous_plasma` and `arterial_plasma` are of veins and arteries alone. `urine` and `metabolised` are the mg of unchanged
drug excreted, and of drug metabolised, since the first dose."""


def units(names: Sequence[str]) -> dict[str, str]:
    """The unit of each output.

    Raises:
        FulmenError: there is no output of that name.
    """
    return {name: "mg" if name in AMOUNTS else "mg/L" for name in _checked(names)}


def curves(population: Population, amounts: Tensor, names: Sequence[str]) -> Tensor:
    """The outputs of these names over time, in their `units`: [S, len(names), T], differentiable.

    Args:
        population: S subjects.
        amounts: [S, T, 20] in mg, as `simulate` gives them.
        names: of `OUTPUTS`, in any order.

    Raises:
        FulmenError: there is no output of that name.
    """
    names = _checked(names)
    organs = concentrations(population, amounts)
    blood_l, ratio = population.volume_l[:, INDEX["blood"], None], population.blood_plasma_ratio[:, None]  # [S, 1]
    beyond = {
        "venous_plasma": amounts[..., VENOUS] / ((1 - ARTERIAL_SHARE) * blood_l * ratio),
        "arterial_plasma": amounts[..., ARTERIAL] / (ARTERIAL_SHARE * blood_l * ratio),
        "urine": amounts[..., URINE],
        "metabolised": amounts[..., METABOLISED],
    }  # [S, T] each
    found = [beyond[name] if name in beyond else _from_organs(population, organs, name) for name in names]
    return torch.stack(found, 1)


def from_organs(population: Population, organs: Tensor, names: Sequence[str]) -> Tensor:
    """The outputs of these names that follow from organs alone, which is what a surrogate knows: [S, len(names), T].

    Args:
        population: S subjects.
        organs: [S, 14, T] in mg/L, in the order of `ORGANS`.
        names: of the 14 organs and "plasma", in any order.

    Raises:
        FulmenError: there is no output of that name, or the organs do not say it.
    """
    names = _checked(names)
    beyond = [name for name in names if name not in FROM_ORGANS]
    if beyond:
        raise FulmenError(
            f"outputs: a surrogate knows the 14 organs and plasma, not {' or '.join(beyond)}; the solver gives the rest"
        )
    return torch.stack([_from_organs(population, organs, name) for name in names], 1)


def _from_organs(population: Population, organs: Tensor, name: str) -> Tensor:
    """[S, T] of organs [S, 14, T]."""
    if name == "plasma":
        return organs[:, INDEX["blood"]] / population.blood_plasma_ratio[:, None].to(organs)
    return organs[:, INDEX[name]]


def _checked(names: Sequence[str]) -> tuple[str, ...]:
    if not names:
        raise FulmenError(f"outputs: none is named; choose from {', '.join(OUTPUTS)}")
    return tuple(known(name, OUTPUTS, "output", "outputs") for name in names)
