"""The hooks by which a surrogate reads subjects, from files and as values, and answers with tables."""

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from fulmen.data.batches import Batch
from fulmen.data.predicting import Answer, Inputs, Record, Schema
from fulmen.workload import Workload
from fulmen.workloads.pbpk import answers, predict
from fulmen.workloads.pbpk.records import example_records, population_of, subjects_file, whole_subject
from fulmen.workloads.pbpk.trust import Trust


class AnswersForSubjects(Workload):
    """What `fulmen predict` and `fulmen serve` ask of a surrogate.

    Attributes:
        trust: its domain and intervals, if it has any.
        within_dose: whether its curves never hold more than was given.
    """

    tables = answers.TABLES
    fallbacks = (answers.FALLBACK,)
    endings = (".npz",)

    trust: Trust | None
    within_dose: bool

    def input_schema(self, data: Any) -> Schema:
        """Of an `.npz` of subjects; see `predict.py`."""
        return predict.input_schema(data, self.trust)

    reading = ("columns", "units")

    def read_file(self, path: Path, schema: Schema, **reading: Any) -> Inputs:
        """Subjects from an `.npz`."""
        asked = predict.read_file(path, schema, **reading)
        asked.warnings += predict.unlike_training(asked, self.trust)
        return asked

    def read_records(self, records: Sequence[Record], schema: Schema) -> Inputs:
        """Subjects, one record each; see `records.py`."""
        population, warnings = population_of(records, schema)
        asked = predict.inputs_of(population, schema)
        asked.warnings += predict.unlike_training(asked, self.trust) + warnings
        return asked

    def answer(self, inputs: Inputs, predicted: Batch, schema: Schema) -> Answer:
        """Concentrations, one row per subject, organ and time."""
        return answers.answer(inputs, predicted, schema, self.within_dose)

    def other_answer(self, table: str, inputs: Inputs, predicted: Batch, schema: Schema) -> Answer:
        """Pharmacokinetics, one row per subject and organ, and one of the plasma."""
        return answers.answer_pk(inputs, predicted, schema, self.within_dose)

    def fall_back(self, fallback: str, inputs: Inputs, predicted: Batch, schema: Schema) -> tuple[Batch, str]:
        """Subjects out of the domain are solved."""
        return answers.fall_back(inputs, predicted, schema)

    def completed_record(self, record: Record, given: Collection[str], schema: Schema) -> dict[str, Any]:
        """Organs follow the weight and the cardiac output."""
        return whole_subject(record, given, schema)

    def as_file(self, records: Sequence[Record], ending: str, schema: Schema) -> bytes:
        """Subjects as an `.npz`."""
        return subjects_file(records, schema)

    def example_records(self, schema: Schema, kept: Batch) -> list[dict[str, Any]]:
        return example_records(schema)
