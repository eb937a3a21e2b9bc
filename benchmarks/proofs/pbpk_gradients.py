"""Gradients of the PBPK solver and of a surrogate are those of central differences, and two laws hold for any weights.

    make proofs ARGS="pbpk_gradients"                       # 12 cells
    PBPK_RUN=outputs/runs/pbpk/<stamp> make proofs ARGS="pbpk_gradients"    # and one for a network of one's own

Solver cells: the elasticities of AUC, Cmax and half-life in plasma and liver by every input of three subjects, at a
relative tolerance of 1e-10, are within 1e-5 of the largest of each exposure. Network cells train PBPK_EXPERIMENT
(`pbpk` unless said): the same of its elasticities in double precision, against differences of itself, on all
routes. With linear kinetics AUC(100 d) / 100 AUC(d) is at most 1.02 at the 95th percentile of 1,000 subjects; with
saturable ones none of 1,000 bodies holds more than 1.02 times the dose. How far elasticities of the network are from
those of the solver, on 200 subjects of its domain, is told.
"""

import os
import tempfile
import time
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from benchmarks.proofs import Proof
from fulmen.config.check import check_overrides
from fulmen.runs.run import run
from fulmen.runs.run_folder import load_run
from fulmen.workloads.pbpk.graph import inputs
from fulmen.workloads.pbpk.laws import FOLD, content_mg, dose_ratio
from fulmen.workloads.pbpk.sensitivity import EXPOSURES, INPUTS, Curves, moved, sensitivities
from fulmen.workloads.pbpk.simulator.outputs import from_organs
from fulmen.workloads.pbpk.simulator.population import INFUSION, ROUTES, Population
from fulmen.workloads.pbpk.simulator.sampling import sample_population
from fulmen.workloads.pbpk.simulator.solvers import KINETICS, administered_mg, concentrations, simulate

SEEDS, EXPERIMENT = (1, 2, 3), os.environ.get("PBPK_EXPERIMENT", "pbpk")
QUIET = ["trainer.accelerator=cpu", "threads=1", "callbacks.progress=null", "callbacks.summary=null",
         "logger.tensorboard=null", "model.figures=false", "trainer.precision=32-true", "test=false"]  # fmt: skip
TIME_H = torch.tensor([0.0, 0.25, 0.5, 1, 2, 4, 6, 8, 12, 16, 24], dtype=torch.float64)
TIGHT = {"rtol": 1e-10, "atol_per_dose": 1e-14}
OF, PLACES = ("auc", "cmax", "half_life"), ("plasma", "liver")
ALLOWED = 1e-5  # of the largest elasticity of an exposure
SUBJECTS, BESIDE, JUDGED, ASKED_SEED = 3, 200, 1000, 40_000
LOW_DOSE_MG, MOST = 10.0, 1.02
LARGEST = 10  # inputs that are told apart from the others, most of which hardly count


def main() -> bool:
    torch.set_num_threads(1)
    proof = Proof(__name__, __doc__, seeds=SEEDS)
    solver = {f"solver, {kinetics}, {route}": (kinetics, route) for kinetics in KINETICS for route in ROUTES}
    networks = {f"network, {kinetics}, seed {seed}": (kinetics, seed) for kinetics in KINETICS for seed in SEEDS}
    own = {f"network of {folder}": folder for folder in os.environ.get("PBPK_RUN", "").split()}
    for cell in proof.missing([*solver, *networks, *own]):
        if cell in solver:
            proof.keep(cell, **of_solver(*solver[cell]))
        elif cell in networks:
            with tempfile.TemporaryDirectory() as folder:
                begun = time.process_time()
                trained(f"{folder}/run", f"data.kinetics={networks[cell][0]}", f"seed={networks[cell][1]}")
                spent = round(time.process_time() - begun, 1)
                proof.keep(cell, **of_network(f"{folder}/run"), training_cpu_seconds=spent)
        else:
            proof.keep(cell, **of_network(own[cell]))
    return proof.holds()


