"""Tables without a leak, as public data look: people, loans, contracts, machines, answers, and series of machines.

Each law draws columns, levels and a score, of which the label of a row is whether it lies in the upper share, with
noise. None of them knows what a search for leaks looks at.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
from sklearn.datasets import make_classification

Rng = np.random.Generator
Law = tuple[dict[str, np.ndarray], dict[str, list[str]], np.ndarray]  # columns, levels of those of texts, score


@dataclass
class Rows:
    """A table and how it is read: as `fulmen.workloads.sensors.data.SensorData` takes it; the target is `y`."""

    name: str
    frame: pd.DataFrame
    numeric: list[str]
    categorical: dict[str, list[str]] = field(default_factory=dict)
    group: str | None = None
    time: str | None = None
    split: str = "auto"
    expected: tuple[str, ...] = ()

    def with_column(self, name: str, values: Sequence | np.ndarray, *expected: str) -> "Rows":
        """With one more feature, of numbers or of texts."""
        frame = self.frame.assign(**{name: values})
        if frame[name].dtype.kind in "fiu":
            return replace(self, frame=frame, numeric=[*self.numeric, name], expected=expected)
        levels = {**self.categorical, name: sorted(set(frame[name]))}
        return replace(self, frame=frame, categorical=levels, expected=expected)


def label(rng: Rng, score: np.ndarray, share: float, noise: float) -> np.ndarray:
    """1 where the score, standardised, with logistic noise lies in the upper share."""
    noisy = (score - score.mean()) / max(score.std(), 1e-9) + noise * 0.55 * rng.logistic(size=len(score))
    return (noisy > np.quantile(noisy, 1 - share)).astype(int)


def count(rng: Rng, least: int = 200, most: int = 20_000) -> int:
    return int(np.exp(rng.uniform(np.log(least), np.log(most))))


def share(rng: Rng) -> float:
    return float(np.exp(rng.uniform(np.log(0.03), np.log(0.5))))


def mixed(rng: Rng, n: int) -> Law:
    """Correlated normals, some of them exponentiated, rounded or counted, and levels."""
    width = int(rng.integers(3, 12))
    x = rng.normal(size=(n, width)) @ (rng.normal(size=(width, width)) * rng.uniform(0.1, 0.8) + np.eye(width))
    x /= x.std(0)
    digits = [int(each) for each in rng.integers(1, 5, width)]
    ways: list[Callable[[np.ndarray, int], np.ndarray]] = [
        lambda v, d: np.round(np.exp(0.7 * v) * 20, d),
        lambda v, d: np.round(np.exp(0.5 * v + 2)),
        lambda v, d: np.round(50 + 10 * v, d),
        lambda v, d: v * 137.0,
        lambda v, d: np.round(2 * v) + 10,
    ]
    columns = {f"x{i}": ways[rng.integers(5)](x[:, i], digits[i]) for i in range(width)}
    score, levels = x @ (rng.normal(size=width) * (rng.random(width) < 0.6)) + 0.1 * x[:, 0], {}
    for i in range(int(rng.integers(0, 4))):
        names = np.array([f"L{each}" for each in range(int(rng.integers(2, 6)))])
        number = rng.integers(len(names), size=n)
        columns[f"type{i}"], levels[f"type{i}"] = names[number], names.tolist()
        score = score + (rng.normal(size=len(names)) * 0.5)[number]
    return columns, levels, score


def medical(rng: Rng, n: int) -> Law:
    age = np.clip(rng.normal(55, 15, n), 18, 95).round()
    sex, smoker = rng.integers(0, 2, n), (rng.random(n) < 0.25).astype(int)
    bmi = np.clip(rng.normal(27, 5, n) + 0.03 * (age - 55), 15, 60).round(1)
    pressure = np.round(110 + 0.4 * age + 0.5 * bmi + rng.normal(0, 14, n))
    glucose = np.round(np.exp(rng.normal(1.7, 0.2, n) + 0.008 * (bmi - 27)), 1)
    crp = np.round(np.exp(rng.normal(0, 1, n)), 2) + 0.01
    score = 0.05 * age + 0.3 * sex + 0.06 * bmi + 0.02 * pressure + 0.7 * smoker + 0.3 * np.log(crp) + 0.3 * glucose
    named = {"age": age, "sex": sex, "bmi": bmi, "pressure": pressure, "glucose": glucose, "smoker": smoker, "crp": crp}
    return named, {}, score + 0.4 * smoker * (age > 60)


def credit(rng: Rng, n: int) -> Law:
    income = np.round(np.exp(rng.normal(10.3, 0.6, n)))
    debt, late = np.round(income * rng.beta(2, 5, n)), rng.poisson(0.6, n)
    used, months = np.round(rng.beta(1.3, 2.5, n), 3), rng.integers(1, 360, n)
    homes = ["mortgage", "own", "rent"]
    home = rng.choice(homes, n)
    score = late + 2 * used + 2 * debt / income - 0.3 * np.log(income) + 0.3 * (home == "rent")
    named = {"income": income, "debt": debt, "late": late, "used": used, "months": months, "home": home}
    return named, {"home": homes}, score


def contracts(rng: Rng, n: int) -> Law:
    kinds = ["month", "two", "year"]
    tenure, kind = rng.integers(0, 73, n), rng.choice(kinds, n, p=[0.55, 0.2, 0.25])
    monthly, calls = np.round(rng.choice([20, 50, 80], n) + rng.normal(0, 6, n), 2), rng.poisson(1.2, n)
    total = np.round(tenure * monthly * (1 + rng.normal(0, 0.03, n)), 2)
    score = -0.04 * tenure + 1.2 * (kind == "month") + 0.015 * monthly + 0.4 * calls
    named = {"tenure": tenure, "kind": kind, "monthly": monthly, "total": total, "calls": calls}
    return named, {"kind": kinds}, score


def machine(rng: Rng, n: int) -> Law:
    air = rng.normal(300, 2, n)
    process = air + 10 + rng.normal(0, 1, n)
    rpm = np.round(1400 + np.exp(rng.normal(4.6, 0.6, n)))
    torque = np.clip(40 - 0.02 * (rpm - 1540) + rng.normal(0, 7, n), 3.8, 77).round(1)
    wear = np.arange(n) * int(rng.choice([2, 3, 5])) % int(rng.integers(200, 260))
    power = torque * rpm * 0.1047
    score = 3.0 * (power > 9000) + 3.0 * (power < 3500) + 4.0 * (torque * wear > 11_000) + 2.0 * (process - air < 8.6)
    named = {"air_k": air.round(1), "process_k": process.round(1), "rpm": rpm, "torque": torque, "wear": wear}
    return named, {}, score + rng.normal(0, 0.3, n)


def answers(rng: Rng, n: int) -> Law:
    mood, width = rng.normal(size=n), int(rng.integers(3, 10))
    asked = {
        f"q{i}": np.clip(np.round(3 + mood * rng.uniform(0.3, 1) + rng.normal(size=n)), 1, 5) for i in range(width)
    }
    return asked, {}, mood + 0.5 * rng.normal(size=n)


def clusters(rng: Rng, n: int) -> Law:
    width = int(rng.integers(5, 15))
    x, y = make_classification(
        n, width, n_informative=int(rng.integers(3, width)), n_redundant=0, flip_y=rng.uniform(0, 0.1),
        n_clusters_per_class=int(rng.integers(1, 3)), class_sep=rng.uniform(0.5, 1.3),
        random_state=int(rng.integers(10**9)),
    )  # fmt: skip
    return {f"f{i}": x[:, i] for i in range(width)}, {}, y + 1e-3 * rng.random(n)


LAWS: Sequence[Callable[[Rng, int], Law]] = (mixed, medical, credit, contracts, machine, answers, clusters)


def rows(rng: Rng, law: Callable[[Rng, int], Law] | None = None, n: int = 0, classes: int = 2) -> Rows:
    """A table of independent rows, a quarter of them with gaps."""
    law = law or LAWS[rng.integers(len(LAWS))]
    columns, levels, score = law(rng, n or count(rng))
    if law is clusters:
        y = (score > 0.5).astype(int)
    elif classes > 2:
        noisy = score / max(score.std(), 1e-9) + 0.5 * rng.logistic(size=len(score))
        y = np.digitize(noisy, np.quantile(noisy, np.linspace(0, 1, classes + 1)[1:-1]))
    else:
        y = label(rng, score, share(rng), rng.uniform(0.4, 1.5))
    frame = pd.DataFrame(columns).assign(y=y)
    numeric = [name for name in columns if name not in levels]
    if rng.random() < 0.25:
        frame.loc[rng.random(len(frame)) < rng.uniform(0.01, 0.2), numeric[int(rng.integers(len(numeric)))]] = np.nan
    return Rows(law.__name__, frame, numeric, levels)


def walk(rng: Rng, n: int, stay: float) -> np.ndarray:
    """An autoregression of order one, of variance 1."""
    steps = rng.normal(size=n) * np.sqrt(1 - stay**2)
    values = np.zeros(n)
    for i in range(1, n):
        values[i] = stay * values[i - 1] + steps[i]
    return values


def series(rng: Rng, machines: int = 1, stay: float = 0.0) -> Rows:
    """Readings every hour of machines that wear slowly, which the label tells."""
    n, width = count(rng, 600, 8000) // machines, int(rng.integers(3, 8))
    stay, weight = stay or rng.uniform(0.9, 0.995), rng.normal(size=width)
    parts, hidden = [], []
    for number in range(machines):
        state, own = walk(rng, n, stay), 0.7 * rng.normal(size=width) * (machines > 1)
        x = [own[i] + 0.7 * weight[i] * state + walk(rng, n, rng.uniform(0, 0.98)) for i in range(width)]
        frame = pd.DataFrame({f"s{i}": each.round(3) for i, each in enumerate(x)})
        parts.append(frame.assign(machine=f"M{number:02}", time=pd.date_range("2024-01-01", periods=n, freq="h")))
        hidden.append(state)
    frame = pd.concat(parts, ignore_index=True)
    frame["y"] = label(rng, np.concatenate(hidden), rng.uniform(0.2, 0.5), rng.uniform(0.1, 0.6))
    numeric = [f"s{i}" for i in range(width)]
    return Rows("series", frame, numeric, group="machine" if machines > 1 else None, time="time")
