"""The index of all results below an outputs folder: right whatever was done to the folders, and cheap to ask again.

The folders are the truth. Each time the index is asked it compares the times of their files with those it knows, and
reads again only what has changed. What it has read is kept in memory and in `<outputs>/.fulmen/index.sqlite`, for the
next process. That file may be deleted at any time; one that is locked, damaged, of another version or cannot be
written is done without.
"""

import json
import sqlite3
import threading
import time
from collections.abc import Iterable
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

from fulmen.launch.found import Found
from fulmen.runs.entry import Entry, read_entry
from fulmen.runs.scan import places, signature, size

FORMAT = 5  # of a row; another one is read from the folders anew
BUSY = 2.0  # seconds to wait for another process that writes
FRESH = 2 * 10**9  # nanoseconds in which a file system may not tell two changes apart
TABLE = "create table if not exists entries (path text primary key, signature text not null, facts text not null)"


@dataclass(frozen=True)
class Known:
    """What was read of a folder when its files had these times; `final`: it need not be read again while they have."""

    signature: str
    entry: Entry
    final: bool


class Index:
    """The results below `outputs`; any number of threads and processes may use it at once.

    Args:
        outputs: the folder that holds runs/, sweeps/, rankings/ and comparisons/; it need not be there.
        file: of the index, `<outputs>/.fulmen/index.sqlite` by default.
    """

    def __init__(self, outputs: str | Path = "outputs", file: Path | None = None):
        self.outputs = Path(outputs)
        self.file = file or self.outputs / ".fulmen" / "index.sqlite"
        self._known: dict[str, Known] | None = None
        self._jobs = Found(self.outputs)
        self._sizes: dict[str, tuple[str, int]] = {}
        self._lock = threading.Lock()

    def entries(self) -> list[Entry]:
        """Every result as its folder says it now, the oldest first."""
        with self._lock:
            found = self._brought_up_to_date()
        return sorted((each.entry for each in found.values()), key=lambda entry: (entry.created or "", entry.path))

    def entry(self, path: str) -> Entry | None:
        """The result at a path below the outputs folder, such as `runs/sensors/<stamp>`; None if there is none."""
        with self._lock:
            before = (self._known or {}).get(path)
            known = before and self._looked_at(path, before)
            known = known or self._brought_up_to_date().get(path)
        return known.entry if known else None

    def bytes(self, entry: Entry) -> int:
        """What its folder takes on the disk; measured again where it has changed."""
        folder = self.outputs / entry.path
        mark = " ".join(str(_changed(folder / below)) for below in (".", "checkpoints", "figures", "champion"))
        known = self._sizes.get(entry.path)
        if known is None or known[0] != mark or not entry.is_settled:
            known = mark, size(folder)
            self._sizes[entry.path] = known
        return known[1]

    def _brought_up_to_date(self) -> dict[str, Known]:
        before = self._stored() if self._known is None else self._known
        found: dict[str, Known] = {}
        changed: dict[str, Known] = {}
        for place in places(self.outputs):
            known = self._looked_at(place, before.get(place))
            if known is None:
                continue
            found[place] = known
            if known.final and known is not before.get(place):
                changed[place] = known
        gone = before.keys() - found.keys()
        self._known = found
        if changed or gone:
            self._store(changed, gone)
        return found

    def _looked_at(self, place: str, before: Known | None) -> Known | None:
        """What is at a place: what was known of it, if it has not changed since; None if it is nothing of ours."""
        try:
            mark, newest = signature(self.outputs, place)
            if before and before.final and before.signature == mark:
                return before
            entry = read_entry(self.outputs, place, self._jobs)
        except OSError:  # it goes while we look
            return None
        final = entry is not None and entry.is_settled and time.time_ns() - newest > FRESH
        return Known(mark, entry, final) if entry else None

    def _stored(self) -> dict[str, Known]:
        """What another process has kept; only a hint, for each row says of which files it was read."""
        if not self.file.is_file():
            return {}
        with suppress(sqlite3.Error, ValueError, TypeError), closing(self._opened()) as database:
            rows = database.execute("select path, signature, facts from entries").fetchall()
            return {path: Known(mark, Entry(path=path, **json.loads(facts)), True) for path, mark, facts in rows}
        return {}

    def _store(self, changed: dict[str, Known], gone: Iterable[str]) -> None:
        rows = [(path, known.signature, _facts(known.entry)) for path, known in changed.items()]
        for _ in range(2):
            try:
                self.file.parent.mkdir(parents=True, exist_ok=True)
                with closing(self._opened()) as database, database:
                    database.execute("begin immediate")
                    database.executemany("insert or replace into entries values (?, ?, ?)", rows)
                    database.executemany("delete from entries where path = ?", [(path,) for path in gone])
                return
            except sqlite3.OperationalError:  # locked, full or read-only: the folders say it all
                return
            except (sqlite3.DatabaseError, OSError):  # damaged, or no database at all: a new one
                with suppress(OSError):
                    for name in ("", "-wal", "-shm"):
                        self.file.with_name(self.file.name + name).unlink(missing_ok=True)

    def _opened(self) -> sqlite3.Connection:
        database = sqlite3.connect(self.file, timeout=BUSY, isolation_level=None)
        try:
            database.execute("pragma journal_mode = wal")
            database.execute("pragma synchronous = off")  # what a power cut takes can be read again
            if database.execute("pragma user_version").fetchone()[0] != FORMAT:
                database.execute("begin immediate")
                database.execute("drop table if exists entries")
                database.execute(f"pragma user_version = {FORMAT}")
                database.execute("commit")
            database.execute(TABLE)
            return database
        except BaseException:
            database.close()
            raise


def _facts(entry: Entry) -> str:
    return json.dumps({name: value for name, value in vars(entry).items() if name != "path"})


def _changed(path: Path) -> int:
    with suppress(OSError):
        return path.stat().st_mtime_ns
    return 0
