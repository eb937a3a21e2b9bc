"""What a surrogate costs beside the solvers it stands in for: CPU microseconds per subject, one thread.

    python benchmarks/pbpk_inference.py [--rounds 9] [--grids day any] [--old FOLDER] [--write]

"all in" is from a `Population` to concentrations: checks, reduced model, features, network, t = 0 left out. "with
domain and interval" gives all columns of `predict_step`, 256 subjects at a time as `fulmen predict` does. Networks have
their default sizes and weights as they begin, which cost what trained ones do, beside inputs, scales, a domain and
intervals of real subjects. `day` is 99 times over 24 h, `any` 112 times over 72 h on the stretched grid.

Rows are medians of rounds, in which all take turns, each for 20 ms or once; "n = 1" is one subject in a call of its
own. Ratios are medians of ratios within a round, so that other work on the machine meets both sides.
`git worktree add --detach FOLDER 4332109` makes the checkout that --old compares with: its batched solver, rtol 1e-5,
takes its turn in a process of its own, in the CPU time of that process. `--write` keeps the figures in
benchmarks/results/pbpk_inference.json.
"""

import os

os.environ.update(OMP_NUM_THREADS="1", MKL_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from statistics import median

import torch
from torch import Tensor

sys.path.insert(0, str(Path(__file__).parents[1]))  # it may be started by its path

from benchmarks.proofs import RESULTS, ROOT, machine
from fulmen.data.batches import EVALUATION_BATCH
from fulmen.runs.provenance import git_state
from fulmen.utils.files import write_json
from fulmen.workloads.pbpk.graph import described, dosing, features, inputs
from fulmen.workloads.pbpk.module import PBPKSurrogate
from fulmen.workloads.pbpk.networks import MLP, POD, DynamicGNN
from fulmen.workloads.pbpk.one_compartment import body_load, equilibrium_concentrations
from fulmen.workloads.pbpk.simulator.compiled import available
from fulmen.workloads.pbpk.simulator.population import Population
from fulmen.workloads.pbpk.simulator.sampling import sample_population
from fulmen.workloads.pbpk.simulator.solvers import simulate
from fulmen.workloads.pbpk.times import time_grid

Task = Callable[[], object]
SIZES = (1, 100, 1000)
GRIDS = {"day": (24.0, 100, "uniform"), "any": (72.0, 113, "stretched")}
OLD, SOLVER, COMPILED = "saturable solver of 4332109", "saturable solver (Rodas4)", "compiled solver"
BEFORE = ", until format 1"  # beside the reduced model of that time
LEAST_S = 0.02  # a turn of a task
WORKER = """
import json, sys, time
import torch
from fulmen.workloads.pbpk.sampling import sample_population
from fulmen.workloads.pbpk.solvers import simulate
torch.set_num_threads(1)
time_h = torch.tensor(json.loads(sys.argv[1]), dtype=torch.float64)
populations = {int(n): sample_population(int(n), seed=1) for n in sys.argv[2:]}
for line in sys.stdin:
    begun = time.process_time()
    simulate(populations[int(line)], time_h)
    print(time.process_time() - begun, flush=True)
"""


class OldSolver:
    """The batched solver of an old checkout, in a process of its own that is asked by a line."""

    def __init__(self, folder: Path, grid_h: Tensor):
        command = [sys.executable, "-c", WORKER, json.dumps(grid_h.tolist()), *map(str, SIZES)]
        self.process = subprocess.Popen(
            command, env=os.environ | {"PYTHONPATH": str(folder / "src")}, cwd=folder,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def seconds(self, subjects: int) -> float:
        """CPU seconds for that many subjects, once."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        print(subjects, file=self.process.stdin, flush=True)
        return float(self.process.stdout.readline())


def surrogate(network: torch.nn.Module, time_h: Tensor, reduced: str = "exponential") -> PBPKSurrogate:
    """As if it had seen a training: scales of real inputs, curves that are not flat, a domain and intervals."""
    model = PBPKSurrogate(network, reduced=reduced).eval()
    known = inputs(sample_population(600, seed=0), time_h)
    train, rest = ({name: value[rows] for name, value in known.items()} for rows in (slice(500), slice(500, None)))
    network.inputs.fit(*(train[name] for name in ("node", "edge", "context", "dosing")))
    if isinstance(network, POD):
        network.basis.curves.normal_(0, 0.05)
    model.trust.fit(train, rest, time_h)
    model.trust.calibrate(0.05 * torch.rand(100, 14, len(time_h)), model.trust.distance(rest), time_h)
    return model


def with_trust(model: PBPKSurrogate, population: Population, time_h: Tensor) -> dict[str, Tensor]:
    """Concentrations, the ends of their intervals, and the domain."""
    load_mg = body_load(population, time_h)
    known, clock = described(population) | {"subject": torch.arange(len(population))}, time_h.float()
    parts = []
    for n in range(0, len(population), EVALUATION_BATCH):
        rows = slice(n, n + EVALUATION_BATCH)
        batch = {name: value[rows] for name, value in known.items()} | {"time_h": clock}
        batch["dosing"] = dosing(population[rows], time_h, load_mg[rows]).float()
        batch["reduced"] = equilibrium_concentrations(population[rows], load_mg[rows], clock)
        parts.append(model.predict_step(batch))
    return {name: torch.cat([part[name] for part in parts]) for name in parts[0] if name != "time_h"}


def tasks_for(subjects: int, grid_h: Tensor) -> dict[str, Task]:
    """What is timed, by name."""
    population, time_h = sample_population(subjects, seed=1), grid_h[1:]
    torch.manual_seed(0)
    models = {
        f"{name}{BEFORE * (reduced == 'runge_kutta')}": surrogate(make(), time_h, reduced)
        for name, make in {
            "POD": lambda: POD(times=len(time_h)), "MLP": lambda: MLP(times=len(time_h)), "Dynamic GNN": DynamicGNN,
        }.items()
        for reduced in ("exponential", *(() if name == "POD" else ("runge_kutta",)))
    }  # fmt: skip
    batch = inputs(population, time_h) | {"time_h": time_h.float()}
    pod = models["POD"]
    compiled = {COMPILED: lambda: simulate(population, grid_h, solver="compiled")} if available() else {}
    return {
        SOLVER: lambda: simulate(population, grid_h),
        "linear solver (exponential)": lambda: simulate(population, grid_h, kinetics="linear"),
        **compiled,
        "reduced model": lambda: body_load(population, time_h),
        f"reduced model{BEFORE}": lambda: body_load(population, time_h, reduced="runge_kutta"),
        "graph features": lambda: features(population),
        "POD, inputs given": lambda: pod.concentration(batch),
        **{
            f"{name}, all in": lambda model=model: model.predict_population(population, time_h)
            for name, model in models.items()
        },
        "POD, with domain and interval": lambda: with_trust(pod, population, time_h),
    }


def turn(task: Task) -> float:
    """CPU seconds of one call, of as many as take 20 ms."""
    begun, calls = time.process_time(), 0
    while calls == 0 or time.process_time() - begun < LEAST_S:
        task()
        calls += 1
    return (time.process_time() - begun) / calls


def measured(grid_h: Tensor, rounds: int, old: Path | None) -> dict[str, dict[str, list[float]]]:
    """CPU microseconds per subject: by row, number of subjects and round."""
    before = OldSolver(old, grid_h) if old else None
    found: dict[str, dict[str, list[float]]] = {}
    for subjects in SIZES:
        tasks = tasks_for(subjects, grid_h)
        for task in tasks.values():
            task()  # compiles, and fills caches
        turns = {name: lambda task=task: turn(task) for name, task in tasks.items()}
        if before:
            before.seconds(subjects)
            turns = {OLD: lambda n=subjects: before.seconds(n)} | turns
        for _ in range(rounds):
            for name, take in turns.items():
                found.setdefault(name, {}).setdefault(str(subjects), []).append(1e6 * take() / subjects)
    if before:
        before.process.stdin.close()
        before.process.wait()
    return found


def ratios(rows: dict[str, dict[str, list[float]]]) -> dict[str, dict[str, float]]:
    """How many times faster POD, all in, is than each solver: the median over rounds, by number of subjects."""
    return {
        solver: {
            n: median(a / b for a, b in zip(rows[solver][n], rows["POD, all in"][n], strict=True)) for n in rows[solver]
        }
        for solver in (OLD, SOLVER, COMPILED)
        if solver in rows
    }


def table(name: str, rows: dict[str, dict[str, list[float]]]) -> str:
    lines = [f"{name + ', CPU us per subject':34}" + "".join(f"{f'n = {n}':>12}" for n in SIZES)]
    lines += [f"{row:34}" + "".join(f"{median(each):12.4g}" for each in found.values()) for row, found in rows.items()]
    for solver, found in ratios(rows).items():
        lines.append(f"{solver + ' / POD':34}" + "".join(f"{value:12.3g}" for value in found.values()))
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--grids", nargs="+", default=list(GRIDS), choices=GRIDS)
    parser.add_argument("--old", type=Path, help="folder of a checkout of 4332109")
    parser.add_argument("--write", action="store_true", help="keep the figures in benchmarks/results")
    given = parser.parse_args()
    torch.set_num_threads(1)
    kept = {}
    with torch.no_grad():
        for name in given.grids:
            rows = measured(time_grid(*GRIDS[name]), given.rounds, given.old)
            print(table(name, rows), flush=True)
            kept[name] = {
                "us_per_subject": {row: {n: median(each) for n, each in found.items()} for row, found in rows.items()},
                "solver_over_pod": ratios(rows),
            }
    if given.write:
        about = {**git_state(ROOT), "date": f"{datetime.now():%Y-%m-%d}", "machine": machine(), "load": os.getloadavg()}
        about |= {"rounds": given.rounds, "n": list(SIZES), "torch": torch.__version__}
        write_json(RESULTS / "pbpk_inference.json", about | {"grids": kept})


if __name__ == "__main__":
    main()
