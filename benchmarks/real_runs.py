"""Small real trainings, drawn by their numbers: their curves, and the truth about them from samples no curve shows."""

import math
from pathlib import Path

import numpy as np
import torch
from sklearn import datasets
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, mse_loss

TASKS = ("digits", "classes", "values", "failures", "stocks")
FILES = {"failures": "ai4i2020.csv", "stocks": "NVDA.csv"}
FORMATS = ("keras", "lightning", "fastai", "pytorch", "spaces", "json")
HELD = 2000  # samples at most behind the truth


def draw(number: int) -> dict:
    """The settings of a run."""
    rng = np.random.default_rng(1000 + number)
    pick = lambda *options: options[rng.integers(len(options))]  # noqa: E731
    task = TASKS[(number // 2) % len(TASKS)]
    network = {"digits": pick("mlp", "cnn", "rnn"), "stocks": pick("mlp", "rnn")}
    return {
        "task": task, "network": network.get(task, "mlp"), "samples": int(pick(60, 150, 300, 600, 1000)),
        "val": int(pick(60, 120, 250, 500)), "epochs": int(pick(30, 60, 100, 100, 150, 200)),
        "batch": int(pick(16, 32, 64)), "width": int(pick(4, 16, 64, 256)), "depth": int(pick(1, 2, 3)),
        "dropout": float(pick(0, 0, 0.2, 0.5)), "decay": float(pick(0, 0, 1e-4, 5e-3, 3e-2)),
        "optimizer": pick("sgd", "sgd", "adam"), "rate": float(10 ** rng.uniform(-0.7, 0.5)),
        "schedule": pick("constant", "step", "step", "cosine"), "noise": float(pick(0, 0, 0, 0.1, 0.3)),
        "adversarial": float(pick(0, 0, 0, 0.1, 0.3)), "units": pick("mean", "mean", "mean", "sum", "regularised"),
        "shows": pick("loss", "loss", "loss", "loss", "accuracy"), "val_attacked": bool(pick(True, False)),
        "format": FORMATS[rng.integers(len(FORMATS))], "number": number,
    }  # fmt: skip


def light(s: dict) -> bool:
    """Whether a run takes a few seconds of one core."""
    return s["epochs"] * math.ceil(s["samples"] / s["batch"]) <= (1500 if s["network"] == "mlp" else 500)


def load(task: str, folder: Path | None, seed: int) -> tuple[Tensor, Tensor]:
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
        table = np.genfromtxt(folder / FILES[task], delimiter=",", skip_header=1, dtype=str)
        x = np.column_stack([table[:, 2] == "L", table[:, 2] == "H", *table[:, 3:8].astype(float).T])
        y = table[:, 8].astype(int)
        rare, often = np.flatnonzero(y), np.flatnonzero(y == 0)
        kept = np.concatenate([rare, often[:: len(often) // 3000]])
        x, y = x[kept], y[kept]
    else:
        close = np.genfromtxt(folder / FILES[task], delimiter=",", skip_header=1)[:, 4]
        returns = np.diff(np.log(close)) / 0.03
        windows = np.lib.stride_tricks.sliding_window_view(returns, 21)
        x, y = windows[:, :20], np.log(np.abs(windows[:, 20]) + 0.05)
    order = np.random.default_rng(seed).permutation(len(x))
    x, y = x[order], y[order]
    x = (x - x.mean()) / x.std() if task in ("digits", "stocks") else (x - x.mean(0)) / x.std(0)
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
        width = min(max(width, 8), 32)
        return nn.Sequential(
            nn.Unflatten(1, (1, 8, 8)), nn.Conv2d(1, width, 3, padding=1), nn.ReLU(),
            nn.MaxPool2d(2), nn.Conv2d(width, 2 * width, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
            nn.Dropout(s["dropout"]), nn.Linear(8 * width, outputs),
        )  # fmt: skip
    layers, last = [], inputs
    for _ in range(s["depth"]):
        layers += [nn.Linear(last, width), nn.ReLU(), nn.Dropout(s["dropout"])]
        last = width
    return nn.Sequential(*layers, nn.Linear(last, outputs))


def train(s: dict, x: Tensor, y: Tensor, seed: int) -> dict:
    """Curves as the log shows them, and the clean risks of training split and world."""
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
