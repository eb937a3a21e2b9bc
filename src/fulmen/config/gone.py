"""Classes that a stored config names and this release has no more: the message says which release has them."""

import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from fulmen.config.allow_list import NoSuchTarget, TargetError, locate_untrusted
from fulmen.config.mistakes import ConfigError, Mistake
from fulmen.config.schema import leaves


def with_origin(error: ConfigError, plain: dict[str, Any], origin: str) -> ConfigError:
    """`error` about a stored config, with the release that reads it where classes of fulmen are gone.

    Args:
        origin: what was written by which release, in words.
    """
    gone = [path for path, value in leaves(plain) if path.endswith("_target_") and _is_gone(value)]
    if not gone:
        return error
    told = dict.fromkeys(gone, f"; {origin}, which reads it")
    return ConfigError(Mistake(each.path, f"{each.problem}{told.get(each.path, '')}") for each in error.mistakes)


def written_by(folder: Path) -> str:
    """Which release, and which commit, has last worked on a run, in words."""
    with suppress(OSError, ValueError, LookupError, TypeError, AttributeError):
        start = json.loads((folder / "environment.json").read_text(encoding="utf-8"))["starts"][-1]
        return f"{folder} was written by {release(start)}"
    return f"{folder} was written by another release"


def release(facts: Mapping[str, Any]) -> str:
    """`fulmen 0.1.0 (commit 4332109)` of what environment.json or a manifest says of the code."""
    version, commit = (facts.get("packages") or {}).get("fulmen"), (facts.get("git") or {}).get("commit")
    return f"fulmen {version or 'of another release'}{f' (commit {commit[:7]})' if commit else ''}"


def _is_gone(target: Any) -> bool:
    if not isinstance(target, str) or not target.startswith("fulmen."):
        return False
    try:
        locate_untrusted(target)
    except TargetError as error:
        return isinstance(error, NoSuchTarget)
    return False
