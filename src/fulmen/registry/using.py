"""Using what was kept: a model from a reference, predictions for a file, and whether it still predicts the same."""

from pathlib import Path
from typing import TYPE_CHECKING

from fulmen.errors import FulmenError
from fulmen.registry.bundle import Bundle
from fulmen.registry.models import input_schema
from fulmen.registry.probe import compare, predictions
from fulmen.registry.store import Store
from fulmen.registry.versions import Version

if TYPE_CHECKING:
    import pandas
    from lightning.pytorch import LightningModule


def load_model(asked: str | Version, registry: str | Path | None = None) -> "LightningModule":
    """The model that `pump`, `pump:3` or `pump@champion` means: every file verified, in evaluation mode, on the CPU.

    Raises:
        FulmenError: there is none, or it is not what was saved; the message names the file.
    """
    return Bundle(Store(registry).find(asked)).model()


def predict(asked: str | Version, path: str | Path, registry: str | Path | None = None) -> "pandas.DataFrame":
    """One row per prediction for what the file at `path` holds; `explain` says how it has to look.

    Raises:
        FulmenError: no such model, or a file that does not fit its input schema: the message names column and row.
    """
    import torch

    bundle = Bundle(Store(registry).find(asked))
    schema = input_schema(bundle.version)
    path = Path(path)
    if not path.is_file():
        raise FulmenError(f"there is no file {path}; it would have to be: {schema.get('format', 'see --explain')}")
    model = bundle.model()
    if not hasattr(model, "predict_file"):
        raise FulmenError(f"{bundle.version}: {type(model).__name__} reads no files; use fulmen.load_model instead")
    with torch.no_grad():
        return model.predict_file(path, schema)


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
