"""fulmen: PyTorch Lightning workloads composed by Hydra."""

import warnings
from typing import Any

from fulmen.threads import quiet_waiting

quiet_waiting()
warnings.filterwarnings("ignore", "`torch.jit.script` is deprecated")  # torch-geometric's, at import

__all__ = ["compose", "load_model", "load_run"]


def __getattr__(name: str) -> Any:
    """What a notebook starts from, imported when first asked for: `import fulmen` alone stays quick."""
    if name == "load_run":
        from fulmen.runs import load_run

        return load_run
    if name == "compose":
        from fulmen.config import compose

        return compose
    if name == "load_model":
        from fulmen.registry import load_model

        return load_model
    if name == "__version__":
        from importlib.metadata import version

        return version("fulmen")
    raise AttributeError(f"module 'fulmen' has no attribute {name!r}")
