"""How many CPU threads torch computes with, and what they do while they wait."""

import os
from pathlib import Path


def quiet_waiting() -> None:
    """Let idle OpenMP threads sleep instead of spinning; for programs, since it takes effect before torch is imported.

    Spinning threads cost a shared machine far more than they gain. What the user has set in the environment stays.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # GNU and LLVM
    os.environ.setdefault("KMP_BLOCKTIME", "0")  # Intel and LLVM


def set_threads(threads: int | str) -> int:
    """Let torch compute with `threads` CPU threads; "auto" is $OMP_NUM_THREADS, else every core we may use.

    Returns:
        The number chosen.
    """
    import torch

    count = available_threads() if threads == "auto" else int(threads)
    torch.set_num_threads(count)
    return count


def available_threads() -> int:
    """$OMP_NUM_THREADS if set, else the cores this process may run on, but no more than its container's CPU quota."""
    chosen = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0]
    if chosen.isdecimal() and int(chosen) > 0:
        return int(chosen)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(cores, cpu_quota() or cores)


def cpu_quota(path: str | Path = "/sys/fs/cgroup/cpu.max") -> int | None:
    """Whole CPUs granted by the control group (`quota period` in microseconds), at least 1; None if unlimited."""
    try:
        quota, period = Path(path).read_text().split()
        return max(1, int(quota) // int(period))
    except (OSError, ValueError):  # no control groups here, or the quota is "max"
        return None
