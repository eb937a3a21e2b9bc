"""How often the scan for leaks is wrong on tables: leaks of six mechanisms in three strengths, and tables without one.

    python benchmarks/leaks_in_tables.py [--honest 200] [--each 8] [--seed 1]

Prints for each mechanism how many leaks were found and named rightly, by an error or a warning; how many honest tables
raised one; and the seconds of CPU of a scan. The figures of docs/findings/FUL-L01.md to FUL-L08.md come from it.
"""

import argparse
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from tables_of_rows import LAWS, Rng, Rows, clusters, count, label, mixed, rows, series, share

from fulmen.data.leaks import Leak, scan
from fulmen.errors import FulmenError
from fulmen.workloads.sensors.data import SensorData

STRENGTHS = ("perfect", "middle", "weak")


def honest(rng: Rng, number: int) -> Rows:
    """A table without a leak; every third has a feature that alone is strong."""
    kind = number % 12
    if kind in (2, 5, 8, 11):
        return strong(rng)
    if kind == 3:
        return series(rng, int(rng.integers(8, 30)))
    if kind == 6:
        return series(rng)
    plain = rows(rng, classes=3 if kind == 9 else 2)
    n = len(plain.frame)
    if kind == 0:
        plain.frame.insert(0, "id", np.arange(n) + 1000)  # in the file, and no feature
    if kind == 1:
        times = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.permutation(n), unit="min")
        return replace(plain, frame=plain.frame.assign(time=times), time="time", split="random")
    if kind == 4:
        plain.frame["branch"] = [f"b{each}" for each in rng.integers(0, 40, n)]
    if kind == 7:
        turns = series(rng, int(rng.integers(6, 15)))
        clock = turns.with_column("hour", turns.frame["time"].dt.hour.to_numpy())
        since = clock.frame.groupby("machine").cumcount() % int(rng.integers(50, 300))
        return clock.with_column("since_service", since.to_numpy())
    return plain


def strong(rng: Rng) -> Rows:
    """A cause that decides nearly alone, of some shape, beside weak ones."""
    plain = rows(rng, LAWS[rng.integers(len(LAWS) - 2)])
    n = len(plain.frame)
    cause = [
        rng.normal(size=n), np.exp(0.6 * rng.normal(size=n)), rng.uniform(0, 100, n).round(1),
        np.round(rng.gamma(3, 10, n)), np.round(5 * rng.normal(size=n) + rng.choice([0, 12], n)),
    ][rng.integers(5)]  # fmt: skip
    other = plain.frame[plain.numeric[0]].rank().fillna(n / 2).to_numpy() / n
    rank = pd.Series(cause).rank().to_numpy() / n
    score = rank + rng.uniform(0.05, 0.3) * other + rng.uniform(0.01, 0.1) * rng.normal(size=n)
    plain.frame["y"] = label(rng, score, share(rng), 0.0)
    return replace(plain.with_column("load", cause), name=f"strong, {plain.name}")


def target_copy(rng: Rng, strength: str, number: int) -> Rows:
    table = rows(rng, n=count(rng, 400), classes=3 if number % 4 == 3 else 2)
    y = table.frame["y"].to_numpy()
    classes, rarest = y.max() + 1, np.bincount(y).min() / len(y)
    wrong = {"perfect": 0.003 * (number % 3 == 2), "middle": 0.04, "weak": 0.15}[strength] * min(1, 3 * rarest)
    copy = np.where(rng.random(len(y)) < wrong, (y + 1) % classes, y)
    code = np.array([17, 4, 99])[copy]
    words = np.array(["ok", "bad", "worse"], dtype=object)[copy]
    column = [copy, classes - 1 - copy, code, words][number % 4]
    return table.with_column("state", column, "target_copy")


def target_proxy(rng: Rng, strength: str, number: int) -> Rows:
    table = rows(rng, n=count(rng, 400))
    y = table.frame["y"].to_numpy()
    noise, apart = rng.normal(size=len(y)), {"perfect": 7.0, "middle": 3.5, "weak": 1.5}[strength]
    kept = {"perfect": 0.995, "middle": 0.6, "weak": 0.1}[strength]
    cost = np.where((y == 1) & (rng.random(len(y)) < kept), np.exp(4 + noise), 0.0).round(2)
    known = np.where(rng.random(len(y)) < kept, y, rng.permutation(y)) == 1
    column = [
        (y * apart + noise).round(3), 1 / (1 + np.exp(apart * (0.5 - y) - noise)), cost,
        np.where(known, np.exp(4 + noise), np.nan),
    ][number % 4]  # fmt: skip
    return table.with_column("column", column, "target_proxy", "target_copy")


