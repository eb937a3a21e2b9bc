"""Where models lie: one folder that never changes per version, published by one rename, no index over them.

    <registry>/<name>/<number>/...      a version
    <registry>/<name>/aliases.json      what points to which version (see `aliases.py`)
    <registry>/.tmp/<host>-<random>/    being written, or a leftover of a process that died (see `staging.py`)
    <registry>/.locks/<name>.lock

A version is written below `.tmp`, synced to disk and renamed to the next free number, under the lock of the name.
Whoever dies on the way leaves a folder that nobody lists. Readers take no lock and write nothing.
"""

import errno
import hashlib
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Literal

from filelock import FileLock, Timeout

from fulmen.errors import FulmenError
from fulmen.registry.aliases import ALIASES, Expected, Ledger, now, write_ledger
from fulmen.registry.catalogue import Catalogue
from fulmen.registry.manifest import MANIFEST, Damaged, seal
from fulmen.registry.names import check_alias, check_name
from fulmen.registry.staging import remove_leftover, staging, sync
from fulmen.registry.versions import NotFound, Version
from fulmen.utils.files import cannot_write

LOCK_SECONDS = 60.0


class Store(Catalogue):
    """The registry in one folder, to change it too."""

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
            with staging(self.root / ".tmp") as folder:
                for file, content in files.items():
                    (folder / file).write_bytes(content)
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
                    (folder / MANIFEST).write_bytes(seal({**identity, **facts}))
                    sync(folder, *(folder / file for file in (*files, MANIFEST)))
                    os.rename(folder, home / str(number))
                    sync(home)
        except OSError as error:
            raise self._refused(self.root / name, error) from error
        return Version(name, number, home / str(number))

    def promote(self, version: Version, alias: str, expected: Expected = ..., note: str = "") -> Ledger:
        """Let `alias` point to `version`, which has to be whole.

        Args:
            expected: the version the alias has to point to now (None: no version), else nothing is changed.

        Raises:
            Moved: it points elsewhere.
            Damaged: the version is not what was saved.
        """
        check_alias(alias)
        version.verify()
        with self.locked(version.name):
            ledger = self._ledger_of(version)
            ledger.move(alias, version.number, expected, note)
            write_ledger(self.root / version.name, ledger)
        return ledger

    def delete(self, version: Version, force: bool = False) -> None:
        """Take a version away; its number is never given again.

        Raises:
            FulmenError: an alias points to it, and `force` does not say to take that away too.
        """
        try:
            with staging(self.root / ".tmp") as folder, self.locked(version.name):
                ledger = self._ledger_of(version)
                pointing = ledger.of(version.number)
                if pointing and not force:
                    raise FulmenError(f"{version} is {', '.join(pointing)}; promote another first, or say --force")
                for alias in pointing:
                    ledger.move(alias, None)
                ledger.retired = max(ledger.retired, version.number)
                ledger.record("delete", version=version.number)
                write_ledger(self.root / version.name, ledger)
                os.rename(version.folder, folder / str(version.number))
                sync(version.folder.parent)
        except OSError as error:
            raise self._refused(version.folder, error) from error

    def gc(self) -> list[Path]:
        """Take away what died processes left half-written; what is being written stays. Returns what is gone."""
        if not self.root.is_dir():
            return []
        gone = [entry for entry in sorted((self.root / ".tmp").glob("*")) if remove_leftover(entry)]
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
        lock = FileLock(path, timeout=LOCK_SECONDS, poll_interval=0.005)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            lock.acquire()
        except Timeout:
            raise FulmenError(f"another process has held {path} for {LOCK_SECONDS:.0f} s; try again") from None
        except OSError as error:
            raise self._refused(path, error) from error
        try:
            yield
        finally:
            lock.release()

    def _ledger_of(self, version: Version) -> Ledger:
        """The aliases beside a version that is still there; call it with the lock of the name held."""
        if not version.folder.is_dir():
            raise NotFound(f"{version} was deleted in the meantime")
        return self.aliases(version.name)

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

    def _refused(self, path: Path, error: OSError) -> FulmenError:
        if error.errno == errno.EXDEV:
            return FulmenError(
                f"{path} lies on another file system than {self.root}/.tmp; a registry needs one of its own"
            )
        return cannot_write(path, error)
