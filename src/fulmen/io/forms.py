"""The form of one cell that holds a number: sign, currency, digits with their separators, exponent, unit.

`4,100.0` has one reading, `1,234` two: 1234 where a point is the decimal sign, 1.234 where a comma is.
"""

import re
import unicodedata
from collections.abc import Sequence
from typing import NamedTuple

POINT, COMMA = "point", "comma"
LONGEST = 60  # letters of a number that is no plain one; longer texts cost time
LONGEST_PRINTED = 300  # letters of what a program prints around a number

_CODES = "USD|EUR|GBP|JPY|CHF|CAD|AUD|NZD|CNY|HKD|SGD|INR|KRW|SEK|NOK|DKK|PLN|CZK|HUF|BRL|MXN|ZAR|TRY|RUB|ILS"
_SIGNS = r"US\$|HK\$|NT\$|R\$|C\$|CA\$|A\$|AU\$|S\$|NZ\$|[$€£¥₹₩₽₺₪฿₫₱₦₴₿]|Rs\.?|kr\.?|zł|Kč|Fr\."
_CURRENCY = rf"{_CODES}|{_SIGNS}"
_CELL = re.compile(
    rf"(?P<open>\(\s*)?(?P<sign1>[-+])?\s*(?P<before>{_CURRENCY})?\s*(?P<sign2>[-+])?"
    r"(?P<body>[.,]?\d(?:[\d.,' ]*\d)?\.?)(?:[eE](?P<exponent>[-+]?\d+))?"
    rf"\s*(?P<scale>bn|[kKMBT])?\s*(?P<after>{_CURRENCY}|%)?(?P<sign3>-)?(?P<close>\s*\))?"
)
_PLAIN = {  # how the digits of a number may be grouped, by its decimal sign
    POINT: r"\d+\.?\d*|\.\d+",
    COMMA: r"\d+|\d*,\d+",
}
_GROUPED = {
    POINT: r"(?!0,)\d{1,3}(?:,\d{3})+(?:\.\d*)?|(?!0,)\d{1,2}(?:,\d\d)+,\d{3}(?:\.\d*)?"
    r"|(?!0[ '])\d{1,3}(?:(?: \d{3})+|(?:'\d{3})+)(?:\.\d*)?",
    COMMA: r"(?!0\.)\d{1,3}(?:\.\d{3})+(?:,\d+)?|(?!0[ '])\d{1,3}(?:(?: \d{3})+|(?:'\d{3})+)(?:,\d+)?",
}
_BODY = {
    (sign, grouped): re.compile(_PLAIN[sign] + (f"|{_GROUPED[sign]}" if grouped else ""))
    for sign in (POINT, COMMA)
    for grouped in (True, False)
}
_WRAPPED = re.compile(  # as programs print a number of theirs
    r"(?:tensor|array|np\.float\d+|np\.int\d+|numpy\.float\d+)\(\s*\[?([^\[\]()]*?)\]?\s*(?:,\s*[a-z_]\w*\s*=[^=]*)*\)"
    r"|<tf\.Tensor:.*numpy=([^,>]+)>|\[([^\[\],]+)\]|(.*\d)f"
)
_POWER = {"": 0, "k": 3, "K": 3, "M": 6, "B": 9, "bn": 9, "T": 12}
_ALSO = {
    **dict.fromkeys("\u00a0\u202f\u2009\u2007\u2008\u205f\u3000", " "),
    **dict.fromkeys("\u200b\u200c\u200d\u200e\u200f\ufeff\u2060\u061c", ""),
    **dict.fromkeys("\u2212\u2010\u2011\u2012\u2013\ufe63\uff0d", "-"),
    **dict.fromkeys("\u2019\u2018\u00b4\u02bc\u066c\uff07", "'"),
    "\uff0e": ".", "\uff0c": ",", "\uff05": "%", "\u066a": "%", "\uff08": "(", "\uff09": ")", "\uff0b": "+",
    "\uff04": "$",
}  # fmt: skip


