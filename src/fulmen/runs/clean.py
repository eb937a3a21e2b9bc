"""What takes room and is of little use: failed and killed runs, starts that came to nothing, prepared data."""

import re
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from fulmen.config.places import cache_folder
from fulmen.errors import FulmenError
from fulmen.runs.choices import KINDS, USUAL
from fulmen.runs.deleting import InUse, Kept, delete, move_out, reason_to_keep, refuse_at_work
from fulmen.runs.entry import Entry
from fulmen.runs.index import Index
from fulmen.runs.scan import size

OF_STATUS = {
    "failed": ("failed", "diverged", "damaged"),
    "killed": ("killed",),
    "begun": ("not begun", "cancelled"),
    "interrupted": ("interrupted",),
}
UNITS = {"h": 3600, "d": 86400, "w": 7 * 86400}
OF_CACHE = re.compile(r"\.?[\w.-]+-[0-9a-f]{20}(\.\d+)?")


@dataclass(frozen=True)
class Waste:
    """A folder that may go.

    Attributes:
        kind: one of `KINDS`.
        path: as it is shown.
        folder: where it lies.
        bytes: that it takes.
        age: seconds since it was changed last.
        place: below the outputs folder; None for prepared data.
        remark: its status, and what happened.
        kept: why it should stay; "" where nothing speaks for it.
    """

    kind: str
    path: str
    folder: Path
    bytes: int
    age: float
    place: str | None = None
    remark: str = ""
    kept: str = ""


def waste(index: Index, kinds: Iterable[str] = USUAL, older: float = 0.0, kept: Kept | None = None) -> list[Waste]:
    """What may go, the oldest first; nothing that somebody is at work on.

    Args:
        older: seconds since it was changed last, at least.
        kept: the models there are, by where they came from.
    """
    wanted, found = tuple(kinds), list[Waste]()
    for entry in index.entries():
        kind = next((kind for kind in wanted if _is(entry, kind)), None)
        folder = index.outputs / entry.path
        if kind is None or _age(folder) < older or _in_use(index.outputs, folder):
            continue
        said = ": ".join(filter(None, [entry.status, entry.said(folder)]))
        why = reason_to_keep(folder, kept or {})
        found.append(Waste(kind, str(folder), folder, index.bytes(entry), _age(folder), entry.path, said, why))
    if "cache" in wanted:
        found += [each for each in prepared() if each.age >= older]
    return sorted(found, key=lambda each: -each.age)


def prepared(folder: Path | None = None) -> list[Waste]:
    """The entries of the cache of prepared data, and what a killed process left of one."""
    place = folder or cache_folder()
    found = [path for path in place.glob("*") if OF_CACHE.fullmatch(path.name) and path.is_dir()]
    return [Waste("cache", str(path), path, size(path), _age(path), remark="prepared data") for path in found]


def remove(outputs: Path, each: Waste, kept: Kept) -> None:
    """Delete one of them.

    Raises:
        InUse: somebody has begun to work there.
        Obstructed: it cannot be removed.
    """
    if each.place is not None:
        return delete(outputs, each.place, kept)
    whole = each.folder.name.lstrip(".")[: each.folder.name.lstrip(".").rfind("-") + 21]
    try:
        with FileLock(each.folder.with_name(whole).with_suffix(".lock"), timeout=0):
            move_out(each.folder, each.folder.parent / ".deleted")
    except Timeout:
        raise InUse(f"{each.folder}: a process is at work on it") from None


def read_kinds(text: str) -> tuple[str, ...]:
    """`failed,killed` as kinds.

    Raises:
        FulmenError: there is no such kind.
    """
    kinds = tuple(dict.fromkeys(filter(None, (word.strip() for word in text.split(",")))))
    for kind in kinds:
        if kind not in KINDS:
            raise FulmenError(f"--kind {kind}: there is {', '.join(KINDS)}")
    return kinds or USUAL


def read_age(text: str) -> float:
    """`30d`, `12h` or `2w` as seconds.

    Raises:
        FulmenError: it is no age.
    """
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([hdw])", text.strip())
    if not found:
        raise FulmenError(f"--older {text}: a number with h, d or w for hours, days or weeks, such as 30d")
    return float(found[1]) * UNITS[found[2]]


def in_words(seconds: float) -> str:
    """An age as people say it: `3 d`, `5 h`."""
    if seconds >= UNITS["d"]:
        return f"{seconds / UNITS['d']:.0f} d"
    return f"{seconds / UNITS['h']:.0f} h" if seconds >= UNITS["h"] else f"{max(seconds, 0) / 60:.0f} min"


def as_size(count: int) -> str:
    """Bytes as people say them: `1.2 GB`."""
    if count < 1000:
        return f"{count} B"
    power = min(4, (len(str(count)) - 1) // 3)
    return f"{count / 1000**power:.1f} {('kB', 'MB', 'GB', 'TB')[power - 1]}"


def _is(entry: Entry, kind: str) -> bool:
    if kind == "archived":
        return entry.archived and entry.is_settled
    return entry.status in OF_STATUS.get(kind, ())


def _age(folder: Path) -> float:
    times = []
    for path in (folder, folder / "result.json", folder / "checksums.json"):
        try:
            found = path.stat()
            times.append(max(found.st_mtime, found.st_atime if path.name == "checksums.json" else 0))
        except OSError:
            continue
    return time.time() - max(times, default=time.time())


def _in_use(outputs: Path, folder: Path) -> bool:
    try:
        refuse_at_work(outputs, folder)
    except FulmenError:
        return True
    return False
