"""What can be said against a new search before anything of it is written."""

from collections.abc import Iterator, Mapping, Sequence

from fulmen.config.check import check_values
from fulmen.config.mistakes import ConfigError, Mistake, key_of, put, take_back
from fulmen.config.schema import is_group
from fulmen.search.settings import PROGRAM, Plan, read_plan
from fulmen.search.space import Parameter, as_overrides, corners
from fulmen.search.storage import without_password
from fulmen.utils.plain import Scalar

UNSEARCHABLE = {
    "experiment": "a search is of one experiment; search each by itself",
    "monitor": "trials are compared by it",
    "mode": "trials are compared by it",
    "test": "a search never touches the test part",
    "resume": "trials begin anew",
    "output_dir": "search.folder and search.name say where a search lies",
}


def check_new(plan: Plan, base: Mapping[str, Scalar], parameters: Sequence[Parameter]) -> None:
    """Pass if the search of `parameters` that `plan` describes can be begun.

    Args:
        base: the config that all trainings share, flat.

    Raises:
        ConfigError: contradictions, paths that are no argument of anything, values they do not take.
        FulmenError: there is no study to start from.
    """
    if contradictions := [*contradicted(plan, parameters), *idle_pruner(plan, base, parameters)]:
        mended = list(plan.typed)
        for mistake in contradictions:
            mended = mistake.mend(mended) if mistake.mend and mended else []
        raise ConfigError(contradictions, mended or None, PROGRAM)
    if mistakes := list(dict.fromkeys(mistakes_at_corners(plan, parameters))):
        raise ConfigError(Mistake("search.space", str(mistake)) for mistake in mistakes)
    if elsewhere := unsaid_storage(plan):
        raise ConfigError([elsewhere], elsewhere.mend and elsewhere.mend(list(plan.typed)), PROGRAM)


def unsaid_storage(plan: Plan) -> Mistake | None:
    """A database that the study to start from names and nobody has typed: its folder may come from anywhere."""
    if plan.search.warm_start is None:
        return None
    address = read_plan(plan.search.warm_start).search.storage
    if address is None or (plan.search.storage and without_password(plan.search.storage) == address):
        return None
    problem = f"the study there is kept in the database {address}; type it again if that is meant"
    return Mistake("search.warm_start", problem, put("search.storage", address))


def contradicted(plan: Plan, parameters: Sequence[Parameter]) -> Iterator[Mistake]:
    """Parameters that nothing can vary, or for which a value was typed too."""
    typed = {key_of(override): override for override in plan.overrides}
    for path in (parameter.path for parameter in parameters):
        if why := UNSEARCHABLE.get(path):
            yield Mistake(f"search.space.{path}", f"cannot be searched: {why}")
        elif path in typed:
            problem = f"the search varies it, so {typed[path]} would say nothing; null takes it out of the space"
            yield Mistake(f"search.space.{path}", problem, put(f"search.space.{path}", None))


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
    for point in corners(list(parameters)):
        chosen = as_overrides({path: value for path, value in point.items() if is_group(path)})
        values = {path: value for path, value in point.items() if not is_group(path)}
        try:
            check_values([*plan.overrides, *chosen], values | {"output_dir": "folder"})
        except ConfigError as error:
            yield from error.mistakes
