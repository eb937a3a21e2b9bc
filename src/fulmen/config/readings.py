"""What a value that does not fit was probably meant to be: `1e-3x`, `0,001`, `yes`, `Flase`, `'3'`."""

import re
from difflib import get_close_matches
from typing import Any

SWITCHES = {"true": True, "false": False, "yes": True, "no": False, "on": True, "off": False, "1": True, "0": False}
NUMBER = re.compile(r"[-+]?(\d+([.,]\d*)?|[.,]\d+)([eE][-+]?\d+)?")


def meant_by(value: Any) -> list[Any]:
    """Plain values that a text or number may stand for, the likeliest first: whole numbers, numbers, switches."""
    if isinstance(value, list):
        return value if len(value) == 1 else []
    if isinstance(value, bool):
        return []
    text = re.sub(r"(?<=\d[eE])_(?=\d)", "-", str(value).strip())
    found: list[Any] = [
        read for kind in (int, float) if (read := _read(kind, text if isinstance(value, str) else value)) is not None
    ]
    if begun := NUMBER.match(text):
        found += [read for kind in (int, float) if (read := _read(kind, begun[0].replace(",", "."))) is not None]
    words = (
        [text.lower()] if text.lower() in SWITCHES else get_close_matches(text.lower(), ("true", "false"), cutoff=0.7)
    )
    return [*found, *(SWITCHES[word] for word in words[:1])]


def decimal_comma(typed: str) -> str | None:
    """`lr=0.001` of `lr=0,001`; None where a comma rather parts two values."""
    found = re.fullmatch(r"([^=]+=\s*-?(?:0|\d+(?=,0\d)))(,)(\d+(?:[eE][-+]?\d+)?)\s*", typed)
    return f"{found[1]}.{found[3]}" if found else None


def _read(kind: type, value: Any) -> Any:
    try:
        return kind(value)
    except (ValueError, TypeError, OverflowError):
        return None
