"""How a table is read, where the file alone does not say it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Literal, get_args

from fulmen.config.mistakes import did_you_mean
from fulmen.config.unquoted import DELIMITERS
from fulmen.errors import FulmenError

Decimal = Literal["auto", "point", "comma"]
DateOrder = Literal["auto", "day_first", "month_first"]
TimeUnit = Literal[
    "auto", "hours", "minutes", "seconds", "milliseconds", "microseconds", "nanoseconds", "days", "excel_days"
]
NUMBERED: Literal["numbered"] = "numbered"


@dataclass(frozen=True)
class TableOptions:
    """What a person says about a table; "auto" is found out from the file.

    Data sets that read tables take each attribute as an argument of its own, such as `data.decimal=comma`.

    Attributes:
        delimiter: between the columns: one character, or comma, semicolon, tab, bar, space (any number of them).
        decimal: the sign before the decimals.
        dates: the order of day and month where both could be meant.
        time_unit: of times that are numbers; `excel_days` count from 1899-12-30.
        header: the names of all columns of a file that has no line of names; "numbered": they are c1, c2 and so on.
        columns: name that is wanted -> name in the file; null: it has none, whatever looks like it.
        missing_values: further marks of a missing value, such as -999; []: there are none, whatever it looks like.
        encoding: of a text file, a name that Python knows.
        sheet: of a workbook; the first one by default.

    Raises:
        FulmenError: a value that none of them can have.
    """

    delimiter: str = "auto"
    decimal: Decimal = "auto"
    dates: DateOrder = "auto"
    time_unit: TimeUnit = "auto"
    header: Literal["auto", "numbered"] | Sequence[str] = "auto"
    columns: Mapping[str, str | None] = field(default_factory=dict)
    missing_values: Sequence[str | float] | None = None
    encoding: str = "auto"
    sheet: str | None = None

    def __post_init__(self) -> None:
        for name, known in (("decimal", Decimal), ("dates", DateOrder), ("time_unit", TimeUnit)):
            value = getattr(self, name)
            if value not in get_args(known):
                meant = did_you_mean(str(value), get_args(known))
                raise FulmenError(f"{name} is {value!r}{meant}; it is one of {', '.join(get_args(known))}")
        if isinstance(self.header, str) and self.header not in ("auto", NUMBERED):
            raise FulmenError(
                f"header is {self.header!r}; give the names of all columns, such as [unit,cycle,s1], or numbered"
            )
        _ = self.character
        if self.encoding != "auto":
            try:
                "".encode(self.encoding)
            except LookupError:
                raise FulmenError(f"encoding: Python knows none called {self.encoding}; for example utf-8") from None

    @property
    def character(self) -> str | None:
        """The delimiter itself; None where it is to be found out."""
        if self.delimiter == "auto":
            return None
        meant = {"\\t": "\t"} | DELIMITERS
        character = meant.get(self.delimiter, self.delimiter)
        if len(character) != 1:
            raise FulmenError(
                f"delimiter is {self.delimiter!r}; it must be one character, or {', '.join(['auto', *DELIMITERS])}"
            )
        return character


NAMES = tuple(each.name for each in fields(TableOptions))


def word_for(character: str) -> str:
    """`semicolon` for `;`: what a person types and reads."""
    return next((word for word, each in DELIMITERS.items() if each == character), character)


def options_of(arguments: Mapping[str, Any]) -> TableOptions:
    """The options among the arguments of a data set."""
    return TableOptions(**{name: arguments[name] for name in NAMES if name in arguments})
