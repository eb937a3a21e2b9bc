"""Columns that a person names, and what one types for a column."""

from collections.abc import Iterable

from fulmen.errors import FulmenError
from fulmen.io.logs.curve import Curve, Pair
from fulmen.io.logs.options import NONE, Ask, LogOptions
from fulmen.io.logs.table import LogTable


def asked(table: LogTable, curves: list[Curve], options: LogOptions, told: list[str]) -> Pair:
    """Those named; where one is not, the other one of the same quantity."""
    found: dict[str, Curve | None] = {}
    for part, name in (("train", options.train), ("val", options.val)):
        if name and not is_none(table, name):
            found[part] = _filled(table, _named(table, curves, name, part), part)
    missing = "val" if "train" in found else "train"
    if len(found) == 1 and not getattr(options, missing):
        known = next(curve for curve in found.values() if curve is not None)
        wanted = ("val", "test") if missing == "val" else ("train", "")
        found[missing] = next(
            (c for part in wanted for c in curves if c.count and c.meaning.part == part and c.column != known.column
             and c.meaning.rest == known.meaning.rest and c.meaning.quantities), None
        )  # fmt: skip
        if found[missing] is None:
            told.append(f"no {'validation' if missing == 'val' else 'training'} column that goes with {known.name}")
    if not found:
        raise FulmenError(f"{table.source}: --train {NONE} and --val {NONE} leave nothing to judge")
    return found.get("train"), found.get("val")


def _filled(table: LogTable, curve: Curve, part: str) -> Curve:
    """The curve, if it holds a number.

    Raises:
        Ask: it holds none.
    """
    if not curve.count:
        what = f"is NaN in all {len(curve.rows)} rows" if len(curve.rows) else "holds nothing"
        raise Ask(f"{table.source}: {curve.name} {what}; to judge the other alone", [("", {part: NONE})])
    return curve


def is_none(table: LogTable, name: str) -> bool:
    return name == NONE and NONE not in table.columns


def _named(table: LogTable, curves: list[Curve], name: str, part: str) -> Curve:
    column = column_named(table, name, also=[curve.name for curve in curves])
    of_it = [curve for curve in curves if column in (curve.name, curve.column)]
    own = [curve for curve in of_it if curve.meaning.part == part] or [c for c in of_it if not c.meaning.part] or of_it
    if part == "val":
        own = own if own[:1] and own[0].meaning.part == part else [c for c in of_it if c.meaning.part == "test"] or own
    if not own:
        raise FulmenError(f"{table.source}: column {name} holds no number")
    return own[0]


def column_named(table: LogTable, name: str, also: Iterable[str] = ()) -> str:
    """A column by its name, or by its number from 1 where none is called so.

    Raises:
        FulmenError: there is none.
    """
    names = list(table.columns)
    if name in names or name in also:
        return name
    if name.isdigit() and 1 <= int(name) <= len(names):
        return names[int(name) - 1]
    from fulmen.config.mistakes import did_you_mean

    raise FulmenError(f"{table.source} has no column {name}{did_you_mean(name, list(dict.fromkeys([*names, *also])))}")


def typed(table: LogTable, curve: Curve) -> str:
    """What one types for a curve: the name of its column, or its number where two have one name."""
    if "(column " in curve.column and curve.column.endswith(")"):
        return curve.column.rpartition("(column ")[2][:-1]
    return curve.name if curve.name != curve.column and " [" not in curve.name else curve.column
