"""Where a study is kept: a journal file (the default), SQLite, or PostgreSQL for many machines."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from functools import cache
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from optuna.storages import BaseStorage, JournalStorage, RDBStorage
from optuna.storages.journal import JournalFileBackend
from sqlalchemy import create_engine, text
from sqlalchemy.engine import Engine, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from fulmen.errors import FulmenError
from fulmen.utils.files import cannot_write

ENVIRONMENT = "FULMEN_STORAGE"  # the address with its password, for child processes: files hold it without
BEAT_SECONDS = 10
SILENCE_SECONDS = 60  # a process of another machine that has not been heard of for so long is dead


@cache
def open_storage(address: str | None, folder: Path) -> BaseStorage:
    """The storage at `address`, or the journal file in `folder`.

    Raises:
        FulmenError: it cannot be reached or written.
    """
    if address is None:
        with storage_errors(folder):
            folder.mkdir(parents=True, exist_ok=True)
            path = folder / "study.journal"
            lock: Any = KernelLock(path)  # Optuna makes the base class of locks known nowhere
            return JournalStorage(JournalFileBackend(str(path), lock_obj=lock))
    address = os.environ.get(ENVIRONMENT, address)
    try:
        with storage_errors(address), _one_at_a_time(_with_driver(address), "tables"):
            return RDBStorage(_with_driver(address), heartbeat_interval=BEAT_SECONDS, grace_period=SILENCE_SECONDS)
    except (ImportError, NoSuchModuleError, ArgumentError) as error:
        raise FulmenError(
            f"search.storage={without_password(address)}: {str(error).splitlines()[0]}; "
            f"take postgresql://<user>@<host>/<database> (needs pip install 'psycopg[binary]') or sqlite:///<file>"
        ) from error


@contextmanager
def exclusive(storage: BaseStorage, name: str, folder: Path) -> Iterator[None]:
    """One process at a time, over all that work on the study; the lock of a killed process is free at once."""
    if isinstance(storage, RDBStorage) and storage.engine.dialect.name == "postgresql":
        with storage_errors(str(storage.engine.url)), _one_at_a_time(storage.url, name):
            yield
    else:
        with storage_errors(folder):
            folder.mkdir(parents=True, exist_ok=True)
            with FileLock(folder / ".lock"):
                yield


@contextmanager
def concluding(storage: BaseStorage, name: str, folder: Path, wait: bool) -> Iterator[bool]:
    """One process at a time trains the champion of a study, reports and keeps; a killed one makes way at once.

    Args:
        wait: for the process that is at it.

    Yields:
        False if another one is at it and nobody waits.
    """
    lock = FileLock(folder / ".conclusion.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        if not wait:
            yield False
            return
        print(f"{name}: another process is at the champion and the report; waiting for it", flush=True)
        lock.acquire()
    try:
        address = storage.url if isinstance(storage, RDBStorage) else ""
        with _one_at_a_time(address, f"{name}/conclusion") if address else nullcontext():
            yield True
    finally:
        lock.release()


@contextmanager
def heartbeat(storage: BaseStorage, folder: Path, trial_id: int, who: str) -> Iterator[None]:
    """Tell other machines every 10 seconds that the trial's process lives."""
    ended = threading.Event()

    def beat() -> None:
        while True:
            with suppress(OSError, SQLAlchemyError):  # the next beat may get through
                if isinstance(storage, RDBStorage):
                    storage.record_heartbeat(trial_id)
                else:
                    beats(folder, who).parent.mkdir(exist_ok=True)
                    beats(folder, who).touch()
            if ended.wait(BEAT_SECONDS):
                return

    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def is_silent(folder: Path, who: str) -> bool:
    """Whether a process of another machine that shares `folder` has stopped beating, by the file system's clock."""
    beat, now = beats(folder, who), beats(folder, "now")
    now.parent.mkdir(exist_ok=True)
    now.touch()
    return not beat.exists() or now.stat().st_mtime - beat.stat().st_mtime > SILENCE_SECONDS


def beats(folder: Path, who: str) -> Path:
    return folder / ".alive" / who


@contextmanager
def storage_errors(where: object) -> Iterator[None]:
    """Turn what a full disk or a lost database raises into one clear line."""
    try:
        yield
    except SQLAlchemyError as error:
        if isinstance(error, NoSuchModuleError | ArgumentError):
            raise
        reason = str(getattr(error, "orig", None) or error.__cause__ or error).strip().splitlines()[0]
        raise FulmenError(f"search.storage={without_password(str(where))} cannot be used: {reason}") from error
    except OSError as error:
        raise cannot_write(Path(str(where)), error) from error


def without_password(address: str) -> str:
    """`address` as it may be shown and stored."""
    try:
        return make_url(address)._replace(password=None).render_as_string()
    except (ArgumentError, ValueError):
        return address


class KernelLock:
    """A journal's lock that the kernel releases when its holder is killed.

    Whoever takes it first mends a line torn by a kill or a full disk.
    """

    def __init__(self, journal: Path):
        self._journal = journal
        self._lock = FileLock(f"{journal}.lock")

    def acquire(self) -> bool:
        self._lock.acquire()
        with open(self._journal, "rb+") as file:
            size = file.seek(0, os.SEEK_END)
            if size and (file.seek(size - 1), file.read(1))[1] != b"\n":
                file.seek(0)
                file.truncate(file.read().rfind(b"\n") + 1)
        return True

    def release(self) -> None:
        self._lock.release()


@contextmanager
def _one_at_a_time(address: str, name: str) -> Iterator[None]:
    """A lock in the PostgreSQL at `address`, given back when the connection ends; nothing elsewhere."""
    if make_url(address).get_backend_name() != "postgresql":
        yield
        return
    with _lock_engine(address).begin() as connection:
        connection.execute(text("select pg_advisory_xact_lock(hashtext(:name))"), {"name": f"fulmen/{name}"})
        yield


@cache
def _lock_engine(address: str) -> Engine:
    """Connections of their own for locks: one held over a transaction of Optuna's."""
    return create_engine(address)


def _with_driver(address: str) -> str:
    """postgresql://... by psycopg 3 unless the address names another driver."""
    return address.replace("postgresql://", "postgresql+psycopg://", 1)
