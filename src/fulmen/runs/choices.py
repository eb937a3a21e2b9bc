"""What `fulmen runs` and `fulmen clean` may be asked for, apart from what they do: cheap to import."""

from collections.abc import Iterable

from fulmen.config.mistakes import did_you_mean
from fulmen.errors import FulmenError

STATUSES = (
    "completed", "running", "interrupted", "killed", "failed", "diverged", "stopped", "pruned", "damaged",
    "not begun", "queued", "cancelling", "cancelled",
)  # fmt: skip
ORDERS = ("created", "ended", "experiment", "network", "status", "epochs", "seconds", "name")  # of the list
COLUMNS = {  # of the list -> the attribute of an entry
    "run": "name", "kind": "kind", "experiment": "experiment", "network": "network", "status": "status",
    "overrides": "overrides", "tags": "tags", "tag": "tags", "note": "note", "epochs": "epochs", "seconds": "seconds",
    "created": "created", "ended": "ended", "verdict": "verdict", "message": "message", "data": "data",
    "done": "done", "total": "total", "job": "job", "archived": "archived", "name": "name", "path": "path",
}  # fmt: skip
KINDS = {
    "failed": "failed or diverged, or their files are damaged",
    "killed": "their process was killed",
    "begun": "nothing came of their start",
    "cache": "prepared data, made again when they are needed",
    "interrupted": "asked to stop, and can go on",
    "archived": "archived by hand",
}
USUAL = ("failed", "killed", "begun", "cache")


def refuse_unknown(what: str, asked: Iterable[str], known: Iterable[str]) -> None:
    """Pass if all that is asked for is known.

    Raises:
        FulmenError: something is not; the message names the nearest that is.
    """
    known = list(dict.fromkeys(known))
    for each in asked:
        if each not in known:
            raise FulmenError(f"{what}: there is no {each}{did_you_mean(each, known)}")
