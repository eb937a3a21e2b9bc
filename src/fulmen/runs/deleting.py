"""A folder of results goes, if nobody is at work in it and nothing that is kept came from it."""

import errno
import secrets
import shutil
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path

from fulmen.errors import FulmenError, Obstructed
from fulmen.launch.found import Found
from fulmen.launch.record import ACTIVE, JOB, OPEN, held, is_locked
from fulmen.runs.ownership import owned, refuse_if_owned
from fulmen.utils.files import cannot_write

Kept = Mapping[Path, Sequence[str]]  # folder of a run -> the models that were saved from it


class InUse(FulmenError):
    """Somebody is at work in a folder, or something that is kept came from it."""


def delete(outputs: Path, place: str, kept: Kept, force: bool = False) -> None:
    """Delete the folder at `place` below `outputs`, all at once for whoever looks.

    Args:
        kept: the models there are, by where they came from.
        force: also if models came from it, or a champion lies in it; the models themselves stay.

    Raises:
        InUse: somebody is at work there, or it is kept.
        Obstructed: the folder cannot be removed.
    """
    folder = outputs / place
    if not folder.is_dir():
        raise FulmenError(f"there is no folder {folder}")
    refuse_at_work(outputs, folder)
    if not force and (why := reason_to_keep(folder, kept)):
        raise InUse(f"{folder}: {why}; --force deletes it")
    with ExitStack() as stack:
        _take(folder, stack)
        move_out(folder, outputs / ".fulmen" / "deleted")
    with suppress(OSError):
        folder.parent.rmdir() if place.startswith("runs/") else None  # goes only if it is empty


def refuse_at_work(outputs: Path, folder: Path) -> None:
    """Pass if nobody works in a folder or below it, and no job waits to.

    Raises:
        InUse: somebody does.
    """
    work = Found(outputs).at(folder)
    if work and work.state in OPEN:
        does = "runs there" if work.state in ACTIVE else "waits to run there"
        raise InUse(f"{folder}: job {work.job.id} {does}; cancel it first")
    if is_locked(folder):
        raise InUse(f"{folder}: a job runs there; wait for its end")
    for lock in folder.rglob("run.lock"):
        try:
            refuse_if_owned(lock.parent)
        except FulmenError as error:
            raise InUse(str(error)) from None


def reason_to_keep(folder: Path, kept: Kept) -> str:
    """Why a folder should stay, "" if nothing speaks for it."""
    if models := models_from(folder, kept):
        return f"{', '.join(models)} came from it"
    return "the champion of the search lies in it" if any((folder / "champion").glob("*/result.json")) else ""


def models_from(folder: Path, kept: Kept) -> list[str]:
    """The models that came from a folder or one below it."""
    here = folder.resolve()
    return [model for place, names in kept.items() if here == place or here in place.parents for model in names]


def move_out(folder: Path, bin_folder: Path) -> None:
    """Take a folder away by one rename, then its files.

    Raises:
        Obstructed: it cannot be renamed.
    """
    gone = bin_folder / secrets.token_hex(8)
    try:
        if folder.is_symlink():
            return folder.unlink()
        gone.parent.mkdir(parents=True, exist_ok=True)
        folder.rename(gone)
    except OSError as error:
        if error.errno not in (errno.EXDEV, errno.ENOSPC):
            raise cannot_write(folder, error) from error
        gone = folder  # another file system, or no room for one more name
    shutil.rmtree(gone, ignore_errors=True)
    with suppress(OSError):
        gone.parent.rmdir() if gone.parent == bin_folder else None


def _take(folder: Path, stack: ExitStack) -> None:
    """Nobody begins to work in the folder as long as `stack` is open."""
    with suppress(OSError):
        if (folder / JOB).exists() and not stack.enter_context(held(folder)):
            raise InUse(f"{folder}: its job has just begun to run; cancel it first")
    try:
        stack.enter_context(owned(folder))
    except Obstructed:  # a full disk, which this makes room on
        refuse_if_owned(folder)
