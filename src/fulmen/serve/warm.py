"""Kept models in memory: loaded once however many ask, the least recently used let go where memory is short."""

import os
import re
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from fulmen.registry.aliases import ALIASES
from fulmen.registry.catalogue import Catalogue
from fulmen.registry.versions import Version
from fulmen.serve.batching import Batcher
from fulmen.serve.questions import Question, Reply

if TYPE_CHECKING:
    from fulmen.registry.predictor import Predictor

Loader = Callable[[Version], "Predictor"]
Answering = Callable[["Predictor", Sequence[Question]], Sequence[Reply | Exception]]
Mark = tuple[tuple[str, int, int, int], ...]
Stamp = tuple[tuple[int, int], ...]
REFERENCE = re.compile("[:@]")
SETTLED_NS = 3_000_000_000  # a change within the resolution of a file system's clock would not be seen


@dataclass(frozen=True)
class Warm:
    """A loaded model, and the queue of what it is asked."""

    predictor: "Predictor"
    batcher: "Batcher[Question, Reply]"


@dataclass
class _Entry:
    mark: Mark
    loading: "Future[Warm]"
    looked: float
    bytes: int = 0


class WarmModels:
    """The versions of a registry that were asked for.

    Which version an alias means is looked up for every request; that the files of that version are still those that
    were verified when it was loaded, every second.

    Args:
        registry: the folder of kept models.
        largest_bytes: of all models in memory; the last one that was asked for always stays.
        recheck_seconds: that the files of a warm version are not looked at again.
        load: verifies a version and builds its model.
        answer: what a loaded model says to a batch of questions.
    """

    def __init__(
        self, registry: Path, largest_bytes: int, load: Loader, answer: Answering, recheck_seconds: float = 1.0
    ):
        self.catalogue = Catalogue(registry)
        self._largest, self._load, self._answer = largest_bytes, load, answer
        self._recheck_seconds = recheck_seconds
        self._entries: dict[tuple[str, int], _Entry] = {}  # the least recently used first
        self._found: dict[str, tuple[Stamp, Version]] = {}
        self._lock = threading.Lock()
        self._pool = ThreadPoolExecutor(2, thread_name_prefix="load")

    def get(self, reference: str) -> "Future[Warm]":
        """The model that `pump`, `pump:3` or `pump@champion` means now; loaded in a thread unless it is warm.

        Raises:
            FulmenError: there is no such version. That it is damaged, the future says.
        """
        version = self._find(reference)
        key, now = (version.name, version.number), time.monotonic()
        with self._lock:
            entry = self._entries.pop(key, None)
            if entry and now - entry.looked >= self._recheck_seconds:
                entry.looked, changed = now, entry.mark != _mark(version.folder)
                if changed or _failed(entry.loading):
                    _let_go(entry)
                    entry = None
            if entry is None:
                entry = _Entry(_mark(version.folder), self._pool.submit(self._loaded, version), now)
            self._entries[key] = entry
        return entry.loading

    def sizes(self) -> dict[str, int]:
        """Bytes of each model in memory."""
        with self._lock:
            entries = dict(self._entries)
        return {f"{name}:{number}": entry.bytes for (name, number), entry in entries.items() if entry.bytes}

    def waiting(self) -> int:
        """Questions that wait, of all models."""
        with self._lock:
            return sum(len(warm.batcher) for entry in self._entries.values() if (warm := _warm(entry)))

    def close(self, seconds: float = 5.0) -> None:
        """Let all models go; what waits is answered, if it takes no longer than that."""
        with self._lock:
            entries = list(self._entries.values())
            self._entries.clear()
        for entry in entries:
            _let_go(entry)
        for warm in filter(None, map(_warm, entries)):
            warm.batcher.join(seconds)
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _find(self, reference: str) -> Version:
        """`Catalogue.find`, which lists folders and reads the aliases, only where these have changed."""
        home = f"{self.catalogue.root}/{REFERENCE.split(reference, 1)[0]}"
        stamp = _stamp(home, f"{home}/{ALIASES}")
        known = self._found.get(reference)
        if known and known[0] == stamp:
            return known[1]
        version = self.catalogue.find(reference)
        if time.time_ns() - max(mtime for _, mtime in stamp) > SETTLED_NS:
            if len(self._found) >= 1000:
                self._found.clear()
            self._found[reference] = stamp, version
        return version

    def _loaded(self, version: Version) -> Warm:
        predictor = self._load(version)
        warm = Warm(predictor, Batcher(lambda questions: self._answer(predictor, questions)))
        self._make_room((version.name, version.number), predictor.bytes)
        return warm

    def _make_room(self, key: tuple[str, int], size: int) -> None:
        """Let go what was used least recently until a new model fits beside the rest."""
        with self._lock:
            if key in self._entries:
                self._entries[key].bytes = size
            for other in [each for each, entry in self._entries.items() if each != key and entry.bytes]:
                if sum(entry.bytes for entry in self._entries.values()) <= self._largest:
                    return
                _let_go(self._entries.pop(other))


def _stamp(*paths: str) -> Stamp:
    """Inode and time of change of each path."""
    found = []
    for path in paths:
        try:
            stat = os.stat(path)
            found.append((stat.st_ino, stat.st_mtime_ns))
        except (OSError, ValueError):  # a name may hold anything
            found.append((0, 0))
    return tuple(found)


def _mark(folder: Path) -> Mark:
    """Changes with the files in a folder, whatever changes them."""
    try:
        found = [(entry.name, entry.stat(follow_symlinks=False)) for entry in os.scandir(folder)]
    except OSError:
        return ()
    return tuple(sorted((name, stat.st_ino, stat.st_size, stat.st_mtime_ns) for name, stat in found))


def _warm(entry: _Entry) -> Warm | None:
    done = entry.loading.done() and not _failed(entry.loading)
    return entry.loading.result() if done else None


def _failed(loading: "Future[Warm]") -> bool:
    return loading.done() and (loading.cancelled() or loading.exception() is not None)


def _let_go(entry: _Entry) -> None:
    """Close the queue of a model, also of one that is still being loaded."""
    entry.loading.add_done_callback(lambda done: None if _failed(done) else done.result().batcher.close())
