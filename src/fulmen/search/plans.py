"""What `python sweep.py` is asked for, judged before any work: every mistake, and a command without them.

One mistake can hide the next, so what was found is mended and the command looked at again.
"""

from collections.abc import Iterable
from functools import reduce
from pathlib import Path

from fulmen.config.allow_list import without_import
from fulmen.config.check import check_overrides
from fulmen.config.compose import compositions_kept
from fulmen.config.mistakes import ConfigError, Mend, Mistake, command, key_of, put
from fulmen.config.schema import choices
from fulmen.config.search import compose_search
from fulmen.config.side_effects import naming_experiment
from fulmen.errors import FulmenError
from fulmen.registry.names import check_name, cleaned
from fulmen.search.architectures import expand_each, joint_choice, joint_space
from fulmen.search.checks import new_mistakes
from fulmen.search.design import Design
from fulmen.search.notation import read_space
from fulmen.search.settings import PROGRAM, Plan, Search, read_search
from fulmen.search.typed import meant_for_search, misspelt_experiment, no_space, swept, taken

ROUNDS = 10


def plans(typed: list[str]) -> list[Plan]:
    """The studies that `python sweep.py <typed>` asks for.

    What was written down of the modules that a config names can refuse it; the modules themselves accept it.

    Raises:
        ConfigError: every mistake in the search, its space and its base config, and a command that works.
        FulmenError: no experiment, or no study to start from.
    """
    with compositions_kept():
        with without_import() as unknown:
            asked, refusal = _judged(typed)
        if refusal is None or unknown:
            asked, refusal = _judged(typed)
        if refusal:
            raise refusal
        return asked


def refuse_wrong(typed: list[str]) -> None:
    """Pass if there is no mistake as far as can be told before anything is imported.

    Raises:
        ConfigError: as `plans`.
        FulmenError: no experiment, or no study to start from.
    """
    with compositions_kept(), without_import():
        refusal = _judged(typed)[1]
    if refusal:
        raise refusal


def _judged(typed: list[str]) -> tuple[list[Plan], ConfigError | None]:
    """The studies asked for, or every mistake with what was typed without them, if that was tried and has none."""
    found: list[Mistake] = []
    without: list[str] = []
    now = list(typed)
    for _ in range(ROUNDS):
        try:
            asked = _read(now)
            return asked, ConfigError(found, now, PROGRAM, without) if found else None
        except ConfigError as error:
            found += [mistake for mistake in error.mistakes if mistake not in found]
            without += error.without
            mended = _mended(now, error.mistakes) if error.overrides is None else error.overrides
            if mended is None or mended == now:
                break
            now = mended
        except FulmenError:
            if not found:
                raise
            break
    return [], ConfigError(found)


def _read(typed: list[str]) -> list[Plan]:
    """The studies asked for.

    Raises:
        ConfigError: the mistakes that can be seen at once, and a command without them that nobody has tried yet.
    """
    of_search = [override for override in typed if is_of_search(override)]
    overrides = [override for override in typed if not is_of_search(override)]
    if misspelt := list(misspelt_experiment(overrides)):
        raise ConfigError(misspelt, _mended(typed, misspelt), PROGRAM)
    experiment = experiment_of(overrides)
    mistakes = [*taken(overrides), *meant_for_search(overrides), *swept(overrides)]
    search: Search | None = None
    try:
        search = None
        searchpath = [override for override in overrides if key_of(override) == "hydra.searchpath"]
        search = read_search(compose_search(of_search + searchpath, experiment))
        if not search.space and not search.joint:
            raise ConfigError([no_space(experiment, overrides)])
        read_space(joint_space(search.space, search.joint, overrides))
        choices_of_groups = chosen_groups(search, overrides)
    except ConfigError as error:
        mistakes += error.mistakes
    if mistakes:
        raise ConfigError(mistakes, _mended(typed, mistakes), PROGRAM)
    assert search is not None
    return [_planned(search, choice, overrides, typed) for choice in choices_of_groups]


def _planned(search: Search, choice: str, overrides: list[str], typed: list[str]) -> Plan:
    """One study of those asked for, its base config and its space checked."""
    name = search.name or f"{experiment_of(overrides)}-{search.sampler}"
    check_study_name(name, Path(search.folder), typed)
    own = [*overrides, choice] if choice else overrides
    try:
        check_overrides(own)
    except ConfigError as error:
        mended = error.overrides and [override for override in error.overrides if override != choice]
        of_search = [override for override in typed if is_of_search(override)]
        raise ConfigError(error.mistakes, mended and [*mended, *of_search], PROGRAM, error.without) from error
    whole = f"{name}/{choice.partition('=')[2]}" if search.each else name
    shared = tuple(overrides if search.joint else own)
    plan = Plan(search, shared, Path(search.folder, whole), whole, tuple(typed))
    try:
        design = Design(plan)
        mistakes = [] if (plan.folder / "search.json").exists() else new_mistakes(plan, design.base, design.parameters)
    except ConfigError as error:
        mistakes = error.mistakes
    if mistakes:
        raise ConfigError(mistakes, _mended(typed, mistakes), PROGRAM)
    return plan


def _mended(typed: list[str], mistakes: Iterable[Mistake]) -> list[str] | None:
    """What was typed without the mistakes; None if one of them has no cure."""
    mends: list[Mend | None] = [mistake.mend for mistake in mistakes]
    if not all(mends):
        return None
    return reduce(lambda now, mend: mend(now) if mend else now, mends, list(typed))


def chosen_groups(search: Search, overrides: list[str]) -> list[str]:
    """What each study adds to what was typed: a choice of a config group, or nothing."""
    if search.each:
        return expand_each(search.each, overrides)
    return [joint_choice(search.joint, overrides) if search.joint else ""]


def experiment_of(overrides: list[str]) -> str:
    """The experiment that was typed.

    Raises:
        FulmenError: none was.
    """
    experiment = next((o.partition("=")[2] for o in reversed(overrides) if key_of(o) == "experiment"), "")
    if experiment in ("", "null"):
        if meant := naming_experiment(overrides):
            raise FulmenError(f"no experiment chosen\n  this works: {command(meant, PROGRAM)}")
        there = choices("experiment")
        works = f"{PROGRAM} experiment={next(iter(there), '<name>')}"
        raise FulmenError(f"no experiment chosen; there is {', '.join(there)}\n  this works: {works}")
    return experiment


def check_study_name(name: str, folder: Path, typed: list[str]) -> None:
    """Pass if a study of this name lies below `folder`: names as models have them, `/` between them.

    A study that is there already goes on, though it be called what no new one may be.

    Raises:
        ConfigError: it would lie elsewhere, or no folder can bear it on every file system.
    """
    parts = name.split("/")
    if not {"", ".", ".."} & set(parts) and (folder / name / "search.json").is_file():
        return
    try:
        for part in parts:
            check_name(part, "a name")
    except FulmenError as error:
        plain = "/".join(filter(None, map(cleaned, parts)))
        mend = put("search.name", plain)
        mended = mend(typed) if plain not in ("", name) else None
        raise ConfigError([Mistake("search.name", str(error), mend)], mended, PROGRAM) from error


def is_of_search(override: str) -> bool:
    """Whether an override is about the search rather than the trainings."""
    key = key_of(override)
    return key in ("search", "search/space") or key.startswith("search.")
