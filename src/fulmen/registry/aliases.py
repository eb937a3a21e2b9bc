"""Aliases of one model: names like `champion` that point to a version, and every move they ever made.

They lie in `<name>/aliases.json`, replaced as a whole under the lock of the name. Nothing else in the registry changes
once it is written, so this small file is all that two people can disagree about.
"""

import hashlib
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import EllipsisType
from typing import cast

from fulmen.errors import FulmenError
from fulmen.registry.manifest import Damaged, read_json
from fulmen.registry.names import NUMBER
from fulmen.utils.files import write_json

ALIASES = "aliases.json"

Expected = int | None | EllipsisType  # where an alias has to point to: a version, nowhere, or wherever it does
Event = dict[str, str | int | None]


class Moved(FulmenError):
    """Somebody else has moved the alias in the meantime."""


@dataclass
class Ledger:
    """What `aliases.json` holds.

    Attributes:
        aliases: alias -> version.
        retired: the highest version number that was ever deleted: it is not given again.
        history: one entry a change, oldest first.
    """

    aliases: dict[str, int] = field(default_factory=dict)
    retired: int = 0
    history: list[Event] = field(default_factory=list)

    def of(self, number: int) -> list[str]:
        """The aliases of a version."""
        return sorted(alias for alias, points_to in self.aliases.items() if points_to == number)

    def move(self, alias: str, number: int | None, expected: Expected = ..., note: str = "") -> None:
        """Let `alias` point to version `number`; None takes the alias away.

        Raises:
            Moved: it does not point to `expected` (a version, or None for nowhere).
        """
        before = self.aliases.get(alias)
        if expected is not ... and before != expected:
            there, meant = (f"version {each}" if each else "no version" for each in (before, expected))
            raise Moved(f"alias {alias} points to {there}, not to {meant} as expected; nothing was changed")
        if before == number:
            return
        if number is None:
            del self.aliases[alias]
        else:
            self.aliases[alias] = number
        said: Event = {"note": note} if note else {}
        self.record("alias", alias=alias, version=number, before=before, **said)

    def record(self, event: str, **facts: str | int | None) -> None:
        self.history.append({"time": now(), "event": event, **facts})


def now() -> str:
    """The time in UTC, as ISO 8601 with its offset."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def read_ledger(folder: Path) -> Ledger:
    """The aliases of the model in `folder`; none if none were ever given.

    Raises:
        Damaged: the file is there but not what was written.
    """
    path = folder / ALIASES
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        return Ledger()
    except OSError as error:
        raise Damaged(f"{path} cannot be read: {error.strerror}") from error
    content = read_json(raw, path)
    aliases = content.get("aliases") if isinstance(content, dict) else None
    history = content.get("history") if isinstance(content, dict) else None
    retired = content.get("retired", 0) if isinstance(content, dict) else None
    numbers = [*aliases.values(), *([retired] if retired else [])] if isinstance(aliases, dict) else [None]
    if not isinstance(history, list) or not all(type(n) is int and NUMBER.fullmatch(str(n)) for n in numbers):
        raise Damaged(f"{path} is damaged: it holds no aliases, history and retired number")
    ledger = Ledger(cast(dict[str, int], aliases), cast(int, retired), history)
    if content.get("sha256") != _checksum(ledger):
        raise Damaged(f"{path} is damaged: it does not match its own checksum")
    return ledger


def write_ledger(folder: Path, ledger: Ledger) -> None:
    """Replace the file as a whole; call it with the lock of the name held."""
    content = {"aliases": ledger.aliases, "retired": ledger.retired, "history": ledger.history}
    write_json(folder / ALIASES, {"sha256": _checksum(ledger), **content})


def _checksum(ledger: Ledger) -> str:
    text = json.dumps([ledger.aliases, ledger.retired, ledger.history], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
