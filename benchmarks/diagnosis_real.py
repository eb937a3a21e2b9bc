"""Overfitting or not, told from the curves of real trainings whose truth is known from samples that no curve shows.

    python benchmarks/diagnosis_real.py [--data FOLDER] [--first 2000] [--runs 200] [--curves kept.json] [--show]

Every run is drawn by its number: a task (digits, generated classes and values, machine failures, stock windows), a
network (perceptron, convolutions, recurrent), samples, label noise, adversarial noise on the inputs, dropout, weight
decay, learning rate and its schedule, and what the log says: mean or sum over batches, with or without the regulariser,
losses or accuracies, in the format of one of six tools. Runs that take long are passed over. The curves come from a
small validation split. The truth comes from a large one: the clean risk of the last epochs is more than 8 % above its
best (overfitting), or less than 3 % (not); what lies between, and what training itself lost, is left out. Beside
`fulmen diagnose` stands the bare rule: the smoothed validation loss ends more than 5 % above its best.

Numbers below 2000 may be looked at to improve the rules, those from 2000 on are for the score. `--curves` keeps what
was trained, so that the rules alone can be run again.
"""

import argparse
import itertools
import json
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from diagnosis_curves import bare_rule
from real_runs import FILES, draw, light, load, shows_rates, train, truth
from sklearn.metrics import f1_score

from fulmen.runs.diagnose import diagnose_path


def write(found: dict, s: dict, folder: Path) -> Path:
    """The log of the run as one of the tools would write it."""
    word = "acc" if shows_rates(s) else "loss"
    pairs = list(zip(found["train"], found["val"], strict=True))
    path = folder / ("log.json" if s["format"] == "json" else "log.csv")
    if s["format"] == "json":
        names = ("accuracy", "val_accuracy") if word == "acc" else ("loss", "val_loss")
        path.write_text(json.dumps(dict(zip(names, (found["train"], found["val"]), strict=True))))
        return path
    lines = {
        "keras": (f"epoch,{'accuracy' if word == 'acc' else 'loss'},val_{'accuracy' if word == 'acc' else 'loss'}",
                  lambda i, t, v: f"{i},{t},{v}"),
        "lightning": (f"epoch,step,train_{word},val_{word}", lambda i, t, v: f"{i},{9 * i},,{v}\n{i},{9 * i},{t},"),
        "fastai": (f"epoch,train_{word},valid_{word},time", lambda i, t, v: f"{i},{t},{v},00:0{i % 10}"),
        "pytorch": (f"Epoch,Train {word.title()},Test {word.title()}", lambda i, t, v: f"{i + 1},{t:.4f},{v:.4f}"),
        "spaces": (f"epoch\ttrain_{word}\ttest_{word}", lambda i, t, v: f"{i}\t{t:.4f}\t{v:.4f}"),
    }[s["format"]]  # fmt: skip
    path.write_text("\n".join([lines[0], *(lines[1](i, t, v) for i, (t, v) in enumerate(pairs))]) + "\n")
    return path


def bare(found: dict, s: dict) -> bool:
    val = np.array(found["val"])
    return bare_rule(1 - val if shows_rates(s) else val)


def score(kept: list[dict], says: dict[str, np.ndarray]) -> None:
    target = np.array([run["truth"] for run in kept])
    print(f"{len(kept)} runs, {sum(target)} overfitting")
    samples = np.random.default_rng(0).integers(0, len(kept), (1000, len(kept)))
    f1 = lambda said, rows: f1_score(target[rows], said[rows], average="macro", zero_division=0)  # noqa: E731
    each = {who: np.array([f1(said, rows) for rows in samples]) for who, said in says.items()}
    interval = lambda values: "[{:.3f}, {:.3f}]".format(*np.quantile(values, [0.025, 0.975]))  # noqa: E731
    for who, said in says.items():
        print(f"  {who:16} macro-F1 {f1(said, np.arange(len(kept))):.3f} {interval(each[who])}   "
              f"missed {sum(target & ~said)}, false alarms {sum(~target & said)}")  # fmt: skip
    print(f"  difference, runs drawn anew 1000 times: {interval(each['fulmen diagnose'] - each['bare rule'])}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="folder with ai4i2020.csv and NVDA.csv, for two of the tasks")
    parser.add_argument("--first", type=int, default=2000, help="number of the first run")
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--curves", type=Path, help="JSON that keeps the trained curves")
    parser.add_argument("--show", action="store_true", help="every mistake")
    args = parser.parse_args()
    torch.set_num_threads(1)
    runs = json.loads(args.curves.read_text()) if args.curves and args.curves.exists() else []
    began = time.process_time()
    drawn = (s for s in map(draw, itertools.count(args.first)) if light(s) and (args.data or s["task"] not in FILES))
    for s in itertools.islice(drawn, len(runs), args.runs):
        runs.append(s | {"found": train(s, *load(s["task"], args.data, s["number"]), s["number"])})
        if args.curves:
            args.curves.write_text(json.dumps(runs))
    print(
        f"{len(runs)} runs, {args.first} to {runs[-1]['number']}: {time.process_time() - began:.0f} CPU s of training"
    )
    kept = [run | {"truth": truth(run["found"], shows_rates(run))} for run in runs]
    kept = [run for run in kept if run["truth"] is not None]
    print(f"{len(runs) - len(kept)} runs between the two truths are left out")
    with tempfile.TemporaryDirectory() as folder:
        for run in kept:
            run["codes"] = [verdict.code for verdict in diagnose_path(write(run["found"], run, Path(folder)))[0]]
    says = {"fulmen diagnose": np.array(["overfitting" in run["codes"] for run in kept]),
            "bare rule": np.array([bare(run["found"], run) for run in kept])}  # fmt: skip
    score(kept, says)
    for run, plain in zip(kept, says["bare rule"], strict=True):
        if args.show and run["truth"] != ("overfitting" in run["codes"]):
            settings = {key: value for key, value in run.items() if key not in ("found", "codes", "truth")}
            print(f"    truth {run['truth']}, bare rule {plain}: {', '.join(run['codes'])}\n      {settings}")


if __name__ == "__main__":
    main()
