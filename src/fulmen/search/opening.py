"""A study in its storage: begun, opened again to go on with it, opened to read."""

from itertools import count
from pathlib import Path
from typing import Any

import optuna
from optuna.distributions import BaseDistribution
from optuna.storages import BaseStorage

from fulmen import migrations
from fulmen.errors import FulmenError
from fulmen.search import trial_states
from fulmen.search.design import Design
from fulmen.search.fingerprint import difference
from fulmen.search.samplers import make_pruner, make_sampler
from fulmen.search.settings import Plan, read_plan, retyped
from fulmen.search.storage import open_storage, storage_errors

WARM_POINTS = 10  # of another study, tried first


def begin_or_go_on(plan: Plan, design: Design, storage: BaseStorage) -> optuna.Study:
    """The study that `plan` describes, created or continued (call with its lock held); its plan lies in its folder.

    Raises:
        FulmenError: the storage cannot be used, or the study there was made by another command.
    """
    search, pruning = plan.search, design.pruning()
    with storage_errors(search.storage or plan.folder):
        study = optuna.create_study(
            storage=storage,
            study_name=plan.name,
            directions=["minimize" if mode == "min" else "maximize" for mode in design.modes],
            sampler=make_sampler(search.sampler, search.seed, design.parameters, design.few),
            pruner=make_pruner(**pruning),
            load_if_exists=True,
        )
        if "fulmen" in study.user_attrs:
            _refuse_changed(plan, design, study)
        else:
            if search.warm_start:
                _enqueue_best_of(search.warm_start, study, design)
            study.set_user_attr("drops_checkpoints", True)
            study.set_user_attr(migrations.KEY, migrations.newest())
            study.set_user_attr("fulmen", design.fingerprint())
        if study.user_attrs.get("pruning") != pruning:
            study.set_user_attr("pruning", pruning)
        plan.write()
    return study


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


def _refuse_changed(plan: Plan, design: Design, study: optuna.Study) -> None:
    attributes = study.user_attrs
    before = migrations.migrate_flat(attributes["fulmen"], migrations.format_of(attributes, f"the study {plan.name}"))
    if problem := difference(before, design.fingerprint()):
        another = retyped(plan, name=_free_name(plan))
        raise FulmenError(f"the study {plan.name} {problem}\n  begin another: {another}")


def _free_name(plan: Plan) -> str:
    """The name that was typed or made up for `plan`, with the first number behind it that no study has."""
    name = plan.name.rpartition("/")[0] if plan.search.each else plan.name
    return next(f"{name}-{n}" for n in count(2) if not Path(plan.search.folder, f"{name}-{n}").exists())


def _enqueue_best_of(folder: str, study: optuna.Study, design: Design) -> None:
    """Queue the best points of the study in `folder`, as far as they lie in this space."""
    plan = read_plan(folder)
    storage = open_storage(plan.search.storage, plan.folder)
    other = optuna.load_study(study_name=plan.name, storage=storage)
    modes = [direction.name[:3].lower() for direction in other.directions]
    best = trial_states.ranked(other.get_trials(deepcopy=False), modes)
    space = {parameter.path: parameter.distribution() for parameter in design.parameters}
    points = [{path: value for path, value in trial.params.items() if path in space and _lies_in(value, space[path])}
              for trial in best]  # fmt: skip
    for point in [point for point in points if point][: min(WARM_POINTS, design.total)]:
        study.enqueue_trial(point, user_attrs={"from": plan.name}, skip_if_exists=True)


def _lies_in(value: Any, distribution: BaseDistribution) -> bool:
    try:
        return bool(distribution._contains(distribution.to_internal_repr(value)))
    except ValueError:  # of another type, or none of the choices
        return False
