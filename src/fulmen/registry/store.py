"""Where models lie: one folder that never changes per version, published by one rename, no index over them.

    <registry>/<name>/<number>/...      a version
    <registry>/<name>/aliases.json      what points to which version (see `aliases.py`)
    <registry>/.tmp/<host>-<random>/    being written, or a leftover of a process that died: `gc` takes those away
    <registry>/.locks/<name>.lock

A version is written below `.tmp`, synced to disk and renamed to the next free number, under the lock of the name.
Whoever dies on the way leaves a folder that nobody lists. Readers take no lock and write nothing.
"""

import errno
import fcntl
import hashlib
import os
import shutil
import socket
import time
import uuid
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from filelock import FileLock, Timeout

from fulmen.errors import FulmenError
from fulmen.files import cannot_write
from fulmen.mistakes import did_you_mean
from fulmen.registry.aliases import ALIASES, Ledger, now, read_ledger, write_ledger
from fulmen.registry.manifest import MANIFEST, Damaged, seal
from fulmen.registry.names import NAME, NUMBER, Reference, check_alias, check_name, parse
from fulmen.registry.verification import read_manifest, verified

LOCK_SECONDS = 60.0
FOREIGN_HOURS = 24.0  # a half-written folder of another host is a leftover after so long


class NotFound(FulmenError):
    """There is no such model, version or alias."""


@dataclass(frozen=True)
class Version:
    """One saved model.

    Attributes:
        folder: its bundle.
    """

    name: str
    number: int
    folder: Path

    def __str__(self) -> str:
        return f"{self.name}:{self.number}"

    @cached_property
    def manifest(self) -> dict[str, Any]:
        """`manifest.json`, its own checksum verified; see `fulmen.registry.verify` for the files it vouches for."""
        with present(self):
            return read_manifest(self.folder, self.name, self.number)

    def verify(self) -> dict[str, bytes]:
        """The content of every file of the bundle, exactly as it was saved.

        Raises:
            Damaged: it is not; the message names the file.
            NotFound: it was deleted in the meantime.
        """
        with present(self):
            return verified(self.folder, self.manifest)


