"""Virtual subjects and what the solver says of them, as graphs with concentration curves."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from fulmen.config.rules import Count, Positive
from fulmen.data.cache import Arrays, cached, fingerprint
from fulmen.data.leaks.samples import SPLITS, Samples
from fulmen.errors import FulmenError
from fulmen.io.content import Content, Recognised
from fulmen.io.taken import files_in_words, restored
from fulmen.report.document import Rows
from fulmen.utils.files import atomic_write
from fulmen.workload import WorkloadData
from fulmen.workloads.pbpk import agreement, likely_units, npz, npz_contradictions, npz_reading, unit_names
from fulmen.workloads.pbpk.graph import inputs
from fulmen.workloads.pbpk.npz import arrays_from, columns_of, drugs_of, population_from
from fulmen.workloads.pbpk.npz_contradictions import Units
from fulmen.workloads.pbpk.npz_reading import read_npz
from fulmen.workloads.pbpk.one_compartment import REDUCED, Reduced
from fulmen.workloads.pbpk.simulator import (
    bodies,
    body,
    compartments,
    compiled,
    drugs,
    partition,
    physiology,
    population,
    propagator,
    rosenbrock,
    sampling,
    solvers,
    streams,
)
from fulmen.workloads.pbpk.simulator.physiology import INDEX, known
from fulmen.workloads.pbpk.simulator.population import duplicate_rows
from fulmen.workloads.pbpk.simulator.sampling import sample_population
from fulmen.workloads.pbpk.simulator.solvers import Solver, concentrations, simulate
from fulmen.workloads.pbpk.times import time_grid

DRAWN_BY = (physiology, body, bodies, partition, drugs, population, sampling, streams)


class PBPKData(WorkloadData):
    """Subjects drawn from a virtual population (or read from an exported file), solved, split by compound, batched.

    A batch holds what `graph.inputs` gives, `concentration` [B, 14, T] in mg/L, `subject` [B] and `time_h` [T]; t = 0
    is left out, since there the concentration is an input.

    Args:
        kinetics: of the hepatic clearance: "saturable" (Michaelis-Menten) or "linear".
        compounds: drugs in the population.
        subjects_per_compound: bodies per drug, each with its own dose and route.
        validation_compounds: drugs that only validate.
        test_compounds: drugs that only test; without a fold.
        fold: number of the fold that tests, from 0; null for one split. The drugs are cut into folds, at random.
        folds: number of folds.
        hours: end of the time grid.
        time_points: on the grid, t = 0 included.
        grid: "uniform"; "graded": a third of the points on a logarithmic scale within the first hour; "stretched": even
            on the scale asinh(t / 0.02 h), for surrogates that are asked for any times.
        population: "uniform_chemistry" (adults, drugs around a broad prior), "real_chemistry" (men and women of 20
            to 80 years, drugs as measured compounds are) or "wide" (1 to 80 years, the widest range of all else).
        dose_mg: one number, or a range drawn log-uniformly; null takes that of the population (10 to 1000 mg; real
            chemistry: 0.05 to 1500; wide: 0.05 to 5000).
        routes: drawn with equal chance: bolus, infusion, oral.
        infusion_h: one number, or a range drawn log-uniformly; null takes that of the population (0.5 to 4 hours;
            wide: 0.1 to 24).
        n_doses: how often the dose is given; null takes that of the population (once; wide: 4 times).
        interval_h: between doses; null takes that of the population (24 hours; wide: 6).
        drug: fixes drug properties, e.g. `{fraction_unbound: 0.2, kp: {liver: 3.0}}` (names as in `Population`).
        body: fixes `weight_kg`, `cardiac_output_l_per_h`, `age_y` or `sex`; the last two take bodies by age and sex.
        organs: overrides volume and flow fractions, e.g. `{liver: {volume: 0.03}, other: {volume: 0.039}}`.
        solver: of saturable kinetics: "rodas4", or "compiled", which is faster and needs Numba (`fulmen[fast]`); their
            last digits differ, so each has data of its own.
        reduced: model that networks start from: "exponential", or "runge_kutta", which is 80 times slower and what
            networks have learned from that were trained before fulmen had the other.
        npz: a file written by `export`; replaces the virtual population.
        batch_size: subjects per training batch.
        seed: of the population, the split and the order of the batches.
        cache: folder of the prepared arrays; `outputs/cache` by default.
        columns: the name of an array here -> its name in `npz`, `{dose_mg: dose}`.
        units: of the numbers in `npz`: "checked" looks for such as have another unit than their name says, "as_named"
            takes them as they are.

    Attributes:
        notes: what a report says of these data.
        of_simulator: whether the concentrations are those of our simulator, or of other equations.
    """

    reads = "npz"

    @classmethod
    def recognises(cls, content: Content, arguments: Mapping[str, Any]) -> Recognised | None:
        """A population that was solved, as `export` writes it."""
        solved = content.kind == "arrays" and {*npz.NEEDED, *npz.SOLVED} <= set(content.names)
        return Recognised("solved subjects of a population", 3) if solved else None

    of_simulator = True

    notes: Sequence[str] = (
        "A Dynamic GNN on another, unpublished data set reports an R² of 0.934 (arXiv 2510.22096). Its RMSE and MAE "
        "are in units that it does not name, and whether t = 0 was counted is not said: it does not stand beside these "
        "numbers.",
    )

    def __init__(
        self,
        kinetics: Literal["saturable", "linear"] = "saturable",
        compounds: Count = 1000,
        subjects_per_compound: Count = 1,
        validation_compounds: Count = 100,
        test_compounds: Count = 100,
        fold: int | None = None,
        folds: Count = 5,
        hours: Positive = 24.0,
        time_points: Count = 100,
        grid: Literal["uniform", "graded", "stretched"] = "uniform",
        population: Literal["uniform_chemistry", "real_chemistry", "wide"] = "uniform_chemistry",
        dose_mg: Positive | Sequence[Positive] | None = None,
        routes: Sequence[Literal["bolus", "infusion", "oral"]] = ("bolus", "infusion", "oral"),
        infusion_h: Positive | Sequence[Positive] | None = None,
        n_doses: Count | None = None,
        interval_h: Positive | None = None,
        drug: Mapping[str, Any] | None = None,
        body: Mapping[str, float | str] | None = None,
        organs: Mapping[str, Mapping[str, float]] | None = None,
        solver: Literal["rodas4", "compiled"] = "rodas4",
        reduced: Reduced = "exponential",
        npz: str | None = None,
        batch_size: Count = 32,
        seed: int = 42,
        cache: str | None = None,
        columns: Mapping[str, str] | None = None,
        units: Units = "checked",
    ):
        super().__init__(batch_size, seed)
        known(kinetics, ("saturable", "linear"), "kinetics", "kinetics")
        known(reduced, REDUCED, "model", "reduced")
        known(solver, ("rodas4", "compiled"), "solver", "solver")
        if solver == "compiled" and not compiled.available():
            raise FulmenError("solver=compiled needs Numba: pip install 'fulmen[fast]', or take solver=rodas4")
        if subjects_per_compound < 1:
            raise FulmenError(f"subjects_per_compound is {subjects_per_compound}; it must be 1 or more")
        if npz is not None and not Path(npz).is_file():
            raise FulmenError(f"npz: there is no file {npz}")
        if fold is not None and not 0 <= fold < folds:
            raise FulmenError(f"fold is {fold}; with folds={folds} it runs from 0 to {folds - 1}")
        if fold is not None:
            test_compounds = -(
                -compounds // folds
            )  # what may be left over by another number in a file, `split` refuses
        held_out = validation_compounds + test_compounds
        if validation_compounds < 1 or test_compounds < 1 or (npz is None and held_out >= compounds):
            raise FulmenError(
                f"{validation_compounds} validation and {test_compounds} test compounds of {compounds}: each split, "
                f"training included, needs at least one"
            )
        self.kinetics, self.reduced = kinetics, reduced
        self.solver: Solver = solver
        self.validation_compounds, self.test_compounds = validation_compounds, test_compounds
        self.fold, self.folds = fold, folds
        self.cache, self.npz = cache, npz
        self.columns, self.units = dict(columns or {}), units
        self.grid_h = time_grid(hours, time_points, grid)
        self.prior: dict[str, Any] = {
            "compounds": compounds,
            "subjects_per_compound": subjects_per_compound,
            "seed": seed,
            "population": population,
            "dose_mg": dose_mg,
            "routes": routes,
            "infusion_h": infusion_h,
            "n_doses": n_doses,
            "interval_h": interval_h,
            "drug": drug,
            "body": body,
            "organs": organs,
        }
        if npz is None:
            sample_population(
                **self.prior | {"compounds": 1, "subjects_per_compound": 1}
            )  # refuses what cannot be drawn
        self.fingerprint = ""

    @property
    def described(self) -> str:
        made = "simulated subjects" if self.of_simulator else "subjects of the published equations"
        return files_in_words([self.npz]) if self.npz else f"{made}, seed {self.seed}"

    def prepare_data(self) -> None:
        self._arrays()

    def setup(self, stage: str | None = None) -> None:
        if self.splits:
            return
        arrays = self._arrays()
        self.taken = [replace(each, source=str(self.npz)) for each in restored(arrays["taken"])] if self.npz else []
        self.population = population_from(arrays)
        self.all_times_h = torch.tensor(arrays["time_h"])
        later = self.all_times_h > 0
        self.time_h = self.all_times_h[later].float()  # [T]
        everything = inputs(self.population, self.time_h, self.kinetics, self.reduced) | {
            "concentration": torch.tensor(arrays["concentration_mg_per_l"])[:, :, later],  # [S, 14, T]
            "subject": torch.arange(len(self.population)),
        }
        for name, subjects in self.split().items():
            self.splits[name] = {key: value[subjects] for key, value in everything.items()}

    def split(self) -> dict[str, Tensor]:
        """Subject numbers of `train`, `validation` and `test`; no compound is in two splits."""
        compounds = self.population.compound.unique()
        if self.fold is not None:
            self.test_compounds = len(compounds.tensor_split(self.folds)[self.fold])
        held_out = self.validation_compounds + self.test_compounds
        if held_out >= len(compounds):
            raise FulmenError(
                f"{len(compounds)} compounds cannot give {held_out} to validation and test and keep some to train"
            )
        order = compounds[torch.randperm(len(compounds), generator=torch.Generator().manual_seed(self.seed))]
        if self.fold is not None:  # its drugs last, where the test split is
            blocks = list(order.tensor_split(self.folds))
            order = torch.cat([*blocks[: self.fold], *blocks[self.fold + 1 :], blocks[self.fold]])
        sizes = [len(compounds) - held_out, self.validation_compounds, self.test_compounds]
        parts = zip(("train", "validation", "test"), order.split(sizes), strict=True)
        return {name: torch.isin(self.population.compound, part).nonzero()[:, 0] for name, part in parts}

    def all_samples(self) -> Samples:
        """Subjects by their parameters, those of an organ as `kp.liver`; the target sums up the curve of the blood."""
        rows = torch.cat([self.splits[name]["subject"] for name in SPLITS])
        people, curves = self.population[rows], torch.cat([self.splits[name]["concentration"] for name in SPLITS])
        blood = curves[:, INDEX["blood"]].double()
        area = torch.trapezoid(blood, self.time_h.double()) / people.dose_mg
        return Samples(
            target=area.clamp(min=1e-12).log().numpy(),
            kind="numbers",
            split=np.repeat(np.arange(len(SPLITS)), [len(self.splits[name]["subject"]) for name in SPLITS]),
            columns=columns_of(people, given=True),
            group=drugs_of(people),
            order=rows.numpy(),
            also=columns_of(people, given=False),
            splitting="group",
            target_name="log of the area under the curve of the blood, by the dose",
            sample="subject",
            outcome=curves.numpy(),
            outcome_time=self.time_h.numpy(),
        )

    def on_after_batch_transfer(self, batch: dict[str, Tensor], dataloader_idx: int) -> dict[str, Tensor]:
        return batch | {"time_h": self.time_h.to(batch["node"].device)}

    def tables(self, predictions: Mapping[str, Tensor]) -> dict[str, Rows]:
        """Tables of a report that these data alone need, by title.

        Args:
            predictions: of the test split, by name: mg/L [S, 14, T].
        """
        return {}

    def export(self, path: str | Path) -> Path:
        """Write population, time grid and concentrations to an `.npz`; every array has its unit in its name."""
        with atomic_write(path, "wb") as file:
            arrays = {name: array for name, array in self._arrays().items() if name != "taken"}
            np.savez_compressed(file, allow_pickle=False, **arrays)
        return Path(path)

    def _arrays(self) -> Arrays:
        source = {"npz": Path(self.npz).name} if self.npz else self.prior | {"time_h": self.grid_h.tolist()}
        code: tuple[ModuleType, ...] = (*DRAWN_BY, compartments, propagator, rosenbrock, solvers, npz)
        files = [self.npz] if self.npz else [body.TABLE, drugs.COMPOUNDS]
        source |= {"kinetics": self.kinetics}
        if path := self.npz:
            source |= {"columns": self.columns, "units": self.units}
            code = (
                *DRAWN_BY,
                compartments,
                propagator,
                npz,
                npz_reading,
                npz_contradictions,
                likely_units,
                unit_names,
                agreement,
            )
        if self.solver == "compiled" and not self.npz:
            source, code, files = source | {"solver": self.solver}, (*code, compiled), [*files, compiled.KERNEL]
        self.fingerprint = fingerprint(source, code=code, files=files)
        build = (lambda: read_npz(path, self.kinetics, self.columns, self.units)) if path else self._simulate
        return cached(f"pbpk-{self.kinetics}", self.fingerprint, build, self._cache_folder())

    def _cache_folder(self) -> Path | None:
        return Path(self.cache) if self.cache else None

    def _simulate(self) -> Arrays:
        drawn = sample_population(**self.prior)
        repeated = duplicate_rows(drawn)
        if len(repeated):
            raise FulmenError(
                f"{len(repeated)} of {len(drawn)} subjects repeat another one exactly (first: {repeated[0].item()}); "
                f"fix fewer of drug, body, dose_mg and routes, or a test subject would be a training subject too"
            )
        amounts = simulate(drawn, self.grid_h, kinetics=self.kinetics, solver=self.solver)
        return arrays_from(drawn, self.grid_h, concentrations(drawn, amounts), self.kinetics)
