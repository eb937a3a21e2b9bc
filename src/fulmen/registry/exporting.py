"""A kept model as a program without our code: torch.export (.pt2) or ONNX (.onnx), checked by the kept predictions."""

import logging
import os
import tempfile
import warnings
from collections.abc import Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from fulmen.errors import FulmenError
from fulmen.files import cannot_write
from fulmen.registry.bundle import Bundle
from fulmen.registry.probe import compare
from fulmen.registry.store import Store, Version


class Program(nn.Module):
    """`predict_step` as a function of named tensors; what it says of anything but tensors is left out."""

    def __init__(self, model: nn.Module):
        super().__init__()
        self.model = model

    def forward(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        return {name: x for name, x in self.model.predict_step(batch, 0).items() if isinstance(x, Tensor)}


def export(asked: str | Version, to: str | Path, registry: str | Path | None = None) -> Path:
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
    bundle = Bundle(Store(registry).find(asked))
    inputs, expected = bundle.example
    program = Program(bundle.model().requires_grad_(False)).eval()
    write, run = (_write_pt2, _run_pt2) if to.suffix == ".pt2" else (_write_onnx, _run_onnx)
    try:
        to.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=to.parent, prefix=".export-") as folder, _quiet():
            draft = Path(folder, to.name)
            try:
                write(program, inputs, draft)
            except OSError:
                raise
            except Exception as error:
                said = (str(error).strip() or type(error).__name__).splitlines()[0][:200]
                raise FulmenError(f"{bundle.version} cannot be exported as {to.suffix}: {said}") from error
            compare(run(draft, inputs), expected, draft.name)
            os.replace(draft, to)
    except OSError as error:
        raise cannot_write(to, error) from error
    return to


def _traced(program: Program, inputs: Mapping[str, Tensor]) -> torch.export.ExportedProgram:
    """The program for any number of samples; for as many as the examples have, where the network fixes that."""
    samples = max(len(value) for value in inputs.values() if value.dim())
    shapes = {name: {0: torch.export.Dim.AUTO} if _has(value, samples) else None for name, value in inputs.items()}
    return torch.export.export(program, (dict(inputs),), dynamic_shapes=(shapes,), strict=False)


def _has(value: Tensor, samples: int) -> bool:
    return value.dim() > 0 and len(value) == samples


def _write_pt2(program: Program, inputs: Mapping[str, Tensor], path: Path) -> None:
    torch.export.save(_traced(program, inputs), path)


def _run_pt2(path: Path, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
    with torch.no_grad():
        return torch.export.load(path).module()(dict(inputs))


def _write_onnx(program: Program, inputs: Mapping[str, Tensor], path: Path) -> None:
    with torch.no_grad():
        names = list(program(dict(inputs)))
    torch.onnx.export(
        _traced(program, inputs),
        (dict(inputs),),
        path,
        dynamo=True,
        output_names=names,
        external_data=False,
        verbose=False,
    )


def _run_onnx(path: Path, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
    from onnx import load
    from onnx.reference import ReferenceEvaluator

    graph = load(path)
    runner = ReferenceEvaluator(graph)
    names = [each.name for each in graph.graph.output]
    needed = {each.name: each for each in graph.graph.input}
    by_place = dict(zip(inputs, inputs.values(), strict=True))
    feed = {name: by_place[name].numpy() if name in by_place else None for name in needed}
    return {name: torch.as_tensor(value) for name, value in zip(names, runner.run(None, feed), strict=True)}


def _need_onnx() -> None:
    for name in ("onnx", "onnxscript"):
        try:
            __import__(name)
        except ModuleNotFoundError:
            raise FulmenError(f"export to .onnx needs {name}; install it with: pip install fulmen[onnx]") from None


@contextmanager
def _quiet() -> Any:
    """Without what torch tells its own developers on the way."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
