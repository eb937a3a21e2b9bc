"""Leaks in a table of rows: columns that know the label, rows that are there twice, splits that cut a person in two.

A planter takes a table, a dial in [0, 1] and a generator, of which it draws the same numbers whatever the dial is, so
that a score rises with the dial and not by chance.
"""

from dataclasses import replace

import numpy as np

from fulmen.testing.leaks.planting import Planting, table_of
from fulmen.testing.leaks.sources import Source, Table

ROWS_OF_A_PERSON = 8
STATES = 40  # in time, of the rarest label
SHOWS = 3.0  # standard deviations of a feature over people, in those within one


def target_copy(source: Source, dial: float, rng: np.random.Generator) -> Planting:
    """The label under another name: recoded, as text, known of a part of the rows, or with noise."""
    table = table_of(source)
    y, way = table.labels, int(rng.integers(4))
    other, right = rng.permutation(y), rng.random(len(y)) <= dial
    codes = rng.choice(np.arange(2, 90), y.max() + 1, replace=False)
    noise = rng.standard_normal(len(y))
    if way == 0:
        return _with_numbers(table, {"state_code": codes[np.where(right, y, other)]}, "target_copy", "target_proxy")
    if way == 1:
        return _with_numbers(table, {"outcome_code": np.where(right, codes[y], 0)}, "target_copy", "target_proxy")
    if way == 2:
        names = [f"level {chr(97 + number)}" for number in range(y.max() + 1)]
        frame = table.frame.assign(outcome=np.array(names, dtype=object)[np.where(right, y, other)])
        leaky = replace(table, frame=frame, categorical={**table.categorical, "outcome": names})
        return Planting(leaky, table, ("outcome",), expected=("target_copy", "target_proxy"))
    return _with_numbers(table, {"reading": y + (0.02 + 2 * (1 - dial)) * noise}, "target_copy", "target_proxy")


def target_proxy(source: Source, dial: float, rng: np.random.Generator) -> Planting:
    """What is known only once the label is: a cost that arises with the event, a duration after it, calls that follow.

    The dial is the share of the events that have the cost; or how far the classes lie apart.
    """
    table = table_of(source)
    y, way, known = table.labels, int(rng.integers(3)), rng.random(len(table.labels)) <= dial
    noise = rng.standard_normal(len(y))
    if way == 0:
        cost = np.where(known, y * np.exp(4 + 0.6 * noise), 0.0).round(2)
        return _with_numbers(table, {"repair_cost": cost}, "target_proxy", "target_copy")
    if way == 1:
        return _with_numbers(table, {"days_off": np.exp(0.5 * (6 * dial * y + noise))}, "target_proxy", "target_copy")
    calls = np.maximum(0, np.round(2 + 14 * dial * y + np.sqrt(2 + 14 * dial * y) * noise))
    return _with_numbers(table, {"calls_later": calls}, "target_proxy", "target_copy")


