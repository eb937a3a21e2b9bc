"""Data to plant leaks in, for benchmarks/proofs/leaks.py, and what its sets without a leak are made of."""

from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn import datasets

from fulmen.testing import Curves, Pictures, Prices, Table
from fulmen.workloads.pbpk.data import PBPKData
from fulmen.workloads.sensors.simulator.plant import simulate_plant
from fulmen.workloads.stocks.simulator import simulate_market

Source = Table | Pictures | Prices | Curves


def table(columns: Mapping[str, np.ndarray], y: np.ndarray, **roles: str) -> Table:
    """A table of columns of numbers, or of texts, with the labels 0, 1, ... in `label`."""
    frame = pd.DataFrame({**columns, "label": y.astype(int)})
    used = [name for name in columns if name not in roles.values()]
    texts = [name for name in used if frame[name].dtype.kind in "OU" or str(frame[name].dtype) in ("str", "string")]
    return Table(
        frame, "label", [name for name in used if name not in texts],
        {name: sorted(frame[name].unique()) for name in texts}, **roles,
    )  # fmt: skip


@cache
def plant(machines: int, days: int, seed: int) -> pd.DataFrame:
    r = simulate_plant(machines, days, seed=seed, missing=0.0)
    return pd.DataFrame({
        "light_lux": r.light_lux, "temperature_c": r.temperature_c, "vibration_mm_s": r.vibration_mm_s,
        "machine": r.machine, "time": r.time_h, "label": r.maintenance,
    })  # fmt: skip


def plant_table(seed: int, **roles: str) -> Table:
    frame = plant(12, 20, seed)
    return Table(frame, "label", ["light_lux", "temperature_c", "vibration_mm_s"], **roles)


def weak(seed: int, n: int = 900, effect: float = 0.45, classes: int = 2, columns: int = 6) -> Table:
    """Rows with a little signal in each of a few columns."""
    rng = np.random.default_rng([11, seed])
    y = rng.integers(0, classes, n)
    x = {f"x{i}": (rng.standard_normal(n) + effect * (y - y.mean()) * (-1) ** i).round(4) for i in range(columns)}
    return table(x, y)


@cache
def digits() -> tuple[np.ndarray, np.ndarray]:
    x, y = datasets.load_digits(return_X_y=True)
    image = (x.reshape(-1, 8, 8) * 255 / 16).astype(np.uint8)
    return np.repeat(image[..., None], 3, axis=3), y


def dealt(x: np.ndarray, y: np.ndarray, seed: int, rows: int | None = None) -> Pictures:
    """A quarter of the pictures tests."""
    order = np.random.default_rng(seed).permutation(len(y))[:rows]
    test, train = order[: len(order) // 4], order[len(order) // 4 :]
    return Pictures(x[train], y[train], x[test], y[test])


def noisy_digits(seed: int, flipped: float = 0.2, noise: float = 40.0) -> Pictures:
    """Digits under grain, a share of them mislabelled, so that no model is perfect."""
    rng = np.random.default_rng([37, seed])
    x, y = digits()
    image = (x + noise * rng.standard_normal(x.shape)).clip(0, 255).astype(np.uint8)
    return dealt(image, np.where(rng.random(len(y)) < flipped, rng.integers(0, 10, len(y)), y), seed, 1200)


def shapes(seed: int, size: int = 16, classes: int = 3) -> Pictures:
    """A pattern for each class at a place of its own, on grain, in colour."""
    rng = np.random.default_rng([41, seed])
    y = np.arange(900) % classes
    x = 110 + 40 * rng.standard_normal((900, size, size, 3))
    pattern = rng.random((classes, 5, 5, 3)) > 0.5
    for image, label in zip(x, y, strict=True):
        i, j = rng.integers(0, size - 5, 2)
        image[i : i + 5, j : j + 5] += 90 * pattern[label]
    return dealt(x.clip(0, 255).astype(np.uint8), y, seed)


def market(seed: int, signal: float = 0.0, tickers: int = 2, days: int = 900) -> Prices:
    """A simulated market."""
    return prices([simulate_market(days, 100 * seed + i, signal, f"SIM{i}") for i in range(tickers)])


def prices(series: list) -> Prices:
    frames = [
        pd.DataFrame({
            "Date": each.day.astype("datetime64[D]").astype(str), "Open": each.open, "High": each.high, "Low": each.low,
            "Close": each.close, "Volume": each.volume, "Ticker": each.ticker,
        })
        for each in series
    ]  # fmt: skip
    return Prices(pd.concat(frames, ignore_index=True))


@cache
def population(seed: int, each: int = 1, kinetics: str = "linear", kind: str = "uniform_chemistry") -> Curves:
    """Subjects of the simulator; `each` has several subjects of one drug."""
    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as folder:
        data = PBPKData(
            kinetics, compounds=240 // each, subjects_per_compound=each, validation_compounds=24, time_points=25,
            test_compounds=24, population=kind, seed=seed, cache=folder,
        )  # fmt: skip
        path = data.export(Path(folder, "subjects.npz"))
        with np.load(path) as arrays:
            return Curves(dict(arrays), max(6, 36 // each))


BASES: Mapping[type, tuple[Callable[[], Source], ...]] = {
    Table: (
        lambda: weak(50),
        lambda: weak(51, n=1500, effect=0.3),
        lambda: plant_table(9, group="machine"),
        lambda: weak(52, classes=3),
    ),
    Pictures: (lambda: noisy_digits(50), lambda: shapes(51), lambda: noisy_digits(52, 0.3, 60.0)),
    Prices: (lambda: market(50), lambda: market(51, 0.05), lambda: market(52, tickers=3)),
    Curves: (lambda: population(50, 4), lambda: population(51, 4, kind="real_chemistry"), lambda: population(52, 3)),
}