def trained(folder: str, *options: str) -> None:
    """Train the experiment into a folder."""
    typed = [f"experiment={EXPERIMENT}", *options, *QUIET, f"output_dir={folder}"]
    run(check_overrides(typed), typed)


def of_solver(kinetics: str, route: str, subjects: int = SUBJECTS) -> dict[str, Any]:
    """How far gradients of the solver are from its differences, and whether that is near enough."""
    people = sample_population(subjects, seed=ASKED_SEED, routes=[route], infusion_h=(1.1, 1.9),
                               drug={"gut_extraction": 0.2, "bioavailability": 0.7})  # fmt: skip
    off = worst_gradient(
        people, lambda p: concentrations(p, simulate(p, TIME_H, kinetics, **TIGHT)), TIME_H, relative=1e-5
    )
    return {"ok": off["worst"] <= ALLOWED, **off}


def of_network(folder: str, subjects: int = SUBJECTS, beside: int = BESIDE, judged: int = JUDGED) -> dict[str, Any]:
    """Gradients, the solver's elasticities beside them, and the laws, of the network of a run."""
    finished = load_run(folder)
    model, data = finished.model.double(), finished.data
    kinetics, time_h = data.kinetics, data.time_h.double()

    def curves(people: Population) -> Tensor:
        return model.predict_population(people, time_h, kinetics)

    gradients = {}
    for route in data.prior["routes"]:
        people = drawn(data.prior, subjects, routes=[route])
        gradients[route] = worst_gradient(people, curves, time_h, relative=1e-6)
    near = all(each["worst"] <= ALLOWED for each in gradients.values())
    told = {"gradients": gradients, "elasticities": elasticities_beside(model, data, curves, beside)}
    holds, law = LAWS[kinetics](data.prior, judged, curves, time_h)
    return {"ok": near and holds, "kinetics": kinetics, **law, **told}


def drawn(prior: Mapping[str, Any], subjects: int, **options: Any) -> Population:
    """Subjects of the population that a network has learned from, but of another seed."""
    return sample_population(
        **{**prior, "compounds": subjects, "subjects_per_compound": 1, "seed": ASKED_SEED, **options}
    )


def worst_gradient(people: Population, curves: Curves, time_h: Tensor, relative: float) -> dict[str, Any]:
    """The largest distance of elasticities by gradients from central differences, over the largest of an exposure.

    Cmax has kinks where two samples are equal, and half-lives jump where another choice of terminal points is better: a
    step may not lead across one.

    Args:
        relative: step of the differences.
    """
    found = sensitivities(people, curves, time_h, OF, PLACES).elasticity
    expected = differences(people, curves, time_h, relative)
    off = ((found - expected).abs() / expected.abs().amax(-1, keepdim=True)).nan_to_num(-1.0)
    place = off.flatten().argmax().item()
    _, p, e, i = torch.unravel_index(torch.tensor(place), off.shape)
    return {
        "worst": float(f"{off.max():.3g}"), "median": float(f"{off[off >= 0].median():.3g}"),
        "of": f"{OF[e]} in {PLACES[p]} by {INPUTS[i]}", "elasticities": int((off >= 0).sum()),
    }  # fmt: skip


def differences(people: Population, curves: Curves, time_h: Tensor, relative: float) -> Tensor:
    """Elasticities [S, P, E, I] by central differences, without gradients."""
    step = relative * torch.eye(len(INPUTS), dtype=torch.float64)
    copies = people[torch.arange(len(people)).repeat_interleave(2 * len(INPUTS))]
    asked = moved(copies, torch.cat([step, -step]).repeat(len(people), 1))
    with torch.no_grad():
        at_places = from_organs(asked, curves(asked), PLACES)  # [2 S I, P, T]
        logs = torch.stack([EXPOSURES[name](at_places, time_h).log() for name in OF], -1)
    above, below = logs.unflatten(0, (len(people), 2, len(INPUTS))).unbind(1)  # [S, I, P, E]
    return ((above - below) / (2 * relative)).permute(0, 2, 3, 1)


