"""What lies in a registry's folder: found and listed without a lock, and without writing anything.

<registry>/<name>/<number>/...      a version
<registry>/<name>/aliases.json      what points to which version (see `aliases.py`)
"""

import os
from pathlib import Path

from fulmen.config.mistakes import did_you_mean
from fulmen.errors import FulmenError
from fulmen.registry.aliases import Ledger, read_ledger
from fulmen.registry.manifest import Damaged
from fulmen.registry.names import NAME, NUMBER, Reference, check_name, parse
from fulmen.registry.versions import NotFound, Version

Wanted = str | Reference | Version  # `pump`, `pump:3`, `pump@champion`, or a version that was found before


class Catalogue:
    """The models in one folder.

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

    def find(self, wanted: Wanted) -> Version:
        """The version that `pump`, `pump:3` or `pump@champion` means.

        Raises:
            NotFound: no such name, version or alias; the message says which there are.
        """
        if isinstance(wanted, Version):
            return wanted
        reference = parse(wanted) if isinstance(wanted, str) else wanted
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

    def _refuse_unknown(self, name: str) -> None:
        check_name(name)
        if not self.numbers(name):
            there = did_you_mean(name, self.names()) or "; it is empty: fulmen models save RUN --name NAME"
            raise NotFound(f"there is no model {name} in {self.root}{there}")
