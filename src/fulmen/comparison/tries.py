"""What many rows of a table show when all of them are counted: the test items of their runs, and the words for them."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from fulmen.config.stored import read_stored
from fulmen.diagnosis.ignored import Ignored
from fulmen.errors import FulmenError
from fulmen.report.many_tries import FEWEST_MODELS, Tries, said_of
from fulmen.report.test_predictions import read_items
from fulmen.utils.files import write_json

FILE = "tries.json"
HEADING = "When all tries are counted"


def ignored_by_all(folders: Iterable[Path]) -> frozenset[str]:
    """Names of the findings that every one of these runs was asked to ignore."""
    each = []
    for folder in folders:
        config: Mapping[str, Any] = {}
        with suppress(FulmenError):
            config = read_stored(folder)
        with suppress(FulmenError):  # of another release
            each.append(Ignored.of((config.get("findings") or {}).get("ignore") or []).names)
    return frozenset.intersection(*each) if each else frozenset()


def tries_of(rows: Mapping[str, Sequence[Path]]) -> tuple[Tries | None, list[str]]:
    """What the test items of each row show, and the sentences for it; none where fewer than three rows have any.

    What all of their runs were asked to ignore is left out.

    Args:
        rows: name -> folders of the runs that it is a mean over.
    """
    found = {name: items for name, folders in rows.items() if (items := together(folders))}
    ignored = ignored_by_all(folder for folders in rows.values() for folder in folders)
    return said_of(found, ignored) if len(found) >= FEWEST_MODELS else (None, [])


def together(folders: Iterable[Path]) -> dict[str, np.ndarray]:
    """The test items of several runs one after the other; {} where one of them has none."""
    with suppress(FulmenError):
        each = [read_items(folder) for folder in folders]
        names = [name for name in each[0] if name != "train_count" and all(name in one for one in each)] if each else []
        return {name: np.concatenate([one[name] for one in each]) for name in names}
    return {}


def write_tries(found: Sequence[Tries], folder: Path) -> None:
    """Write tries.json for programs, a list with an entry for each table; nothing where there is none."""
    if found:
        write_json(folder / FILE, [each.as_dict() for each in found])
