"""Curves of the subjects of a table, block by block in their order, by the solver, a surrogate, or both."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from fulmen.workloads.pbpk.simulate.hours import FINEST_STEP_H, usual_times
from fulmen.workloads.pbpk.simulate.subjects import Subjects
from fulmen.workloads.pbpk.simulator.population import Population
from fulmen.workloads.pbpk.simulator.solvers import simulate

POINTS_OF_AREAS = 200  # between which a curve is read as straight lines or exponentials
BLOCK, VALUES = 500, 150_000  # subjects, and subjects times hours, whose amounts are in memory together
Values = Mapping[str, Tensor]
Answer = Callable[[Tensor, Population, Tensor, str], tuple[Values, Values]]  # of places, people, times [T], kinetics


@dataclass(frozen=True)
class Part:
    """Curves of n subjects who share their regimen, and so their times.

    Attributes:
        places: of the subjects in the table, [n].
        people: who they are.
        time_h: [T].
        asked: which of the times somebody has asked for, [T]; the others serve areas and peaks.
        values: `solver`, `surrogate`, `low` and `high`, [n, O, T] by the outputs in their order; `in_domain` [n].
        organs: `solver` and `surrogate`, [n, 14, T], where areas and peaks are asked for; else {}.
    """

    places: Tensor
    people: Population
    time_h: Tensor
    asked: Tensor
    values: Mapping[str, Tensor]
    organs: Mapping[str, Tensor]


def solve(people: Population, time_h: Tensor, kinetics: str) -> Tensor:
    """Amounts in mg of subjects with one regimen at times [T], as `simulate` gives them: [S, T, 20].

    Linear kinetics are exact.

    Raises:
        FulmenError: a subject that cannot be integrated.
    """
    grid_h = torch.cat([torch.zeros(1, dtype=torch.float64), time_h[time_h > 0]])
    if len(grid_h) == 1:  # a simulation takes two times
        grid_h = torch.cat([grid_h, torch.ones(1, dtype=torch.float64)])
    amounts = simulate(people, grid_h, kinetics, solver="fastest")
    return amounts[:, torch.searchsorted(grid_h, time_h)]


def together(times: int) -> int:
    """How many subjects are solved at once for that many times."""
    return min(max(VALUES // times, 1), BLOCK)


class Times:
    """The times of each regimen of a table.

    Args:
        subjects: of the table.
        asked_h: the same for all, [T]; None: as each regimen and its half-lives want them.
        known_h: times that stand in their place where a surrogate answers, [T].
        dense: whether areas and peaks will be read off the curves, which takes more times than people ask for.
    """

    def __init__(self, subjects: Subjects, asked_h: Tensor | None, known_h: Tensor | None = None, dense: bool = False):
        self.asked_h, self.known_h, self.dense = known_h if asked_h is None else asked_h, known_h, dense
        self._usual: dict[tuple[int, float], Tensor] = {}
        for _, people, _ in subjects.groups():
            key = people.n_doses, people.interval_h
            usual = usual_times(people, POINTS_OF_AREAS, FINEST_STEP_H) if dense else usual_times(people)
            if key not in self._usual or usual[-1] > self._usual[key][-1]:  # of both kinetics the longer ones
                self._usual[key] = usual

    @property
    def most(self) -> int:
        """The largest number of times of a subject."""
        usual = max(map(len, self._usual.values()))
        return usual if self.asked_h is None else len(self.asked_h) + (usual if self.dense else 0)

    def of(self, people: Population) -> tuple[Tensor, Tensor]:
        """Times [T] for subjects with one regimen, and which of them were asked for, [T]."""
        usual = self._usual[people.n_doses, people.interval_h]
        if self.asked_h is None:
            return usual, torch.ones_like(usual, dtype=torch.bool)
        if not self.dense:
            return self.asked_h, torch.ones_like(self.asked_h, dtype=torch.bool)
        between = usual if self.known_h is None else self.known_h
        whole = torch.cat([self.asked_h, between[between < self.asked_h[-1]]]).unique()
        return whole, torch.isin(whole, self.asked_h)


def blocks(subjects: Subjects, times: Times, answer: Answer) -> Iterator[list[Part]]:
    """The curves of all subjects, a few hundred at once; those of one block may be in any order.

    Args:
        answer: gives `Part.values` and `Part.organs`.
    """
    size = together(times.most)
    for start in range(0, len(subjects), size):
        parts = []
        for places, people, kinetics in subjects.groups(start, min(start + size, len(subjects))):
            time_h, asked = times.of(people)
            parts.append(Part(places, people, time_h, asked, *answer(places, people, time_h, kinetics)))
        yield parts
