"""Children that die, run out of space or lose their rights while they work on a registry; nothing imports torch."""

import os
import resource
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fulmen.registry.aliases import ALIASES
from fulmen.registry.store import Store

from .racers import bare

FILE_OPERATIONS = {"open", "os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.scandir", "os.listdir", "os.chmod"}
WORK = {
    "save": lambda store: store.publish("pump", bare(), {"note": "killed"}),
    "save a first version": lambda store: store.publish("fresh", bare(), {"note": "killed"}),
    "promote": lambda store: store.promote(store.find("pump:2"), "champion"),
    "delete": lambda store: store.delete(store.find("pump:1")),
    "delete by force": lambda store: store.delete(store.find("pump:2"), force=True),
    "gc": lambda store: store.gc(),
}


def prepared(root: Path) -> Store:
    """Two versions, an alias, and a leftover."""
    store = Store(root)
    store.publish("pump", bare(), {})
    store.publish("pump", bare(), {})
    store.promote(store.find("pump:2"), "best")
    shutil.copytree(root / "pump" / "1", root / ".tmp" / f"{os.uname().nodename}-leftover")
    return store


def survive(work: str, folder: Path) -> int:
    """Kill `work` at its first step, at its second, ... until it comes to its end; returns how often it was killed.

    Raises:
        AssertionError: a kill left something that is listed and not whole, an alias without a version, a leftover
            that `gc` does not take, or a registry that cannot be saved to.
    """
    prepared(folder / "template")
    for step in range(1, 300):
        root = folder / str(step)
        shutil.copytree(folder / "template", root)
        store = Store(root)
        code, said = killed_at(step, str(root), lambda: WORK[work](store))  # noqa: B023  it is called at once
        assert code in (0, -signal.SIGKILL), said
        for version in store.versions():
            version.verify()
        left = set(store.numbers("pump"))
        assert {1, 2} - left <= {"delete": {1}, "delete by force": {2}}.get(work, set()), (
            f"step {step}: {left} are left"
        )
        assert set(store.aliases("pump").aliases.values()) <= left, f"step {step}: an alias points to nothing"
        store.gc()
        assert not list((root / ".tmp").iterdir()), f"step {step}: gc leaves something"
        assert not list(root.glob(f"*/.{ALIASES}*")), f"step {step}: gc leaves something"
        assert store.publish("pump", bare(), {}).number == max(left | {2}) + 1
        if code == 0:
            return step - 1
        shutil.rmtree(root)
    raise AssertionError("it never came to its end")


def in_child(task: Callable[[], Any]) -> tuple[int, str]:
    """Run `task` in a fork: its exit status (1 for an exception, minus the signal that ended it), and the exception."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            task()
            code = 0
        except Exception as error:
            os.write(writing, f"{type(error).__name__}: {error}".encode())
        finally:
            os._exit(code)
    os.close(writing)
    with open(reading, "rb") as pipe:
        said = pipe.read().decode()
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), said


def killed_at(step: int, root: str, task: Callable[[], Any]) -> tuple[int, str]:
    """Run `task` in a fork that kills itself just before its `step`-th operation on files below `root`.

    Operations are what Python's audit hooks report, and every fsync.
    """
    count = 0

    def next_step() -> None:
        nonlocal count
        count += 1
        if count == step:
            os.kill(os.getpid(), signal.SIGKILL)

    def audit(event: str, arguments: tuple) -> None:
        touched = [a for a in arguments if isinstance(a, str | os.PathLike) and os.fspath(a).startswith(root)]
        if event in FILE_OPERATIONS and touched:
            next_step()

    def armed() -> None:
        fsync = os.fsync

        def watched(descriptor: int) -> None:
            next_step()
            fsync(descriptor)

        os.fsync = watched
        sys.addaudithook(audit)
        task()

    return in_child(armed)


def limited_to(size: int, task: Callable[[], Any]) -> tuple[int, str]:
    """Run `task` in a fork that may write no file beyond `size` bytes: what a full disk looks like."""

    def limited() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
        task()

    return in_child(limited)


def as_nobody(task: Callable[[], Any]) -> tuple[int, str]:
    """Run `task` in a fork without root's power to write everywhere."""

    def unprivileged() -> None:
        if os.getuid() == 0:
            os.setgroups([])
            os.setgid(65534)
            os.setuid(65534)
        task()

    return in_child(unprivileged)
