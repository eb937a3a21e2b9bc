"""By what a run is named and compared in TensorBoard: what was typed for it, and its main settings."""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from omegaconf import DictConfig

from fulmen.config.compose import to_plain
from fulmen.config.mistakes import key_of
from fulmen.runs.damage import read_typed
from fulmen.runs.telling import MAIN, in_words, telling_first, typed_settings
from fulmen.workload import WorkloadData

FIRST = {"command": "Command", "experiment": "Experiment", "model.optimizer.lr": "Learning rate"}  # columns, by keys
NOTHING_TYPED = "defaults"
LONGEST = 120  # bytes of the name of a folder, of the 255 that file systems take
SIBLINGS = 100  # runs beside a new one that its name is to tell it from, the newest
MANY_DIGITS = re.compile(r"-?\d*\.\d{5,}(e[+-]?\d+)?")
UNFIT = re.compile(r"[^\w.,:=+~@()\[\]{}-]+")  # for the name of a folder

Flat = dict[str, str | int | float | bool]


def folder_name(overrides: Sequence[str], above: Sequence[str], siblings: Iterable[Sequence[str]] = ()) -> str:
    """What was typed, as the name of a folder: `lr=0.01,max_epochs=5`; `defaults` where nothing was.

    It begins with what differs from the runs beside it that are most alike, and ends where another setting would not
    fit: `lr=0.01,hidden=16,+3` leaves out three.

    Args:
        above: names of the folders it lies in; the experiment comes first where none of them names it.
        siblings: what was typed for the runs beside it.
    """
    typed = telling_first(typed_settings(overrides), [typed_settings(each) for each in siblings])
    words = in_words({key: _short(value) for key, value in typed.items()}).split() or [NOTHING_TYPED]
    experiment = [override.partition("=")[2] for override in overrides if key_of(override) == "experiment"][-1:]
    unnamed = [name for name in experiment if not any(folder.startswith(name) for folder in above)]
    return fitted([UNFIT.sub("_", word).strip("._,") for word in [*unnamed, *words]]) or NOTHING_TYPED


def fitted(words: Sequence[str]) -> str:
    """As many of the words as a name holds, none cut but a first one that alone is too long, which ends with `~`."""
    words = [word for word in words if word]
    for count in range(len(words), 0, -1):
        left = [f"+{len(words) - count}"] if count < len(words) else []
        name = ",".join([*words[:count], *left])
        if len(name.encode()) <= LONGEST:
            return name
    return words[0].encode()[: LONGEST - 1].decode(errors="ignore") + "~" if words else ""


def typed_beside(folder: Path) -> list[list[str]]:
    """What was typed for the newest of the runs that lie beside `folder`."""
    files = sorted((path for path in folder.parent.glob("*/overrides.txt") if path.parent.name != folder.name),
                   key=lambda path: path.parent.name)[-SIBLINGS:]  # fmt: skip
    return [read_typed(path.parent)[0] for path in files]


def _short(value: str) -> str:
    """A number of many digits by four of them, as tables show it."""
    return f"{float(value):.4g}" if MANY_DIGITS.fullmatch(value) else value


def compared_by(cfg: DictConfig, overrides: Iterable[str], data: Any) -> Flat:
    """What was typed in one line, the experiment, the main settings of any run, and what was typed one by one.

    HPARAMS shows the first five of those that differ, sorted by name, capitals first: `Command`, `Experiment` and
    `Learning rate` lead.

    Args:
        data: whose batch size counts where the config leaves it at its default.
    """
    plain, typed = to_plain(cfg), typed_settings(overrides)
    flat = flatten(plain)
    known: Flat = {"command": in_words(typed) or NOTHING_TYPED, "experiment": str(cfg.experiment)}
    known |= {"data.batch_size": data.batch_size} if isinstance(data, WorkloadData) else {}
    known |= {key: flat[key] for key in MAIN if key in flat} | {key: flat.get(key, typed[key]) for key in typed}
    return {FIRST.get(key, key): value for key, value in known.items()}


def flatten(tree: dict[str, Any], prefix: str = "") -> Flat:
    """`{"a": {"_target_": "x.Y", "b": 1}}` as `{"a": "Y", "a.b": 1}`; lists as text; null and private keys left out."""
    flat: Flat = {}
    for name, value in tree.items():
        if isinstance(value, dict):
            flat |= flatten(value, f"{prefix}{name}.")
        elif name == "_target_":
            flat[prefix.rstrip(".")] = value.rpartition(".")[2]
        elif value is not None and not str(name).startswith("_"):
            flat[f"{prefix}{name}"] = value if isinstance(value, str | int | float | bool) else str(value)
    return flat
