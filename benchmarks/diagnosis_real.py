"""Overfitting or not, told from the curves of real trainings whose truth is known from samples that no curve shows.

    python benchmarks/diagnosis_real.py [--data FOLDER] [--cifar cifar10.npz] [--runs 96] [--curves kept.json]

Every run is drawn by its number: a task (digits, generated classes and values, machine failures, stock windows, small
colour images), a network (perceptron, convolutions, recurrent), samples, label noise, adversarial noise on the inputs,
dropout, weight decay, learning rate and its schedule, and what the log says: mean or sum over batches, with or without
the regulariser, losses or accuracies, in the format of one of six tools. The curves come from a small validation part.
The truth comes from a large one: the clean risk of the last epochs is more than 8 % above its best (overfitting), or
less than 3 % (not); what lies between, and what training itself lost, is left out. Beside `fulmen diagnose` stands the
bare rule: the smoothed validation loss ends more than 5 % above its best.

Runs with even numbers may be looked at to improve the rules, odd ones are for the score. `--curves` keeps what was
trained, so that the rules alone can be run again.
"""

import argparse
import json
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from diagnosis_curves import bare_rule
from sklearn import datasets
from sklearn.metrics import f1_score
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, cross_entropy, mse_loss

from fulmen.evaluation.diagnosis.afterwards import diagnose_path

HELD = 2000  # samples at most behind the truth
FORMATS = ("keras", "lightning", "fastai", "pytorch", "spaces", "json")


