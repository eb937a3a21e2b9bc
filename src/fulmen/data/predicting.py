"""What is asked of a kept model and what it answers: the same for a file and for values in memory.

A question is read and checked first (`Inputs`), which may fail; then its samples are predicted, alone or together with
those of other questions; then the predictions become a table (`Answer`).
"""

import warnings
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import torch

from fulmen.data.batches import EVALUATION_BATCH, Batch, size
from fulmen.data.ranges import Outside
from fulmen.errors import FulmenError
from fulmen.io.taken import Taken

if TYPE_CHECKING:
    import pandas

Schema = dict[str, Any]  # what `input_schema` said when the model was kept: plain values
Record = Mapping[str, Any]  # plain values of JSON by name
Columns = dict[str, np.ndarray]


@dataclass
class Inputs:
    """What was asked, read and checked.

    Attributes:
        batch: what `predict_step` takes, tensors [B, ...]; no sample's prediction depends on the others.
        shared: further entries, which are the same for whatever is asked of the model.
        about: what else `answer` makes its table of.
        rows: that were asked about; `Outside.row` counts in them.
        outside: inputs that leave the range seen in training.
        warnings: sentences.
        taken: what was taken from the file; None: values in memory were asked about.
    """

    batch: Batch
    rows: int
    shared: Batch = field(default_factory=dict)
    about: dict[str, Any] = field(default_factory=dict)
    outside: list[Outside] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    taken: Taken | None = None


@dataclass(frozen=True)
class Interval:
    """Two columns that hold the column `of` with the probability `level`."""

    of: str
    level: float
    low: str
    high: str


@dataclass
class Answer:
    """Predictions as a table.

    Attributes:
        columns: name -> values [R].
        units: column -> its unit, of columns that have one.
        intervals: which columns bound another one.
    """

    columns: Columns
    units: dict[str, str] = field(default_factory=dict)
    intervals: list[Interval] = field(default_factory=list)


class Predicts:
    """The hooks of a workload that turn files and values into predictions; without them a model predicts tensors alone.

    Attributes:
        reading: arguments of the data that `fulmen predict` takes too, say `delimiter`.
        tables: names of the tables that it makes of its predictions; `answer` makes the first, which is the usual one.
        fallbacks: names of what can answer in its place where the model does not know; see `fall_back`.
        at_once: samples that are predicted together at most.
        endings: of the names of files that `as_file` makes.
        reads_folders: whether `read_file` takes a folder too.
    """

    reading: ClassVar[Sequence[str]] = ()
    tables: ClassVar[Sequence[str]] = ("predictions",)
    fallbacks: ClassVar[Sequence[str]] = ()
    at_once: ClassVar[int] = EVALUATION_BATCH
    endings: ClassVar[Sequence[str]] = (".csv",)
    reads_folders: ClassVar[bool] = False

    def input_schema(self, data: Any) -> Schema | None:
        """What an input has to look like: plain values, a sentence as `format`. None: it reads nothing.

        `columns` or `arrays` describe the values by name, unit and range, of which `fulmen serve` makes a JSON Schema.
        """
        return None

    def read_file(self, path: Path, schema: Schema, **reading: str) -> Inputs:
        """What the file at `path` asks.

        Args:
            path: an existing file.
            reading: values of `reading`, as typed.

        Raises:
            FulmenError: the file does not fit; the message names the place.
        """
        raise FulmenError(f"{type(self).__name__} reads no files (it has no read_file); use fulmen.load_model")

    def read_records(self, records: Sequence[Record], schema: Schema) -> Inputs:
        """What values in memory ask, one record a row: the same inputs as of a file that holds them.

        Raises:
            FulmenError: a record does not fit; the message begins with its place, `rows[3].light_lux: `.
        """
        raise FulmenError(f"{type(self).__name__} takes no values (it has no read_records); give it a file")

    def answer(self, inputs: Inputs, predicted: Batch, schema: Schema) -> Answer:
        """The table of what `predict_step` said of the samples of `inputs`, tensors [B, ...]."""
        raise FulmenError(f"{type(self).__name__} makes no table of its predictions (it has no answer)")

    def other_answer(self, table: str, inputs: Inputs, predicted: Batch, schema: Schema) -> Answer:
        """The table of that name, one of `tables` other than the first, of what `answer` takes."""
        raise FulmenError(
            f"{type(self).__name__} names the table {table} and does not make it (it has no other_answer)"
        )

    def fall_back(self, fallback: str, inputs: Inputs, predicted: Batch, schema: Schema) -> tuple[Batch, str]:
        """What `answer` takes in place of `predicted`, with what `fallback` says where the model does not know.

        Args:
            fallback: one of `fallbacks`.

        Returns:
            That, and a sentence that says how much was replaced.

        Raises:
            FulmenError: the model cannot say what it does not know.
        """
        raise FulmenError(f"{type(self).__name__} has nothing to fall back on (it has no fall_back)")

    def example_records(self, schema: Schema, kept: Batch) -> list[dict[str, Any]]:
        """Records that `read_records` takes, to try the model with; [] if none are known.

        Args:
            kept: inputs of `predict_step` that were kept with the model.
        """
        return []

    def completed_record(self, record: Record, given: Collection[str], schema: Schema) -> dict[str, Any]:
        """A record of the example in which some values were changed, with what has to follow them.

        Args:
            given: names of the values that were changed.
        """
        return dict(record)

    def as_file(self, records: Sequence[Record], ending: str, schema: Schema) -> bytes:
        """A file of records that `read_file` takes as it stands; by default a table, a row a record.

        Args:
            records: of `example_records`.
            ending: of its name, one of `endings`.

        Raises:
            FulmenError: a record does not fit.
        """
        import pandas

        return pandas.DataFrame(list(records)).to_csv(index=False).encode()

    def rows_needed(self, schema: Schema) -> int:
        """Rows that one prediction looks at: 1 where each stands alone, more where it needs the rows before it."""
        return 1

    def predict_file(self, path: Path, schema: Schema, **reading: str) -> "pandas.DataFrame":
        """One row per prediction for what the file at `path` holds; by default of `read_file` and `answer`.

        Raises:
            FulmenError: the file does not fit; the message names the place.
        """
        import pandas

        inputs = self.read_file(path, schema, **reading)
        for sentence in inputs.warnings:
            warnings.warn(sentence, stacklevel=2)
        (predicted,) = predictions(self, [inputs])
        return pandas.DataFrame(self.answer(inputs, predicted, schema).columns)


