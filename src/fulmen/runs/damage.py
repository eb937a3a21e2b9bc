"""What a run folder lacks that its other files tell of: a run is shown as far as they go, with a line on the rest."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fulmen.errors import FulmenError
from fulmen.runs.reading import read_result

CONFIG, RESULT, CURVES, TYPED = "config.yaml", "result.json", "metrics.csv", "overrides.txt"
LOST = {  # what cannot be done without a file
    CONFIG: "it can be neither trained on nor built as a model, and its settings are not known",
    RESULT: "its scores are not known",
    CURVES: "it has no learning curves",
    "environment.json": "where it was trained, and on which data, is not known",
    TYPED: "what was typed for it is not known",
}


def damages(folder: Path) -> list[str]:
    """A clause for each file of a run that is gone or damaged, the gravest first; [] for a run that is whole."""
    found = {RESULT: _result(folder), CONFIG: _config(folder), CURVES: curves_damage(folder)}
    found |= {"environment.json": _environment(folder), TYPED: read_typed(folder)[1]}
    return [f"{problem}: {LOST[name]}" for name, problem in found.items() if problem]


def curves_damage(folder: Path) -> str:
    """Why the metrics.csv in `folder` cannot be read; "" if it can, or if there is none."""
    try:
        with open(folder / CURVES, encoding="utf-8") as file:
            columns = file.readline().strip().split(",")
    except FileNotFoundError:
        return ""
    except (OSError, ValueError) as error:
        return f"{CURVES} is damaged ({_short(error)})"
    return "" if len(columns) > 1 or columns[0] else f"{CURVES} is damaged (it is empty)"


def read_typed(folder: Path) -> tuple[list[str], str]:
    """What was typed for a run, one override each, and why that is not known; [] and "" where nothing was kept."""
    try:
        return (folder / TYPED).read_text(encoding="utf-8").splitlines(), ""
    except FileNotFoundError:
        return [], ""
    except (OSError, ValueError) as error:
        return [], f"{TYPED} is damaged ({_short(error)})"


def parts_of(folder: Path, result: Mapping[str, Any]) -> list[str]:
    """The runs of folds and seeds that a run stands for, relative to it; [] for one that trains itself.

    Where its result.json is lost they are those that lie below it.
    """
    if result:
        return [str(name) for name in result.get("runs") or []]
    found = [*folder.glob(f"seed_*/{RESULT}"), *folder.glob(f"seed_*/fold_*/{RESULT}")]
    names = sorted((path.parent.relative_to(folder).as_posix() for path in found), key=_in_order)
    return [name for name in names if not any(other.startswith(f"{name}/") for other in names)]


def _in_order(name: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", name)]


def _result(folder: Path) -> str:
    try:
        known = read_result(folder)
    except FulmenError as error:
        return f"{RESULT} is damaged ({_short(error).partition(' is damaged: ')[2]})"
    if not known and not (folder / RESULT).exists():
        return f"{RESULT} is gone"
    return "" if known.get("status") else f"{RESULT} is damaged (it says no status)"


def _config(folder: Path) -> str:
    try:
        text = (folder / CONFIG).read_text(encoding="utf-8")
    except FileNotFoundError:
        return f"{CONFIG} is gone"
    except (OSError, ValueError) as error:
        return f"{CONFIG} is damaged ({_short(error)})"
    whole = re.search(r"^model:$", text, re.MULTILINE)
    return "" if whole else f"{CONFIG} is damaged (it describes no model)"


def _environment(folder: Path) -> str:
    try:
        found = json.loads((folder / "environment.json").read_text(encoding="utf-8"))
    except FileNotFoundError:  # earlier releases wrote none
        return ""
    except (OSError, ValueError, RecursionError) as error:
        return f"environment.json is damaged ({_short(error)})"
    return "" if isinstance(found, dict) else "environment.json is damaged (it holds no mapping)"


def _short(error: Exception) -> str:
    """`'utf-8' codec can't decode byte ...` as what it means."""
    return "it is no text" if isinstance(error, UnicodeDecodeError) else str(error).partition("\n")[0]
