"""One study: what it tries next, what came of it, and how it survives the death of whoever worked on it.

Any number of processes on any number of machines work on a study at once. Whoever is free takes the study's lock and
either retries the point of a trial whose process died, or asks for a new one, or finds nothing left to do. All they
share is the storage.
"""

import math
import shutil
from contextlib import AbstractContextManager, suppress
from datetime import datetime
from pathlib import Path

import optuna
from optuna.exceptions import UpdateFinishedTrialError
from optuna.storages import RDBStorage, fail_stale_trials
from optuna.trial import FrozenTrial, TrialState

from fulmen.distributed.process_identity import Owner, end_group, is_alive, is_here, owner
from fulmen.errors import FulmenError
from fulmen.search import trial_states
from fulmen.search.design import Design
from fulmen.search.distinct import repeats
from fulmen.search.opening import begin_or_go_on
from fulmen.search.outcome import Outcome
from fulmen.search.parameters import Point
from fulmen.search.reporter import Reporter
from fulmen.search.samplers import make_pruner
from fulmen.search.settings import Plan
from fulmen.search.space import suggest
from fulmen.search.storage import exclusive, is_silent, open_storage, storage_errors
from fulmen.search.trial_states import Step


class Study:
    """The study that a plan describes, created or continued.

    Raises:
        FulmenError: the storage cannot be used, or the study there was made by another command.
    """

    def __init__(self, plan: Plan):
        self.plan, self.search, self.folder = plan, plan.search, plan.folder
        self.began = datetime.now()
        self.design = Design(plan)
        self.parameters, self.objectives = self.design.parameters, self.design.objectives
        self.base, self.modes, self.total = self.design.base, self.design.modes, self.design.total
        self.storage = open_storage(self.search.storage, self.folder)
        with self.exclusive():
            self.optuna = begin_or_go_on(plan, self.design, self.storage)
        if self.design.few:  # begun before no point was tried twice: as many more trials as some were
            self.total = min(self.design.asked, len(self.design.few) + repeats(self.finished))
        self._without_checkpoints: set[int] = set()  # trials of which none are left

    @property
    def trials(self) -> list[FrozenTrial]:
        with self._storage_errors():
            return self.optuna.get_trials(deepcopy=False)

    @property
    def finished(self) -> list[FrozenTrial]:
        return trial_states.finished(self.trials, self.search.retries)

    def ranked(self) -> list[FrozenTrial]:
        """Complete trials, best first."""
        return trial_states.ranked(self.trials, self.modes)

    def exclusive(self) -> AbstractContextManager[None]:
        """The study's lock, as a context."""
        return exclusive(self.storage, self.plan.name, self.folder)

    def trial_folder(self, number: int) -> Path:
        return self.folder / f"trial_{number:04d}"

    def claim(self) -> optuna.Trial | Step:
        """A trial for the caller to run, or what to do instead.

        Raises:
            FulmenError: too many trials in a row have failed.
        """
        with self.exclusive():
            self.reclaim()
            trials = self.trials
            self._refuse_hopeless(trials)
            step = trial_states.next_step(trials, self.total, self.search.retries)
            if step is Step.WAIT or step is Step.DONE:
                return step
            if isinstance(step, FrozenTrial):
                attrs = {"retry_of": step.number, "attempt": trial_states.next_attempt(step)}
                self.optuna.enqueue_trial(trial_states.known_point(step), user_attrs=attrs)
            trial = self.optuna.ask()
            suggest(self.parameters, trial)
            trial.set_user_attr("owner", owner())
            return trial

    def point(self, trial: FrozenTrial | optuna.Trial) -> Point:
        """What `trial` tries, in the order of the parameters."""
        return {p.path: p.plain(trial.params[p.path]) for p in self.parameters if p.path in trial.params}

    def reporter(self, trial: optuna.Trial) -> Reporter:
        """What the training of `trial` reports to."""
        return Reporter(trial, make_pruner(**self.design.pruning()))

    def tell(self, trial: optuna.Trial, outcome: Outcome) -> FrozenTrial:
        """Write down what came of a trial; NaN and infinity are failures."""
        error, values = outcome.error, outcome.values
        if values is not None and not outcome.pruned and not all(map(math.isfinite, values)):
            named = dict(zip(self.objectives, values, strict=True))
            error = ", ".join(f"{name} is {value}" for name, value in named.items() if not math.isfinite(value))
        with self._storage_errors(), suppress(UpdateFinishedTrialError):
            trial.set_user_attr("run", outcome.facts)
            if error is not None:
                trial.set_user_attr("error", error)
            if outcome.interrupted:
                trial.set_user_attr("interrupted", True)
            if outcome.pruned and error is None:
                return self.optuna.tell(trial, state=TrialState.PRUNED)
            if values is None or error is not None:
                return self.optuna.tell(trial, state=TrialState.FAIL)
            return self.optuna.tell(trial, values)
        return self.trials[trial.number]

    def reclaim(self) -> list[int]:
        """Fail the running trials whose process is dead (call with the lock held); returns their numbers."""
        with self._storage_errors():
            if isinstance(self.storage, RDBStorage):
                fail_stale_trials(self.optuna)
            lost = [t for t in self.trials if t.state == TrialState.RUNNING and not self._lives(t)]
            for trial in lost:
                if child := trial.user_attrs.get("child"):
                    end_group(child)  # else two processes would write into one trial
                with suppress(UpdateFinishedTrialError):
                    self.optuna.tell(trial.number, state=TrialState.FAIL)
        return [trial.number for trial in lost]

    def drop_checkpoints(self) -> None:
        """Delete the checkpoints of finished trials that are not among the best `search.keep_checkpoints`.

        Who once is no longer among the best never will be again, so any process may do it at any time. Where several
        objectives share a front that is not so, and complete trials keep theirs. So do trials of a study that was begun
        before this could be asked for.
        """
        few = self.search.keep_checkpoints
        if few == "all" or not self.optuna.user_attrs.get("drops_checkpoints"):
            return
        best = self.ranked()[: max(few, self.search.save_top)] if len(self.modes) == 1 else self.ranked()
        kept = {trial.number for trial in best} | self._without_checkpoints
        for trial in self.trials:
            if trial.state.is_finished() and trial.number not in kept:
                for checkpoints in list(self.trial_folder(trial.number).glob("**/checkpoints")):
                    shutil.rmtree(checkpoints, ignore_errors=True)
                self._without_checkpoints.add(trial.number)

    def children(self) -> list[Owner]:
        """The processes that train the running trials of this process."""
        me = owner()
        mine = [t for t in self.trials if t.state == TrialState.RUNNING and t.user_attrs.get("owner") == me]
        return [trial.user_attrs["child"] for trial in mine if "child" in trial.user_attrs]

    def _storage_errors(self) -> AbstractContextManager[None]:
        return storage_errors(self.search.storage or self.folder)

    def _lives(self, trial: FrozenTrial) -> bool:
        who = trial.user_attrs.get("owner")
        if who is None:  # killed while it held the lock
            return False
        if is_here(who):
            return is_alive(who)
        return isinstance(self.storage, RDBStorage) or not is_silent(self.folder, f"{who['host']}-{who['pid']}")

    def _refuse_hopeless(self, trials: list[FrozenTrial]) -> None:
        failed = trial_states.failures_in_a_row(trials, self.began)
        if len(failed) >= self.search.max_failures:
            raise FulmenError(
                f"{self.plan.name}: the last {len(failed)} trials all failed; trial {failed[-1].number}: "
                f"{failed[-1].user_attrs['error']}\n  its log: {self.trial_folder(failed[-1].number) / 'log.txt'}"
            )
