"""Leaks in the folds of a ranking, looked for before anything is trained."""

from collections.abc import Mapping, Sequence
from typing import Any

from fulmen.callbacks.leaks import is_deep, looked_at, refuse_where_strict, tell
from fulmen.report.leaks import distinct


def leaks_of(folds: Sequence[Any], cfg: Mapping[str, Any]) -> list[dict[str, Any]] | None:
    """The leaks of all folds, each told once, the gravest first; None: there was no scan.

    Models are fitted, where that is asked for, to the first fold alone: the others share its columns and its groups.

    Args:
        folds: data modules, set up.
        cfg: of a training; its `leaks` and `findings.ignore` say how.

    Raises:
        FulmenError: by `leaks=strict`, there is one.
    """
    shallow = {**cfg, "leaks": "strict" if cfg.get("leaks") == "deep_strict" else "scan"}
    found, scanned = [], False
    for number, data in enumerate(folds):
        looked = looked_at(data, shallow if number and is_deep(cfg.get("leaks", "scan")) else cfg)
        tell(looked.doubts, looked.ignored)
        refuse_where_strict(looked, cfg.get("leaks", "scan"))
        found += [leak.as_dict() for leak in looked.leaks]
        scanned |= looked.scanned
    return distinct(found) if scanned else None
