"""Which runs a multirun has started: `runs.json` in its folder, their places relative to it."""

import json
import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from fulmen.utils.files import write_json

PARTS = "runs.json"


def write_parts(folder: Path, runs: Sequence[Path]) -> None:
    """Say in the folder of a multirun where its runs lie."""
    write_json(folder / PARTS, {"runs": [os.path.relpath(run, folder) for run in runs]})


def read_parts(outputs: Path, place: str) -> list[str]:
    """The places of its runs below `outputs`; [] where that is not known.

    Args:
        place: of the multirun, below `outputs` too.
    """
    with suppress(OSError, ValueError, KeyError, TypeError):
        found = json.loads((outputs / place / PARTS).read_bytes())["runs"]
        return [os.path.normpath(os.path.join(place, str(each))) for each in found]
    return []
