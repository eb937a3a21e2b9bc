"""What a trial leaves behind in a process that trains many: given back before it adds up.

A Trainer and its model hold each other, so they stay until Python looks for cycles, and what is freed then in many
small pieces the C library keeps. Neither is a leak; both grow over hundreds of trials.
"""

import ctypes
import gc
import os
from pathlib import Path

SLACK_MIB = 64.0  # looking for cycles costs a tenth of a second: only where it is worth it


class Memory:
    """The memory of this process; call `give_back` after each trial."""

    def __init__(self) -> None:
        self.least = 0.0  # MiB, after the last time

    def give_back(self) -> bool:
        """Give back what is no longer used, if it may be more than `SLACK_MIB`, or a GPU holds it; whether it was."""
        import torch

        on_gpu, resident = torch.cuda.is_available(), resident_mib()
        if not on_gpu and resident is not None and resident <= self.least + SLACK_MIB:
            return False
        gc.collect()
        if on_gpu:
            torch.cuda.empty_cache()
        trim_heap()
        self.least = resident_mib() or 0.0
        return True


def resident_mib() -> float | None:
    """Resident memory of this process in MiB; None where the system does not say."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except (OSError, ValueError, IndexError):
        return None
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def trim_heap() -> None:
    """Let the C library hand free pages back to the system, where it can (glibc)."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if os.name == "posix" else None
    if trim is not None:
        trim(0)
