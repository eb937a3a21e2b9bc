"""One study: what it tries next, what came of it, and how it survives the death of whoever worked on it.

Any number of processes on any number of machines work on a study at once. Whoever is free takes the study's lock and
either retries the point of a trial whose process died, or asks for a new one, or finds nothing left to do. All they
share is the storage.
"""

import math
import shutil
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import optuna
from omegaconf import OmegaConf
from optuna.exceptions import UpdateFinishedTrialError
from optuna.storages import RDBStorage, fail_stale_trials
from optuna.trial import FrozenTrial, TrialState

from fulmen import migrations
from fulmen.config.check import check_overrides
from fulmen.config.mistakes import key_of
from fulmen.config.schema import groups, leaves
from fulmen.distributed.process_identity import end_group, is_alive, is_here, owner
from fulmen.errors import FulmenError
from fulmen.search import trial_states
from fulmen.search.architectures import joint_space
from fulmen.search.checks import check_new
from fulmen.search.fingerprint import difference, fingerprint
from fulmen.search.notation import read_space
from fulmen.search.samplers import make_pruner, make_sampler
from fulmen.search.settings import Plan, read_plan, retyped
from fulmen.search.space import Point, as_overrides, grid, settle, suggest
from fulmen.search.storage import exclusive, is_silent, open_storage, storage_errors
from fulmen.search.trial_states import Step


@dataclass(frozen=True)
class Outcome:
    """What came of a trial.

    Attributes:
        values: of the objectives; None if it failed.
        error: why it failed; None and no values: its process died or was asked to stop.
        facts: epochs, seconds and the like, for the leaderboard.
    """

    values: list[float] | None = None
    pruned: bool = False
    error: str | None = None
    interrupted: bool = False
    facts: dict[str, Any] = field(default_factory=dict)


