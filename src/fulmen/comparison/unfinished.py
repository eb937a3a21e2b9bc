"""What a ranking has finished of itself while it goes on: the same command, started again, trains only the rest."""

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from fulmen.data.cache import fingerprint
from fulmen.utils.files import atomic_write


class Unfinished:
    """One file for each model of a ranking that is done; they go when the ranking is written down.

    Args:
        folder: of all rankings that are going on; None: what is done is not kept.
        shared: plain values that say what all models have in common.
        own: what each of the models that differ in more than their name is, plain, by name.

    Attributes:
        done: model -> its file.
    """

    def __init__(self, folder: Path | None, shared: Mapping[str, Any], own: Mapping[str, Any]):
        self.folder, self.shared, self.own = folder, shared, own
        self.done: dict[str, Path] = {}

    def __str__(self) -> str:
        if self.folder is None:
            return "nothing of it is kept"
        return f"{len(self.done)} model{'s are' if len(self.done) != 1 else ' is'} done, the same command goes on"

    def once(self, name: str, make: Callable[[], Any]) -> Any:
        """What `make()` gives, plain values, or gave when the same model was made before."""
        if self.folder is None:
            return make()
        key = {"shared": self.shared, "name": name, "own": self.own.get(name, self.own)}
        path = self.folder / f"{fingerprint(key)}.json"
        try:
            made = json.loads(path.read_text())[name]
            print(f"{name}: done before", flush=True)
        except (OSError, ValueError, KeyError, TypeError):  # not made yet, or damaged
            made = make()
            with atomic_write(path) as file:
                json.dump({name: made}, file)
        self.done[name] = path
        return made

    def forget(self) -> None:
        if self.folder is None:
            return
        for path in self.done.values():
            path.unlink(missing_ok=True)
        with suppress(OSError):
            self.folder.rmdir()  # goes only if it is empty
