"""What `fulmen pbpk simulate` does."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from torch import Tensor

from fulmen.config.check import check_overrides
from fulmen.errors import FulmenError
from fulmen.utils.files import atomic_write
from fulmen.workloads.pbpk.simulate.curves import Times, blocks, solve
from fulmen.workloads.pbpk.simulate.example import EXAMPLE
from fulmen.workloads.pbpk.simulate.progress import shown
from fulmen.workloads.pbpk.simulate.subjects import Subjects, subjects_of
from fulmen.workloads.pbpk.simulate.table import read_table, unread
from fulmen.workloads.pbpk.simulate.words import Asked, asked_for, read_words
from fulmen.workloads.pbpk.simulate.writing import Sheet
from fulmen.workloads.pbpk.simulator.population import Population


def simulate(cfg: Any, words: Sequence[str]) -> None:
    typed = read_words(words)
    refuse_settings(cfg)
    if typed.example is not None:
        write_example(typed.example)
        return
    asked = asked_for(typed)
    table = read_table(asked.table)
    if strange := unread(table):
        print(f"warning: {asked.table}: not read: {', '.join(strange)}", file=sys.stderr)
    write_curves(asked, subjects_of(table))


def write_curves(asked: Asked, subjects: Subjects) -> None:
    """Simulate the subjects and write their curves, block by block."""
    sheet = Sheet(asked.outputs, "solver")

    def answer(people: Population, time_h: Tensor, kinetics: str) -> dict[str, Tensor]:
        return {"solver": solve(people, time_h, kinetics, asked.outputs)}

    rows = 0
    with opened(asked.to) as file, shown("subjects", len(subjects)) as advance:
        file.write(sheet.header())
        for parts in blocks(subjects, Times(subjects, asked.times_h, dense=False), answer):
            text = sheet.rows(parts, subjects)
            file.write(text)
            rows += text.count("\n")
            advance(sum(len(part.places) for part in parts))
    if asked.to is not None:
        print(f"{rows:,} rows of {len(subjects):,} subjects in {asked.to}")


@contextmanager
def opened(path: Path | None) -> Iterator[IO[str]]:
    """The file of that name, which is there once the block has ended well; or what is printed."""
    if path is None:
        yield sys.stdout
    else:
        with atomic_write(path) as file:
            yield file


def write_example(path: Path) -> None:
    """A table to start from.

    Raises:
        FulmenError: there is a file of that name.
    """
    if path.exists():
        raise FulmenError(f"{path} is there already; --example writes a new file")
    with atomic_write(path) as file:
        file.write(EXAMPLE)
    print(f"written: {path}; simulate it with: fulmen pbpk simulate {path} --to curves.csv")


def refuse_settings(cfg: Any, verb: str = "simulate") -> None:
    """Pass if nothing of the config was typed: what is simulated stands in the table.

    Raises:
        FulmenError: it names a setting.
    """
    usual = check_overrides([f"experiment={cfg.experiment}"])
    for part in ("data", "model", "trainer", "seed"):
        if cfg[part] != usual[part]:
            changed = [f"{part}.{name}" for name in cfg[part] if cfg[part].get(name) != usual[part].get(name)] \
                if part != "seed" else ["seed"]  # fmt: skip
            raise FulmenError(
                f"{(changed or [part])[0]}: {verb} takes no settings of a training; bodies, drugs and doses are "
                f"columns of the table, `fulmen pbpk simulate --help` lists them"
            )
