"""A log as JSON: lists by name, records, lines of records, and what pandas, Hugging Face, CatBoost and others write."""

import ast
import json
from collections.abc import Callable
from typing import Any, TypeGuard

from fulmen.errors import FulmenError
from fulmen.io.logs.headless import headless
from fulmen.io.logs.table import LogTable, is_number, of_lists, of_records, of_rows
from fulmen.io.logs.words import AXES, EPOCHS, HIGHER, LOSSES, PARTS, STEPS, words
from fulmen.io.logs.words import plain as plain_name

KNOWN = {*LOSSES, *HIGHER, *PARTS, *AXES}
WITHIN = ("log_history", "history", "metrics", "logs", "log", "records", "epochs", "data", "results", "iterations")
NAMED = ("key", "metric", "metricname", "tag", "name", "variable")
VALUE = ("value", "metricvalue", "values")


def table_of_json(source: str, text: str) -> LogTable | None:
    """None if the text is no JSON.

    Raises:
        FulmenError: it begins as JSON and is broken, or holds no losses.
    """
    first = text.lstrip()[:1]
    if not first or first not in '{["':
        return None
    lines: list[int] | None = None
    try:
        plain = json.loads(text)
        if isinstance(plain, str):  # JSON in a text of JSON
            plain = json.loads(plain)
    except RecursionError:
        raise FulmenError(f"{source}: brackets within brackets beyond any log of losses") from None
    except ValueError as error:
        read = _lines(text) if first == "{" or first == "[" else None
        if read is None:
            if first == '"' or _is_list_in_cell(text):
                return None
            raise FulmenError(f"{source} is neither JSON nor a table: {error}") from None
        plain, lines = read
    return of_plain(source, plain, lines)


