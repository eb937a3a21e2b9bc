"""A kept model as a program without our code: torch.export (.pt2) or ONNX (.onnx), checked by the kept predictions."""

import logging
import os
import tempfile
import warnings
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import torch
from lightning.pytorch import LightningModule
from torch import Tensor, nn

from fulmen.errors import FulmenError
from fulmen.registry.bundle import Bundle
from fulmen.registry.examples import compare
from fulmen.registry.store import Store
from fulmen.registry.verification import ESTIMATOR
from fulmen.registry.versions import Version
from fulmen.utils.files import cannot_write

PREDICTED = "predicted_"  # outputs in ONNX, where they share one space of names with the inputs


class Program(nn.Module):
    """`predict_step` as a function of named tensors, without what it only passes on."""

    model: LightningModule

    def __init__(self, model: LightningModule):
        super().__init__()
        self.model = model

    def forward(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        said = self.model.predict_step(batch, 0)
        return {
            name: x for name, x in said.items() if isinstance(x, Tensor) and all(x is not own for own in batch.values())
        }


def export(reference: str | Version, to: str | Path, registry: str | Path | None = None) -> Path:
    """Write a version as a program; it takes and gives dicts of tensors as `predict_step` does.

    The kept examples are predicted with the written file, read back: it stays only if it says what the model said.

    Raises:
        FulmenError: the ending is neither .pt2 nor .onnx, a library is missing, or the model cannot be exported.
    """
    to = Path(to)
    if to.suffix not in (".pt2", ".onnx"):
        raise FulmenError(f"{to}: choose .pt2 (torch.export) or .onnx")
    if to.suffix == ".onnx":
        _need_onnx()
    bundle = Bundle(Store(registry).find(reference))
    if ESTIMATOR in bundle.files:
        raise FulmenError(f"{bundle.version} is an estimator of scikit-learn; export writes networks alone")
    inputs, expected = bundle.example
    probe = bundle.manifest.get("probe")
    per_sample = (probe and probe.get("per_sample")) or []
    program = Program(bundle.model().requires_grad_(False)).eval()
    write, run = (_write_pt2, _run_pt2) if to.suffix == ".pt2" else (_write_onnx, _run_onnx)
    try:
        to.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=to.parent, prefix=".export-") as folder, _quiet():
            draft = Path(folder, to.name)
            try:
                write(_traced(program, inputs, per_sample), inputs, draft)
            except OSError:
                raise
            except Exception as error:
                why = (str(error).strip() or type(error).__name__).splitlines()[0][:200]
                raise FulmenError(f"{bundle.version} cannot be exported as {to.suffix}: {why}") from error
            said = run(draft, inputs)
            compare(said, {name: expected[name] for name in said}, draft.name)
            os.replace(draft, to)
    except OSError as error:
        raise cannot_write(to, error) from error
    return to


def _traced(
    program: Program, inputs: Mapping[str, Tensor], per_sample: Collection[str]
) -> torch.export.ExportedProgram:
    """The program for any number of samples; for as many as the examples have, where the network fixes that."""
    shapes = {name: {0: torch.export.Dim.DYNAMIC} if name in per_sample else None for name in inputs}
    try:
        return torch.export.export(program, (dict(inputs),), dynamic_shapes=(shapes,), strict=False)
    except Exception:
        return torch.export.export(program, (dict(inputs),), strict=False)


def _write_pt2(traced: torch.export.ExportedProgram, inputs: Mapping[str, Tensor], path: Path) -> None:
    torch.export.save(traced, path)


def _run_pt2(path: Path, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
    with torch.no_grad():
        predicted: dict[str, Tensor] = torch.export.load(path).module()(dict(inputs))
    return predicted


def _write_onnx(traced: torch.export.ExportedProgram, inputs: Mapping[str, Tensor], path: Path) -> None:
    outputs = [f"{PREDICTED}{name}" for name in traced.module()(dict(inputs))]
    torch.onnx.export(
        traced, f=path, input_names=list(inputs), output_names=outputs, external_data=False, verbose=False
    )


def _run_onnx(path: Path, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
    from onnxruntime import InferenceSession

    session = InferenceSession(path)
    names = [each.name for each in session.get_outputs()]
    feed = {each.name: inputs[each.name].numpy() for each in session.get_inputs()}
    values = map(torch.as_tensor, session.run(names, feed))
    return {name.removeprefix(PREDICTED): value for name, value in zip(names, values, strict=True)}


def _need_onnx() -> None:
    if missing := [name for name in ("onnx", "onnxscript", "onnxruntime") if find_spec(name) is None]:
        raise FulmenError(
            f"export to .onnx needs {', '.join(missing)}; install them with: pip install {' '.join(missing)}"
        )


@contextmanager
def _quiet() -> Iterator[None]:
    """Without what torch tells its own developers on the way."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
