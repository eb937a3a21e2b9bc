"""How a log is to be read where that is asked, and the command that says so."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from fulmen.errors import FulmenError

NONE = "none"  # no column: one curve alone, or every row a check
ALL = "all"  # rows whose epochs begin again are one training


@dataclass(frozen=True)
class LogOptions:
    """What a person says of a log; "" where it is to be found out. Columns by name, or by number from 1.

    Attributes:
        train: column of the training loss; "none" if there is none.
        val: column of the validation loss; "none" if there is none.
        run: which of several runs: `fold=0`, `fold=0,seed=1`, its number from 1, or "all" for one run throughout.
        better: "higher" or "lower".
        decimal: sign of decimals: "comma" or "point".
        epoch: column of the epochs; "none" if every row is a check of its own.
        phase: column that says of which part a row is.
        missing: what stands in a cell where there is no value.
    """

    train: str = ""
    val: str = ""
    run: str = ""
    better: str = ""
    decimal: str = ""
    epoch: str = ""
    phase: str = ""
    missing: str = ""

    def words(self) -> list[str]:
        """The options as one types them."""
        typed: list[str] = []
        for field in fields(self):
            value = getattr(self, field.name)
            if not value:
                continue
            if field.name == "better":
                typed.append(f"--{value}-is-better")
            elif value.startswith("-"):
                typed.append(f"--{field.name}={value}")
            else:
                typed += [f"--{field.name}", value]
        return typed

    def changed(self, change: dict[str, Any]) -> "LogOptions":
        return replace(self, **change)


def command(path: object, options: LogOptions) -> str:
    """The whole command, to paste into a shell."""
    from fulmen.config.mistakes import for_shell

    place = str(path)
    return " ".join(
        ["fulmen diagnose", *map(for_shell, ["./" + place if place.startswith("-") else place, *options.words()])]
    )


class Ask(FulmenError):
    """Something a log leaves open.

    Attributes:
        problem: what is open, with the place.
        choices: (when it holds, the options that say it); `path` stands for another path.
        both: whether training and validation are there and the question is which.
    """

    def __init__(self, problem: str, choices: Sequence[tuple[str, dict[str, str]]], both: bool = False):
        super().__init__(problem)
        self.problem, self.choices, self.both = problem, list(choices), both