@torch.no_grad()
def predictions(model: Any, questions: Sequence[Inputs]) -> list[Batch]:
    """What `predict_step` says of each question; their samples are predicted together. Tensors [B, ...] on the CPU."""
    batch, lengths = joined([one.batch for one in questions]), [size(one.batch) for one in questions]
    said = []
    for start in range(0, sum(lengths), model.at_once):
        part = {name: value[start : start + model.at_once] for name, value in batch.items()}
        said.append(model.predict_step({**part, **questions[0].shared}, 0))
    kept = [name for name in said[0] if name not in questions[0].shared]
    whole = {name: torch.cat([part[name] for part in said]).cpu() for name in kept}
    if len(questions) == 1:
        return [whole]
    split = {name: value.split(lengths) for name, value in whole.items()}
    return [{name: parts[i] for name, parts in split.items()} for i in range(len(questions))]


def joined(batches: Sequence[Batch]) -> Batch:
    """Batches of one kind, one after the other."""
    if len(batches) == 1:
        return batches[0]
    return {name: torch.cat([batch[name] for batch in batches]) for name in batches[0]}


def cells(records: Sequence[Record], needed: Sequence[str], optional: Sequence[str] = ()) -> dict[str, list[Any]]:
    """Columns of `records`, each with a cell a record; an optional column is there if the first record has it.

    Raises:
        FulmenError: no records, one that is no object, or one without a needed name.
    """
    if not records:
        raise FulmenError("rows: there is none; give at least one")
    names = [*needed, *(name for name in optional if isinstance(records[0], Mapping) and name in records[0])]
    try:
        columns = {name: [record[name] for record in records] for name in names}
    except (KeyError, TypeError, IndexError):
        raise _misfit(records, names) from None
    for name, column in columns.items():
        if any(value != value for value in column):
            number = next(i for i, value in enumerate(column) if value != value)
            raise FulmenError(f"rows[{number}].{name}: NaN is no number; write null where a reading is missing")
    return columns


def _misfit(records: Sequence[Record], names: Sequence[str]) -> FulmenError:
    for number, record in enumerate(records):
        if not isinstance(record, Mapping):
            return FulmenError(f"rows[{number}]: it has to be an object, such as {{{names[0]!r}: ...}}")
        if missing := [name for name in names if name not in record]:
            there = ", ".join(map(str, list(record)[:20])) or "nothing"
            return FulmenError(f"rows[{number}].{missing[0]}: it is missing; the row has {there}")
    return FulmenError("rows: they have to be objects of names and values")


def unused(records: Sequence[Record], known: Sequence[str]) -> list[str]:
    """A warning that names what the records hold and nobody reads; [] if they hold nothing else."""
    strange = sorted({str(name) for record in records for name in record} - set(known))
    return [f"not used: {', '.join(strange[:20])}"] if strange else []
