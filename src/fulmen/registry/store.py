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

from fulmen.config.mistakes import did_you_mean
from fulmen.errors import FulmenError
from fulmen.registry.aliases import ALIASES, Ledger, now, read_ledger, write_ledger
from fulmen.registry.manifest import MANIFEST, Damaged, seal
from fulmen.registry.names import NAME, NUMBER, Reference, check_alias, check_name, parse
from fulmen.registry.staging import remove_leftover, staging, sync
from fulmen.registry.versions import NotFound, Version
from fulmen.utils.files import cannot_write

LOCK_SECONDS = 60.0


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
        homes = [self.root / each for each in (self.names() if name is None else [name])]
        return [Version(home.name, number, home / str(number)) for home in homes for number in self.numbers(home.name)]

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