def draw(number: int, tasks: list[str]) -> dict:
    """The settings of a run."""
    rng = np.random.default_rng(1000 + number)
    pick = lambda *options: options[rng.integers(len(options))]  # noqa: E731
    task = tasks[(number // 2) % len(tasks)]
    network = {"digits": pick("mlp", "cnn", "rnn"), "cifar": pick("cnn", "cnn", "mlp"), "stocks": pick("mlp", "rnn")}
    return {
        "task": task, "network": network.get(task, "mlp"), "samples": int(pick(60, 150, 300, 600, 1000)),
        "val": int(pick(60, 120, 250, 500)), "epochs": int(pick(30, 60, 100, 100, 150, 200)),
        "batch": int(pick(16, 32, 64)), "width": int(pick(4, 16, 64, 256)), "depth": int(pick(1, 2, 3)),
        "dropout": float(pick(0, 0, 0.2, 0.5)), "decay": float(pick(0, 0, 1e-4, 5e-3, 3e-2)),
        "optimizer": pick("sgd", "sgd", "adam"), "rate": float(10 ** rng.uniform(-0.7, 0.5)),
        "schedule": pick("constant", "step", "step", "cosine"), "noise": float(pick(0, 0, 0, 0.1, 0.3)),
        "adversarial": float(pick(0, 0, 0, 0.1, 0.3)), "units": pick("mean", "mean", "mean", "sum", "regularised"),
        "shows": pick("loss", "loss", "loss", "loss", "accuracy"), "val_attacked": bool(pick(True, False)),
        "format": FORMATS[rng.integers(len(FORMATS))],
    }  # fmt: skip


def load(task: str, folder: Path, cifar: Path | None, seed: int) -> tuple[Tensor, Tensor]:
    """Inputs and targets (whole numbers are classes) of a task, in random order."""
    if task == "digits":
        x, y = datasets.load_digits(return_X_y=True)
        x = x / 16
    elif task == "classes":
        x, y = datasets.make_classification(4000, 30, n_informative=8, n_redundant=4, n_classes=4, class_sep=0.8,
                                            n_clusters_per_class=2, flip_y=0.05, random_state=seed)  # fmt: skip
    elif task == "values":
        x, y = datasets.make_friedman1(4000, 15, noise=2.0, random_state=seed)
    elif task == "failures":
        table = np.genfromtxt(folder / "ai4i2020.csv", delimiter=",", skip_header=1, dtype=str)
        x = np.column_stack([table[:, 2] == "L", table[:, 2] == "H", *table[:, 3:8].astype(float).T])
        y = table[:, 8].astype(int)
        rare, often = np.flatnonzero(y), np.flatnonzero(y == 0)
        kept = np.concatenate([rare, often[:: len(often) // 3000]])
        x, y = x[kept], y[kept]
    elif task == "stocks":
        close = np.genfromtxt(folder / "NVDA.csv", delimiter=",", skip_header=1)[:, 4]
        returns = np.diff(np.log(close)) / 0.03
        windows = np.lib.stride_tricks.sliding_window_view(returns, 21)
        x, y = windows[:, :20], np.log(np.abs(windows[:, 20]) + 0.05)
    else:
        packed = np.load(cifar)
        x = avg_pool2d(torch.tensor(packed["x_train"][:4000]).permute(0, 3, 1, 2) / 255, 2).flatten(1).numpy()
        y = packed["y_train"][:4000]
    order = np.random.default_rng(seed).permutation(len(x))
    x, y = x[order], y[order]
    x = (x - x.mean()) / x.std() if task in ("digits", "cifar", "stocks") else (x - x.mean(0)) / x.std(0)
    whole = np.issubdtype(y.dtype, np.integer)
    y = y if whole else (y - y.mean()) / y.std()
    return torch.tensor(x, dtype=torch.float32), torch.tensor(y, dtype=torch.long if whole else torch.float32)


class Recurrent(nn.Module):
    def __init__(self, steps: int, features: int, width: int, outputs: int):
        super().__init__()
        self.steps, self.rnn, self.head = steps, nn.GRU(features, width, batch_first=True), nn.Linear(width, outputs)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.rnn(x.view(len(x), self.steps, -1))[0][:, -1])


def network(kind: str, inputs: int, outputs: int, s: dict) -> nn.Module:
    width = s["width"]
    if kind == "rnn":
        return Recurrent(*((8, 8) if inputs == 64 else (20, 1)), min(width, 64), outputs)
    if kind == "cnn":
        channels, side = (1, 8) if inputs == 64 else (3, 16)
        width = min(max(width, 8), 32)
        return nn.Sequential(
            nn.Unflatten(1, (channels, side, side)), nn.Conv2d(channels, width, 3, padding=1), nn.ReLU(),
            nn.MaxPool2d(2), nn.Conv2d(width, 2 * width, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
            nn.Dropout(s["dropout"]), nn.Linear(2 * width * (side // 4) ** 2, outputs),
        )  # fmt: skip
    layers, last = [], inputs
    for _ in range(s["depth"]):
        layers += [nn.Linear(last, width), nn.ReLU(), nn.Dropout(s["dropout"])]
        last = width
    return nn.Sequential(*layers, nn.Linear(last, outputs))


def train(s: dict, x: Tensor, y: Tensor, seed: int) -> dict:
    """Curves as the log shows them, and the clean risks of training part and world."""
    torch.manual_seed(seed)
    n, v, classes = min(s["samples"], len(x) // 3), s["val"], not y.is_floating_point()
    parts = {"train": slice(0, n), "val": slice(n, n + v), "world": slice(n + v, n + v + HELD)}
    (tx, ty), (vx, vy), (wx, wy) = ((x[part], y[part].clone()) for part in parts.values())
    outputs = int(y.max()) + 1 if classes else 1
    wrong = torch.rand(n) < s["noise"]
    ty[wrong] = (
        torch.randint(outputs, (int(wrong.sum()),)) if classes else ty[wrong] + 2 * torch.randn(int(wrong.sum()))
    )
    model = network(s["network"], x.shape[1], outputs, s)
    risk = (lambda out, t: cross_entropy(out, t)) if classes else (lambda out, t: mse_loss(out[:, 0], t))
    if s["optimizer"] == "sgd":
        optimizer = torch.optim.SGD(model.parameters(), 0.05 * s["rate"], 0.9, weight_decay=s["decay"])
    else:
        optimizer = torch.optim.AdamW(model.parameters(), 2e-3 * s["rate"], weight_decay=s["decay"])
    epochs = s["epochs"]
    scheduler = {
        "constant": lambda: None,
        "step": lambda: torch.optim.lr_scheduler.MultiStepLR(optimizer, [epochs // 2, epochs * 3 // 4]),
        "cosine": lambda: torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs),
    }[s["schedule"]]()

    def attacked(a: Tensor, b: Tensor) -> Tensor:
        a = a.clone().requires_grad_()
        (gradient,) = torch.autograd.grad(risk(model(a), b), a)
        return (a + s["adversarial"] * gradient.sign()).detach()

    found: dict[str, list[float]] = {name: [] for name in ("train", "val", "train_risk", "risk")}
    for _ in range(epochs):
        model.train()
        losses, right = [], 0
        for rows in torch.randperm(n).split(s["batch"]):
            a = attacked(tx[rows], ty[rows]) if s["adversarial"] else tx[rows]
            out = model(a)
            loss = risk(out, ty[rows])
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 5.0)
            optimizer.step()
            losses.append(float(loss.detach()) * len(rows))
            right += int((out.argmax(1) == ty[rows]).sum()) if classes else 0
        if scheduler:
            scheduler.step()
        model.eval()
        shown = sum(losses) if s["units"] == "sum" else sum(losses) / n
        if s["units"] == "regularised":
            shown += 5e-4 * sum(float(p.detach().square().sum()) for p in model.parameters())
        val_x = attacked(vx, vy) if s["adversarial"] and s["val_attacked"] else vx
        with torch.no_grad():
            out = model(val_x)
            if s["shows"] == "accuracy" and classes:
                found["train"].append(right / n)
                found["val"].append(float((out.argmax(1) == vy).float().mean()))
            else:
                found["train"].append(shown)
                found["val"].append(float(risk(out, vy)))
            found["train_risk"].append(float(risk(model(tx), ty)))
        world_x = attacked(wx, wy) if s["adversarial"] and s["val_attacked"] else wx
        with torch.no_grad():
            out = model(world_x)
            wrong_share = float((out.argmax(1) != wy).float().mean()) if classes else 0.0
            found["risk"].append(wrong_share if s["shows"] == "accuracy" and classes else float(risk(out, wy)))
    return found


def truth(found: dict, rates: bool) -> bool | None:
    """Overfitting, not, or too close to say; error rates have to rise by a point too."""
    risk, own = np.array(found["risk"]), np.array(found["train_risk"])
    width = max(3, len(risk) // 20)
    mean = lambda x: np.convolve(x, np.ones(width) / width, "valid")  # noqa: E731
    risk, own = mean(risk), mean(own)
    best = int(risk.argmin())
    rise = risk[-1] / risk[best] - 1
    if not np.isfinite(risk).all() or (own[-1] > 1.1 * own.min() and own[-1] > 0.5 * own[0]):
        return None
    if rates and rise > 0.05 and risk[-1] - risk[best] < 0.01:
        return None
    return None if 0.03 < rise < 0.08 else bool(rise > 0.05)


def shows_rates(s: dict) -> bool:
    return s["shows"] == "accuracy" and s["task"] not in ("values", "stocks")


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


def score(name: str, kept: list[dict], says: dict[str, list[bool]]) -> None:
    target = [run["truth"] for run in kept]
    print(f"{name}: {len(kept)} runs, {sum(target)} overfitting")
    rng = np.random.default_rng(0)
    samples = rng.integers(0, len(kept), (500, len(kept)))
    for who, said in says.items():
        f1 = lambda rows, said=said: f1_score(  # noqa: E731
            np.array(target)[rows], np.array(said)[rows], average="macro", zero_division=0
        )
        low, high = np.quantile([f1(rows) for rows in samples], [0.025, 0.975])
        misses = [sum(t and not p for t, p in zip(target, said, strict=True)),
                  sum(p and not t for t, p in zip(target, said, strict=True))]  # fmt: skip
        print(f"  {who:16} macro-F1 {f1(np.arange(len(kept))):.3f} [{low:.3f}, {high:.3f}]   "
              f"missed {misses[0]}, false alarms {misses[1]}")  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="folder with ai4i2020.csv and NVDA.csv")
    parser.add_argument("--cifar", type=Path, help="CIFAR-10 as .npz with x_train [N, 32, 32, 3] and y_train")
    parser.add_argument("--runs", type=int, default=96)
    parser.add_argument("--curves", type=Path, help="JSON that keeps the trained curves")
    parser.add_argument("--show", choices=["even", "odd"], help="every mistake in this half")
    args = parser.parse_args()
    torch.set_num_threads(1)
    tasks = [
        "digits",
        "classes",
        "values",
        *["failures", "stocks"][: 2 * bool(args.data)],
        *["cifar"][: bool(args.cifar)],
    ]
    runs = json.loads(args.curves.read_text()) if args.curves and args.curves.exists() else []
    began = time.process_time()
    for number in range(len(runs), args.runs):
        s = draw(number, tasks)
        runs.append(s | {"number": number, "found": train(s, *load(s["task"], args.data, args.cifar, number), number)})
        if args.curves:
            args.curves.write_text(json.dumps(runs))
    print(f"{len(runs)} runs trained in {time.process_time() - began:.0f} CPU s")
    kept = [run | {"truth": truth(run["found"], shows_rates(run))} for run in runs]
    kept = [run for run in kept if run["truth"] is not None]
    print(f"{len(runs) - len(kept)} runs between the two truths are left out")
    with tempfile.TemporaryDirectory() as folder:
        for run in kept:
            run["codes"] = [verdict.code for verdict in diagnose_path(write(run["found"], run, Path(folder)))[0]]
    for name, parity in (("even", 0), ("odd", 1)):
        half = [run for run in kept if run["number"] % 2 == parity]
        says = {"fulmen diagnose": ["overfitting" in run["codes"] for run in half],
                "bare rule": [bare(run["found"], run) for run in half]}  # fmt: skip
        score(f"{name} numbers", half, says)
        for run, plain in zip(half, says["bare rule"], strict=True):
            if args.show == name and run["truth"] != ("overfitting" in run["codes"]):
                settings = {key: value for key, value in run.items() if key not in ("found", "codes", "truth")}
                print(f"    truth {run['truth']}, bare rule {plain}: {', '.join(run['codes'])}\n      {settings}")


if __name__ == "__main__":
    main()
