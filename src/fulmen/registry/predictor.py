"""A kept model that is ready to predict: verified and built once, used as often as needed."""

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from fulmen.data.answering import (
    AS_USUAL,
    Wanted,
    answered,
    file_table,
    has_own_table,
    notes_of,
    refuse_unknown,
    table_for,
)
from fulmen.data.batches import Batch
from fulmen.data.predicting import Answer, Inputs, Predicts, Record, predictions
from fulmen.errors import FulmenError
from fulmen.registry.bundle import Bundle
from fulmen.registry.versions import Version, input_schema
from fulmen.utils.precision import in_precision, lost_precision
from fulmen.workload import hooks

if TYPE_CHECKING:
    import pandas


class Predictor:
    """A version in memory, on the CPU, in the precision of its run.

    Reading a question is apart from predicting, so that the rows of several questions can be predicted together.

    Raises:
        FulmenError: the version is not what was saved, or its workload describes no input.

    Attributes:
        schema: what an input has to look like.
        bytes: of weights and buffers.
        precision: of its run, as the trainer takes it.
    """

    def __init__(self, version: Version):
        bundle = Bundle(version)
        self.version, self.schema = version, input_schema(version)
        self.model = bundle.model()
        self._hooks: Predicts = hooks(self.model)
        self._kept = bundle.example[0]
        self.bytes = sum(len(content) for content in bundle.files.values())
        run = version.manifest.get("run")
        self.precision = ((run and run.get("cost")) or {}).get("precision")

    def __repr__(self) -> str:
        return f"Predictor({self.version})"

    @property
    def has_own_table(self) -> bool:
        """Whether the workload turns files into tables in one step, by a `predict_file` of its own."""
        return has_own_table(self._hooks)

    def refuse_unknown(self, wanted: Wanted) -> None:
        """Pass if the model gives the table that is wanted, and has what to fall back on.

        Raises:
            FulmenError: it does not.
        """
        try:
            refuse_unknown(self._hooks, wanted)
        except FulmenError as error:
            raise FulmenError(f"{self.version}: {error}") from None

    def read_records(self, records: Sequence[Record]) -> Inputs:
        """A question of plain values, one record a row.

        Raises:
            FulmenError: a record does not fit; the message begins with its place, such as `rows[3].light_lux: `.
        """
        return self._warned(self._hooks.read_records(records, self.schema))

    def read_file(self, path: Path, **reading: str) -> Inputs:
        """A question that a file holds.

        Raises:
            FulmenError: the file does not fit; the message names the place.
        """
        inputs = self._hooks.read_file(path, self.schema, **reading)
        doubts = inputs.taken.doubts if inputs.taken else []
        inputs.warnings = list(dict.fromkeys([*notes_of(inputs), *doubts, *inputs.warnings]))
        return self._warned(inputs)

    def predict(self, questions: Sequence[Inputs]) -> list[Batch]:
        """What the model says of each question, whose rows are predicted together: tensors [B, ...]."""
        with in_precision(self.precision):
            return predictions(self.model, questions)

    def answer(self, question: Inputs, predicted: Batch, wanted: Wanted = AS_USUAL) -> Answer:
        """The table of what `predict` said of a question."""
        return answered(self._hooks, question, predicted, self.schema, wanted)

    def answers(self, questions: Sequence[Inputs]) -> list[Answer]:
        """A table for each question."""
        return [self.answer(*each) for each in zip(questions, self.predict(questions), strict=True)]

    def table(self, question: Inputs, wanted: Wanted = AS_USUAL) -> "pandas.DataFrame":
        """The table for one question; its warnings are warned of."""
        with torch.no_grad(), in_precision(self.precision):
            return table_for(self._hooks, question, self.schema, wanted)

    def predict_file(self, path: Path, wanted: Wanted = AS_USUAL, **reading: str) -> "pandas.DataFrame":
        """The table for a file; what is unlike the training data is a warning."""
        self.refuse_unknown(wanted)
        if sentence := lost_precision(self.precision):
            warnings.warn(sentence, stacklevel=2)
        with torch.no_grad(), in_precision(self.precision):
            return file_table(self._hooks, path, self.schema, reading, wanted, stacklevel=4)

    def examples(self) -> list[dict[str, Any]]:
        """Records to try the model with; [] if its workload knows none."""
        return self._hooks.example_records(self.schema, self._kept)

    def rows_needed(self) -> int:
        """Rows that one prediction looks at; more than 1 where it needs a history."""
        return self._hooks.rows_needed(self.schema)

    def _warned(self, inputs: Inputs) -> Inputs:
        if sentence := lost_precision(self.precision):
            inputs.warnings.append(sentence)
        return inputs
