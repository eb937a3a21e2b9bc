"""What `fulmen pbpk simulate` does."""

import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any

from fulmen.config.check import check_overrides
from fulmen.errors import FulmenError
from fulmen.utils.files import atomic_write
from fulmen.utils.precision import lost_precision
from fulmen.workload import Trained
from fulmen.workloads.pbpk.simulate.answers import Answers
from fulmen.workloads.pbpk.simulate.bands import BandSheet, bands_of, draw
from fulmen.workloads.pbpk.simulate.curves import Part, Times, blocks
from fulmen.workloads.pbpk.simulate.example import EXAMPLE
from fulmen.workloads.pbpk.simulate.people import trials_of
from fulmen.workloads.pbpk.simulate.progress import shown
from fulmen.workloads.pbpk.simulate.subjects import Subjects, subjects_of
from fulmen.workloads.pbpk.simulate.summaries import Summaries
from fulmen.workloads.pbpk.simulate.surrogate import Surrogate
from fulmen.workloads.pbpk.simulate.table import Table, read_table, unread
from fulmen.workloads.pbpk.simulate.words import Asked, asked_for, read_words
from fulmen.workloads.pbpk.simulate.writing import Sheet


def simulate(cfg: Any, words: Sequence[str], load: Callable[[str], Trained]) -> None:
    """What the words ask.

    Raises:
        FulmenError: words, settings, a table or a model that cannot be.
    """
    typed = read_words(words)
    refuse_settings(cfg)
    if typed.example is not None:
        write_example(typed.example)
        return
    asked = asked_for(typed)
    table = read_table(asked.table, asked.decimal)
    for told in table.said:
        warn(told)
    if strange := unread(table):
        warn(f"{asked.table}: not read: {', '.join(strange)}")
    surrogate = Surrogate(load(asked.model)) if asked.model else None
    if surrogate and asked.times_h is not None:
        surrogate.refuse_times(asked.times_h)
    if surrogate and (sentence := lost_precision(surrogate.trained.precision)):
        warn(sentence)
    answers = Answers(table, asked.outputs, surrogate, asked.by == "surrogate", with_organs=asked.pk is not None)
    if asked.people is not None:
        sentence = write_bands(asked, table, answers, asked.people)
    else:
        subjects = subjects_of(table)
        times = Times(subjects, asked.times_h, surrogate.grid_h if surrogate else None, dense=asked.pk is not None)
        write_curves(asked, subjects, blocks(subjects, times, answers))
        sentence = answers.warning(len(subjects))
    if sentence:
        warn(sentence)


def write_bands(asked: Asked, table: Table, answers: Answers, number: int) -> str | None:
    """Give the drug of each row to many people, write percentiles of their curves, and draw them beside the file.

    Returns:
        A warning where a surrogate does not know some of them.
    """
    trials, sheet = trials_of(table), BandSheet(asked.outputs, asked.percentiles)
    times_h = answers.surrogate.grid_h if answers.surrogate and asked.times_h is None else asked.times_h
    folder, found = asked.to.resolve().parent if asked.to else Path(tempfile.gettempdir()), []
    with opened(asked.to) as file, shown("people", len(trials) * number) as advance:
        file.write(sheet.header())
        for bands in bands_of(trials, number, asked.seed, asked.percentiles, answers, times_h, folder, advance):
            file.write(sheet.rows(bands))
            found.append(bands)
    if asked.to is not None:
        output = "plasma" if "plasma" in asked.outputs else asked.outputs[0]
        figure = asked.to.with_suffix(".svg")
        draw(figure, found, output, asked.outputs.index(output), asked.percentiles)
        print(f"percentiles of {number:,} people for {len(trials):,} rows in {asked.to}, drawn in {figure}")
    return answers.warning(len(trials) * number, "people")


def write_curves(asked: Asked, subjects: Subjects, solved: Iterable[list[Part]]) -> None:
    """Write curves and their pharmacokinetics as they come, block by block."""
    tables: dict[Path | None, Sheet | Summaries] = {}
    if asked.to is not None or asked.pk is None:
        tables[asked.to] = Sheet(asked.outputs, asked.by)
    if asked.pk is not None:
        tables[asked.pk] = Summaries(asked.outputs)
    rows = dict.fromkeys(tables, 0)
    with ExitStack() as stack:
        files = {path: stack.enter_context(opened(path)) for path in tables}
        advance = stack.enter_context(shown("subjects", len(subjects)))
        for path, table in tables.items():
            files[path].write(table.header())
        for parts in solved:
            for path, table in tables.items():
                text = table.rows(parts, subjects)
                files[path].write(text)
                rows[path] += text.count("\n")
            advance(sum(len(part.places) for part in parts))
    for path in filter(None, tables):
        print(f"{rows[path]:,} rows of {len(subjects):,} subjects in {path}")


def warn(sentence: str) -> None:
    """A line on stderr."""
    print(f"warning: {sentence}", file=sys.stderr)


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
