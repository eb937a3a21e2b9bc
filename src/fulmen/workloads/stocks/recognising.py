"""Whether a table of a person's own holds daily prices."""

from collections.abc import Mapping, Sequence
from typing import Any

from fulmen.io.content import Content, Recognised
from fulmen.io.layout import is_date
from fulmen.io.names import plain
from fulmen.workloads.stocks.synonyms import SYNONYMS

LOOSE = {"value", "rate", "max", "min", "maximum", "minimum", "first", "opening", "index", "period", "session", "name",
         "code", "id", "item", "series", "unit", "quantity", "volumes", "asset", "data", "slot"}  # fmt: skip


def _called(*roles: str) -> set[str]:
    """What columns of prices are called, and hardly any others."""
    names = {plain(name) for role in roles for name in (role, *SYNONYMS[role])}
    return {name for name in names if len(name) > 2 and name not in LOOSE}


def recognised(content: Content, arguments: Mapping[str, Any]) -> Recognised | None:
    """As `fulmen.WorkloadData.recognises`: a date and a close, and another price, volume or ticker, or nothing else."""
    names = {plain(name) for name in content.names}
    if content.kind != "table" or content.table is None or not names & _called("Close", "Adj Close"):
        return None
    dated = bool(names & _called("Date")) or _dated(content.table.iloc[:20, 0].astype(str).tolist())
    others = len(names & _called("Open", "High", "Low", "Volume", "Ticker"))
    if others >= 3 or (dated and (others or len(content.names) == 2)):
        return Recognised("daily prices", 2)
    return None


def _dated(cells: Sequence[str]) -> bool:
    return sum(map(is_date, cells)) > len(cells) / 2
