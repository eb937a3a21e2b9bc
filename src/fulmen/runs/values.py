"""What a list of results can be filtered and sorted by, and show: columns, metrics, hyperparameters, what was typed.

The index knows the columns and the main metrics. For any other name the folders are read, once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fulmen.config.mistakes import did_you_mean, nearest
from fulmen.errors import FulmenError
from fulmen.report.known import is_known
from fulmen.runs.choices import COLUMNS
from fulmen.runs.entry import Entry
from fulmen.runs.reading import read_result
from fulmen.runs.settings import Settings, plain, single_settings

SPLITS = ("test/", "best/val/", "val/", "train/")  # where a metric is looked for that is named without its split


@dataclass(frozen=True)
class Details:
    """What a folder says beyond its line in the index."""

    settings: Settings
    metrics: dict[str, Any]


class Values:
    """The values of results by name.

    Args:
        outputs: the folder that the results lie in.
        entries: all of them: a name has to be known of one at least.
    """

    def __init__(self, outputs: Path, entries: Sequence[Entry]):
        self.outputs, self.entries = outputs, entries
        self._details: dict[str, Details] = {}
        self._main = {name for entry in entries for name in entry.metrics}

    def key(self, name: str, asked: str) -> str:
        """`name`, if any of the results has a value of that name.

        Args:
            asked: what it was asked for, such as `filter`; the message begins with it.

        Raises:
            FulmenError: none has; the message names the nearest there is, or two settings that both end like that.
        """
        if name in COLUMNS or name in self._main or not self.entries:
            return name
        known: set[str] = set()
        for entry in self.entries:
            names = [*_typed(entry), *self.details(entry).settings, *self.details(entry).metrics]
            known |= {each for each in names if each not in known}
        if name in known or any(f"{split}{name}" in known for split in SPLITS):
            return name
        if any(each.endswith(f".{name}") for each in known):
            self._refuse_doubtful(name, asked)
            return name
        tails = {each.rpartition(".")[2] for each in known} - {"_target_", "_partial_"}
        near = nearest(name, [*COLUMNS, *sorted(self._main), *sorted(tails), *sorted(known)])
        told = f"; did you mean {near}?" if near else did_you_mean(name, [*COLUMNS, *sorted(self._main)])
        raise FulmenError(f"{asked}: no column, metric or hyperparameter is called {name}{told}")

    def of(self, entry: Entry, name: str) -> Any:
        """The value of `name`; None where a result has none."""
        if name in COLUMNS:
            return getattr(entry, COLUMNS[name])
        if name in entry.metrics:
            return entry.metrics[name]
        if name in (typed := _typed(entry)):
            return plain(typed[name])
        details = self.details(entry)
        if name in details.settings:
            return details.settings[name]
        ending = next((key for key in details.settings if key.endswith(f".{name}")), None)
        if ending is not None:
            return details.settings[ending]
        found = next((key for key in (name, *(f"{s}{name}" for s in SPLITS)) if key in details.metrics), None)
        value = details.metrics.get(found) if found else None
        return value if is_known(value) else None

    def details(self, entry: Entry) -> Details:
        """Settings and all metrics; nothing of what cannot be read."""
        if entry.path not in self._details:
            folder = self.outputs / entry.path
            try:
                metrics = read_result(folder).get("metrics", {}) if entry.kind == "run" else {}
            except FulmenError:
                metrics = {}
            self._details[entry.path] = Details(single_settings(folder), metrics)
        return self._details[entry.path]

    def _refuse_doubtful(self, name: str, asked: str) -> None:
        for entry in self.entries:
            found = [key for key in self.details(entry).settings if key.endswith(f".{name}")]
            if len(found) > 1 and name not in _typed(entry):
                raise FulmenError(f"{asked}: {name} can be {' or '.join(found[:5])}; write it in full")


def _typed(entry: Entry) -> dict[str, str]:
    return {key.lstrip("+"): value for key, _, value in (each.partition("=") for each in entry.overrides)}
