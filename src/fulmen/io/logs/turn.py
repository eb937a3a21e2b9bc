"""Which way is better: metrics where higher is are turned, so that what is judged falls as a loss does."""

import numpy as np

from fulmen.errors import FulmenError
from fulmen.io.logs.checks import Checks
from fulmen.io.logs.curve import Curve
from fulmen.io.logs.options import Ask, LogOptions
from fulmen.io.logs.table import LogTable
from fulmen.io.logs.words import plain

PERCENT = 1.01  # a share above that is per cent


def way(table: LogTable, curve: Curve, options: LogOptions) -> str:
    """ "" if lower is better, else share, one or sign; ? if unknown."""
    told = curve.meaning.turn
    if options.better == "lower":
        return ""
    if options.better == "higher":
        return told if told in ("share", "one") else "sign"
    if curve.column in table.higher:
        return (told if told in ("share", "one") else "sign") if table.higher[curve.column] else ""
    return told


def turned(
    table: LogTable, checks: Checks, train: Curve | None, val: Curve | None, options: LogOptions
) -> tuple[Checks, str, bool]:
    """The checks as losses, how that was done, and whether they are what a share leaves.

    Raises:
        Ask: it is unknown which way is better, or one curve rises where the other falls.
        FulmenError: a share is beyond its range.
    """
    curves = [curve for curve in (train, val) if curve]
    ways = {way(table, curve, options) for curve in curves}
    if ways == {"?"} and _looks_like_loss(table, checks, curves):
        ways = {""}
    if len(ways) > 1 or "?" in ways:
        names = " and ".join(dict.fromkeys(curve.name for curve in curves))
        what = "may be better the higher or the lower" if "?" in ways else "differ in which way is better"
        raise Ask(
            f"{table.source}: {names} {what}",
            [("if higher is better", {"better": "higher"}), ("if lower is better", {"better": "lower"})],
        )
    how = ways.pop()
    if not how:
        return checks, "lower is better", False
    values = [each[there] for each, there in ((checks.train, checks.has_train), (checks.val, checks.has_val))]
    if how == "sign":
        return checks._replace(train=-checks.train, val=-checks.val), "higher is better; judged is the negative", False
    wholes = [_whole(table, each, how) for each in values]
    top = max(wholes)
    left = [top - each * (top / whole) for each, whole in zip((checks.train, checks.val), wholes, strict=True)]
    unlike = len({whole for whole, each in zip(wholes, values, strict=True) if len(each)}) > 1
    said = f"higher is better; judged is {top:g} - it{'; one is a share, the other per cent' * unlike}"
    return checks._replace(train=left[0], val=left[1]), said, True


def _whole(table: LogTable, values: np.ndarray, how: str) -> float:
    """1, or 100 where a curve is per cent."""
    finite = values[np.isfinite(values)]
    if not len(finite) or how == "one":
        return 1.0
    whole = 100.0 if finite.max() > PERCENT else 1.0
    if finite.max() > 100.0 or finite.min() < 0.0:
        worst = finite.max() if finite.max() > 100 else finite.min()
        raise FulmenError(f"{table.source}: {worst:g} is no share between 0 and 1, nor per cent")
    return whole


def _looks_like_loss(table: LogTable, checks: Checks, curves: list[Curve]) -> bool:
    """Whether curves without any word on what they are fall; a metric would rise."""
    nameless = all(curve.meaning.bare or plain(curve.column) == "value" or table.headless for curve in curves)
    falls = []
    for values, there in ((checks.train, checks.has_train), (checks.val, checks.has_val)):
        finite = values[there & np.isfinite(values)]
        falls += (
            [bool(finite.min() < finite[0] or len(finite) < 2 or finite.min() == finite.max())] if len(finite) else []
        )
    return nameless and bool(falls) and falls[0]
