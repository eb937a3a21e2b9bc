"""The words of `fulmen pbpk simulate`: what was asked, checked before anything is solved."""

import argparse
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from fulmen.config.arguments import AnyOrder
from fulmen.config.mistakes import did_you_mean
from fulmen.errors import FulmenError
from fulmen.workloads.pbpk.simulate.columns import COLUMNS, KP
from fulmen.workloads.pbpk.simulate.decimals import Decimal
from fulmen.workloads.pbpk.simulate.hours import times_of
from fulmen.workloads.pbpk.simulator.outputs import FROM_ORGANS, OUTPUTS

BY = ("solver", "surrogate", "both")
PERCENTILES = "5,50,95"
EXAMPLES = """\
examples
  fulmen pbpk simulate --example people.csv
  fulmen pbpk simulate people.csv --to curves.csv
  fulmen pbpk simulate people.csv --to curves.csv --times 0.5,1,2,4 --organs plasma,liver,urine
  fulmen pbpk simulate people.csv --pk pk.csv
  fulmen pbpk simulate people.csv --to curves.csv --model pbpk@champion --by both
  fulmen pbpk simulate people.csv --people 1000 --percentiles 5,50,95 --to bands.csv
"""


@dataclass(frozen=True)
class Asked:
    """What the words say.

    Attributes:
        table: the file of subjects.
        to: the file of curves; None prints them, unless there is a file of pharmacokinetics.
        pk: the file of pharmacokinetics.
        times_h: [T]; None: as the drugs want them.
        outputs: names of curves.
        people: how many get the drug of each row; None: each row is a subject.
        percentiles: of these people, in percent.
        seed: that they are drawn by.
        decimal: the sign before the decimals in the table.
        by: one of `BY`.
        model: that of a surrogate; None where the solver answers alone.
    """

    table: Path
    to: Path | None
    pk: Path | None
    times_h: Tensor | None
    outputs: tuple[str, ...]
    by: str
    model: str | None
    people: int | None
    percentiles: tuple[float, ...]
    seed: int
    decimal: Decimal = "auto"