class Store:
    """The registry in one folder.

    Args:
        root: `$FULMEN_REGISTRY`, or `outputs/models` below the working directory, if not given.
    """

    def __init__(self, root: str | Path | None = None):
        self.root = Path(root or os.environ.get("FULMEN_REGISTRY") or "outputs/models")

    def names(self) -> list[str]:
        """The models with at least one version."""
        try:
            entries = [
                e.name for e in os.scandir(self.root) if NAME.fullmatch(e.name) and e.is_dir(follow_symlinks=False)
            ]
        except FileNotFoundError:
            return []
        except OSError as error:
            raise FulmenError(f"registry {self.root} cannot be read: {error.strerror}") from error
        return sorted(name for name in entries if self.numbers(name))

    def numbers(self, name: str) -> list[int]:
        """The versions of a model, oldest first; [] if there is none."""
        if (self.root / name).is_symlink():
            raise Damaged(f"{self.root / name} is a symbolic link; a registry holds its models itself")
        try:
            entries = list(os.scandir(self.root / name))
        except (FileNotFoundError, NotADirectoryError):
            return []
        except OSError as error:
            raise FulmenError(f"{self.root / name} cannot be read: {error.strerror}") from error
        return sorted(int(e.name) for e in entries if NUMBER.fullmatch(e.name) and e.is_dir(follow_symlinks=False))

    def versions(self, name: str | None = None) -> list[Version]:
        """The versions of one model, or of all, by name and number."""
        if name is not None:
            self._refuse_unknown(name)
        names = self.names() if name is None else [name]
        return [
            Version(each, number, self.root / each / str(number)) for each in names for number in self.numbers(each)
        ]

    def aliases(self, name: str) -> Ledger:
        """What points to the versions of a model, and the history of that."""
        return read_ledger(self.root / name)

    def find(self, asked: str | Reference | Version) -> Version:
        """The version that `pump`, `pump:3` or `pump@champion` means.

        Raises:
            NotFound: no such name, version or alias; the message says which there are.
        """
        if isinstance(asked, Version):
            return asked
        reference = parse(asked) if isinstance(asked, str) else asked
        name = reference.name
        self._refuse_unknown(name)
        numbers = self.numbers(name)
        number = reference.number or numbers[-1]
        if reference.alias:
            known = self.aliases(name).aliases
            if reference.alias not in known:
                there = did_you_mean(reference.alias, known) or "; it has none yet: fulmen models promote"
                raise NotFound(f"{name} has no alias {reference.alias}{there}")
            number = known[reference.alias]
        folder = self.root / name / str(number)
        if folder.is_symlink():
            raise Damaged(f"{folder} is a symbolic link; a registry holds its versions itself")
        if number not in numbers:
            there = ", ".join(map(str, numbers[-10:]))
            raise NotFound(f"{reference}: there is no version {number} of {name}; there is {there}")
        return Version(name, number, folder)

    def publish(
        self,
        name: str,
        files: Mapping[str, bytes],
        facts: Mapping[str, Any],
        exist: Literal["version", "error"] = "version",
    ) -> Version:
        """A new version of `files`, described by `facts`; it is on disk when this returns.

        Args:
            exist: if the name is in use, make another "version" of it, or stop with an "error".

        Raises:
            FulmenError: a name that cannot be, or is in use; no space; a folder that may not be written to. Nothing
                is listed then that was not listed before.
        """
        check_name(name)
        try:
            with self._staging() as staging:
                for file, content in files.items():
                    (staging / file).write_bytes(content)
                digests = {
                    file: {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
                    for file, content in files.items()
                }
                with self.locked(name):
                    home = self._home(name)
                    taken = self.numbers(name)
                    if taken and exist == "error":
                        raise FulmenError(f"the name {name} is in use ({len(taken)} versions); choose another")
                    number = max([self.aliases(name).retired, *taken]) + 1
                    identity = {"name": name, "version": number, "created": now(), "files": digests}
                    (staging / MANIFEST).write_bytes(seal({**identity, **facts}))
                    sync(staging, *(staging / file for file in (*files, MANIFEST)))
                    os.rename(staging, home / str(number))
                    sync(home)
        except OSError as error:
            raise self._refused(self.root / name, error) from error
        return Version(name, number, home / str(number))

    def promote(self, version: Version, alias: str, expected: Any = ..., note: str = "") -> Ledger:
        """Let `alias` point to `version`, which has to be whole.

        Args:
            expected: the version the alias has to point to now (None: no version), else nothing is changed.

        Raises:
            Moved: it points elsewhere.
            Damaged: the version is not what was saved.
        """
        check_alias(alias)
        version.verify()
        with self._changing(version) as ledger:
            ledger.move(alias, version.number, expected, note)
        return ledger

    def delete(self, version: Version, force: bool = False) -> None:
        """Take a version away; its number is never given again.

        Raises:
            FulmenError: an alias points to it, and `force` does not say to take that away too.
        """
        with self._changing(version) as ledger:
            pointing = ledger.of(version.number)
            if pointing and not force:
                raise FulmenError(f"{version} is {', '.join(pointing)}; promote another first, or say --force")
            for alias in pointing:
                ledger.move(alias, None)
            ledger.retired = max(ledger.retired, version.number)
            ledger.record("delete", version=version.number)
        try:
            with self._staging() as staging:
                os.rename(version.folder, staging / str(version.number))
                sync(version.folder.parent)
        except OSError as error:
            raise self._refused(version.folder, error) from error

    def gc(self) -> list[Path]:
        """Take away what died processes left half-written; what is being written stays. Returns what is gone."""
        if not self.root.is_dir():
            return []
        gone = [entry for entry in sorted((self.root / ".tmp").glob("*")) if self._remove_leftover(entry)]
        for home in sorted(path for path in self.root.glob("[!.]*") if path.is_dir() and not path.is_symlink()):
            with self.locked(home.name):
                for half in home.glob(f".{ALIASES}.*"):
                    half.unlink(missing_ok=True)
                    gone.append(half)
                with suppress(OSError):
                    home.rmdir()  # goes only if it is empty
        return gone

    @contextmanager
    def locked(self, name: str) -> Iterator[None]:
        """Hold the lock of a name; of `Pump` and `pump` it is the same."""
        path = self.root / ".locks" / f"{name.lower()}.lock"
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(path, timeout=LOCK_SECONDS, poll_interval=0.005):
                yield
        except Timeout:
            raise FulmenError(f"another process has held {path} for {LOCK_SECONDS:.0f} s; try again") from None
        except OSError as error:
            raise self._refused(path, error) from error

    @contextmanager
    def _changing(self, version: Version) -> Iterator[Ledger]:
        """The aliases of a version that is there, written back if the block ends without an error."""
        with self.locked(version.name):
            if not version.folder.is_dir():
                raise NotFound(f"{version} was deleted in the meantime")
            ledger = self.aliases(version.name)
            yield ledger
            write_ledger(self.root / version.name, ledger)

    @contextmanager
    def _staging(self) -> Iterator[Path]:
        """An empty folder below `.tmp`, locked while this process lives; what is left of it goes in the end."""
        while True:
            path = self.root / ".tmp" / f"{_host()}-{uuid.uuid4().hex}"
            path.mkdir(parents=True)
            try:
                descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
            except FileNotFoundError:  # `gc` was quicker than the lock
                continue
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            if path.exists():
                break
            os.close(descriptor)
        try:
            yield path
        finally:
            shutil.rmtree(path, ignore_errors=True)
            os.close(descriptor)

    def _remove_leftover(self, entry: Path) -> bool:
        """Whether `entry` was left by a process that died; it is removed then."""
        with suppress(OSError):
            if entry.is_symlink() or not entry.is_dir():
                entry.unlink()
                return True
            foreign = not entry.name.startswith(f"{_host()}-")
            if foreign and time.time() - entry.stat().st_mtime < FOREIGN_HOURS * 3600:
                return False
            descriptor = os.open(entry, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(entry)
                return True
            finally:
                os.close(descriptor)
        return False

    def _home(self, name: str) -> Path:
        """The folder of a model, made if need be; call it with the lock of the name held."""
        home = self.root / name
        other = next((e.name for e in os.scandir(self.root) if e.name != name and e.name.lower() == name.lower()), None)
        if other:
            raise FulmenError(f"{name} differs from {other} only by upper and lower case; choose another name")
        if home.is_symlink() or (home.exists() and not home.is_dir()):
            raise Damaged(f"{home} is no folder of its own; a registry holds its models itself")
        if not home.exists():
            home.mkdir()
            sync(self.root)
        return home

    def _refuse_unknown(self, name: str) -> None:
        check_name(name)
        if not self.numbers(name):
            there = did_you_mean(name, self.names()) or "; it is empty: fulmen models save RUN --name NAME"
            raise NotFound(f"there is no model {name} in {self.root}{there}")

    def _refused(self, path: Path, error: OSError) -> FulmenError:
        if error.errno == errno.EXDEV:
            return FulmenError(
                f"{path} lies on another file system than {self.root}/.tmp; a registry needs one of its own"
            )
        return cannot_write(path, error)


@contextmanager
def present(version: Version) -> Iterator[None]:
    """What goes missing in this block because the version was deleted is not found, rather than damaged."""
    try:
        yield
    except Damaged:
        if not version.folder.exists():
            raise NotFound(f"{version} was deleted in the meantime") from None
        raise


def sync(*paths: Path) -> None:
    """Files, or the names in folders, on disk when this returns; several at once cost little more than one."""

    def one(path: Path) -> None:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    if len(paths) == 1:
        return one(paths[0])
    with ThreadPoolExecutor(len(paths)) as pool:
        list(pool.map(one, paths))


def _host() -> str:
    return socket.gethostname().replace("/", "_") or "host"
