"""What a search is asked to do: `search` on the command line, checked before any work."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Literal

from fulmen import migrations
from fulmen.config.check import check_overrides
from fulmen.config.compose import compose_search
from fulmen.config.mistakes import ConfigError, Mistake, command, key_of, put
from fulmen.config.places import SWEEP
from fulmen.config.rules import Count, Natural
from fulmen.config.schema import choices
from fulmen.config.signatures import check_call
from fulmen.errors import FulmenError
from fulmen.registry.names import check_name, cleaned
from fulmen.search.architectures import expand_each, joint_choice
from fulmen.utils.files import write_json
from fulmen.utils.plain import Scalar

PROGRAM = SWEEP

TAKEN = {  # keys of a training that a search sets itself
    "test": "a search never touches the test part; the champion alone is tested, when it is over",
    "resume": "the same command again goes on with a search",
    "output_dir": "the folders of a search are named by search.folder and search.name",
}


@dataclass(frozen=True)
class Search:
    """The keys below `search`.

    Attributes:
        sampler: grid, random, tpe or gp.
        space: what to vary (see `space.read_space`).
        trials: how many there shall be in all, over all restarts; of a grid possibly "all".
        pruner: what stops trials that lag behind; "auto" is hyperband, or none for several objectives and short trials.
        grace_epochs: no trial is stopped earlier.
        objectives: metric -> min or max; `monitor` and `mode` of the experiment if not given. A metric may also be
            `parameters` or `fit_seconds`.
        seed: of the sampler; the trainings have the experiment's.
        workers: trials at a time.
        isolate: one `python train.py` per trial.
        name: of the study and its folder; the same name goes on with the same study.
        folder: where studies lie.
        storage: null for a journal file in the study's folder, or the address of a database.
        retries: how often a point is tried again whose process died.
        max_failures: in a row, after which the search stops.
        each: a study for each choice of a config group: `network=*`.
        joint: a config group as one more parameter: `network=*`.
        warm_start: a study folder whose ten best points are tried first.
        champion_seeds: how many times the best trial is trained again, then tested; 0: not at all.
        save_top: how many of the best trials are kept as models too, beside the champion.
        keep_checkpoints: of the best so many trials (never fewer than save_top); the other trials' are deleted once
            they are over, all else in their folders stays. "all": every trial keeps its own.
        compare: the metric that decides whether the champion beats the baselines; `monitor` where they have it.
        compare_mode: whether less or more of it is better.
    """

    sampler: Literal["grid", "random", "tpe", "gp"] = "tpe"
    space: dict[str, Any] | None = field(default_factory=dict)
    trials: Count | Literal["all"] = 50
    pruner: Literal["auto", "hyperband", "median", "none"] = "auto"
    grace_epochs: Count = 1
    objectives: dict[str, Literal["min", "max"]] | None = None
    seed: int = 0
    workers: Count = 1
    isolate: bool = False
    name: str | None = None
    folder: str = "outputs/sweeps"
    storage: str | None = None
    retries: Natural = 2
    max_failures: Count = 5
    each: str | None = None
    joint: str | None = None
    warm_start: str | None = None
    champion_seeds: Natural = 3
    save_top: Natural = 0
    keep_checkpoints: Natural | Literal["all"] = 5
    compare: str | None = None
    compare_mode: Literal["min", "max"] | None = None


@dataclass(frozen=True)
class Plan:
    """One study as asked for.

    Attributes:
        overrides: what was typed that all of its trainings share.
        typed: all that was typed, for a command in a message; empty where the plan was read from a folder.
    """

    search: Search
    overrides: tuple[str, ...]
    folder: Path
    name: str
    typed: tuple[str, ...] = ()

    def write(self) -> None:
        """Leave the plan in the study's folder, for its workers and for who comes later."""
        from fulmen.search.storage import without_password

        address = self.search.storage and without_password(self.search.storage)
        search = replace(self.search, storage=address)
        content = {"name": self.name, "overrides": self.overrides, "search": asdict(search)}
        write_json(self.folder / "search.json", migrations.stamped(content))


