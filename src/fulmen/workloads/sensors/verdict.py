"""What the test split shows of a classifier of rows: by the area under the ROC curve, and the log loss beside it."""

from collections.abc import Mapping

import numpy as np

from fulmen.report.estimates import area, difference, gain
from fulmen.report.evidence import Evidence, Measure, judge, too_few, too_rare
from fulmen.report.shown import Shown
from fulmen.workloads.sensors.metrics import CONSTANT

CEILING = "ceiling"
SPANS = 20  # that the rows of a table with times and no machines are cut into


def verdict(
    predicted: Mapping[str, np.ndarray],
    target: np.ndarray,
    margin: float,
    machine: np.ndarray | None = None,
    hours: np.ndarray | None = None,
) -> Shown:
    """The network beside chance, the constant and the other baselines.

    Args:
        predicted: probabilities [N, L] of the network, `CONSTANT` and the baselines; a ceiling is no baseline.
        target: label numbers [N].
        margin: ROC-AUC from which on a signal counts.
        machine: of each row [N]; None: the table has none.
        hours: of each row [N], NaN where it has none: rows without machines that follow each other are no independent
            evidence, and are taken together.
    """
    unit, name = machine, "machine"
    if machine is None:
        unit = None if hours is None or not np.isfinite(hours).all() else spans(hours)
        name = "row" if unit is None else "span of time"
    units = len(target) if unit is None else len(np.unique(unit))
    classes = np.bincount(target, minlength=predicted["network"].shape[1])
    reason = too_few(units, name, unit is not None, classes.tolist()) or too_rare(classes.tolist(), "rows")
    score = area(target, predicted["network"], unit)
    others = {who: area(target, p, unit) for who, p in predicted.items() if who not in ("network", CONSTANT, CEILING)}
    loss = {who: losses(predicted[who], target) for who in ("network", CONSTANT)}
    means = [f"{loss[who].mean():.4f}" for who in ("network", CONSTANT)]
    return judge(
        Evidence(
            Measure("ROC-AUC", 0.5, margin), score, units, name, others,
            {who: difference(score, other) for who, other in others.items()}, "ROC-AUC",
            loss=gain(loss["network"], loss[CONSTANT], unit), losses=f"log loss is {means[0]} against {means[1]}",
        ),
        reason,
    )  # fmt: skip


def spans(hours: np.ndarray) -> np.ndarray:
    """The span of time [N] of each row, `SPANS` of as many rows, or fewer of ten rows."""
    count = max(1, min(SPANS, len(hours) // 10))
    place = np.empty(len(hours), int)
    place[np.argsort(hours, kind="stable")] = np.arange(len(hours)) * count // max(len(hours), 1)
    return place


def losses(p: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Cross-entropy [N] of probabilities [N, L]."""
    return -np.log(np.clip(p[np.arange(len(p)), target].astype(np.float64), 1e-7, 1))