def identifier(source: Source, dial: float, rng: np.random.Generator) -> Planting:
    """A number that was given class by class: plain, with gaps, one for each few rows, or in the order of the file."""
    table = table_of(source)
    y, way = table.labels, int(rng.integers(4 if table.time is None else 3))
    spread = rng.random(len(y)) * 4 * (y.max() + 1) * (1 - dial)
    rank = np.argsort(np.lexsort((rng.random(len(y)), y + spread)))
    steps = np.cumsum(rng.integers(1, 6, len(y)))
    number = 1000 + [rank, steps[rank], rank // 7, rank][way]
    planting = _with_numbers(table, {"record_id": number}, "identifier", "target_proxy", "target_copy")
    if way < 3:
        return planting
    frame = planting.leaky.frame.sort_values("record_id", kind="stable")  # type: ignore[union-attr]
    return replace(planting, leaky=replace(planting.leaky, frame=frame.reset_index(drop=True)))  # type: ignore[arg-type]


def group(source: Source, dial: float, rng: np.random.Generator) -> Planting:
    """Rows of a person, who shows in the features, are dealt to all splits; the dial: how often rows of one agree.

    The column of the person is named and the split at random all the same, or it is not named and only stands there.
    """
    table = table_of(source)
    person, way = alike(table.labels, ROWS_OF_A_PERSON, dial, rng), int(rng.integers(2))
    frame = table.frame.assign(person=[f"P{number:04}" for number in person])
    for name in table.numeric:
        own = rng.standard_normal(person.max() + 1)[person]
        frame[name] = frame[name] + SHOWS * float(frame[name].std()) * own
    frame = frame.iloc[rng.permutation(len(frame))].reset_index(drop=True)
    honest = replace(table, frame=frame, group="person", time=None, split="group")
    leaky = replace(honest, split="random", group="person" if way == 0 else None)
    return Planting(leaky, honest, ("person",), expected=("group_in_several_splits",))


def duplicate(source: Source, dial: float, rng: np.random.Generator) -> Planting:
    """Rows, or whole machines under another name, that come once more with a last digit changed.

    The dial is their share. In a table that is split by time the copies are dated back.
    """
    table = table_of(source)
    names, size = list(table.numeric), len(table.frame)
    if table.group and table.split in ("auto", "group"):
        groups = rng.permutation(np.unique(table.frame[table.group]))
        chosen = table.frame[table.group].isin(groups[: round(dial * len(groups))]).to_numpy()
    else:
        chosen = rng.permutation(size) < round(dial * size)
    again = table.frame[chosen].copy()
    changed = rng.choice(names) if rng.random() < 0.5 else None
    for name in names:
        noise = rng.standard_normal(size)[chosen]
        if changed in (None, name):
            again[name] = again[name] + 1e-3 * float(table.frame[name].std()) * noise
    if table.group:
        again[table.group] = [f"copy of {name}" for name in again[table.group]]
    elif table.time and table.split in ("auto", "time"):
        again[table.time] = rng.permutation(table.frame[table.time].to_numpy())[: len(again)]
    import pandas as pd

    frame = pd.concat([table.frame, again], ignore_index=True)
    order = rng.permutation(len(frame)) if not (table.group or table.time) else np.arange(len(frame))
    rows = np.flatnonzero(order >= size)
    leaky = replace(table, frame=frame.iloc[order].reset_index(drop=True))
    return Planting(leaky, table, rows=rows, expected=("near_copies", "copies"))


def temporal(source: Source, dial: float, rng: np.random.Generator) -> Planting:
    """A state that lasts is split at random; or a column is the mean of the label over rows that are still to come.

    The dial: how often rows near in time agree, or how much of the column is of the future.
    """
    table = table_of(source)
    way = int(rng.integers(2))
    rarest = int(np.bincount(table.labels).min())
    block = alike(table.labels, int(np.clip(rarest / STATES, 4, 25)), dial if way == 0 else 1.0, rng)
    order = np.argsort(block, kind="stable")
    block, size = block[order], len(order)
    drift = (rng.standard_normal((block.max() + 1, 2))[block] + 0.02 * rng.standard_normal((size, 2))).round(3)
    frame = table.frame.iloc[order].reset_index(drop=True)
    frame = frame.assign(hours=np.arange(size) * 2.0, drift_c=drift[:, 0], drift_bar=drift[:, 1])
    numeric = (*table.numeric, "drift_c", "drift_bar")
    honest = replace(table, frame=frame, numeric=numeric, group=None, time="hours", split="time")
    if way == 0:
        return Planting(replace(honest, split="random"), honest, ("hours",), expected=("time_order",))
    y = honest.labels.astype(float)
    ahead = np.mean([np.append(y[step:], np.full(step, y[-1])) for step in (0, 1, 2)], axis=0)
    column = dial * ahead / ahead.std() + (1 - dial) * rng.standard_normal(size)
    return _with_numbers(honest, {"smoothed": column}, "look_ahead", "target_proxy", "target_copy")


def alike(y: np.ndarray, size: int, dial: float, rng: np.random.Generator) -> np.ndarray:
    """Numbers of people, or of stretches of time, of `size` rows each, for rows of the labels y [N].

    With dial 1 all rows of one have the same label (but for the last of a label), with 0 they are drawn at random.
    """
    order = np.argsort(y + 4 * (y.max() + 1) * (1 - dial) * rng.random(len(y)), kind="stable")
    number = np.empty(len(y), dtype=np.int64)
    number[order] = np.arange(len(y)) // size
    return rng.permutation(number.max() + 1)[number]


def _with_numbers(table: Table, columns: dict[str, np.ndarray], *expected: str) -> Planting:
    """The table with more columns of numbers, which are features."""
    leaky = replace(table, frame=table.frame.assign(**columns), numeric=(*table.numeric, *columns))
    return Planting(leaky, table, tuple(columns), expected=expected)
