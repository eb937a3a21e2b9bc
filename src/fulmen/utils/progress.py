"""How far a piece of work is, in `progress.json` of its folder, for whoever looks.

    {"format": 1, "unit": "epochs", "done": 3.25, "total": 50, "started": "2026-11-28T15:33:23+00:00", "updated": ...,
     "ended": null, "stopped": null, "seconds_left": 92.5,
     "best": {"name": "epoch 3", "metric": "val/loss", "value": 0.12}, "what": "epoch 4 of 50, batch 120 of 480"}

Work within work, such as the epochs of a run within the runs of a ranking, moves all files around it. To write costs
a tenth of a millisecond and is done at most once a second; what cannot be written, on a full disk, is left unwritten.
"""

import json
import os
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, TypedDict

FILE = "progress.json"
SECONDS = 1.0  # between two writes


class Best(TypedDict):
    """The best so far: what it is called, the metric it was judged by, and its value."""

    name: str
    metric: str
    value: float


class ProgressFile:
    """Kept up to date between `with` and its end; an error that ends the block leaves it as it stood, as stopped.

    Args:
        folder: of the work; None: it is counted for the work around it alone.
        unit: what is counted: epochs, trials, runs, models.
        total: how many there will be at most; None: nobody knows.
        done: by an earlier start.
        clock: seconds.
    """

    _open: list["ProgressFile"] = []  # noqa: RUF012  # of this process, the innermost last

    def __init__(
        self, folder: Path | None, unit: str, total: float | None = None, done: float = 0,
        clock: Callable[[], float] = time.monotonic,
    ):  # fmt: skip
        self.folder, self.unit, self.total, self.done = folder, unit, total, done
        self.best: Best | None = None
        self.what = ""
        self._clock, self._ahead, self._inside, self._said_inside = clock, 1.0, 0.0, ""
        self._began, self._done_before, self._next = clock(), done, -SECONDS
        self._started = _now()
        self._ended: str | None = None
        self._stopped: str | None = None  # when, if before its end
        self._outer: ProgressFile | None = None
        self._made: list[Path] = []  # folders, the innermost first

    @property
    def due(self) -> bool:
        """Whether `update` would write: cheap to ask for every batch."""
        return self._clock() >= self._next

    def __enter__(self) -> "ProgressFile":
        return self.open()

    def open(self) -> "ProgressFile":
        """For who cannot write `with`; `close` then is its end."""
        self._outer = self._open[-1] if self._open else None
        self._open.append(self)
        self._began = self._clock()
        if self.folder is not None:
            self._made = [path for path in (self.folder, *self.folder.parents) if not path.exists()]
            with suppress(OSError):
                self.folder.mkdir(parents=True, exist_ok=True)
        self._write()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None):
        self.close(ended=kind is None)

    def update(
        self, done: float, total: float | None = None, best: Best | None = None, what: str = "", ahead: float = 1.0
    ) -> None:
        """Say how things stand; it is written if the last time was long enough ago.

        Args:
            total: if it has become known, or another.
            best: if there is a new one.
            what: goes on now, in words.
            ahead: what the work that begins now, and moves this by itself, counts.
        """
        self.done, self.what, self._ahead = done, what, ahead
        self._inside, self._said_inside = 0.0, ""
        self.total, self.best = total if total is not None else self.total, best or self.best
        self._moved()

    def close(self, ended: bool = True) -> None:
        """The last word; a folder that was made for this alone, for work that came to nothing, goes again."""
        if self not in self._open:
            return
        del self._open[self._open.index(self) :]
        if ended:
            self._ended, self._inside = _now(), 0.0
            self.total = self.done = self.done if self.unit == "epochs" or self.total is None else self.total
        else:
            self._stopped = _now()
        self._write()
        if self._made and not ended and self.folder is not None:
            with suppress(OSError):
                if os.listdir(self.folder) == [FILE]:
                    (self.folder / FILE).unlink()
                for path in self._made:
                    path.rmdir()  # only if it is empty

    def _moved(self) -> None:
        if self.due:
            self._write()
        if self._outer and self.total:
            self._outer._move(min(1.0, (self.done + self._inside) / self.total), self._in_words())

    def _move(self, share: float, said: str) -> None:
        self._inside, self._said_inside = share * self._ahead, said
        self._moved()

    def _in_words(self) -> str:
        return ", ".join(filter(None, [self.what, self._said_inside]))

    def _write(self) -> None:
        self._next = self._clock() + SECONDS
        if self.folder is None:
            return
        temporary = self.folder / f".{FILE}.{os.getpid():08d}"
        try:
            temporary.write_text(json.dumps(self._content()) + "\n")
            os.replace(temporary, self.folder / FILE)
        except (OSError, ValueError):
            with suppress(OSError):
                temporary.unlink(missing_ok=True)

    def _content(self) -> dict[str, Any]:
        done = self.done + self._inside
        if self.total is not None:
            done = min(done, self.total)
        best = self.best if self.best and self.best["value"] - self.best["value"] == 0 else None  # JSON has no NaN
        return {
            "format": 1, "unit": self.unit, "done": _short(done), "total": self.total, "started": self._started,
            "updated": _now(), "ended": self._ended, "stopped": self._stopped, "seconds_left": self._seconds_left(done),
            "best": best, "what": self._in_words(),
        }  # fmt: skip

    def _seconds_left(self, done: float) -> float | None:
        if self._ended:
            return 0.0
        fresh = done - self._done_before
        if self.total is None or fresh <= 0 or self._stopped:
            return None
        return round((self._clock() - self._began) / fresh * (self.total - done), 1)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def _short(value: float) -> float:
    return int(value) if value == int(value) else round(value, 3)
