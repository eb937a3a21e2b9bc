"""What the trials of a study say about how far it is: pure functions over Optuna's frozen trials.

A trial is *finished* once it is complete, pruned, or failed for a reason of its own (`error` is recorded). It is
*lost* if its process died: then it is failed without an error, and its point is owed another try.
"""

import re
from collections.abc import Sequence
from datetime import datetime
from enum import Enum
from typing import Any

from optuna.trial import FrozenTrial, TrialState

Trials = Sequence[FrozenTrial]


class Step(Enum):
    """What a free worker does next, beside retrying a lost trial."""

    FRESH = "ask for a new trial"
    WAIT = "all trials are in work; one may yet be lost"
    DONE = "there is nothing left to do"


def is_lost(trial: FrozenTrial) -> bool:
    return trial.state == TrialState.FAIL and ("error" not in trial.user_attrs or was_obstructed(trial))


def was_obstructed(trial: FrozenTrial) -> bool:
    """Whether a study of an earlier version holds a full disk for the trial's result; this one writes none down."""
    return bool(re.match(r"cannot write |OSError: \[Errno (28|30|122)\]", trial.user_attrs.get("error", "")))


def attempt(trial: FrozenTrial) -> int:
    """How many processes have died over the point of `trial` before it."""
    return int(trial.user_attrs.get("attempt", 0))


def known_point(trial: FrozenTrial) -> dict[str, Any]:
    """What `trial` was to try, as far as that was decided when its process died."""
    return {**trial.system_attrs.get("fixed_params", {}), **trial.params}


def origin(trial: FrozenTrial, trials: Sequence[FrozenTrial]) -> int:
    """The number of the trial that `trial` repeats, over any number of retries; its own if it is none."""
    by_number = {other.number: other for other in trials}
    while (before := trial.user_attrs.get("retry_of")) is not None:
        trial = by_number[before]
    return trial.number


def owed(trials: Trials, retries: int) -> list[FrozenTrial]:
    """Lost trials whose point nobody has taken up again, unless it has killed too many processes."""
    taken_up = {trial.user_attrs.get("retry_of") for trial in trials}
    return [t for t in trials if is_lost(t) and t.number not in taken_up and next_attempt(t) <= retries]


def next_attempt(trial: FrozenTrial) -> int:
    """`attempt` of the trial that retries `trial`: who was asked to stop, or could not write, has not died."""
    return attempt(trial) + (0 if trial.user_attrs.get("interrupted") or was_obstructed(trial) else 1)


def finished(trials: Trials, retries: int) -> list[FrozenTrial]:
    """Trials whose result stands, in the order of their numbers."""
    taken_up = {trial.user_attrs.get("retry_of") for trial in trials}
    return [
        trial
        for trial in trials
        if trial.state.is_finished()
        and (not is_lost(trial) or (trial.number not in taken_up and next_attempt(trial) > retries))
    ]


def next_step(trials: Trials, total: int, retries: int) -> Step | FrozenTrial:
    """What a free worker does: a new trial, the retry of a lost one (returned), waiting, or nothing."""
    done, lost = len(finished(trials, retries)), owed(trials, retries)
    waiting = [trial for trial in trials if trial.state == TrialState.WAITING]
    running = [trial for trial in trials if trial.state == TrialState.RUNNING]
    if done + len(running) >= total:
        return Step.WAIT if running and done < total else Step.DONE
    return lost[0] if lost and not waiting else Step.FRESH


def failures_in_a_row(trials: Trials, since: datetime) -> list[FrozenTrial]:
    """The trials that failed with an error after the last one that gave a result, of those that ended after `since`."""
    ended = [
        (trial.datetime_complete, trial)
        for trial in trials
        if trial.datetime_complete and trial.state.is_finished() and not is_lost(trial)
    ]
    row: list[FrozenTrial] = []
    for when, trial in sorted(ended, key=lambda pair: pair[0]):
        if when >= since:
            row = [*row, trial] if trial.state == TrialState.FAIL else []
    return row


def ranked(trials: Trials, modes: Sequence[str]) -> list[FrozenTrial]:
    """Complete trials, best first; of several objectives the first counts, the Pareto front before the rest."""
    signs = [1 if mode == "min" else -1 for mode in modes]

    def losses(trial: FrozenTrial) -> list[float]:
        return [sign * value for sign, value in zip(signs, trial.values, strict=True)]

    complete = [trial for trial in trials if trial.state == TrialState.COMPLETE]

    def dominated(trial: FrozenTrial) -> bool:
        mine = losses(trial)
        return any(
            all(a <= b for a, b in zip(losses(other), mine, strict=True)) and losses(other) != mine
            for other in complete
        )

    return sorted(complete, key=lambda t: (len(modes) > 1 and dominated(t), *losses(t), t.number))
