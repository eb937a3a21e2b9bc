"""Which process is meant, by host, pid and start time, and whether it is still alive."""

import os
import signal
import socket
import subprocess
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

Owner = dict[str, Any]


def owner(pid: int | None = None) -> Owner:
    """Host, pid and start time of a process of this machine (this one): together they name it for good."""
    pid = pid or os.getpid()
    return {"host": socket.gethostname(), "pid": pid, "started": started(pid)}


def is_here(who: Owner) -> bool:
    """Whether `who` was started on this machine."""
    return who["host"] == socket.gethostname()


def is_alive(who: Owner) -> bool:
    """Whether a process of this machine still runs: not another one that was given its pid later."""
    now = started(who["pid"])
    return now is not None and now == who["started"]


def started(pid: int) -> str | None:
    """When a process started, unique over reboots; None if there is none or it has ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None if Path("/proc/self/stat").exists() else _started_by_ps(pid)
    return None if fields[0] in "ZX" else f"{_boot()}/{fields[19]}"


def end_group(who: Owner, number: int = signal.SIGKILL) -> None:
    """Send a signal to the process group that `who` leads, if it still is that process."""
    if is_here(who) and is_alive(who):
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(who["pid"], number)


@cache
def _boot() -> str:
    with suppress(OSError):
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()[:8]
    return ""


def _started_by_ps(pid: int) -> str | None:
    done = subprocess.run(["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return done.stdout.strip() or None