def elasticities_beside(model: Any, data: Any, curves: Curves, subjects: int) -> dict[str, Any]:
    """How far a network's elasticities in plasma are from the solver's, for subjects of its domain.

    That by the infusion time is told apart: the end of an infusion is a kink, and how much a sampled peak moves with it
    depends on where between two samples it lies.
    """
    many = drawn(data.prior, 3 * subjects)
    time_h = data.time_h.double()
    if model.trust:
        asked = inputs(many, time_h, data.kinetics, data.reduced)
        many = many[(model.trust.distance(asked) <= model.trust.limit).nonzero()[:, 0]]
    people, of = many[:subjects], ("auc", "cmax")
    exact = sensitivities(people, lambda p: concentrations(p, simulate(p, time_h, data.kinetics)), time_h, of)
    found = sensitivities(people, curves, time_h, of)
    told: dict[str, Any] = {"subjects": len(people)}
    infusion = INPUTS.index("infusion_h")
    others = torch.tensor([i for i in range(len(INPUTS)) if i != infusion])
    infused = (people.route == INFUSION).nonzero()[:, 0]
    for e, name in enumerate(of):
        one, other = exact.elasticity[:, 0, e], found.elasticity[:, 0, e]  # [S, I]
        counting = others[one[:, others].abs().mean(0).argsort(descending=True)[:LARGEST]]
        told[name] = {
            "all inputs": distances(one[:, others], other[:, others]),
            "ten largest": distances(one[:, counting], other[:, counting]),
            "infusion time": distances(one[infused, infusion], other[infused, infusion]),
        }
    return told


def distances(one: Tensor, other: Tensor) -> dict[str, float]:
    """Median and 95th percentile of the absolute difference of elasticities, and their correlation."""
    off = (one - other).abs().flatten()
    together = torch.corrcoef(torch.stack([one.flatten(), other.flatten()]))[0, 1]
    figures = {"median": off.median(), "p95": off.quantile(0.95), "correlation": together}
    return {name: float(f"{value:.4g}") for name, value in figures.items()}


def proportional(
    prior: Mapping[str, Any], subjects: int, curves: Curves, time_h: Tensor
) -> tuple[bool, dict[str, float]]:
    """Whether AUC grows with the dose, from 10 to 1000 mg."""
    one, many = (in_blocks(curves, drawn(prior, subjects, dose_mg=factor * LOW_DOSE_MG)) for factor in (1.0, FOLD))
    ratio = dose_ratio(one, many, time_h)
    fold = torch.maximum(ratio, 1 / ratio).quantile(0.95)
    return bool(fold <= MOST), {"subjects": subjects, "dose_ratio_p95": float(f"{fold:.7g}")}


def within_the_dose(
    prior: Mapping[str, Any], subjects: int, curves: Curves, time_h: Tensor
) -> tuple[bool, dict[str, float]]:
    """Whether a body ever holds more than was given, by then or in all."""
    people = drawn(prior, subjects)
    held = content_mg(people, in_blocks(curves, people))  # [S, T]
    over = (held / (people.n_doses * people.dose_mg)[:, None]).amax(1)
    by_then = (held / administered_mg(people, time_h)).amax(1)
    told = {"subjects": subjects, "above_the_dose": int((over > MOST).sum()), "highest": float(f"{over.max():.5g}")}
    return not told["above_the_dose"], told | {
        "above_what_was_given_by_then": int((by_then > MOST).sum()),
        "highest_by_then": float(f"{by_then.max():.5g}"),
    }


Law = Callable[[Mapping[str, Any], int, Curves, Tensor], tuple[bool, dict[str, float]]]
LAWS: dict[str, Law] = {"saturable": within_the_dose, "linear": proportional}


def in_blocks(curves: Curves, people: Population, size: int = 200) -> Tensor:
    """Curves of many, a few at a time."""
    return torch.cat([curves(people[i : i + size]) for i in range(0, len(people), size)])
