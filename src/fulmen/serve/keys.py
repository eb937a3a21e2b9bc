"""API keys: random, printed once, kept as hashes in `outputs/.fulmen/keys.json`."""

import hashlib
import hmac
import json
import os
import secrets
import threading
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, get_args

from fulmen.errors import FulmenError
from fulmen.utils.files import write_json

Role = Literal["read", "predict", "train"]
ROLES: tuple[Role, ...] = get_args(Role)  # each may do what those before it may
PREFIX = "fulmen_"


@dataclass(frozen=True)
class Key:
    """A key as it is kept.

    Attributes:
        sha256: of the key; the key is 256 random bits, so that no slow hash is needed.
        created: ISO 8601.
    """

    name: str
    role: Role
    sha256: str
    created: str

    def may(self, role: Role) -> bool:
        """Whether the key allows what `role` does."""
        return ROLES.index(self.role) >= ROLES.index(role)


class Keys:
    """The keys of one outputs folder; a change of the file is seen at the next request.

    Args:
        path: the file of hashes.
    """

    def __init__(self, path: Path):
        self.path = path
        self._known: tuple[float, list[Key]] = (0.0, [])
        self._lock = threading.Lock()

    def all(self) -> list[Key]:
        """All keys, the oldest first.

        Raises:
            FulmenError: the file is damaged; nobody is let in by it.
        """
        try:
            changed = self.path.stat().st_mtime_ns
            if changed != self._known[0]:
                found = [Key(**each) for each in json.loads(self.path.read_bytes())["keys"]]
                self._known = changed, found
        except FileNotFoundError:
            self._known = 0, []
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise FulmenError(f"{self.path} is damaged: {error}; delete it and make new keys") from error
        return self._known[1]

    def new(self, name: str, role: Role) -> str:
        """Make a key and return it, the only time that it can be seen.

        Raises:
            FulmenError: the name is taken, or says nothing.
        """
        with self._lock:
            if not name.strip() or not name.isprintable():
                raise FulmenError("a key needs a name, such as that of the person who gets it")
            if any(each.name == name for each in self.all()):
                raise FulmenError(f"there is a key {name} already; revoke it first: fulmen serve keys revoke {name}")
            key = PREFIX + secrets.token_urlsafe(32)
            made = Key(name, role, _hash(key), datetime.now(UTC).isoformat(timespec="seconds"))
            self._write([*self.all(), made])
        return key

    def revoke(self, name: str) -> None:
        """Let a key be of no use from now on.

        Raises:
            FulmenError: there is none of this name.
        """
        with self._lock:
            left = [each for each in self.all() if each.name != name]
            if len(left) == len(self.all()):
                names = ", ".join(each.name for each in left)
                raise FulmenError(f"there is no key {name}" + (f"; there is {names}" if names else ""))
            self._write(left)

    def of(self, text: str) -> Key | None:
        """The key that somebody has shown; None: it is none of ours."""
        shown, found = _hash(text), None
        for each in self.all():
            if hmac.compare_digest(each.sha256, shown):
                found = each
        return found

    def _write(self, keys: list[Key]) -> None:
        write_json(self.path, {"format": 1, "keys": [asdict(each) for each in keys]})
        with suppress(OSError):
            os.chmod(self.path, 0o600)


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode(errors="replace")).hexdigest()
