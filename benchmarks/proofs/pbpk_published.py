"""On the data of a published graph network each seed reaches R2 .998 in mg/L, .999 of the logs, and MAE .035 mg/L.

That is asked of the experiment as it is. Our Dynamic GNN and MLP, trained on the same samples, have to pass the
published R2 of .9342; all without t = 0. The 1,000 samples are the same for all seeds, which draw split and weights.
Prints mean and standard deviation over the seeds, and what costs nothing, with t = 0 counted and without.

    python -m benchmarks.proofs pbpk_published     # 9 cells of a CPU minute each
"""

import tempfile
import time
from statistics import mean, stdev
from typing import Any

import torch

from benchmarks.proofs import Proof
from fulmen.config.check import check_overrides
from fulmen.runs.run import run
from fulmen.runs.run_folder import load_run

SEEDS, PUBLISHED_R2 = (1, 2, 3), 0.9342
QUIET = ["trainer.accelerator=cpu", "trainer.precision=32-true", "threads=1", "callbacks.progress=null",
         "callbacks.summary=null", "callbacks.diagnosis=null", "logger.tensorboard=null",
         "model.figures=false"]  # fmt: skip
GOALS = {"r2": 0.998, "r2_log": 0.999, "mae_mg_per_l": -0.035}  # at least; errors negative
NETWORKS: dict[str, tuple[list[str], dict[str, float]]] = {
    "POD (`pbpk_published`)": ([], GOALS),
    "Dynamic GNN": (["network=pbpk/dynamic_gnn", "trainer.max_epochs=50", "model.optimizer.lr=3.0e-3"],
                    {"r2": PUBLISHED_R2}),
    "MLP": (["network=pbpk/mlp", "model.optimizer.lr=2.0e-3"], {"r2": PUBLISHED_R2}),
}  # fmt: skip
KEPT = ("r2", "r2_log", "rmse_mg_per_l", "mae_mg_per_l", "gmfe", "within_10_percent")
WITH_START = {"R² with t = 0": "r2_with_start", "R² without": "r2", "RMSE with t = 0 (mg/L)": "rmse_with_start",
              "MAE with t = 0 (mg/L)": "mae_with_start"}  # fmt: skip


def main() -> bool:
    torch.set_num_threads(1)
    proof = Proof(__name__, __doc__, seeds=SEEDS)
    cells = {f"{name}, seed {seed}": (name, seed) for seed in SEEDS for name in NETWORKS}
    for cell in proof.missing(cells):
        proof.keep(cell, **try_cell(*cells[cell]))
    kept = proof.kept()
    print_table([(name, kept[cell]) for cell, (name, _) in cells.items() if cell in kept])
    return proof.holds()


def try_cell(name: str, seed: int, *further: str) -> dict[str, Any]:
    """Train one network and say how close it comes, beside what costs nothing."""
    options, goals = NETWORKS[name]
    with tempfile.TemporaryDirectory() as folder:
        typed = ["experiment=pbpk_published", *options, *QUIET, f"seed={seed}", f"output_dir={folder}/run", *further]
        begun = time.process_time()
        result = run(check_overrides(typed), typed)
        spent = time.process_time() - begun
        loaded = load_run(f"{folder}/run")
        data, model = loaded.data, loaded.model
    with torch.no_grad():
        predicted = model.concentration(data.splits["test"] | {"time_h": data.time_h})
    (rows,) = data.tables({name: predicted}).values()
    free = {row[""]: {short: float(f"{row[long]:.5g}") for long, short in WITH_START.items()} for row in rows}
    scores = {each: float(f"{result.metrics[f'test/{each}']:.5g}") for each in KEPT}
    reached = all(scores[each] >= least if least > 0 else scores[each] <= -least for each, least in goals.items())
    return {"ok": reached, **free.pop(name), **scores, "cpu_seconds": round(spent, 1),
            "parameters": result.cost["parameters"], "free": free}  # fmt: skip


def print_table(kept: list[tuple[str, dict[str, Any]]]) -> None:
    """Markdown: mean and standard deviation over seeds."""
    columns = {"R2 mg/L": "r2", "R2 log": "r2_log", "RMSE, mg/L": "rmse_mg_per_l", "MAE, mg/L": "mae_mg_per_l",
               "within 10 %": "within_10_percent", "R2 mg/L with t = 0": "r2_with_start",
               "training, CPU s": "cpu_seconds"}  # fmt: skip
    rows: dict[str, list[dict[str, Any]]] = {}
    for name, values in kept:
        rows.setdefault(name, []).append(values)
    for name in kept[0][1]["free"]:
        rows[name] = [values["free"][name] for _, values in kept[:: len(NETWORKS)]]
    print("| | " + " | ".join(columns) + " |\n| --- |" + " ---: |" * len(columns))
    for name, runs in rows.items():
        print(f"| {name} | " + " | ".join(spread([each.get(key) for each in runs]) for key in columns.values()) + " |")


def spread(values: list[float | None]) -> str:
    known = [value for value in values if value is not None]
    if not known:
        return ""
    return f"{mean(known):.4g} ± {stdev(known):.1g}" if len(known) > 1 else f"{known[0]:.4g}"
