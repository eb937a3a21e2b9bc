"""How a search is doing while it runs: a live table on a terminal, a line per trial elsewhere."""

import sys
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import nullcontext, suppress
from types import TracebackType
from typing import TextIO

from optuna.trial import FrozenTrial, TrialState
from rich import box
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from fulmen.config.mistakes import as_text
from fulmen.errors import FulmenError
from fulmen.report.document import number
from fulmen.search.study import Study
from fulmen.search.trial_states import is_lost
from fulmen.utils.plain import Scalar
from fulmen.utils.progress import Best, ProgressFile


class Progress:
    """Shows the studies between `with` and its end, and tells `file`; call `update` now and then."""

    def __init__(self, studies: Sequence[Study], stream: TextIO | None = None, file: ProgressFile | None = None):
        self.studies, self.stream, self.file = studies, stream or sys.stdout, file
        self._began = time.monotonic()
        self._before = {study.plan.name: len(study.finished) for study in studies}
        self._told = {(study.plan.name, t.number) for study in studies for t in study.trials if t.state.is_finished()}
        self._live: Live | None = None
        if self.stream.isatty():
            self._live = Live(console=Console(file=self.stream), auto_refresh=False)

    def __enter__(self) -> "Progress":
        if self._live:
            self._live.start()
        self.update()
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        with nullcontext() if kind is None else suppress(FulmenError, OSError):
            self.update()  # the trial that was stopped, or that failed before it could be told, too
        if self._live:
            self._live.stop()

    def update(self) -> None:
        """Show how things stand, and write it down."""
        if self.file:
            trials = sum(len(study.finished) for study in self.studies)
            best = best_of(self.studies) if self.file.due else None
            self.file.update(trials, best=best, what=f"{trials} of {self.file.total} trials")
        if self._live:
            self._live.update(Group(self._table(), *self._failed(), Text(self.summary())), refresh=True)
            return
        for study in self.studies:
            for trial in study.trials:
                key = (study.plan.name, trial.number)
                if trial.state.is_finished() and key not in self._told:
                    self._told.add(key)
                    print(line(study, trial), file=self.stream, flush=True)

    def summary(self) -> str:
        """`12/50 trials  9 complete, 3 pruned  2.1 trials/min  18 min left`."""
        done = {study.plan.name: study.finished for study in self.studies}
        total = sum(study.total for study in self.studies)
        count, before = sum(map(len, done.values())), sum(self._before.values())
        running = sum(t.state == TrialState.RUNNING for study in self.studies for t in study.trials)
        kinds = Counter(trial.state for trials in done.values() for trial in trials)
        states = ", ".join(f"{kinds[state]} {name}" for state, name in STATES.items() if kinds[state])
        minutes = (time.monotonic() - self._began) / 60
        rate = (count - before) / minutes if count > before else 0.0
        left = f"  {(total - count) / rate:.1f} min left" if rate and count < total else ""
        return f"{count}/{total} trials  {states}{', ' * bool(states)}{running} running  {rate:.1f} trials/min{left}"

    def _failed(self) -> list[Text]:
        """The last trial that failed, of each study, and why."""
        last = {study: [t for t in study.finished if t.state == TrialState.FAIL][-1:] for study in self.studies}
        return [Text(line(study, trial)) for study, trials in last.items() for trial in trials]

    def _table(self) -> Table:
        return _of_studies(self.studies) if len(self.studies) > 1 else _of_trials(self.studies[0])


def progress_of(studies: Sequence[Study]) -> ProgressFile:
    """The file of how far a search is, in its folder; that of several studies is the one around theirs."""
    folder = studies[0].folder if len(studies) == 1 else studies[0].folder.parent
    done, total = (sum(numbers) for numbers in zip(*((len(s.finished), s.total) for s in studies), strict=True))
    return ProgressFile(folder, "trials", total, done)


def best_of(studies: Sequence[Study]) -> Best | None:
    """The best trial so far, by the first objective; of several studies the best of the best."""
    best = None
    for study in studies:
        metric, mode = next(iter(study.objectives)), study.modes[0]
        for trial in study.ranked()[:1]:
            value = trial.values[0]
            if best is None or (value > best["value"] if mode == "max" else value < best["value"]):
                within = f"{study.plan.name} " * (len(studies) > 1)
                best = Best(name=f"{within}trial {trial.number}", metric=metric, value=value)
    return best


def _of_studies(studies: Sequence[Study]) -> Table:
    """A line a study: how far it is, and its best trial."""
    table = _empty("study", "trials", "value", "seconds", "point")
    for study in studies:
        best = next(iter(study.ranked()), None)
        cells = (_values(best), "", point(best)) if best else ("", "", "")
        table.add_row(study.plan.name, f"{len(study.finished)}/{study.total}", *cells)
    return table


def _of_trials(study: Study) -> Table:
    """A line each for the best trials and those that are running."""
    table = _empty("trial", "state", "value", "seconds", "point")
    running = [trial for trial in study.trials if trial.state == TrialState.RUNNING]
    for trial in [*study.ranked()[:5], *running]:
        table.add_row(str(trial.number), state(trial), _values(trial), seconds(trial), point(trial))
    return table


def _empty(*columns: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD)
    for column in columns:
        table.add_column(column, no_wrap=True, overflow="ellipsis")
    return table


STATES = {TrialState.COMPLETE: "complete", TrialState.PRUNED: "pruned", TrialState.FAIL: "failed"}


def line(study: Study, trial: FrozenTrial) -> str:
    """A finished trial in one line."""
    best = next(iter(study.ranked()), None)
    parts = [f"{study.plan.name} trial {trial.number} {state(trial)}"]
    if trial.state == TrialState.FAIL:
        parts.append(trial.user_attrs.get("error", "its process died or was stopped"))
    else:
        parts.append(f"{', '.join(study.objectives)} {_values(trial)}")
    parts += [f"{seconds(trial)} s" if seconds(trial) else "", point(trial)]
    if best:
        parts.append(f"best {_values(best)} (trial {best.number})")
    return "  ".join(part for part in parts if part)


def state(trial: FrozenTrial) -> str:
    """The state in a word."""
    if is_lost(trial):
        return "lost"
    epochs = trial.user_attrs.get("run", {}).get("epochs")
    if trial.state == TrialState.PRUNED and epochs:
        return f"pruned after {epochs} epochs"
    return STATES.get(trial.state, trial.state.name.lower())


def seconds(trial: FrozenTrial) -> str:
    """Of training."""
    spent = trial.user_attrs.get("run", {}).get("seconds")
    return "" if spent is None else f"{spent:.1f}"


def point(trial: FrozenTrial) -> str:
    """The trial's parameters by their last names."""
    return " ".join(f"{path.rpartition('.')[2]}={number(shown(value))}" for path, value in trial.params.items())


def shown(value: Scalar) -> str | float:
    """A value of a parameter in a table: a number, or as one would type it."""
    return as_text(value) if value is None or isinstance(value, bool) else value


def _values(trial: FrozenTrial) -> str:
    return ", ".join(map(number, trial.values or []))
