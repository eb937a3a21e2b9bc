"""fulmen: PyTorch Lightning workloads composed by Hydra."""

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

from fulmen.migrations.old_imports import install

if TYPE_CHECKING:  # what an editor and a type checker see of the names below
    from fulmen.comparison.named import compare, rank
    from fulmen.config.check import compose
    from fulmen.entrypoints import train
    from fulmen.errors import FulmenError
    from fulmen.registry.using import load_model
    from fulmen.report.summary import Summary
    from fulmen.runs.from_python import check, diagnose
    from fulmen.runs.run_folder import load_run
    from fulmen.runs.table import runs
    from fulmen.search.found import sweep
    from fulmen.workload import Workload, WorkloadData

    __version__: str

HOMES = {
    "FulmenError": "fulmen.errors",
    "Summary": "fulmen.report.summary",
    "Workload": "fulmen.workload",
    "WorkloadData": "fulmen.workload",
    "check": "fulmen.runs.from_python",
    "compare": "fulmen.comparison.named",
    "compose": "fulmen.config.check",
    "diagnose": "fulmen.runs.from_python",
    "load_model": "fulmen.registry",
    "load_run": "fulmen.runs.run_folder",
    "rank": "fulmen.comparison.named",
    "sweep": "fulmen.search.found",
    "train": "fulmen.entrypoints",
}

install()  # the one thing that an import leaves behind: Python asks it for modules of fulmen that are not there

__all__ = [
    "FulmenError",
    "Summary",
    "Workload",
    "WorkloadData",
    "check",
    "compare",
    "compose",
    "diagnose",
    "load_model",
    "load_run",
    "rank",
    "runs",
    "sweep",
    "train",
]


def __dir__() -> list[str]:
    """The public names, whether or not they were imported already."""
    return sorted([*__all__, "__version__"])


if not TYPE_CHECKING:  # a type checker would take any name for one of ours

    def __getattr__(name: str) -> Any:
        """What a notebook starts from, imported when first asked for: `import fulmen` alone stays quick."""
        if name == "runs":
            return import_module("fulmen.runs")  # a room of the package that can be called
        if (home := HOMES.get(name, "")) in sys.modules:  # what is imported already changes nothing any more
            return getattr(sys.modules[home], name)
        if home:
            with import_module("fulmen.utils.kept_process").kept_process():
                return getattr(import_module(home), name)
        if name == "__version__":
            from importlib.metadata import version

            return version("fulmen")
        raise AttributeError(f"module 'fulmen' has no attribute {name!r}")
