"""The command line of `fulmen check`; what it does stands in `check_file.py`."""

import argparse
from typing import Any

USES = """\
fulmen check FILE                             what the file is, and the command that trains on it
fulmen check FILE --experiment stocks         what an experiment takes from it: rows, columns, guesses, doubts
fulmen check FILE --experiment stocks data.decimal=comma
                                              the same with overrides, as train.py takes them

It is scanned for leaks as a training would do it (leaks=off leaves that out, leaks=deep fits models besides).
Nothing else is trained, and no folder is left. The last line is the command that trains on the file."""


def add_verb(parsers: "argparse._SubParsersAction[Any]") -> None:
    """Add `check` to the command line."""
    check = parsers.add_parser(
        "check", help="say what is taken from a file of your own, without training", description=USES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        usage="fulmen check FILE ... [--experiment NAME] [OVERRIDE ...] [--json] [--strict]",
    )  # fmt: skip
    check.add_argument("words", nargs="+", metavar="WORD", help="one file or several, and settings such as data.x=1")
    check.add_argument("--experiment", metavar="NAME", help="for example stocks (default: told by what is in the file)")
    check.add_argument("--json", action="store_true", help="print JSON")
    check.add_argument(
        "--strict", action="store_true", help="end with exit code 1 if the data have a leak or are unfit"
    )
    check.set_defaults(call=_check)


def _check(arguments: argparse.Namespace) -> int:
    from fulmen.runs.check_file import check

    return check(arguments.words, arguments.experiment, arguments.json, arguments.strict)
