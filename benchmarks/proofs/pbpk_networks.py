"""Each PBPK network spends the same CPU time on the same training subjects, within a quarter, and scores a finite R2.

A cell is a network, a number of training subjects and a seed. A few seconds of training tell what a batch costs; from
that follows how many steps of a one-cycle schedule fit into the budget. `training_cpu_seconds` is what the fit took in
the end, its 20 validations included; the weights that validated best are judged on 1,000 subjects that are the same for
all networks and sizes of a seed, t = 0 left out. Data are drawn once per seed and size, by the compiled solver, which
needs `fulmen[fast]`. Every network has its default size and learns beside the reduced model; batch sizes and learning
rates stand below. Prints the table of what is kept, mean and standard deviation over seeds.

    python -m benchmarks.proofs pbpk_networks     # 54 cells, 75 CPU seconds each: 70 minutes on one idle core
"""

import math
import tempfile
import time
from collections import defaultdict
from dataclasses import dataclass
from statistics import mean, stdev
from typing import Any

import torch
from lightning.pytorch import Callback, Trainer
from torch import Tensor

from benchmarks.proofs import Proof
from fulmen.config.check import check_overrides
from fulmen.runs.run import run
from fulmen.runs.run_folder import load_run
from fulmen.workloads.pbpk.metrics import metrics
from fulmen.workloads.pbpk.simulator.population import Population
from fulmen.workloads.pbpk.simulator.sampling import sample_population
from fulmen.workloads.pbpk.simulator.solvers import concentrations, simulate

SEEDS, SIZES, BUDGET_S = (1, 2, 3), (800, 4_000, 20_000), 60.0
VALIDATION, TEST, TEST_SEED = 200, 1_000, 30_000  # subjects, and the first seed of those that are tested
PILOT_S, WARM, VALIDATIONS, TOLERANCE = 3.0, 10, 20, 0.25
QUIET = ["trainer.accelerator=cpu", "trainer.precision=32-true", "threads=1", "test=false", "callbacks.progress=null",
         "callbacks.summary=null", "callbacks.diagnosis=null", "callbacks.learning_rate=null",
         "callbacks.exact_resume=null", "logger.tensorboard=null"]  # fmt: skip


@dataclass(frozen=True)
class Setting:
    """How a network is trained: Adam, one cycle with this highest learning rate."""

    batch_size: int
    lr: float


NETWORKS = {
    "dynamic_gnn": Setting(32, 3e-3),
    "basis_gnn": Setting(64, 2e-3),
    "pod": Setting(128, 2e-3),
    "mlp": Setting(64, 2e-3),
    "neural_ode": Setting(64, 3e-3),
    "lstm": Setting(32, 3e-3),
}
COLUMNS = {"R2 mg/L": "r2", "R2 log": "r2_log", "within 10 %": "within_10_percent", "GMFE": "gmfe",
           "training, CPU s": "training_cpu_seconds", "steps": "steps", "parameters": "parameters"}  # fmt: skip


class Clock(Callback):
    """CPU seconds at the end of every training batch; stops the training after `stop_after` of them, if given."""

    def __init__(self, stop_after: float = math.inf):
        self.stop_after, self.ticks, self.fitted = stop_after, [0.0], 0.0

    def on_fit_start(self, trainer: Trainer, *_: Any) -> None:
        self.begun = time.process_time()

    def on_train_batch_end(self, trainer: Trainer, *_: Any) -> None:
        self.ticks.append(time.process_time() - self.begun)
        trainer.should_stop |= self.ticks[-1] > self.stop_after and len(self.ticks) > 2 * WARM

    def on_fit_end(self, *_: Any) -> None:
        self.fitted = time.process_time() - self.begun

    @property
    def seconds_per_batch(self) -> float:
        """From batch to batch, so that loading and the ends of epochs count."""
        return (self.ticks[-1] - self.ticks[WARM]) / (len(self.ticks) - 1 - WARM)


def main() -> bool:
    torch.set_num_threads(1)
    proof = Proof(__name__, __doc__, seeds=SEEDS)
    everything = {cell_name(*each): each for each in cells()}
    for cell in proof.missing(everything):
        proof.keep(cell, **try_cell(*everything[cell]))
    kept = proof.kept()
    print_table({each: kept[cell] for cell, each in everything.items() if cell in kept})
    return proof.holds()


