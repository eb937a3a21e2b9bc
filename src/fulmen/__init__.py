"""fulmen: PyTorch Lightning workloads composed by Hydra."""

from importlib import import_module
from typing import Any

from fulmen.migrations.old_imports import install

HOMES = {
    "FulmenError": "fulmen.errors",
    "Summary": "fulmen.report.summary",
    "Workload": "fulmen.workload",
    "WorkloadData": "fulmen.workload",
    "compose": "fulmen.config.check",
    "diagnose": "fulmen.diagnosis",
    "load_model": "fulmen.registry",
    "load_run": "fulmen.runs.run_folder",
    "train": "fulmen.entrypoints",
}

install()

__all__ = [
    "FulmenError",
    "Summary",
    "Workload",
    "WorkloadData",
    "compose",
    "diagnose",
    "load_model",
    "load_run",
    "train",
]


def __dir__() -> list[str]:
    """The public names, whether or not they were imported already."""
    return sorted([*__all__, "__version__"])


def __getattr__(name: str) -> Any:
    """What a notebook starts from, imported when first asked for: `import fulmen` alone stays quick."""
    if name in HOMES:
        return getattr(import_module(HOMES[name]), name)
    if name == "__version__":
        from importlib.metadata import version

        return version("fulmen")
    raise AttributeError(f"module 'fulmen' has no attribute {name!r}")
