"""What a training changes in its process, and how it is put back: a notebook goes on as if nothing had been run."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch

from fulmen.utils.kept_process import kept_process

QUIET_MESSAGES = (  # advice that tells a user of ours nothing
    r"The '\w+_dataloader' does not have many workers",
    r"The number of training batches \(\d+\) is smaller than the logging interval",
    r"Checkpoint directory .* exists and is not empty",
    r"The dirpath has changed from",
    r"`isinstance\(treespec, LeafSpec\)` is deprecated",
    r"The `srun` command is available on your system but is not used\.",
    r"`ModelCheckpoint\(monitor=.* could not find the monitored key",  # `Horizon` says what that means
    r"[\w.]+ is experimental \(supported from v",
)
QUIET_LOGGERS = {
    "lightning.pytorch": logging.WARNING,
    "lightning.pytorch.utilities.rank_zero": logging.WARNING,
    "lightning.pytorch.accelerators.cuda": logging.WARNING,
    "lightning.fabric": logging.WARNING,
    "lightning.pytorch.callbacks.early_stopping": logging.WARNING,
    "lightning.pytorch.profilers.profiler": logging.WARNING,
    "optuna": logging.ERROR,
}


@contextmanager
def kept_surroundings() -> Iterator[None]:
    """A block (or, as a decorator, a function) that may seed, set threads and silence: it is all as before afterwards.

    Warnings are written in a line inside; how they are caught is left as it is.

    Put back are what `kept_process` puts back, the random states of NumPy and torch, and torch's threads and switches
    for deterministic work. `QUIET_LOGGERS` and `QUIET_MESSAGES` are quiet inside.
    """
    switches, written = _switches(), warnings.formatwarning
    numpy, threads = np.random.get_state(), torch.get_num_threads()  # noqa: NPY002
    gpus = range(torch.cuda.device_count()) if torch.cuda.is_initialized() else []
    try:
        with kept_process(), torch.random.fork_rng(devices=gpus):
            quiet_libraries()
            warnings.formatwarning = _in_a_line
            yield
    finally:
        warnings.formatwarning = written
        np.random.set_state(numpy)  # noqa: NPY002
        if torch.get_num_threads() != threads:
            torch.set_num_threads(threads)
        _switch_to(switches)


def _in_a_line(
    message: Warning | str, category: type[Warning], filename: str, lineno: int, line: str | None = None
) -> str:
    """`warning: what it is`, as the command line shows warnings: the line of ours that gives one helps nobody."""
    return f"{'warning' if issubclass(category, UserWarning) else category.__name__}: {message}\n"


def quiet_libraries() -> None:
    """Silence `QUIET_MESSAGES` and `QUIET_LOGGERS` for good; for programs that do nothing else."""
    for message in QUIET_MESSAGES:
        warnings.filterwarnings("ignore", message)
    for name, level in QUIET_LOGGERS.items():
        logging.getLogger(name).setLevel(level)


def speak(*modules: str) -> None:
    """Let modules of Lightning say what they were asked to, until the surroundings are put back."""
    for module in modules:
        logger = logging.getLogger(f"lightning.pytorch.{module}")
        logger.setLevel(logging.INFO)
        if not logger.hasHandlers():  # Lightning's own was put back with all else that its import has changed
            logger.addHandler(logging.StreamHandler())


def _switches() -> tuple[bool, bool, bool, bool]:
    return (
        torch.are_deterministic_algorithms_enabled(),
        torch.is_deterministic_algorithms_warn_only_enabled(),
        torch.backends.cudnn.deterministic,
        torch.backends.cudnn.benchmark,
    )


def _switch_to(switches: tuple[bool, bool, bool, bool]) -> None:
    if switches == _switches():
        return
    deterministic, warn_only, torch.backends.cudnn.deterministic, torch.backends.cudnn.benchmark = switches
    torch.use_deterministic_algorithms(deterministic, warn_only=warn_only)
