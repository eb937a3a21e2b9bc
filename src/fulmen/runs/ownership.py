"""A run folder has one owner at a time, and whoever looks can tell whether it still lives.

The owner writes `run.lock` into the folder and removes it when it is done, whatever ends it but a kill:

    {"format": 1, "host": "node7", "pid": 4711, "started": "2f5c9a1e/812345", "since": "2026-11-25T03:12:45+00:00"}

`started` tells a process from a later one of the same number: on Linux the first eight digits of
/proc/sys/kernel/random/boot_id and field 22 of /proc/<pid>/stat, elsewhere what `ps -o lstart=` says. The heartbeat is
the file's time of last change, set every `BEAT` seconds. On `host` the owner lives as long as that process does; seen
from another machine, as long as the heartbeat is younger than `SILENT` seconds. A lock whose owner is dead is what a
kill leaves: the run can be resumed, and the next owner takes the lock over. Reading and writing it is one step under
`flock`; a file that cannot be read as such an object is nobody's.

Of several processes of one run (ranks) the first one owns the folder. A run over folds and seeds owns its folder, and
in turn that of each of its runs.
"""

import contextlib
import fcntl
import json
import os
import re
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from fulmen.distributed.process_identity import is_alive, is_here, owner
from fulmen.errors import FulmenError
from fulmen.utils.files import cannot_write

LOCK = "run.lock"
BEAT, SILENT = 15.0, 120.0  # seconds
TEMPORARY = re.compile(r"\.[\w-]+\.[\w.-]+\.[a-z0-9_]{8}$")  # what `atomic_write` leaves where it is killed

Holder = dict[str, Any]

_held: set[Path] = set()  # by this process
_one_at_a_time = threading.Lock()


@contextlib.contextmanager
def owned(folder: Path) -> Iterator[None]:
    """This process owns `folder` in this block; a folder that is empty afterwards goes again.

    Raises:
        FulmenError: another process that still lives owns it, or it cannot be written to.
    """
    made = [path for path in (folder, *folder.parents) if not path.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        mine = _claim(folder)
    except OSError as error:
        raise cannot_write(folder / LOCK, error) from error
    ended = threading.Event()
    threading.Thread(target=_beat, args=(folder, mine, ended), daemon=True).start()
    try:
        remove_temporary(folder)
        yield
    finally:
        ended.set()
        _release(folder, mine)
        with contextlib.suppress(OSError):
            for path in made or [folder]:
                path.rmdir()  # only if it is empty


def holder(folder: Path) -> Holder | None:
    """Who owns `folder` and still lives; None if nobody does."""
    try:
        with open(folder / LOCK) as file:
            _flock(file, fcntl.LOCK_SH)
            found = _read(file)
    except OSError:
        return None
    return found if found and _lives(found, folder, time.time()) else None


def refuse_if_owned(folder: Path) -> None:
    """Pass if nobody who lives owns `folder`: for a word before work; `owned` is what keeps two apart.

    Raises:
        FulmenError: somebody does.
    """
    if who := holder(folder):
        raise FulmenError(_refusal(folder, who))


def remove_temporary(folder: Path) -> None:
    """Remove what writing left half done where a process was killed; only the owner may."""
    for below in (folder, folder / "checkpoints", folder / "figures"):
        for path in below.glob(".*") if below.is_dir() else ():
            if TEMPORARY.fullmatch(path.name) and path.is_file():
                path.unlink(missing_ok=True)


def _claim(folder: Path) -> Holder:
    here = folder.resolve()
    with _one_at_a_time, _guarded(folder / LOCK) as file:
        found = _read(file)
        own = found is not None and {name: found[name] for name in ("host", "pid", "started")} == owner()
        if found and (here in _held if own else _lives(found, folder, _now(folder))):
            raise FulmenError(_refusal(folder, found))
        mine = {"format": 1, **owner(), "since": datetime.now(UTC).isoformat(timespec="seconds")}
        file.seek(0)
        file.truncate()
        file.write(json.dumps(mine) + "\n")
        file.flush()
        os.fsync(file.fileno())
        _held.add(here)
    return mine


def _release(folder: Path, mine: Holder) -> None:
    _held.discard(folder.resolve())
    if not (folder / LOCK).exists():
        return
    with contextlib.suppress(OSError), _guarded(folder / LOCK) as file:
        if _read(file) == mine:
            (folder / LOCK).unlink()


def _beat(folder: Path, mine: Holder, ended: threading.Event) -> None:
    """Show that the owner lives; where another one was told it does not, write nothing any more."""
    while not ended.wait(BEAT):
        with contextlib.suppress(OSError):
            with open(folder / LOCK) as file:
                _flock(file, fcntl.LOCK_SH)
                found = _read(file)
            if found and found != mine and not ended.is_set():
                print(
                    f"error: {folder} was taken over by {_name(found)} while this process stood still", file=sys.stderr
                )
                sys.stderr.flush()
                os._exit(FulmenError.exit_code)
            os.utime(folder / LOCK)


def _lives(who: Holder, folder: Path, now: float) -> bool:
    if is_here(who):
        return is_alive(who)
    try:
        return now - (folder / LOCK).stat().st_mtime < SILENT
    except OSError:
        return False


def _now(folder: Path) -> float:
    """By the clock of the file system, which may be another machine's."""
    probe = folder / f".{LOCK}.{os.getpid()}"
    probe.touch()
    try:
        return probe.stat().st_mtime
    finally:
        probe.unlink(missing_ok=True)


def _refusal(folder: Path, who: Holder) -> str:
    cure = f"kill {who['pid']} stops it" if is_here(who) else f"{SILENT:g} s after its death the folder is free"
    since = f"at work there since {who.get('since')}"
    return f"{folder} belongs to {_name(who)}, {since}: wait for its end, or choose another folder ({cure})"


def _name(who: Holder) -> str:
    return f"process {who['pid']} on {who['host']}"


@contextlib.contextmanager
def _guarded(path: Path) -> Iterator[IO[str]]:
    """The lock file, made if it is not there, and nobody else's turn; not one that was removed meanwhile."""
    while True:
        file = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o644), "r+")
        _flock(file, fcntl.LOCK_EX)
        with contextlib.suppress(OSError):
            if os.path.samestat(os.fstat(file.fileno()), os.stat(path)):
                break
        file.close()
    with file:
        yield file


def _flock(file: IO[str], how: int) -> None:
    with contextlib.suppress(OSError):  # some shared file systems have none
        fcntl.flock(file, how)


def _read(file: IO[str]) -> Holder | None:
    try:
        found = json.load(file)
        return found if {"host", "pid", "started"} <= set(found) else None
    except (ValueError, TypeError):
        return None
