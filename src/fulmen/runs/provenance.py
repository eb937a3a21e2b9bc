"""Where a result comes from: code, versions, hardware."""

import os
import platform
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from fulmen.config.places import checkout

PACKAGES = ("fulmen", "torch", "torchvision", "lightning", "hydra-core", "omegaconf", "torch-geometric", "torchdiffeq",
            "torchmetrics", "optuna", "numpy", "scipy", "scikit-learn", "skops")  # fmt: skip


def environment() -> dict[str, Any]:
    """Git commit and dirty flag, package versions, interpreter, machine, command line: plain values."""
    return {
        "git": git_state(
            checkout() or Path.cwd()
        ),  # of an installed fulmen nothing is known; of the project that uses it
        "python": platform.python_version(),
        "packages": {name: _version(name) for name in PACKAGES},
        "platform": platform.platform(),
        "cpu_count": os.cpu_count(),
        "command": [Path(sys.argv[0]).name, *sys.argv[1:]],
    }


def git_state(folder: Path) -> dict[str, Any]:
    """`{"commit": ..., "dirty": ...}` of the checkout that holds `folder`; both None outside a repository."""
    commit = _git(folder, "rev-parse", "HEAD")
    changes = _git(folder, "status", "--porcelain", "--untracked-files=no")
    return {"commit": commit, "dirty": None if commit is None or changes is None else bool(changes)}


def _git(folder: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(["git", "-C", folder, *arguments], capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
