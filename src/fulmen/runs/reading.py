"""What a run folder says of itself, read without anything that takes time to import."""

import json
from pathlib import Path
from typing import Any

from fulmen.config.places import TRAIN
from fulmen.errors import FulmenError
from fulmen.runs.ownership import holder

KINDS = {"experiment": str, "status": str, "message": str, "metrics": dict, "baselines": dict, "cost": dict}
KINDS |= {
    "runs": list,
    "sd": dict,
    "verdicts": list,
    "better": dict,
    "sizes": dict,
    "counted": str,
    "taken": list,
    "ignored": list,
    "leaks": list,
    "shown": dict,
    "looks": dict,
}


def read_result(folder: Path) -> dict[str, Any]:
    """`result.json` of a run folder, or {} if it was not written yet.

    Raises:
        FulmenError: the file is there but cannot be read, or holds something else.
    """
    path = folder / "result.json"
    try:
        known = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError) as error:
        raise FulmenError(f"{path} is damaged: {error}") from error
    if not isinstance(known, dict):
        raise FulmenError(f"{path} is damaged: it holds no mapping")
    for name, kind in KINDS.items():
        if not isinstance(known.get(name, kind()), kind):
            raise FulmenError(f"{path} is damaged: {name} is no {'text' if kind is str else kind.__name__}")
    return known


def now(folder: Path, result: dict[str, Any]) -> dict[str, Any]:
    """`result` as it stands: a run that nobody is at work on any more is not `running` but `killed`."""
    if result.get("status") != "running" or holder(folder):
        return result
    begun = (folder / "checkpoints" / "last.ckpt").is_file() or bool(result.get("runs"))
    on = f"; go on with: {TRAIN} resume={folder}" if begun else " before its first checkpoint; start it again"
    return result | {"status": "killed", "message": f"killed{on}"}


def read_environment(folder: Path) -> dict[str, Any]:
    """environment.json of a run; {} if it is gone or damaged."""
    try:
        found = json.loads((folder / "environment.json").read_text())
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
