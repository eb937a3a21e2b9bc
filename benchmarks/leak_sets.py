"""Data without a leak, for benchmarks/proofs/leaks.py: more than a hundred, real ones and simulated ones.

Real data are those that scikit-learn brings, and, where they lie beside the repository, those of shared/data.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn import datasets

from benchmarks.leak_bases import (
    Source,
    dealt,
    digits,
    market,
    noisy_digits,
    plant_table,
    population,
    prices,
    shapes,
    table,
    weak,
)  # fmt: skip
from fulmen.testing import Pictures, Prices, Table
from fulmen.workloads.stocks.simulator import simulate_market

SHARED = Path(__file__).parents[2] / "shared" / "data"
STRONG = 30  # sets with one feature that is strong by an honest law


def honest() -> Mapping[str, Callable[[], Source]]:
    """Name -> a set without a leak, at least a hundred, those of files that are not there left out."""
    found: dict[str, Callable[[], Source]] = {}
    found |= {f"table, strong feature {number}": (lambda n=number: strong(n)) for number in range(STRONG)}
    found |= {f"table, real {name}": (lambda n=name: real_table(n)) for name in REAL_TABLES}
    found |= {f"table, {name}": make for name, make in TABLES.items()}
    found |= {f"pictures, {name}": make for name, make in PICTURES.items()}
    found |= {f"prices, {name}": make for name, make in PRICES.items()}
    found |= {f"curves, {name}": make for name, make in CURVES.items()}
    there = (SHARED / "ai4i2020.csv").exists()
    return {name: make for name, make in found.items() if there or "shared" not in name}


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def strong(number: int) -> Table:
    """A table in which one feature has an AUC of .9 to .99 by itself, by a law that nature could have."""
    rng = np.random.default_rng([7, number])
    n, law, steep = int(rng.integers(400, 3000)), number % 10, [2.2, 2.9, 3.6][number // 10]
    z = rng.standard_normal(n)
    y = rng.random(n) < sigmoid(steep * 1.8 * (z - [0.0, 0.8, 0.4][number // 10]))
    u = rng.standard_normal(n)
    feature = [
        z,  # as it is
        np.exp(z),  # skewed
        np.round(20 + 5 * z),  # in whole units
        z + 0.2 * u,  # read with an error
        np.where(y, u + steep * 0.85, u),  # two populations, as sick and healthy
        np.exp(np.where(y, 0.5 * u + 0.45 * steep, 0.5 * u)),  # two skewed ones
        rng.poisson(np.where(y, 4 + 2.5 * steep, 4.0)),  # counts
        np.clip(z, -2, 2),  # with a floor and a ceiling of the gauge
        np.maximum(0, z + 0.5 + 0.1 * u),  # below what can be measured in a third of the rows
        np.where(rng.random(n) < 0.03, np.nan, z),  # with gaps
    ][law]
    others = {f"x{i}": rng.standard_normal(n) + 0.3 * i * (y - 0.5) for i in range(4)}
    return table({"signal": np.asarray(feature, dtype=float), **others}, y)


REAL_TABLES = (
    "breast cancer", "breast cancer, means", "breast cancer, errors", "breast cancer, worst", "wine", "wine, half",
    "iris", "iris, sepals", "digits as a table", "diabetes above its median", "linnerud pulse", "shared ai4i",
    "shared ai4i, two features", "shared ai4i with wear", "shared compounds: volume", "shared compounds: clearance",
    "shared compounds: half-life", "shared compounds: bound", "shared subjects: weight",
)  # fmt: skip


def real_table(name: str) -> Table:
    """A table that was measured."""
    if name.startswith("shared"):
        return shared_table(name)
    if name.startswith("breast"):
        x, y = datasets.load_breast_cancer(return_X_y=True, as_frame=True)
        part = {"means": "mean ", "errors": " error", "worst": "worst "}.get(name.partition(", ")[2], "")
        return named(x[[column for column in x if part in column]], y)
    if name.startswith("digits"):
        x, y = datasets.load_digits(return_X_y=True, as_frame=True)
        return named(x, y)
    if name.startswith("diabetes"):
        x, y = datasets.load_diabetes(return_X_y=True, as_frame=True, scaled=False)
        return named(x, y > y.median())
    if name.startswith("linnerud"):
        x, y = datasets.load_linnerud(return_X_y=True, as_frame=True)
        return named(pd.concat([x] * 1), y["Pulse"] > y["Pulse"].median())
    x, y = getattr(datasets, f"load_{name.partition(',')[0]}")(return_X_y=True, as_frame=True)
    columns = {"iris, sepals": x.columns[:2], "wine, half": x.columns[::2]}.get(name, x.columns)
    return named(x[list(columns)], y)


def named(x: pd.DataFrame, y: pd.Series) -> Table:
    """A table of all columns that are not constant."""
    kept = [name for name in x if x[name].nunique() > 1]
    return table({str(name).replace(" ", "_").replace("/", "_"): x[name].to_numpy() for name in kept}, y.to_numpy())


def shared_table(name: str) -> Table:
    """A table of shared/data."""
    if "ai4i" in name:
        frame = pd.read_csv(SHARED / "ai4i2020.csv")
        columns = [name for name in frame if name.endswith("]")]
        kept = {"shared ai4i, two features": columns[2:4], "shared ai4i with wear": columns[3:]}.get(name, columns)
        x = {column.partition(" [")[0].replace(" ", "_"): frame[column].to_numpy() for column in kept}
        return table({**x, "Type": frame["Type"].to_numpy(dtype=object)}, frame["Machine failure"].to_numpy())
    frame = pd.read_csv(SHARED / "human_pk_compounds.csv")
    short = {"volume": "human_VDss_L_kg", "clearance": "human_CL_mL_min_kg", "half-life": "human_thalf",
             "bound": "human_fup", "weight": "MW"}  # fmt: skip
    target = short[name.partition(": ")[2]]
    x = ["MW", "HBA", "HBD", "TPSA_NO", "RotBondCount", "MoKa.LogP", "MoKa.LogD7.4", "human_fup"]
    if target == "human_VDss_L_kg":
        x += ["human_CL_mL_min_kg"]
    frame = frame.dropna(subset=[target, *x]).reset_index(drop=True)
    return named(frame[[each for each in x if each != target]], frame[target] > frame[target].median())


def counters(seed: int) -> Table:
    """Machines with an odometer that only rises, and a risk that rises with it; split by machine."""
    rng = np.random.default_rng([13, seed])
    machine = np.repeat(np.arange(20), 60)
    age = np.tile(np.arange(60), 20) * 24.0 + rng.integers(0, 2000, 20)[machine]
    load = rng.gamma(3, 1, len(age))
    y = rng.random(len(age)) < sigmoid((age - 1500) / 400 + load - 3)
    return table({"machine": machine, "hours_run": age, "load": load}, y, group="machine")


def in_time(seed: int, last: float) -> Table:
    """A state that lasts, seen by features of today and yesterday; split by time."""
    rng = np.random.default_rng([17, seed])
    n = 1200
    state = np.zeros(n)
    for t in range(1, n):
        state[t] = last * state[t - 1] + rng.standard_normal()
    y = rng.random(n) < sigmoid(state / state.std())
    x = {"time": np.arange(n) * 1.0, "state": state + rng.standard_normal(n), "before": np.append(0.0, state[:-1]),
         "noise": rng.standard_normal(n)}  # fmt: skip
    return table(x, y, time="time")


def levels(seed: int) -> Table:
    """A questionnaire: few answers to few questions, so that many people answer alike."""
    rng = np.random.default_rng([19, seed])
    x = {f"question_{i}": rng.integers(0, 3 + seed, 800).astype(float) for i in range(4)}
    y = rng.random(800) < sigmoid(sum(x.values()) - 2.0 * (2 + seed))
    return table(x, y)


def rare(seed: int) -> Table:
    """One row in fifty is an event, and a text tells of it more often than not."""
    rng = np.random.default_rng([23, seed])
    y = rng.random(4000) < 0.02
    kind = np.where(rng.random(4000) < np.where(y, 0.6, 0.05), "alarm", "quiet").astype(object)
    return table({"kind": kind, "x": rng.standard_normal(4000) + y, "dose": rng.lognormal(0, 1, 4000)}, y)


def amounts(seed: int) -> Table:
    """Columns in which hardly any value comes twice: salaries, weights in grams, seconds of the day."""
    rng = np.random.default_rng([29, seed])
    n = 1000
    salary = np.round(rng.lognormal(10.5, 0.5, n))
    y = rng.random(n) < sigmoid((np.log(salary) - 10.5) * 2)
    return table({"salary": salary, "grams": rng.integers(40_000, 120_000, n), "second": rng.integers(0, 86_400, n)}, y)


def standardised(seed: int) -> Table:
    """Features without units, as many a file has them: mean 0 and deviation 1, of all that were ever measured."""
    rng = np.random.default_rng([31, seed])
    y = rng.random(700) < 0.4
    return table({f"z{i}": (rng.standard_normal(700) * 0.97 + 0.3 * (y - 0.4)).round(3) for i in range(8)}, y)


TABLES: Mapping[str, Callable[[], Source]] = {
    **{f"weak signal {s}": (lambda s=s: weak(s)) for s in range(4)},
    **{f"no signal {s}": (lambda s=s: weak(s, effect=0.0)) for s in range(3)},
    **{f"four classes {s}": (lambda s=s: weak(s, classes=4)) for s in range(2)},
    **{f"few rows {s}": (lambda s=s: weak(s, n=90)) for s in range(2)},
    **{f"many columns {s}": (lambda s=s: weak(s, columns=60, effect=0.1)) for s in range(2)},
    **{f"plant by machine {s}": (lambda s=s: plant_table(s, group="machine", time="time")) for s in range(3)},
    **{f"plant by time {s}": (lambda s=s: plant_table(s, time="time")) for s in range(2)},
    **{f"counters {s}": (lambda s=s: counters(s)) for s in range(3)},
    **{f"in time {s}": (lambda s=s: in_time(s, [0.5, 0.9, 0.98][s])) for s in range(3)},
    **{f"questionnaire {s}": (lambda s=s: levels(s)) for s in range(2)},
    **{f"rare events {s}": (lambda s=s: rare(s)) for s in range(2)},
    **{f"amounts {s}": (lambda s=s: amounts(s)) for s in range(2)},
    **{f"standardised {s}": (lambda s=s: standardised(s)) for s in range(2)},
}


def portraits(seed: int) -> Pictures:
    """Pictures that are all nearly the same, as X-rays in one pose are: what differs is small and smooth."""
    rng = np.random.default_rng([43, seed])
    size, n = 16, 900
    i, j = np.mgrid[:size, :size] / size
    body = 90 + 80 * np.exp(-((i - 0.5) ** 2 + (j - 0.5) ** 2) * 6)
    y = rng.integers(0, 2, n)
    waves = np.stack([np.cos(np.pi * a * i) * np.cos(np.pi * b * j) for a in range(5) for b in range(5)])
    own = np.tensordot(rng.standard_normal((n, 25)) * 5, waves, 1)
    spot = np.exp(-((i - 0.35) ** 2 + (j - 0.6) ** 2) * 60)
    x = body + own + 14 * y[:, None, None] * spot + 2 * rng.standard_normal((n, size, size))
    return dealt(np.repeat(x.clip(0, 255).astype(np.uint8)[..., None], 3, 3), y, seed)


@cache
def photographs() -> tuple[np.ndarray, np.ndarray]:
    """The first 2,000 pictures of CIFAR-10, as JPEG."""
    import io
    import lzma

    from PIL import Image

    with lzma.open(SHARED / "cifar10_jpegq75.npyseq.xz") as file:
        lengths, labels, _ = (np.load(file) for _ in range(3))
        jpegs = [file.read(int(length)) for length in lengths[:2000]]
    return np.stack([np.asarray(Image.open(io.BytesIO(each)).convert("RGB")) for each in jpegs]), labels[:2000]


PICTURES: Mapping[str, Callable[[], Source]] = {
    **{f"digits {s}": (lambda s=s: dealt(*digits(), s)) for s in range(3)},
    **{f"noisy digits {s}": (lambda s=s: noisy_digits(s)) for s in range(2)},
    **{f"shapes {s}": (lambda s=s: shapes(s)) for s in range(3)},
    **{f"portraits {s}": (lambda s=s: portraits(s)) for s in range(3)},
    **{f"shared photographs {s}": (lambda s=s: dealt(*photographs(), s, 1600)) for s in range(2)},
}


def fund(seed: int) -> Prices:
    """A stock and a fund that holds much of it: their days resemble each other, and so do their splits in time."""
    one, other = simulate_market(900, seed, 0.0, "ONE"), simulate_market(900, seed + 50, 0.0, "OTHER")
    returns = [np.diff(np.log(each.close), prepend=np.log(100.0)) for each in (one, other)]
    ratio = 80 * np.exp(np.cumsum(0.9 * returns[0] + 0.1 * returns[1])) / one.close
    both = replace(one, ticker="FUND", open=one.open * ratio, high=one.high * ratio, low=one.low * ratio,
                   close=one.close * ratio, volume=other.volume)  # fmt: skip
    return prices([one, both])


def recorded(names: tuple[str, ...], days: slice = slice(None)) -> Prices:
    """Prices of shared/data."""
    frames = [pd.read_csv(SHARED / f"{name}.csv").iloc[days].assign(Ticker=name) for name in names]
    return Prices(pd.concat(frames, ignore_index=True))


PRICES: Mapping[str, Callable[[], Source]] = {
    **{f"no signal {s}": (lambda s=s: market(s)) for s in range(3)},
    **{f"a signal of 5 % {s}": (lambda s=s: market(s + 5, 0.05)) for s in range(2)},
    **{f"a signal of 15 % {s}": (lambda s=s: market(s + 8, 0.15)) for s in range(2)},
    **{f"stock and fund {s}": (lambda s=s: fund(s)) for s in range(2)},
    "one ticker": lambda: market(20, tickers=1, days=1500),
    "shared NVDA": lambda: recorded(("NVDA",)),
    "shared AAPL": lambda: recorded(("AAPL",)),
    "shared both": lambda: recorded(("NVDA", "AAPL"), slice(1000, None)),
}


CURVES: Mapping[str, Callable[[], Source]] = {
    **{f"a subject a drug {s}": (lambda s=s: population(s)) for s in range(3)},
    **{f"four subjects a drug {s}": (lambda s=s: population(s, 4)) for s in range(3)},
    **{f"real chemistry {s}": (lambda s=s: population(s, 2, kind="real_chemistry")) for s in range(2)},
    **{f"saturable {s}": (lambda s=s: population(s, 1, "saturable")) for s in range(2)},
    **{f"wide {s}": (lambda s=s: population(s, 3, kind="wide")) for s in range(2)},
}
