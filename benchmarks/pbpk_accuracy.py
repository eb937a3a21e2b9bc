"""How good the PBPK surrogates are, over seeds: each seed draws its own population, split and initial weights.

Prints a table and keeps it in benchmarks/results/<table>.json. On one core `pbpk_surrogate`, the table of the README,
takes 6 minutes, and `pbpk_accuracy`, the networks on a population of 1000, ten.

    python benchmarks/pbpk_accuracy.py [pbpk_surrogate | pbpk_accuracy] [seeds]
"""

import json
import platform
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path
from statistics import mean, stdev

from fulmen.config.check import check_overrides
from fulmen.runs.provenance import git_state
from fulmen.runs.run import run

ROOT = Path(__file__).parents[1]
TABLES = {
    "pbpk_surrogate": {"Surrogate (`pbpk`)": ["experiment=pbpk"]},
    "pbpk_accuracy": {
        "Dynamic GNN (`pbpk_gnn`)": ["experiment=pbpk_gnn"],
        "the same, learning the log concentration itself (`model.residual=false`)": [
            "experiment=pbpk_gnn",
            "model.residual=false",
        ],
        "the same without messages between organs (`model.network.layers=0`)": [
            "experiment=pbpk_gnn",
            "model.network.layers=0",
        ],
        "MLP (`pbpk_mlp`)": ["experiment=pbpk_mlp"],
    },
}
BASELINES = {
    "one saturable compartment": "one compartment",
    "5 nearest subjects": "5 nearest",
    "exact linear physics": "linear physics",
    "mean curve": "mean curve",
}
COLUMNS = {
    "R2 log": "r2_log",
    "worst organ": "worst_organ_r2_log",
    "R2 mg/L": "r2",
    "GMFE": "gmfe",
    "within 10 %": "within_10_percent",
    "training, CPU s": "cpu_seconds",
}


def main() -> None:
    numbers = [word for word in sys.argv[1:] if word.isdigit()]
    seeds = range(1, 1 + int(numbers[0] if numbers else 3))
    for name in [word for word in sys.argv[1:] if not word.isdigit()] or TABLES:
        measure(name, TABLES[name], seeds)


def measure(table_name: str, models: dict[str, list[str]], seeds: range) -> None:
    """Train each of the models once for each seed, and write down the table of their scores."""
    scores: dict[str, list[dict[str, float]]] = {name: [] for name in (*models, *BASELINES)}
    for seed in seeds:
        for name, overrides in models.items():
            with tempfile.TemporaryDirectory() as folder:
                quiet = ["callbacks.progress=null", "callbacks.summary=null", "logger.tensorboard=null", "threads=1"]
                typed = [*overrides, *quiet, f"seed={seed}", "trainer.accelerator=cpu", f"output_dir={folder}/run"]
                begun = time.process_time()
                result = run(check_overrides(typed), typed)
                cost = {"cpu_seconds": time.process_time() - begun}
            scores[name].append({key.removeprefix("test/"): value for key, value in result.metrics.items()} | cost)
        for name, baseline in BASELINES.items():
            scores[name].append(result.baselines[baseline])
    table = {
        name: {title: summarize([run[key] for run in runs if key in run]) for title, key in COLUMNS.items()}
        for name, runs in scores.items()
    }
    about = {**git_state(ROOT), "date": f"{datetime.now():%Y-%m-%d}", "machine": platform.machine()}
    kept = json.dumps(about | {"seeds": list(seeds), "table": table}, indent=2, ensure_ascii=False)
    (ROOT / "benchmarks" / "results" / f"{table_name}.json").write_text(kept + "\n")
    print(f"\n| test split, {len(seeds)} seeds | " + " | ".join(COLUMNS) + " |")
    print("| --- |" + " ---: |" * len(COLUMNS))
    for name, row in table.items():
        print(f"| {name} | " + " | ".join(row.values()) + " |")


def summarize(values: list[float]) -> str:
    if not values:
        return ""
    digits = 1 if mean(values) >= 20 else 2 if mean(values) >= 1.5 else 3 if mean(values) >= 1 else 4
    return f"{mean(values):.{digits}f} ± {stdev(values):.{digits}f}" if len(values) > 1 else f"{values[0]:.{digits}f}"


if __name__ == "__main__":
    main()
