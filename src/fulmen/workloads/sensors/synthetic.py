"""A classification set made by scikit-learn, to try a network on."""

import math

import numpy as np
import torch
from sklearn.datasets import make_classification
from sklearn.model_selection import train_test_split

from fulmen.config.ranges import Share
from fulmen.errors import FulmenError
from fulmen.workloads.sensors.features.feature_set import Features
from fulmen.workloads.sensors.io.tables import Columns
from fulmen.workloads.sensors.splits import Splitting
from fulmen.workloads.sensors.table_data import TableData


class SyntheticClassification(TableData):
    """Clusters of points, some of whose features say something (Guyon 2003); batches as those of `SensorData`.

    Args:
        rows: in all.
        features: columns; those that are neither informative nor redundant are noise.
        informative: features that tell the classes apart; null: a third.
        redundant: features that are sums of informative ones; null: a sixth.
        noise: share of the labels that are drawn at random.
        classes: of equal size.
        separation: between the clusters; the larger, the easier.
        validation: share of the rows.
        test: share of the rows.
        batch_size: rows per training batch.
        seed: of the points, the split and the order of the batches.
    """

    def __init__(
        self, rows: int = 2000, features: int = 100, classes: int = 10, separation: float = 2.0,
        validation: float = 0.15, test: float = 0.15, batch_size: int = 64, seed: int = 42,
        informative: int | None = None, redundant: int | None = None, noise: Share = 0.01,
    ):  # fmt: skip
        columns = Columns(tuple(f"x{i}" for i in range(features)), {}, "class", tuple(range(classes)), missing=False)
        super().__init__(batch_size, seed, Features(columns, ranges={}), Splitting("random", validation=validation))
        if informative is None and features < 2 * classes:
            raise FulmenError(f"features is {features}; {classes} classes need {2 * classes} or more")
        telling = features // 3 if informative is None else informative
        sums = features // 6 if redundant is None else redundant
        if telling < 1 or sums < 0 or telling + sums > features or 2**telling < classes:
            raise FulmenError(
                f"{telling} informative and {sums} redundant features: together they must be at most the {features} "
                f"there are, and {classes} classes need {max(1, math.ceil(math.log2(classes)))} informative ones"
            )
        if min(validation, test) * rows < classes:
            raise FulmenError(f"rows is {rows}; each split needs a row of each of the {classes} classes")
        self.made = {"n_samples": rows, "n_features": features, "n_classes": classes, "class_sep": separation}
        self.made |= {"n_informative": telling, "n_redundant": sums, "flip_y": noise}
        self.shares = (validation, test)
        self.fingerprint = f"make_classification-{rows}x{features}-{classes}-{separation:g}-{seed}"
        if (informative, redundant, noise) != (None, None, 0.01):
            self.fingerprint += f"-{telling}-{sums}-{noise:g}"

    @property
    def described(self) -> str:
        return f"points made by scikit-learn, {self.made['n_classes']} classes, seed {self.seed}"

    def setup(self, stage: str | None = None) -> None:
        if self.splits:
            return
        x, y = make_classification(**self.made, n_clusters_per_class=1, random_state=self.seed)
        whole = {
            "x": torch.from_numpy(x.astype(np.float32)),
            "category": torch.empty((len(y), 0), dtype=torch.int64),
            "target": torch.from_numpy(y.astype(np.int64)),
            "row": torch.arange(len(y)),
            "group": torch.arange(len(y)),
        }
        validation, test = self.shares
        rest, last = train_test_split(np.arange(len(y)), test_size=test, stratify=y, random_state=self.seed)
        size = round(validation * len(y))
        first, held = train_test_split(rest, test_size=size, stratify=y[rest], random_state=self.seed)
        rows = {"train": first, "validation": held, "test": last}
        self.hours = {"train": np.full(len(first), np.nan)}
        self.splits = {name: {k: v[np.sort(part)] for k, v in whole.items()} for name, part in rows.items()}