def read_plan(folder: str | Path) -> Plan:
    """The plan that `Plan.write` left.

    Raises:
        FulmenError: there is none.
    """
    path = Path(folder) / "search.json"
    try:
        content = json.loads(path.read_text())
        migrations.format_of(content, path)
        return Plan(Search(**content["search"]), tuple(content["overrides"]), Path(folder), content["name"])
    except (OSError, ValueError, RecursionError) as error:
        raise FulmenError(f"no study in {folder}: cannot read {path.name}: {error}") from error
    except (KeyError, TypeError, AttributeError) as error:
        raise FulmenError(f"no study in {folder}: {path.name} is no plan of a search ({error})") from error


def plans(typed: list[str]) -> list[Plan]:
    """The studies that `python sweep.py <typed>` asks for, their base configs checked.

    Raises:
        FulmenError: any mistake, with a command that works where there is one.
    """
    of_search = [override for override in typed if is_of_search(override)]
    overrides = [override for override in typed if not is_of_search(override)]
    experiment = experiment_of(overrides)
    for key, why in TAKEN.items():
        if taken := next((o for o in overrides if key_of(o) == key and o != "test=false"), None):
            raise FulmenError(f"{taken}: {why}")
    search = read_search(compose_search(of_search + [o for o in overrides if is_searchpath(o)], experiment))
    name = search.name or f"{experiment}-{search.sampler}"
    check_study_name(name, Path(search.folder), typed)
    found = []
    for choice in chosen_groups(search, overrides):
        own = [*overrides, choice] if choice else overrides
        try:
            check_overrides(own)
        except ConfigError as error:
            raise ConfigError(
                error.mistakes, error.overrides and [*error.overrides, *of_search], PROGRAM, error.without
            ) from error
        whole = f"{name}/{choice.partition('=')[2]}" if search.each else name
        shared = tuple(overrides if search.joint else own)
        found.append(Plan(search, shared, Path(search.folder, whole), whole, tuple(typed)))
    return found


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


def read_search(plain: dict[str, Any]) -> Search:
    """The `search` part of a config, checked.

    Raises:
        ConfigError: unknown keys, wrong types.
        FulmenError: settings that contradict each other.
    """
    if mistakes := list(check_call(Search, plain, "search", "search")):
        raise ConfigError(mistakes)
    search = Search(**{f.name: plain[f.name] for f in fields(Search) if f.name in plain})
    if mistakes := list(contradictions(search)):
        raise ConfigError(mistakes)
    return search


def contradictions(search: Search) -> Iterator[Mistake]:
    """Settings that cannot both be meant."""
    if search.each and search.joint:
        yield Mistake("", "search.each and search.joint contradict each other: a study per choice, or one over all")
    if search.trials == "all" and search.sampler != "grid":
        problem = f"all: only a grid has an end; how many trials shall {search.sampler} have?"
        yield Mistake("search.trials", problem)
    if search.objectives and len(search.objectives) > 1 and search.pruner not in ("auto", "none"):
        problem = f"{search.pruner}: trials with several objectives cannot be pruned; leave it out"
        yield Mistake("search.pruner", problem)
    if search.warm_start and search.sampler == "grid":
        yield Mistake("search.warm_start", "a grid goes through its own points; leave it out")


def is_of_search(override: str) -> bool:
    """Whether an override is about the search rather than the trainings."""
    key = key_of(override)
    return key in ("search", "search/space") or key.startswith("search.")


def is_searchpath(override: str) -> bool:
    return key_of(override) == "hydra.searchpath"


def retyped(plan: Plan, **changes: Scalar) -> str:
    """A command like the one that made `plan`, with `search` keys changed, for messages."""
    typed = plan.typed or (*plan.overrides, f"search={plan.search.sampler}")
    said = {f"search.{key}": f"search.{key}={value}" for key, value in changes.items()}
    return command([*(override for override in typed if key_of(override) not in said), *said.values()], PROGRAM)