class Form(NamedTuple):
    """A cell that holds a number in at least one reading.

    Attributes:
        digits: by the decimal sign, point and comma: the number as Python writes it, or None if that is no reading.
        unit: `$`, `€`, `EUR`, `%`; "" for none.
        scale: K, M, B or T; "" for none.
        turned: whether parentheses or a minus behind it make it negative.
        group: the sign between its thousands in the reading with a point, and in that with a comma; "" for none.
        span: where its digits begin and end, exponent and separators among them.
    """

    digits: tuple[str | None, str | None]
    unit: str = ""
    scale: str = ""
    turned: bool = False
    group: tuple[str, str] = ("", "")
    span: tuple[int, int] = (0, 0)

    def value(self, decimal: str) -> float | None:
        digits = self.digits[decimal == COMMA]
        return None if digits is None else float(digits)

    def two_ways(self) -> bool:
        """Whether both signs let it be read, as numbers that differ."""
        point, comma = self.digits
        return point is not None and comma is not None and float(point) != float(comma)

    def values_of(self, cells: Sequence[str], decimal: str) -> list[float]:
        """The numbers of cells that differ from this one in their digits alone."""
        (begin, end), group = self.span, self.group[decimal == COMMA]
        bodies = [cell[begin:end] for cell in cells]
        if group:
            bodies = [body.replace(group, "") for body in bodies]
        if decimal == COMMA:
            bodies = [body.replace(",", ".") for body in bodies]
        digits = self.digits[decimal == COMMA] or ""
        minus, tail = "-" * digits.startswith("-"), f"e{_POWER[self.scale]}" if self.scale else ""
        return [float(f"{minus}{body}{tail}") for body in bodies] if minus or tail else list(map(float, bodies))


def form_of(cell: str) -> Form | None:
    """The form of a cell as `cleaned` gives it; None if it holds no number: a number is never a part of the cell."""
    text = unwrapped(cell)
    if text != cell and text.lower().lstrip("+-") in ("inf", "infinity"):
        return Form((text, text))
    found = _CELL.fullmatch(text) if len(text) <= LONGEST else None
    if not found:
        return None
    open_, sign1, before, sign2, body, exponent, scale, after, sign3, close = found.groups()
    signs = [sign for sign in (sign1, sign2, sign3) if sign]
    if bool(open_) != bool(close) or len(signs) + bool(open_) > 1 or (before and after) or (exponent and scale):
        return None
    tail = f"e{int(exponent or 0) + _POWER[scale or '']}" if exponent or scale else ""
    minus = "-" if open_ or signs == ["-"] else ""
    digits, groups = [], []
    for decimal, mark in ((POINT, "."), (COMMA, ",")):
        reads = _BODY[decimal, not exponent].fullmatch(body)
        group = next((sign for sign in ".,' " if sign != mark and sign in body), "") if reads else ""
        plain = body.replace(group, "").replace(mark, ".") if group else body.replace(mark, ".")
        digits.append(f"{minus}{plain}{tail}" if reads else None)
        groups.append(group)
    if digits == [None, None]:
        return None
    at = cell.index(text) + found.start("body"), cell.index(text) + found.end("exponent" if exponent else "body")
    return Form(
        (digits[0], digits[1]), before or after or "", scale or "", bool(open_ or sign3), (groups[0], groups[1]), at
    )


def cleaned(cell: str) -> str:
    """A cell without white space around it, in signs of ASCII where it has such of other scripts."""
    return ascii_of(cell).strip()


def unwrapped(text: str) -> str:
    """`0.5` of `tensor(0.5, device='cuda:0')`, `[0.5]` or `0.5f`; other texts as they are."""
    inner = None if text[-1:].isdigit() or len(text) > LONGEST_PRINTED else _WRAPPED.fullmatch(text)
    return next(filter(None, inner.groups()), "").strip() if inner else text


def ascii_of(text: str) -> str:
    """`text` with digits, spaces, minus and apostrophes of other scripts as ASCII has them; all else stays."""
    return text if text.isascii() else "".join(map(_ascii, text))


def _ascii(sign: str) -> str:
    if sign in _ALSO:
        return _ALSO[sign]
    digit = unicodedata.decimal(sign, None)
    return sign if digit is None else str(digit)