def parser() -> AnyOrder:
    """The command line, whose help lists the columns of a table."""
    known = AnyOrder(
        prog="fulmen pbpk simulate",
        description="Simulate the subjects of a CSV: one subject, drug and dose a row in, concentration curves out.",
        epilog=f"{EXAMPLES}\n{columns_in_words()}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    known.add_argument("table", nargs="?", type=Path, metavar="FILE", help="the CSV of subjects; its columns are below")
    known.add_argument("--example", type=Path, metavar="FILE", help="write a table to start from, and nothing else")
    known.add_argument("--to", type=Path, metavar="FILE", help="CSV to write the curves to (default: they are printed)")
    known.add_argument(
        "--pk", type=Path, metavar="FILE", help="CSV to write areas, peaks, half-lives and clearances to"
    )
    known.add_argument("--times", metavar="H,H,...", help="hours after the first dose (default: about 100, to 5 "
                       "half-lives after the last dose, but 24 h to 7 days)")  # fmt: skip
    known.add_argument(
        "--organs",
        metavar="NAME,...",
        help=f"what to write: {', '.join(OUTPUTS)} (default: organs and plasma; of --people plasma)",
    )
    known.add_argument("--model", metavar="NAME", help="a kept model or a run folder: its surrogate answers")
    known.add_argument("--by", choices=BY, help="who answers (default: the solver, or the surrogate that is named)")
    known.add_argument(
        "--people",
        type=int,
        metavar="N",
        help="give the drug and dose of each row to N people, men and women of 20 to 80 "
        "years unless the row says otherwise, and write percentiles; with --to a figure too",
    )
    known.add_argument("--percentiles", metavar="P,P,...", help=f"of these people, in percent (default: {PERCENTILES})")
    known.add_argument(
        "--decimal", choices=("point", "comma"), help="sign before the decimals in FILE (default: found out)"
    )
    known.add_argument("--seed", type=int, help="that these people are drawn by (default: 0)")
    return known


def read_words(words: Sequence[str]) -> argparse.Namespace:
    """The words as they stand; `--help` prints and ends the program."""
    return parser().parse_args(list(words))


def asked_for(typed: argparse.Namespace) -> Asked:
    """What the words say.

    Raises:
        FulmenError: words that cannot be, or do not go together.
    """
    if typed.table is None:
        raise FulmenError(
            "simulate what? fulmen pbpk simulate people.csv --to curves.csv; --example people.csv writes one"
        )
    _refuse_files(typed)
    times_h = times_of(typed.times) if typed.times is not None else None
    by = typed.by or ("solver" if typed.model is None else "surrogate")
    if by != "solver" and typed.model is None:
        raise FulmenError(
            f"--by {by} asks a surrogate; name one with --model, `fulmen models list` and `fulmen runs` do"
        )
    outputs = outputs_of(typed.organs, ("plasma",) if typed.people else FROM_ORGANS)
    if by != "solver" and (beyond := [name for name in outputs if name not in FROM_ORGANS]):
        raise FulmenError(f"--organs: a surrogate gives organs and plasma, not {beyond[0]}; --by solver gives it")
    if typed.pk is not None and not set(outputs) & set(FROM_ORGANS):
        raise FulmenError(f"--pk summarises organs and plasma, and --organs {typed.organs} names neither")
    _check_people(typed, by)
    shares = percentiles_of(typed.percentiles or PERCENTILES)
    model = typed.model if by != "solver" else None
    return Asked(typed.table, typed.to, typed.pk, times_h, outputs, by, model, typed.people, shares, typed.seed or 0,
                 typed.decimal or "auto")  # fmt: skip


def _check_people(typed: argparse.Namespace, by: str) -> None:
    if typed.people is None:
        for option in ("percentiles", "seed"):
            if vars(typed)[option] is not None:
                raise FulmenError(f"--{option} belongs to --people; without it every row is one subject")
    elif typed.people < 1:
        raise FulmenError(f"--people {typed.people}: it must be 1 or more")
    elif typed.to is not None and typed.to.suffix.lower() == ".svg":
        raise FulmenError(
            f"--to {typed.to}: percentiles are a CSV, and their figure gets its name; write --to bands.csv"
        )
    elif typed.pk is not None or by == "both":
        what = "--pk" if typed.pk is not None else "--by both"
        raise FulmenError(f"{what} is of subjects, one a row; with --people there are percentiles alone: leave it out")


def percentiles_of(text: str) -> tuple[float, ...]:
    """Numbers between commas, in percent.

    Raises:
        FulmenError: they are none, or not from 0 to 100, or one stands there twice.
    """
    found: list[float] = []
    for word in text.split(","):
        try:
            value = float(word)
        except ValueError:
            value = float("nan")
        if not 0 <= value <= 100:
            raise FulmenError(f"--percentiles {text}: {word.strip()!r} is no number from 0 to 100")
        if value in found:
            raise FulmenError(f"--percentiles {text}: {value:g} stands there twice")
        found.append(value)
    return tuple(found)


def _refuse_files(typed: argparse.Namespace) -> None:
    """Pass if every file that is written is one of its own."""
    taken = {typed.table.resolve(): "the table itself"}
    for option, path in (("--to", typed.to), ("--pk", typed.pk)):
        if path is None:
            continue
        if path.resolve() in taken:
            raise FulmenError(f"{option} {path}: that is {taken[path.resolve()]}; write to another file")
        if path.is_dir():
            raise FulmenError(f"{option} {path}: that is a folder; name a file in it, such as {path / 'curves.csv'}")
        taken[path.resolve()] = f"what {option} names"


def outputs_of(text: str | None, usual: tuple[str, ...]) -> tuple[str, ...]:
    """Names between commas, or the usual ones.

    Raises:
        FulmenError: there is no output of that name, or one stands there twice.
    """
    if text is None:
        return usual
    names = tuple(name.strip() for name in text.split(","))
    for name in names:
        if name not in OUTPUTS:
            raise FulmenError(f"--organs {text}: there is no output {name!r}{did_you_mean(name, OUTPUTS)}")
        if names.count(name) > 1:
            raise FulmenError(f"--organs {text}: {name} stands there twice")
    return names


def columns_in_words() -> str:
    """A line for each column, the tissues as one."""
    meant = {column.name: column.meaning for column in COLUMNS if column.name not in KP}
    lines = [f"  {name:26} {meaning}" for name, meaning in meant.items()]
    place = next(i for i, line in enumerate(lines) if line.startswith("  fraction_unbound"))
    organs = ", ".join(name.removeprefix("kp_") for name in KP)
    kp = textwrap.wrap(f"tissue to plasma, in place of log_p, kind and pka: {organs}", 90)
    lines[place:place] = [f"  {'kp_<organ>':26} {kp[0]}", *(f"  {'':26} {line}" for line in kp[1:])]
    head = "columns of the table, in any order; only a drug, its clearance, fraction unbound, route and dose are needed"
    return "\n".join([head, *lines])
