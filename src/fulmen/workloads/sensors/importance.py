"""Which machines need maintenance now, and which columns the answer comes from."""

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import torch
from sklearn.metrics import average_precision_score, roc_auc_score
from torch import Tensor

from fulmen.report.document import Rows
from fulmen.report.figures import INK, MODEL, WIDTH, figure
from fulmen.workloads.sensors.features.feature_set import Features
from fulmen.workloads.sensors.features.features import DERIVED, TIME
from fulmen.workloads.sensors.said import when
from fulmen.workloads.sensors.table_data import TableData

Predict = Callable[[Mapping[str, Tensor]], np.ndarray]  # a part -> probability of the event [N]
ROWS = 4096  # of the test split that importance is measured on, at most


def in_need(predict: Predict, data: TableData, threshold: float) -> Rows:
    """The latest row of every machine, the likeliest to need maintenance first.

    Args:
        data: with a column of machines.
        threshold: above it a machine counts as in need.
    """
    rows, column = [], str(data.features.columns.group)
    for name, part in data.splits.items():
        machine, hours = part["group"].numpy(), data.hours[name]
        order = np.lexsort((part["row"].numpy(), hours, machine))
        last = order[np.append(machine[order][1:] != machine[order][:-1], True)] if len(order) else order
        p = predict({key: value[last] for key, value in part.items()})
        for i, each in zip(last, p, strict=True):
            time = None if np.isnan(hours[i]) else when(float(hours[i]), data.absolute, data.zone)
            rows.append({
                column: str(data.groups[machine[i]]), "time": time, "probability": float(each),
                "needs maintenance": "yes" if each >= threshold else "no", "row": int(part["row"][i]), "part": name,
            })  # fmt: skip
    return sorted(rows, key=lambda row: -row["probability"])


def sources(features: Features) -> dict[str, list[int]]:
    """Source -> the columns of `x` made of it: a reading with its windows, the time of day, the time since a fall."""
    found: dict[str, list[int]] = {}
    for i, name in enumerate(features.names):
        if name in DERIVED and DERIVED[name][0] == (TIME,):
            source = "time of day"
        elif name in ("hours_since_fall", "fall_seen") and name not in features.columns.numeric:
            source = "time since the last fall"
        else:  # windows begin with the name of their column
            begins = (own for own in features.wear if i >= len(features.columns.numeric) and name.startswith(f"{own}_"))
            source = max(begins, key=len, default=name)
        found.setdefault(source, []).append(i)
    return found


def importance(
    predict: Predict, part: Mapping[str, Tensor], columns: Mapping[str, list[int]], categorical: list[str],
    repeats: int = 5, seed: int = 0,
) -> Rows:  # fmt: skip
    """What PR-AUC and ROC-AUC lose when a source is shuffled over the rows (Breiman 2001), the greatest loss first.

    Args:
        part: judged rows, of both classes.
        columns: source -> its columns of `x`, which are shuffled together.
        categorical: names of the columns of `category`.
        repeats: shuffles; losses are their mean and standard deviation.
    """
    rng = np.random.default_rng(seed)
    some = np.sort(rng.permutation(len(part["target"]))[:ROWS])
    part = {name: value[some] for name, value in part.items()}
    target = part["target"].numpy()
    before, rows = areas(target, predict(part)), []
    for source, places, where in [*((s, c, "x") for s, c in columns.items()),
                                  *((s, [i], "category") for i, s in enumerate(categorical))]:  # fmt: skip
        lost = []
        for _ in range(repeats):
            shuffled = part[where].clone()
            shuffled[:, places] = part[where][torch.from_numpy(rng.permutation(len(target)))][:, places]
            lost.append(before - areas(target, predict({**part, where: shuffled})))
        (pr, roc), (pr_sd, roc_sd) = np.mean(lost, 0).tolist(), np.std(lost, 0, ddof=1).tolist()
        rows.append({"": source, "loss of PR-AUC": pr, "sd": pr_sd, "loss of ROC-AUC": roc, "sd ": roc_sd})
    return sorted(rows, key=lambda row: -row["loss of PR-AUC"])


def areas(target: np.ndarray, p: np.ndarray) -> np.ndarray:
    """PR-AUC and ROC-AUC [2]."""
    return np.array([average_precision_score(target, p), roc_auc_score(target, p)])


def draw_importance(path: Path, rows: Rows, shown: int = 20) -> None:
    """Bars from zero with the standard deviation over the shuffles."""
    rows = rows[:shown]
    with figure(path, 1, 1, (WIDTH, 0.9 + 0.26 * len(rows))) as ax:
        ax.barh(range(len(rows)), [row["loss of PR-AUC"] for row in rows], xerr=[row["sd"] for row in rows],
                color=MODEL, alpha=0.85, height=0.62, error_kw={"ecolor": INK, "elinewidth": 1})  # fmt: skip
        ax.axvline(0, color=INK, linewidth=0.8)
        ax.set_yticks(range(len(rows)), [row[""] for row in rows])
        ax.invert_yaxis()
        ax.grid(False, axis="y")
        ax.set_xlabel("loss of PR-AUC (line: one sd)")
