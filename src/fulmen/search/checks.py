"""What can be said against a new search before anything of it is written."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from omegaconf import DictConfig

from fulmen.config.check import build, check_values
from fulmen.config.mistakes import ConfigError, Mend, Mistake, key_of, put, take_back
from fulmen.config.override_values import value_of
from fulmen.config.schema import is_group
from fulmen.errors import FulmenError
from fulmen.search.mending import move_entry, put_entry
from fulmen.search.parameters import Choices, Parameter, Point
from fulmen.search.settings import Plan, read_plan
from fulmen.search.space import as_overrides, corners
from fulmen.utils.plain import Plain, Scalar

if TYPE_CHECKING:
    from fulmen.workload import WorkloadData

UNSEARCHABLE = {
    "experiment": "a search is of one experiment; search each by itself",
    "monitor": "trials are compared by it",
    "mode": "trials are compared by it",
    "test": "a search never touches the test split",
    "resume": "trials begin anew",
    "output_dir": "search.folder and search.name say where a search lies",
}


def new_mistakes(plan: Plan, base: Mapping[str, Scalar], parameters: Sequence[Parameter]) -> list[Mistake]:
    """What stands against beginning the search of `parameters` that `plan` describes.

    That is: contradictions, paths that are no argument of anything, values they do not take.

    Args:
        base: the config that all trainings share, flat.

    Raises:
        FulmenError: there is no study to start from.
    """
    found = [*contradicted(plan, parameters), *idle_pruner(plan, base, parameters), *unsaid_storage(plan)]
    if any(parameter.path in UNSEARCHABLE for parameter in parameters):
        return found
    return list(dict.fromkeys([*found, *mistakes_at_corners(plan, parameters)]))


def unsaid_storage(plan: Plan) -> Iterator[Mistake]:
    """A database that the study to start from names and nobody has typed: its folder may come from anywhere."""
    if plan.search.warm_start is None or (address := read_plan(plan.search.warm_start).search.storage) is None:
        return
    from fulmen.search.storage import without_password

    if not plan.search.storage or without_password(plan.search.storage) != address:
        problem = f"the study there is kept in the database {address}; type it again if that is meant"
        yield Mistake("search.warm_start", problem, put("search.storage", address))


def contradicted(plan: Plan, parameters: Sequence[Parameter]) -> Iterator[Mistake]:
    """Parameters that nothing can vary, or for which a value was typed too."""
    typed = {key_of(override): override for override in plan.overrides}
    for path in (parameter.path for parameter in parameters):
        if why := UNSEARCHABLE.get(path):
            problem = f"cannot be searched: {why}; null takes it out of the space"
            yield Mistake(f"search.space.{path}", problem, put_entry(path, None))
        elif path in typed:
            problem = f"the search varies it, so {typed[path]} would say nothing; null takes it out of the space"
            yield Mistake(f"search.space.{path}", problem, put_entry(path, None))


def idle_pruner(plan: Plan, base: Mapping[str, Scalar], parameters: Sequence[Parameter]) -> Iterator[Mistake]:
    """A pruner that was asked for and never could stop a trial."""
    search = plan.search
    if search.pruner in ("auto", "none"):
        return
    epochs, repeats = base.get("trainer.max_epochs"), base.get("seeds") or 1
    varied = any(parameter.path == "trainer.max_epochs" for parameter in parameters)
    if base.get("folds") or (isinstance(repeats, int) and repeats > 1):
        why = "a trial of several folds or seeds is judged by all of them, none is stopped early"
    elif not varied and isinstance(epochs, int) and 0 <= epochs <= search.grace_epochs:
        why = (
            f"trials of trainer.max_epochs={epochs} end before one may be stopped (search.grace_epochs, then one more)"
        )
    else:
        return
    yield Mistake("search.pruner", f"{search.pruner} has nothing to do: {why}", take_back("search.pruner"))


def mistakes_at_corners(plan: Plan, parameters: Sequence[Parameter]) -> Iterator[Mistake]:
    """What is wrong with the configs of every choice and of both ends of every range."""
    typed = {key_of(override) for override in plan.overrides}
    for point in corners([parameter for parameter in parameters if parameter.path not in typed]):
        chosen = as_overrides({path: value for path, value in point.items() if is_group(path)})
        values = {path: value for path, value in point.items() if not is_group(path)}
        try:
            check_values([*plan.overrides, *chosen], values | {"output_dir": "folder"})
        except ConfigError as error:
            yield from (of_space(mistake, point, parameters) for mistake in error.mistakes)


def refuse_unusable_data(plan: Plan, parameters: Sequence[Parameter]) -> DictConfig | None:
    """Pass if the data take their arguments at one corner of the space at least: else every trial would fail in turn.

    Returns:
        The config of the data of that corner; None: nothing can be said of them.

    Raises:
        FulmenError: what the data say against them.
    """
    first = {p.path: p.extremes()[0] for p in parameters if is_group(p.path)}
    refusals: list[FulmenError] = []
    for point in corners([p for p in parameters if p.path.partition(".")[0] == "data"]):
        chosen = as_overrides(first | {path: value for path, value in point.items() if is_group(path)})
        values = {path: value for path, value in point.items() if not is_group(path)}
        with suppress(ConfigError):  # what cannot be combined says nothing of the data
            data: DictConfig = check_values([*plan.overrides, *chosen], values | {"output_dir": "folder"}).data
            try:
                build(data, "data")
                return data
            except FulmenError as refusal:
                refusals.append(refusal)
    if refusals:
        raise refusals[0]
    return None


def data_in_files(node: DictConfig | None) -> "WorkloadData | None":
    """Data that a file of a person's own holds, which every trial reads, as far as they could be set up.

    None: the program makes them.
    """
    from fulmen.workload import WorkloadData

    data = build(node, "data") if node else None
    if node is None or not isinstance(data, WorkloadData) or not node.get(data.reads or "reads"):
        return None
    with suppress(FulmenError):  # of this corner of the space; each trial says it of its own
        data.prepare_data()
        data.setup("fit")
    return data


def tell_data(data: "WorkloadData | None", config: Mapping[str, Any]) -> None:
    """Print what was taken from files, and the leaks in it: before the trials, whose logs say it again.

    Args:
        config: of the trainings; its `leaks` says how leaks are looked for.

    Raises:
        FulmenError: by `leaks=strict`, there is a leak.
    """
    from fulmen.callbacks import leaks
    from fulmen.callbacks.taken import tell

    if data is None:
        return
    tell(data.taken)
    if data.splits:
        looked = leaks.looked_at(data, config)
        leaks.tell(looked.doubts, looked.ignored)
        leaks.refuse_where_strict(looked, config.get("leaks", "scan"))


def of_space(mistake: Mistake, point: Point, parameters: Sequence[Parameter]) -> Mistake:
    """A mistake in the config of `point` as one of the space that holds it, if a parameter is to blame."""
    for parameter in parameters:
        same = f"{mistake.path}.".startswith(f"{parameter.path}.") or parameter.path.startswith(f"{mistake.path}.")
        if parameter.path in point and same:
            cure, goes = _cure(mistake, parameter, point[parameter.path])
            said = f"{mistake.problem}; null takes it out of the space" if goes else mistake.problem
            return Mistake(f"search.space.{mistake.path or parameter.path}", said, cure)
    return Mistake("search.space", str(mistake), mistake.mend)


def _cure(mistake: Mistake, parameter: Parameter, value: Plain) -> tuple[Mend | None, bool]:
    """The cure of a mistake that somebody who types `value` for a parameter would make, and whether that has to go."""
    if mistake.mend is None:
        return None, False
    (typed,) = as_overrides({parameter.path: value})
    mended = mistake.mend([typed])
    if len(mended) != 1 or mended[0].startswith("~"):
        return put_entry(parameter.path, None), True
    entry = parameter.described()
    if (path := key_of(mended[0])) != parameter.path:
        return move_entry(parameter.path, path, entry), False
    instead = value_of(mended[0])
    if isinstance(parameter, Choices):
        choices = [instead if choice == value else choice for choice in parameter.choices]
        single = [choice for i, choice in enumerate(choices) if choice not in choices[:i]]
        return put_entry(parameter.path, {**entry, "choices": single}), False
    ends = {name: instead if entry[name] == value else entry[name] for name in ("low", "high")}
    return put_entry(parameter.path, entry | ends), False