def cells() -> list[tuple[str, int, int]]:
    """Network, training subjects, seed: all networks on the same data before the next, so that a part can be read."""
    return [(network, size, seed) for size in SIZES for seed in SEEDS for network in NETWORKS]


def cell_name(network: str, size: int, seed: int) -> str:
    return f"{network}, {size:,} subjects, seed {seed}"


def try_cell(
    network: str, size: int, seed: int, budget_s: float = BUDGET_S, pilot_s: float = PILOT_S, subjects: int = TEST
) -> dict[str, Any]:
    """Train one network for the budget and judge it; the values to keep, and whether it spent what it was given."""
    with tempfile.TemporaryDirectory() as folder:
        first = Clock(pilot_s)
        trained(network, size, seed, steps=10**6, folder=f"{folder}/pilot", clock=first)
        interval = max(1, round(budget_s / first.seconds_per_batch / VALIDATIONS))
        clock = Clock()
        result = trained(network, size, seed, interval * VALIDATIONS, f"{folder}/run", clock, interval)
        loaded = load_run(f"{folder}/run")
        model, data = loaded.model, loaded.data
    people, true = people_of(seed, subjects, data.time_h)
    blocks = [people[i : i + 200] for i in range(0, len(people), 200)]
    predicted = torch.cat([model.predict_population(block, data.time_h) for block in blocks])
    scores = metrics(predicted, true, people.dose_mg, people.weight_kg)
    seen = {name: float(f"{scores[name]:.5g}") for name in ("within_10_percent", "r2", "r2_log", "gmfe")}
    spent = abs(clock.fitted / budget_s - 1) <= TOLERANCE
    return {
        "ok": spent and math.isfinite(seen["r2"]), **seen,
        "training_subjects": len(data.splits["train"]["subject"]), "test_subjects": subjects,
        "training_cpu_seconds": round(clock.fitted, 1), "budget_cpu_seconds": budget_s,
        "cpu_ms_per_batch": float(f"{1e3 * clock.seconds_per_batch:.3g}"), "steps": len(clock.ticks) - 1,
        "parameters": result.cost["parameters"], "batch_size": NETWORKS[network].batch_size,
        "learning_rate": NETWORKS[network].lr,
    }  # fmt: skip


def trained(
    network: str, size: int, seed: int, steps: int, folder: str, clock: Clock, validate_every: int = 10**6
) -> Any:
    """The result of a run of so many steps, of which the clock, in the place of early stopping, keeps the time."""
    setting = NETWORKS[network]
    typed = [
        "experiment=pbpk_mlp", f"network=pbpk/{network}", "scheduler=one_cycle", *QUIET, f"seed={seed}",
        f"data.compounds={size + VALIDATION + 1}", f"data.validation_compounds={VALIDATION}", "data.test_compounds=1",
        "data.solver=compiled", f"data.batch_size={setting.batch_size}",
        f"model.optimizer.lr={setting.lr}", "trainer.max_epochs=-1", f"trainer.max_steps={steps}",
        "trainer.check_val_every_n_epoch=null", f"trainer.val_check_interval={validate_every}", f"output_dir={folder}",
    ]  # fmt: skip
    return run(check_overrides(typed), typed, {"early_stopping": clock})


def people_of(seed: int, subjects: int, time_h: Tensor) -> tuple[Population, Tensor]:
    """The subjects that all networks of a seed are judged on, and what the solver says of them, mg/L [S, 14, T]."""
    people, start = sample_population(subjects, seed=TEST_SEED + seed), torch.zeros(1, dtype=torch.float64)
    solved = simulate(people, torch.cat([start, time_h.double()]), solver="compiled")
    return people, concentrations(people, solved)[:, :, 1:]


def print_table(kept: dict[tuple[str, int, int], dict[str, Any]]) -> None:
    """Markdown: a row per number of subjects and network, mean and standard deviation over the seeds."""
    rows = defaultdict(list)
    for (network, size, _), values in kept.items():
        rows[size, network].append(values)
    print("| training subjects | network | seeds | " + " | ".join(COLUMNS) + " |")
    print("| ---: | --- | ---: |" + " ---: |" * len(COLUMNS))
    for (size, network), runs in rows.items():
        cells = [spread([run[name] for run in runs]) for name in COLUMNS.values()]
        print(f"| {size:,} | {network} | {len(runs)} | " + " | ".join(cells) + " |")


def spread(values: list[float]) -> str:
    if len(set(values)) == 1:
        return f"{values[0]:,}"
    return f"{mean(values):.4g} ± {stdev(values):.2g}"