def group(rng: Rng, strength: str, number: int) -> Rows:
    visits, width = int(rng.integers(4, 20)), int(rng.integers(4, 9))
    people = max(20, count(rng, 600, 10_000) // visits)
    who = np.repeat(np.arange(people), visits)
    effect = {"perfect": 3.0, "middle": 1.2, "weak": 0.5}[strength]
    x = effect * rng.normal(size=(people, width))[who] + rng.normal(size=(len(who), width))
    y = label(rng, x @ rng.normal(size=width) * 0.3 + 1.4 * effect * rng.normal(size=people)[who], 0.3, 0.3)
    frame = pd.DataFrame(x.round(3), columns=[f"m{i}" for i in range(width)]).assign(y=y)
    name = [f"P{each:04}" for each in rng.permutation(9999)[:people][who]]
    table = Rows("people", frame.assign(person=name), [f"m{i}" for i in range(width)])
    if number % 3 == 1:
        table = replace(table, group="person", split="random")
    if number % 3 == 2:
        table = table.with_column("person_no", np.array([int(each[1:]) for each in name]))
    return replace(_shuffled(rng, table), expected=("group_in_several_splits",))


def duplicate(rng: Rng, strength: str, number: int) -> Rows:
    table = rows(rng, [mixed, clusters, *LAWS[1:3]][rng.integers(4)], count(rng, 400, 8000))
    fine = [name for name in table.numeric if table.frame[name].nunique() > 50]
    again = table.frame.sample(
        frac={"perfect": 0.5, "middle": 0.15, "weak": 0.04}[strength], random_state=number
    ).copy()
    way = number % 3
    if way == 0 or len(fine) < 3:
        both = pd.concat([table.frame, again], ignore_index=True)
        table = replace(table, time="time", split="random")
        both["time"] = pd.date_range("2024-01-01", periods=len(both), freq="min")
    else:
        for name in fine if way == 1 else fine[:1]:
            size = (0.01 if way == 1 else 1.0) * table.frame[name].std()
            again[name] = again[name] + size * rng.normal(size=len(again))
        both = pd.concat([table.frame, again], ignore_index=True)
    return _shuffled(rng, replace(table, frame=both, expected=("copies", "near_copies")))


def temporal(rng: Rng, strength: str, number: int) -> Rows:
    stay = {"perfect": 0.995, "middle": 0.97, "weak": 0.85}[strength]
    table = series(rng, 1 if number % 2 else int(rng.integers(6, 12)), stay)
    if number % 4 < 2:
        return replace(table, split="random", expected=("time_order",))
    by_machine = table.frame.groupby("machine")
    noise = {"perfect": 0.0, "middle": 0.03, "weak": 0.2}[strength] * rng.normal(size=len(table.frame))
    if number % 8 < 4:
        mean = by_machine["s0"].transform(lambda v: v.rolling(7, center=True, min_periods=1).mean())
        return table.with_column("trend", mean.to_numpy() + noise, "look_ahead")
    ahead = by_machine["y"].shift(-1).fillna(0).to_numpy()
    return table.with_column("state", np.where(abs(noise) > 0.06, 1 - ahead, ahead), "look_ahead", "target_copy")


def identifier(rng: Rng, strength: str, number: int) -> Rows:
    table = rows(rng, n=count(rng, 400))
    n, spread = len(table.frame), {"perfect": 0.0, "middle": 1.0, "weak": 2.5}[strength]
    key = table.frame["y"].to_numpy() + 0.6 * spread * rng.normal(size=n)
    table = replace(table, frame=table.frame.iloc[np.argsort(key, kind="stable")].reset_index(drop=True))
    steps = np.arange(n)
    column = [steps, steps * 3 + rng.integers(0, 3, n), steps // 2, 1_700_000_000 + np.cumsum(rng.integers(1, 900, n))]
    named = table.with_column("number", column[number % 4], "identifier")
    return _shuffled(rng, named) if number % 2 else named


def _shuffled(rng: Rng, table: Rows) -> Rows:
    return replace(table, frame=table.frame.iloc[rng.permutation(len(table.frame))].reset_index(drop=True))


MECHANISMS: Sequence[Callable[[Rng, str, int], Rows]] = (
    target_copy, target_proxy, group, duplicate, temporal, identifier,
)  # fmt: skip


def told(table: Rows) -> tuple[list[Leak], float]:
    """Errors and warnings of the scan, and the seconds of CPU; what is refused on reading counts as an error."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.csv"
        table.frame.to_csv(path, index=False)
        data = SensorData(
            csv=str(path), numeric=table.numeric, categorical=table.categorical, target="y", group=table.group,
            labels=sorted(table.frame["y"].unique().tolist()), time=table.time, split=table.split,  # type: ignore[arg-type]
            wear=[], ranges={}, missing_values=[], cache=folder,
        )  # fmt: skip
        try:
            data.setup()
        except FulmenError as error:
            if "FUL-L06" in str(error):
                return [Leak("target_copy", "error", str(error))], 0.0
            return [], 0.0
        samples = data.all_samples()
        assert samples is not None
        begun = time.process_time()
        found = [leak for leak in scan(samples) if leak.severity != "note" and leak.id.startswith("FUL-L")]
        return found, time.process_time() - begun


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--honest", type=int, default=200)
    parser.add_argument("--each", type=int, default=8)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    warnings.simplefilter("ignore")
    seconds, alarms = [], Counter[str]()
    for number in range(asked.honest):
        table = honest(np.random.default_rng([asked.seed, 0, number]), number)
        found, spent = told(table)
        seconds.append(spent)
        alarms.update({leak.code for leak in found[:1]})
        for leak in found:
            print(f"alarm in {table.name} of {len(table.frame):,} rows: {leak}")
    print(f"{asked.honest} honest tables: {alarms.total()} with an alarm {dict(alarms)}")
    print(f"seconds of CPU of a scan: median {np.median(seconds):.2f}, worst {max(seconds):.2f}")
    print("| mechanism | perfect | middle | weak |\n| --- | --- | --- | --- |")
    for at, plant in enumerate(MECHANISMS):
        hits = dict.fromkeys(STRENGTHS, 0)
        for place, strength in enumerate(STRENGTHS):
            for number in range(asked.each):
                table = plant(np.random.default_rng([asked.seed, 1, at, place, number]), strength, number)
                hits[strength] += bool({leak.code for leak in told(table)[0]} & set(table.expected))
        print(f"| {plant.__name__} | {' | '.join(f'{hits[each]} of {asked.each}' for each in STRENGTHS)} |", flush=True)


if __name__ == "__main__":
    main()
