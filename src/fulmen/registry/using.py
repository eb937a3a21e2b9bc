"""Using what was kept: a model from a reference, predictions for a file, and whether it still predicts the same."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from fulmen.config.mistakes import nearest
from fulmen.data.answering import Wanted
from fulmen.errors import FulmenError
from fulmen.registry.bundle import Bundle
from fulmen.registry.examples import compare, predictions
from fulmen.registry.predictor import Predictor
from fulmen.registry.store import Store
from fulmen.registry.versions import Version, input_schema
from fulmen.runs.surroundings import kept_surroundings
from fulmen.workload import hooks

if TYPE_CHECKING:
    import pandas
    from lightning.pytorch import LightningModule


def load_model(reference: str | Version, registry: str | Path | None = None) -> "LightningModule":
    """The model that `pump`, `pump:3` or `pump@champion` means: every file verified, in evaluation mode, on the CPU.

    Raises:
        FulmenError: there is none, or it is not what was saved; the message names the file.
    """
    with kept_surroundings():  # initial weights are drawn at random
        return Bundle(Store(registry).find(reference)).model()


def predict(
    reference: str | Version,
    path: str | Path,
    registry: str | Path | None = None,
    overrides: Sequence[str] = (),
    table: str | None = None,
    fallback: str | None = None,
) -> "pandas.DataFrame":
    """One row per prediction for what the file at `path` holds; `explain` says how it has to look.

    Args:
        overrides: how the file is read, as train.py takes it: `data.delimiter=;`.
        table: which of the tables of its workload, say `pk`; None: the usual one.
        fallback: what answers in the model's place for what is unlike the training, say `solver`; None: nothing does.

    Raises:
        FulmenError: no such model, table or fallback, or a file that does not fit its input schema: the message names
            column and row.
    """
    version = Store(registry).find(reference)
    schema = input_schema(version)
    path = Path(path)
    if not path.exists():
        raise FulmenError(f"there is no file {path}; it would have to be: {schema.get('format', 'see --explain')}")
    predictor = Predictor(version)
    if path.is_dir() and not hooks(predictor.model).reads_folders:
        raise FulmenError(f"{path} is a folder; it would have to be: {schema.get('format', 'see --explain')}")
    wanted = Wanted(table, fallback)
    return predictor.predict_file(path, wanted, **how_to_read(overrides, hooks(predictor.model).reading))


def how_to_read(overrides: Sequence[str], known: Sequence[str]) -> dict[str, str]:
    """`{"delimiter": ";"}` of `data.delimiter=;`.

    Raises:
        FulmenError: a key that is none of `known`: all else was decided in training.
    """
    reading = {}
    for override in overrides:
        key, _, value = override.partition("=")
        name = key.lstrip("+").removeprefix("data.")
        if not key.lstrip("+").startswith("data.") or name not in known:
            there = ", ".join(f"data.{each}=..." for each in known) or "nothing"
            near = nearest(name, known)
            meant = f"did you mean data.{near}? " if near else ""
            raise FulmenError(
                f"{override}: {meant}predict takes {there}; all else was decided when the model was trained"
            )
        reading[name] = value.strip("'\"")
    return reading


def verify_version(version: Version) -> float:
    """Check every file and predict the kept examples again; returns how much of the tolerance that took.

    Raises:
        FulmenError: something is not what was saved; the message names it.
    """
    bundle = Bundle(version)
    model = bundle.model()
    bundle.check_preprocessing(model)
    inputs, expected = bundle.example
    return compare(predictions(model, inputs), expected, version)
