"""Predictions of a run that need not be kept as a model first: the same table."""

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Union

import torch
from lightning.pytorch import LightningDataModule, LightningModule

from fulmen.data.answering import AS_USUAL, Wanted, file_table, refuse_unknown, table_for
from fulmen.data.predicting import Record
from fulmen.errors import FulmenError
from fulmen.utils.precision import in_precision, lost_precision
from fulmen.workload import hooks

if TYPE_CHECKING:
    import pandas

EXAMPLES = 2  # samples that examples are made of
Source = Union[str, Path, Sequence[Record], "pandas.DataFrame"]


def predict(
    model: LightningModule,
    data: LightningDataModule,
    source: Source,
    reading: Mapping[str, str],
    precision: str | None,
    wanted: Wanted = AS_USUAL,
) -> "pandas.DataFrame":
    """One row per prediction for what a file holds, or for records of plain values.

    Args:
        data: of the run, set up: they say which ranges were seen in training.
        precision: of the run.

    Raises:
        FulmenError: the source does not fit, or the workload reads none.
    """
    asked = hooks(model)
    schema = asked.input_schema(data)
    if schema is None:
        raise FulmenError(f"{type(model).__name__} reads no input (it has no input_schema); use run.model")
    refuse_unknown(asked, wanted)
    if unknown := sorted(set(reading) - set(asked.reading)):
        raise FulmenError(f"{unknown[0]}: it is read with {', '.join(asked.reading) or 'nothing else'}")
    if sentence := lost_precision(precision):
        warnings.warn(sentence, stacklevel=4)
    with torch.no_grad(), in_precision(precision):
        if isinstance(source, str | Path):
            if not (Path(source).is_file() or (asked.reads_folders and Path(source).is_dir())):
                raise FulmenError(f"there is no file {source}; it would have to be: {schema.get('format')}")
            return file_table(asked, Path(source), schema, reading, wanted, stacklevel=5)
        return table_for(asked, asked.read_records(_records(source), schema), schema, wanted, stacklevel=5)


def example_records(model: LightningModule, data: LightningDataModule) -> list[Record]:
    """Records that `predict` takes as they stand, where the workload knows some; else [].

    Raises:
        FulmenError: the workload reads no input.
    """
    asked = hooks(model)
    schema = asked.input_schema(data)
    if schema is None:
        raise FulmenError(f"{type(model).__name__} reads no input (it has no input_schema); use run.model")
    batch = next(iter(data.predict_dataloader()))
    kept = data.on_after_batch_transfer({name: value[:EXAMPLES] for name, value in batch.items()}, 0)
    return list(asked.example_records(schema, kept))


def _records(source: Any) -> list[Record]:
    import pandas

    if not isinstance(source, pandas.DataFrame):
        found = list(source) if isinstance(source, Sequence) else None
        if found is None or not all(isinstance(each, Mapping) for each in found):
            wanted = 'the path of a file, a DataFrame or a list of records [{"column": value, ...}, ...]'
            raise FulmenError(f"predict takes {wanted}; got {source!r:.60}")
        return found
    empty = source.astype(object).where(source.notna(), None)  # a reading that is missing is null, never NaN
    return [{str(name): value for name, value in row.items()} for row in empty.to_dict("records")]
