"""Data that a leak is planted in: what stands in a file, and how a data class is told to read it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from fulmen.config.mistakes import as_text
from fulmen.data.batches import Batch
from fulmen.workload import WorkloadData

if TYPE_CHECKING:
    import pandas as pd

Split = Literal["auto", "group", "time", "random"]
Pair = tuple[np.ndarray, np.ndarray]  # inputs [N, D] and targets [N] or [N, H]


@dataclass(frozen=True)
class Table:
    """Rows with a label each, for the data of the experiment `sensors`.

    Attributes:
        frame: the table, one row a sample, as it will stand in a CSV.
        target: column of the labels.
        numeric: columns of numbers that are features.
        categorical: column -> its levels, of texts that are features.
        group: column of the machine or person, or None.
        time: column of the time, or None.
        split: how the rows are split; "auto": by group, else by time, else at random.
    """

    experiment: ClassVar[Sequence[str]] = ("experiment=sensors",)
    file: ClassVar[str] = "table.csv"
    frame: "pd.DataFrame"
    target: str
    numeric: Sequence[str]
    categorical: Mapping[str, Sequence[str]] = field(default_factory=dict)
    group: str | None = None
    time: str | None = None
    split: Split = "auto"

    @property
    def labels(self) -> np.ndarray:
        """Number of the label of each row [N], labels being sorted."""
        return np.unique(self.frame[self.target], return_inverse=True)[1]

    def write(self, path: Path) -> None:
        self.frame.to_csv(path, index=False)

    def arguments(self, path: Path) -> dict[str, Any]:
        """Of the data class that reads the file."""
        return {
            "csv": str(path), "numeric": list(self.numeric), "categorical": {k: list(v) for k, v in
            self.categorical.items()}, "target": self.target, "group": self.group, "time": self.time,
            "split": self.split, "labels": np.unique(self.frame[self.target]).tolist(), "wear": [], "ranges": {},
        }  # fmt: skip

    def pair(self, part: Batch) -> Pair:
        """Inputs and targets of a split."""
        x, category = part["x"].double().numpy(), part["category"].numpy()
        return np.hstack([np.where(np.isnan(x), -9.0, x), category]), part["target"].numpy()


@dataclass(frozen=True)
class Pictures:
    """Pictures with a class each, for the data `image_arrays`.

    Attributes:
        x_train: uint8 [N, H, W, 3], as `x_test`.
        x_test: see `x_train`.
        y_train: class of each [N], as `y_test`.
        y_test: see `y_train`.
    """

    experiment: ClassVar[Sequence[str]] = ("experiment=images_plain", "data=image_arrays")
    file: ClassVar[str] = "pictures.npz"
    x_train: np.ndarray
    y_train: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray

    def write(self, path: Path) -> None:
        np.savez(path, x_train=self.x_train, y_train=self.y_train, x_test=self.x_test, y_test=self.y_test)

    def arguments(self, path: Path) -> dict[str, Any]:
        """Of the data class that reads the file."""
        return {"arrays": str(path), "classes": len(np.unique(self.y_train))}

    def pair(self, part: Batch) -> Pair:
        """Inputs and targets of a split."""
        image = part["image"].float().numpy()
        return image.mean(1).reshape(len(image), -1), part["label"].numpy()


@dataclass(frozen=True)
class Prices:
    """Daily prices, for the data of the experiment `stocks`.

    Attributes:
        frame: Date, Open, High, Low, Close, Volume and Ticker; a line a day and ticker.
        lookback_days: length of a window.
    """

    experiment: ClassVar[Sequence[str]] = ("experiment=stocks",)
    file: ClassVar[str] = "prices.csv"
    frame: "pd.DataFrame"
    lookback_days: int = 10

    def write(self, path: Path) -> None:
        self.frame.to_csv(path, index=False)

    def arguments(self, path: Path) -> dict[str, Any]:
        """Of the data class that reads the file."""
        return {"csv": str(path), "lookback_days": self.lookback_days}

    def pair(self, part: Batch) -> Pair:
        """Inputs and targets of a split: returns in daily volatilities."""
        window = part["window"].double().numpy()
        return window.reshape(len(window), -1), part["log_return"].double().numpy() / part["volatility"].numpy()[
            :, None
        ]


@dataclass(frozen=True)
class Curves:
    """Subjects with curves of concentration, for the data of the experiment `pbpk_mlp`.

    Attributes:
        arrays: as `export` of these data writes them; every array [S, ...] but for names, times and settings.
        held_out: compounds that validate, and as many that test.
    """

    experiment: ClassVar[Sequence[str]] = ("experiment=pbpk_mlp",)
    file: ClassVar[str] = "subjects.npz"
    shared: ClassVar[Sequence[str]] = ("organ", "route_name", "kinetics", "time_h", "n_doses", "interval_h")
    arrays: Mapping[str, np.ndarray]
    held_out: int

    @property
    def own(self) -> dict[str, np.ndarray]:
        """Arrays that have an entry for each subject."""
        return {name: value for name, value in self.arrays.items() if name not in self.shared}

    def write(self, path: Path) -> None:
        np.savez(path, allow_pickle=False, **self.arrays)

    def arguments(self, path: Path) -> dict[str, Any]:
        """Of the data class that reads the file."""
        return {
            "npz": str(path), "kinetics": str(self.arrays["kinetics"]),
            "validation_compounds": self.held_out, "test_compounds": self.held_out,
        }  # fmt: skip

    def pair(self, part: Batch) -> Pair:
        """Inputs, and the logarithms of dose-normalised concentrations at eight times in blood, liver and fat."""
        c, dose = part["concentration"].double().numpy(), part["dose_mg"].double().numpy()
        weight = part["weight_kg"].double().numpy()
        times = np.linspace(0, c.shape[2] - 1, 8).astype(int)
        organs = np.linspace(0, c.shape[1] - 1, 3).astype(int)
        y = np.log(c[:, organs][:, :, times] / (dose / weight)[:, None, None] + 1e-3)
        node = part["node"].double().numpy().reshape(len(c), -1)
        return np.hstack([node, part["context"].double().numpy()]), y.reshape(len(c), -1)


Source = Table | Pictures | Prices | Curves


def typed(source: Source, path: Path) -> list[str]:
    """What a person types to train on a source that was written to `path`, after `python train.py`."""
    return [*source.experiment, *(f"data.{name}={as_text(value)}" for name, value in source.arguments(path).items())]


def opened(source: Source, folder: Path, hook: "type[WorkloadData] | None" = None) -> WorkloadData:
    """Its data, written into `folder`, read from there by the class of the experiment and set up.

    Args:
        folder: may not hold another source; what is prepared is kept in it too.
        hook: the class to read it with in place of that of the experiment.
    """
    path = folder / source.file
    source.write(path)
    kind, usual = reader(tuple(source.experiment))
    also: dict[str, Any] = {"forbidden": []} if isinstance(source, Table) else {}  # copies of the label are not refused
    data: WorkloadData = (hook or kind)(**usual | source.arguments(path) | {"cache": str(folder / "cache")} | also)
    data.prepare_data()
    data.setup("fit")
    return data


@cache
def reader(experiment: tuple[str, ...]) -> tuple[type[WorkloadData], dict[str, Any]]:
    """The data class of an experiment, and the plain arguments that its config gives it."""
    from fulmen.config.allow_list import locate
    from fulmen.config.check import compose
    from fulmen.config.compose import to_plain

    node = to_plain(compose(*experiment, *(["data.arrays=x.npz"] if "data=image_arrays" in experiment else [])).data)
    usual = {name: value for name, value in node.items() if name != "_target_" and not isinstance(value, dict)}
    kind: type[WorkloadData] = locate(node["_target_"])  # type: ignore[assignment]
    return kind, usual