def _lines(text: str) -> tuple[Any, list[int] | None] | None:
    """Records one a line, objects one after the other, or what Python prints of a dict."""
    kept = [(number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
    try:
        return [json.loads(line) for _, line in kept], [number for number, _ in kept]
    except ValueError:
        pass
    if len(kept) > 2:
        try:  # the last line was cut
            return [json.loads(line) for _, line in kept[:-1]], [number for number, _ in kept[:-1]]
        except ValueError:
            pass
    try:
        return ast.literal_eval(text.strip()), None
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        pass
    decoder, found, at, body = json.JSONDecoder(), [], 0, text.strip()
    try:
        while at < len(body):
            one, end = decoder.raw_decode(body, at)
            found.append(one)
            at = end + len(body[end:]) - len(body[end:].lstrip(" \t\r\n,"))
    except ValueError:
        return None
    return found, None


def _is_list_in_cell(text: str) -> bool:
    """`[0]  train-rmse:1.1`, `[12:30:01] epoch 1 ...`: lines of text that begin with a bracket."""
    return text.lstrip()[:1] == "[" and text.lstrip()[1:].lstrip()[:1] not in '[{"]'


def of_plain(source: str, plain: Any, lines: list[int] | None = None) -> LogTable:
    """A log of plain values."""
    table = _of_dict(source, plain) if isinstance(plain, dict) else _of_list(source, plain, lines)
    if table is None or not len(table):
        names = ", ".join(map(str, plain)) if isinstance(plain, dict) else ""
        raise FulmenError(f"{source} holds no list of numbers{'; there is ' + names if names else ''}")
    return table


def _of_dict(source: str, plain: dict[str, Any]) -> LogTable | None:
    for shape in SHAPES:
        if table := shape(source, plain):
            return table
    return None


def _catboost(source: str, plain: dict[str, Any]) -> LogTable | None:
    """catboost_training.json: values by the number of their metric, whose names are in `meta`."""
    meta, rounds = plain.get("meta"), plain.get("iterations")
    if not isinstance(meta, dict) or not isinstance(rounds, list) or "learn_metrics" not in meta:
        return None
    records, higher = [], {}
    for each in rounds:
        record = {"iteration": each.get("iteration")}
        for part, named in (("learn", "learn_metrics"), ("test", "test_metrics")):
            for metric, value in zip(meta.get(named, []), each.get(part, []), strict=False):
                name = f"{part} {metric['name']}"
                record[name] = value
                higher[name] = metric.get("best_value") == "Max"
        records.append(record)
    return of_records(source, records, higher=higher, taken=["CatBoost's training"])


def _pandas(source: str, plain: dict[str, Any]) -> LogTable | None:
    """`orient` split, table, columns and index of `DataFrame.to_json`."""
    columns, data = plain.get("columns"), plain.get("data")
    if _all(columns, int) and _all(data, list):
        return headless(source, data, range(1, len(data) + 1), word="record")
    if _all(columns, str) and _all(data, list) and {len(row) for row in data} == {len(columns)}:
        return of_rows(source, columns, data, range(1, len(data) + 1), word="record")
    inner = list(plain.values())
    if not inner or not all(isinstance(each, dict) and each for each in inner):
        return None
    if any(isinstance(x, dict | list) for each in inner for x in each.values()):
        return None
    outer_known, inner_known = _known(plain), max(map(_known, inner))
    counted = all(str(name).lstrip("-").isdigit() for each in inner for name in each)
    if counted and (outer_known or not all(str(name).isdigit() for name in plain)):
        rows = list(dict.fromkeys(row for each in inner for row in each))
        return of_lists(source, {name: [each.get(row) for row in rows] for name, each in plain.items()})
    if inner_known and (len(plain) > 3 or not outer_known):
        counted = all(str(name).isdigit() for name in plain) and not any(map(_has_epoch, inner))
        return of_records(source, [{"epoch": int(n)} | each if counted else each for n, each in plain.items()])
    return None


def _all(plain: Any, kind: type) -> TypeGuard[list[Any]]:
    return isinstance(plain, list) and bool(plain) and all(isinstance(each, kind) for each in plain)


def _has_epoch(record: dict[str, Any]) -> bool:
    return any(words(str(name))[-1:] and words(str(name))[-1] in AXES for name in record)


def _without_names(source: str, plain: dict[str, Any]) -> LogTable | None:
    """Columns or rows under nothing but numbers."""
    inner = [list(each.values()) if isinstance(each, dict) else each for each in plain.values()]
    if not inner or not all(str(name).isdigit() for name in plain) or not all(isinstance(each, list) for each in inner):
        return None
    if len({len(each) for each in inner}) != 1 or not all(is_number(x) or x is None for each in inner for x in each):
        return None
    rows = [list(row) for row in zip(*inner, strict=True)] if len(inner) < len(inner[0]) else inner
    return headless(source, rows, range(1, len(rows) + 1), word="record")


def _known(plain: dict[str, Any]) -> int:
    return sum(bool(KNOWN & set(words(str(name)))) for name in plain)


def _records_within(source: str, plain: dict[str, Any]) -> LogTable | None:
    """Records in a list under a name, as Hugging Face's `log_history`."""
    names = sorted(plain, key=lambda name: WITHIN.index(name) if name in WITHIN else len(WITHIN))
    for name in names:
        value = plain[name]
        if isinstance(value, list) and value and all(isinstance(each, dict) for each in value):
            table = _of_list(source, value, None)
            if table is not None:
                table.taken += [f"the records of {name}"] if name not in table.taken else []
                return table
    return None


def _records_by_name(source: str, plain: dict[str, Any]) -> LogTable | None:
    """Several lists of records: one a curve, `{"train_loss": [{"step": 0, "value": 1.5}, ...]}`, or one a part."""
    lists = {name: each for name, each in plain.items() if _all(each, dict) and KNOWN & set(words(str(name)))}
    if len(lists) < 2 or set(lists) & set(WITHIN):
        return None
    records: list[dict[str, Any]] = []
    for name, each in lists.items():
        for count, record in enumerate(each):
            axes = {field: value for field, value in record.items() if plain_name(str(field)) in (*EPOCHS, *STEPS)}
            value = next((field for field in record if plain_name(str(field)) in VALUE), None)
            curves = {name: record[value]} if value else {f"{name}_{f}": v for f, v in record.items() if f not in axes}
            records.append({**(axes or {"step": count}), **curves})
    taken = [f"a list of records for each of {', '.join(map(str, lists))}"]
    return of_records(source, records, taken=taken)


def _lists_by_name(source: str, plain: dict[str, Any]) -> LogTable | None:
    """Keras' History, XGBoost's and LightGBM's evals_result; `train: {loss: [...]}` is train_loss."""
    lists = lists_of(plain)
    return of_lists(source, lists) if lists else None


def lists_of(plain: dict[str, Any], before: str = "") -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for name, value in plain.items():
        if isinstance(value, dict):
            found |= lists_of(value, f"{before}{name}_")
        elif isinstance(value, list) and not any(isinstance(x, list | dict) for x in value):
            found[f"{before}{name}"] = value
        elif isinstance(value, list) and value and all(_is_pair(x) for x in value):  # [step, loss]
            found[f"{before}{name}"] = [x[-1] for x in value]
    longest = max(map(len, found.values()), default=0)
    return {name: each for name, each in found.items() if len(each) > 1 or longest < 2} if not before else found


def _is_pair(plain: Any) -> bool:
    return isinstance(plain, list) and len(plain) in (2, 3) and all(is_number(x) or x is None for x in plain)


def _one_within(source: str, plain: dict[str, Any]) -> LogTable | None:
    """A log under a name: `{"history": {...}}`."""
    for value in plain.values():
        if isinstance(value, dict) and (table := _of_dict(source, value)):
            return table
    return None


SHAPES: tuple[Callable[[str, dict[str, Any]], LogTable | None], ...] = (
    _catboost, _pandas, _without_names, _records_by_name, _records_within, _lists_by_name, _one_within
)  # fmt: skip


def _of_list(source: str, plain: Any, lines: list[int] | None) -> LogTable | None:
    word = "line" if lines else "record"
    if not isinstance(plain, list) or not plain:
        return None
    if all(isinstance(record, dict) for record in plain):
        if len(plain) == 1:
            return _of_dict(source, plain[0]) or of_records(source, plain, lines, word=word)
        if all(lists_of(record) for record in plain) and not any(map(is_number, plain[0].values())):  # histories
            named = {
                f"{i}_{name}": each for i, record in enumerate(plain, 1) for name, each in lists_of(record).items()
            }
            return of_lists(source, named)
        if all(str(name).isdigit() for record in plain for name in record):
            return headless(
                source, [list(record.values()) for record in plain], lines or range(1, len(plain) + 1), word
            )
        return of_records(source, plain, lines, word=word)
    if all(isinstance(each, list) for each in plain):
        return _of_lists(source, plain, word, lines)
    if all(x is None or is_number(x) or isinstance(x, str) for x in plain):
        return headless(source, [[x] for x in plain], list(range(1, len(plain) + 1)), word="value")
    return None


def _of_lists(source: str, plain: list[list[Any]], word: str, lines: list[int] | None) -> LogTable | None:
    """Two lists of losses, rows of them, or lists that are columns."""
    widths = {len(row) for row in plain}
    if any(isinstance(x, list | dict) for row in plain for x in row):
        return None
    if len(plain) == 2:
        return of_lists(source, {"train_loss": plain[0], "val_loss": plain[1]}, headless=True,
                        taken=["two lists: the first as training, the second as validation loss"])  # fmt: skip
    if all(isinstance(x, str) for x in plain[0]) and len(widths) == 1:  # rows below their names
        return of_rows(source, plain[0], plain[1:], range(1, len(plain)), word="record")
    if len(widths) != 1:
        return None
    if len(plain) <= 6 < 2 * next(iter(widths)) and len(plain) < next(iter(widths)):
        plain = [list(row) for row in zip(*plain, strict=True)]
    return headless(source, plain, lines or list(range(1, len(plain) + 1)), word=word)
