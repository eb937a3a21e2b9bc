"""Tables of predictions: which one is wanted, and what answers where a model does not know."""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from fulmen.data.batches import Batch
from fulmen.data.predicting import Answer, Inputs, Predicts, Schema, predictions
from fulmen.errors import FulmenError

if TYPE_CHECKING:
    import pandas


@dataclass(frozen=True)
class Wanted:
    """What is wanted besides the input.

    Attributes:
        table: one of `Predicts.tables`; None: the first of them.
        fallback: one of `Predicts.fallbacks`; None: what the model says is given, whether it knows or not.
    """

    table: str | None = None
    fallback: str | None = None


AS_USUAL = Wanted()


class Note(UserWarning):
    """How a table was made, for whoever reads it; no cause for concern."""


def refuse_unknown(model: Predicts, wanted: Wanted) -> None:
    """Pass if the model gives what is wanted.

    Raises:
        FulmenError: it has no such table, or nothing of that name to fall back on.
    """
    for kind, name, known in (("table", wanted.table, model.tables), ("fallback", wanted.fallback, model.fallbacks)):
        if name is not None and name not in known:
            there = f"it has {' and '.join(known)}" if known else "it has nothing to fall back on"
            raise FulmenError(f"this model has no {kind} {name!r}; {there}")


def answered(model: Predicts, inputs: Inputs, predicted: Batch, schema: Schema, wanted: Wanted) -> Answer:
    """The wanted table of what `predict_step` said; what was replaced by a fallback is told as a `Note`.

    Raises:
        FulmenError: the model does not give what is wanted.
    """
    refuse_unknown(model, wanted)
    if wanted.fallback is not None:
        predicted, sentence = model.fall_back(wanted.fallback, inputs, predicted, schema)
        warnings.warn(sentence, Note, stacklevel=2)
    if wanted.table in (None, model.tables[0]):
        return model.answer(inputs, predicted, schema)
    return model.other_answer(str(wanted.table), inputs, predicted, schema)


def table_for(
    model: Predicts, inputs: Inputs, schema: Schema, wanted: Wanted, stacklevel: int = 2
) -> "pandas.DataFrame":
    """The wanted table of what a model says of one question; its warnings are warned of.

    Args:
        stacklevel: whose line a warning is said to come from, as `warnings.warn` counts: 2 is the caller's.
    """
    import pandas

    for sentence in dict.fromkeys([*inputs.warnings, *(inputs.taken.doubts if inputs.taken else ())]):
        warnings.warn(sentence, stacklevel=stacklevel)
    for note in notes_of(inputs):
        warnings.warn(note, Note, stacklevel=stacklevel)
    (predicted,) = predictions(model, [inputs])
    return pandas.DataFrame(answered(model, inputs, predicted, schema, wanted).columns)


def notes_of(inputs: Inputs) -> list[str]:
    """What the reader of a file has decided by itself and left out, a sentence each."""
    taken = inputs.taken
    if taken is None:
        return []
    said = [*map(str, dict.fromkeys(taken.guesses)), *(f"left out: {what}" for what in taken.dropped)]
    return [f"{taken.source}: {each}" for each in said]


def has_own_table(model: Predicts) -> bool:
    """Whether a workload turns files into tables in one step, by a `predict_file` of its own."""
    return type(model).predict_file is not Predicts.predict_file


def file_table(
    model: Predicts, path: Path, schema: Schema, reading: Mapping[str, str], wanted: Wanted, stacklevel: int = 2
) -> "pandas.DataFrame":
    """The wanted table for what the file at `path` holds, read as `reading` says; see `table_for`.

    Raises:
        FulmenError: the file does not fit, or the model does not give what is wanted.
    """
    refuse_unknown(model, wanted)
    if has_own_table(model):
        return model.predict_file(path, schema, **reading)
    return table_for(model, model.read_file(path, schema, **reading), schema, wanted, stacklevel + 1)
