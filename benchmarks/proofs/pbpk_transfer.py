"""A POD surrogate trained on 20,000 subjects stays within 10 % of the solver on other doses, drugs, bodies and times.

Each cell trains one network with one seed and judges it on sets of 1,000 subjects that no training saw; t = 0 is left
out, and so are points below a thousandth of dose / weight. What a set has to reach stands beside its name.
"""

import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from benchmarks.proofs import Proof
from fulmen.config.check import check_overrides
from fulmen.runs.run import run
from fulmen.runs.run_folder import load_run
from fulmen.workloads.pbpk.metrics import metrics
from fulmen.workloads.pbpk.simulator.population import Population
from fulmen.workloads.pbpk.simulator.sampling import sample_population
from fulmen.workloads.pbpk.simulator.solvers import concentrations, simulate

SEEDS, SUBJECTS, TEST_SEED, EXPERIMENT = (1, 2, 3), 1000, 20_000, "pbpk_pod"
QUIET = ["trainer.accelerator=cpu", "threads=1", "callbacks.progress=null", "callbacks.summary=null",
         "logger.tensorboard=null", "model.figures=false", "trainer.precision=32-true"]  # fmt: skip
USUAL_H = torch.linspace(0, 24, 100, dtype=torch.float64)[1:]
CLINICAL_H = torch.tensor([0.083, 0.25, 0.5, 1, 1.5, 2, 3, 4, 6, 8, 10, 12, 16, 24], dtype=torch.float64)


@dataclass(frozen=True)
class Asked:
    """A set of subjects, the times they are asked for, and the share within 10 % that has to be reached."""

    at_least: float
    drawn: Mapping[str, Any] = field(default_factory=dict)
    time_h: Tensor = USUAL_H
    lipophilic: bool = False

    def subjects(self) -> Population:
        if not self.lipophilic:
            return sample_population(SUBJECTS, seed=TEST_SEED, **self.drawn)
        many = sample_population(80 * SUBJECTS, seed=TEST_SEED, **self.drawn)
        return many[(many.lipophilicity > 2).nonzero()[:SUBJECTS, 0]]


DOSING = {"n_doses": 4, "interval_h": 6.0}
NETWORKS: dict[str, tuple[list[str], dict[str, Asked]]] = {
    "24 h": ([], {
        "in domain": Asked(97),
        "dose x 5": Asked(96, {"dose_mg": (50.0, 5000.0)}),
        "dose / 10": Asked(96, {"dose_mg": (1.0, 100.0)}),
        "lipophilic": Asked(94, lipophilic=True),
        "30 kg": Asked(94, {"body": {"weight_kg": 30.0}}),
        "15 kg": Asked(89, {"body": {"weight_kg": 15.0}}),
    }),
    "any time to 72 h": (["data.hours=72", "data.grid=stretched", "data.time_points=113", "model.network.times=112"], {
        "step of .24 h": Asked(93),
        "4 x finer": Asked(91, time_h=torch.linspace(0, 24, 397, dtype=torch.float64)[1:]),
        "2 x coarser": Asked(91, time_h=torch.linspace(0, 24, 51, dtype=torch.float64)[1:]),
        "clinical times": Asked(91, time_h=CLINICAL_H),
        "72 h": Asked(91, time_h=torch.linspace(0, 72, 298, dtype=torch.float64)[1:]),
    }),
    "long infusions": (["data.infusion_h=[0.5,16]"], {
        "8-16 h": Asked(88, {"routes": ("infusion",), "infusion_h": (8.0, 16.0)}),
    }),
    "4 doses": ([f"data.{name}={value}" for name, value in DOSING.items()], {"4 x 6 h": Asked(88, DOSING)}),
}  # fmt: skip


def main() -> bool:
    torch.set_num_threads(1)
    proof = Proof(__name__, __doc__, seeds=SEEDS)
    for cell in proof.missing(f"{name}, seed {seed}" for name in NETWORKS for seed in SEEDS):
        name, _, seed = cell.rpartition(", seed ")
        options, sets = NETWORKS[name]
        begun = time.process_time()
        with tempfile.TemporaryDirectory() as folder:
            typed = [f"experiment={EXPERIMENT}", *options, f"seed={seed}", *QUIET, f"output_dir={folder}/run"]
            run(check_overrides(typed), typed)
            spent = time.process_time() - begun
            model, data = load_run(f"{folder}/run").model, load_run(f"{folder}/run").data
        scores = {each: judged(model, data, asked) for each, asked in sets.items()}
        reached = all(scores[each]["within_10_percent"] >= asked.at_least for each, asked in sets.items())
        subjects = len(data.splits["train"]["subject"])
        proof.keep(cell, ok=reached, training_subjects=subjects, cpu_seconds=round(spent, 1), sets=scores)
    return proof.holds()


def judged(model: Any, data: Any, asked: Asked) -> dict[str, float]:
    """How far the surrogate is from the solver on a set, rounded to five digits."""
    people, time_h = asked.subjects(), asked.time_h
    start = torch.zeros(1, dtype=torch.float64)
    true = concentrations(people, simulate(people, torch.cat([start, time_h])))[:, :, 1:]
    parts = [model.predict_population(people[i : i + 200], time_h, grid_h=data.time_h) for i in range(0, SUBJECTS, 200)]
    scores = metrics(torch.cat(parts), true, people.dose_mg, people.weight_kg)
    return {name: float(f"{scores[name]:.5g}") for name in ("within_10_percent", "r2", "r2_log", "gmfe")}