class Study:
    """The study that a plan describes, created or continued.

    Raises:
        FulmenError: the storage cannot be used, or the study there was made by another command.
    """

    def __init__(self, plan: Plan):
        self.plan, self.search, self.folder = plan, plan.search, plan.folder
        self.began, self._dropped = datetime.now(), set()
        base = self.base
        self.parameters = settle(read_space(joint_space(self.search.space, self.search.joint)), base)
        self.objectives = dict(self.search.objectives or {base["monitor"]: base["mode"]})
        self.modes = list(self.objectives.values())
        self.points = grid(self.parameters) if self.search.sampler == "grid" else []
        self.total = len(self.points) if self.search.trials == "all" else int(self.search.trials)
        if self.points:
            self.total = min(self.total, len(self.points))
        if not (self.folder / "search.json").exists():
            check_new(plan, base, self.parameters)
        self.storage = open_storage(self.search.storage, self.folder)
        with self.exclusive():
            self.optuna = self._opened()

    @cached_property
    def base(self) -> dict[str, Any]:
        """`config` flat, and what was chosen of each config group."""
        chosen = {key_of(o): o.partition("=")[2] for o in self.plan.overrides if key_of(o) in groups()}
        return dict(leaves(self.config)) | chosen

    @cached_property
    def config(self) -> dict[str, Any]:
        """The config that all trainings share, where groups are searched with the first choice of each."""
        first = as_overrides(self._first_choices())
        return OmegaConf.to_container(check_overrides([*self.plan.overrides, *first, "output_dir=folder"]))

    @property
    def trials(self) -> list[FrozenTrial]:
        with storage_errors(self._where):
            return self.optuna.get_trials(deepcopy=False)

    @property
    def finished(self) -> list[FrozenTrial]:
        return trial_states.finished(self.trials, self.search.retries)

    def exclusive(self) -> Any:
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
            if step in (Step.WAIT, Step.DONE):
                return step
            if isinstance(step, FrozenTrial):
                attrs = {"retry_of": step.number, "attempt": trial_states.next_attempt(step)}
                self.optuna.enqueue_trial(trial_states.known_point(step), user_attrs=attrs)
            trial = self.optuna.ask()
            suggest(self.parameters, trial)
            trial.set_user_attr("owner", owner())
            return trial

    def point_overrides(self, trial: FrozenTrial | optuna.Trial) -> list[str]:
        """The point that `trial` tries as overrides."""
        return as_overrides({p.path: trial.params[p.path] for p in self.parameters if p.path in trial.params})

    def overrides(self, trial: FrozenTrial | optuna.Trial, *more: str) -> list[str]:
        """What `python train.py` would have to be told to train what `trial` trains."""
        return [*self.plan.overrides, *self.point_overrides(trial), *more]

    def tell(self, trial: optuna.Trial, outcome: Outcome) -> FrozenTrial:
        """Write down what came of a trial; NaN and infinity are failures."""
        error, values = outcome.error, outcome.values
        if values is not None and not outcome.pruned and not all(map(math.isfinite, values)):
            named = dict(zip(self.objectives, values, strict=True))
            error = ", ".join(f"{name} is {value}" for name, value in named.items() if not math.isfinite(value))
        with storage_errors(self._where), suppress(UpdateFinishedTrialError):
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
        with storage_errors(self._where):
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
        kept = {trial.number for trial in best}
        for trial in self.trials:
            if trial.state.is_finished() and trial.number not in kept | self._dropped:
                for checkpoints in list(self.trial_folder(trial.number).glob("**/checkpoints")):
                    shutil.rmtree(checkpoints, ignore_errors=True)
                self._dropped.add(trial.number)

    def children(self) -> list[dict[str, Any]]:
        """The processes that train the running trials of this process."""
        me = owner()
        mine = [t for t in self.trials if t.state == TrialState.RUNNING and t.user_attrs.get("owner") == me]
        return [trial.user_attrs["child"] for trial in mine if "child" in trial.user_attrs]

    def ranked(self) -> list[FrozenTrial]:
        """Complete trials, best first."""
        return trial_states.ranked(self.trials, self.modes)

    @property
    def _where(self) -> object:
        return self.search.storage or self.folder

    def _lives(self, trial: FrozenTrial) -> bool:
        who = trial.user_attrs.get("owner")
        if who is None:  # killed while it held the lock
            return False
        if is_here(who):
            return is_alive(who)
        return isinstance(self.storage, RDBStorage) or not is_silent(self.folder, f"{who['host']}-{who['pid']}")

    def _first_choices(self) -> Point:
        """The first choice of every config group that is searched, so that the base config is whole."""
        return {
            p.path: p.extremes()[0]
            for p in read_space(joint_space(self.search.space, self.search.joint))
            if p.path in groups()
        }

    def _refuse_hopeless(self, trials: list[FrozenTrial]) -> None:
        failed = trial_states.failures_in_a_row(trials, self.began)
        if len(failed) >= self.search.max_failures:
            raise FulmenError(
                f"{self.plan.name}: the last {len(failed)} trials all failed; trial {failed[-1].number}: "
                f"{failed[-1].user_attrs['error']}\n  its log: {self.trial_folder(failed[-1].number) / 'log.txt'}"
            )

    def _opened(self) -> optuna.Study:
        pruning = self._pruning()
        with storage_errors(self._where):
            study = optuna.create_study(
                storage=self.storage,
                study_name=self.plan.name,
                directions=[f"{mode}imize" for mode in self.modes],
                sampler=make_sampler(self.search.sampler, self.search.seed, self.parameters, self.points),
                pruner=make_pruner(**pruning),
                load_if_exists=True,
            )
            if "fulmen" in study.user_attrs:
                self._refuse_changed(study.user_attrs)
            else:
                if self.search.warm_start:
                    self._warm_start(study)
                study.set_user_attr("drops_checkpoints", True)
                study.set_user_attr(migrations.KEY, migrations.newest())
                study.set_user_attr("fulmen", self._fingerprint())
            if study.user_attrs.get("pruning") != pruning:
                study.set_user_attr("pruning", pruning)
            self.plan.write()
        return study

    def _pruning(self) -> dict[str, Any]:
        """The arguments of `make_pruner`; every process that reports to the study needs them."""
        kind = self.search.pruner
        varied = any(parameter.path == "trainer.max_epochs" for parameter in self.parameters)
        max_epochs = None if varied else self.base.get("trainer.max_epochs")
        short = max_epochs is not None and 0 <= max_epochs < 3 * self.search.grace_epochs  # there is nothing to save
        if kind == "auto":
            kind = "hyperband" if len(self.objectives) == 1 and not short else "none"
        return {"kind": kind, "grace_epochs": self.search.grace_epochs, "max_epochs": max_epochs}

    def _fingerprint(self) -> dict[str, Any]:
        return fingerprint(self.base, self.parameters, self.objectives, self.plan.overrides)

    def _refuse_changed(self, attributes: dict[str, Any]) -> None:
        begun = migrations.format_of(attributes, f"the study {self.plan.name}")
        before = migrations.migrate_flat(attributes["fulmen"], begun)
        if problem := difference(before, self._fingerprint()):
            another = retyped(self.plan, name=f"{self.plan.name}-2")
            raise FulmenError(f"the study {self.plan.name} {problem}\n  begin another: {another}")

    def _warm_start(self, study: optuna.Study) -> None:
        """Queue the ten best points of another study, as far as they lie in this space."""
        plan = read_plan(self.search.warm_start)
        storage = open_storage(plan.search.storage, plan.folder)
        other = optuna.load_study(study_name=plan.name, storage=storage)
        best = trial_states.ranked(other.get_trials(deepcopy=False), [d.name[:3].lower() for d in other.directions])
        paths = {parameter.path for parameter in self.parameters}
        points = [{path: value for path, value in trial.params.items() if path in paths} for trial in best]
        for point in [point for point in points if point][: min(10, self.total)]:
            study.enqueue_trial(point, user_attrs={"from": plan.name}, skip_if_exists=True)


def open_study(folder: str | Path) -> tuple[Plan, optuna.Study]:
    """The study in `folder`, to read.

    Raises:
        FulmenError: there is none.
    """
    plan = read_plan(folder)
    storage = open_storage(plan.search.storage, plan.folder)
    with storage_errors(plan.folder):
        try:
            study = optuna.load_study(study_name=plan.name, storage=storage)
            study.pruner = make_pruner(**study.user_attrs["pruning"])  # Optuna does not store it, and has a default
            return plan, study
        except KeyError as error:
            raise FulmenError(f"{folder}: its storage has no study {plan.name}") from error
