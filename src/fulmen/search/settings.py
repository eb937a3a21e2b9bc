"""What a search is asked to do: `search` on the command line, checked before any work."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Literal, TypedDict

from fulmen import migrations
from fulmen.config.mistakes import ConfigError, Mistake, as_text, command, key_of, nearest, put, take_back
from fulmen.config.places import SWEEP
from fulmen.config.rules import Count, Natural
from fulmen.config.signatures import check_call
from fulmen.errors import FulmenError
from fulmen.utils.files import write_json
from fulmen.utils.plain import Scalar

PROGRAM = SWEEP


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


class PrunerSettings(TypedDict):
    """The arguments of `samplers.make_pruner`, as a study stores them."""

    kind: str
    grace_epochs: int
    max_epochs: int | None


@dataclass(frozen=True)
class Plan:
    """One study as asked for.

    Attributes:
        overrides: what was typed that all of its trainings share.
        typed: all that was typed, for a command in a message; empty where an earlier version wrote the plan down.
    """

    search: Search
    overrides: tuple[str, ...]
    folder: Path
    name: str
    typed: tuple[str, ...] = ()

    def write(self) -> None:
        """Leave the plan in the study's folder, for its workers and for who comes later."""
        typed, search = self._without_password(self.typed), replace(self.search, storage=self._address())
        content = {"name": self.name, "overrides": self.overrides, "search": asdict(search), "typed": typed}
        write_json(self.folder / "search.json", migrations.stamped(content))

    def command(self) -> list[str]:
        """What is typed for it, all that concerns the search included, without the password of a database."""
        return self._without_password(self.typed) or [
            *self.overrides, *said_by(replace(self.search, storage=self._address()))
        ]  # fmt: skip

    def _without_password(self, typed: Sequence[str]) -> list[str]:
        address = self._address()
        return [put("search.storage", address)([o])[0] if key_of(o) == "search.storage" else o for o in typed]

    def _address(self) -> str | None:
        from fulmen.search.storage import without_password

        return without_password(self.search.storage) if self.search.storage else self.search.storage


def read_plan(folder: str | Path) -> Plan:
    """The plan that `Plan.write` left.

    Raises:
        FulmenError: there is none.
    """
    path = Path(folder) / "search.json"
    try:
        content = json.loads(path.read_text())
        migrations.format_of(content, path)
        search, typed = Search(**content["search"]), tuple(content.get("typed", ()))
        return Plan(search, tuple(content["overrides"]), Path(folder), content["name"], typed)
    except (OSError, ValueError, RecursionError) as error:
        raise FulmenError(f"no study in {folder}: cannot read {path.name}: {error}") from error
    except (KeyError, TypeError, AttributeError) as error:
        raise FulmenError(f"no study in {folder}: {path.name} is no plan of a search ({error})") from error


def read_search(plain: dict[str, Any]) -> Search:
    """The `search` part of a config, checked.

    Raises:
        ConfigError: unknown keys, wrong types.
        FulmenError: settings that contradict each other.
    """
    found = list(_wrong_objectives(plain.get("objectives")))
    told = {mistake.path for mistake in found}
    found += [mistake for mistake in check_call(Search, plain, "search", "search") if mistake.path not in told]
    if found:
        raise ConfigError(found)
    search = Search(**{f.name: plain[f.name] for f in fields(Search) if f.name in plain})
    if mistakes := list(contradictions(search)):
        raise ConfigError(mistakes)
    return search


def _wrong_objectives(given: Any) -> Iterator[Mistake]:
    """What is no metric with min or max."""
    where = "search.objectives"
    if isinstance(given, str):
        problem = f"say of each metric whether less or more of it is better, as in {{{given}:min}}, got {given}"
        yield Mistake(where, problem, put(where, {given: "min"}))
    if not isinstance(given, dict) or all(way in ("min", "max") for way in given.values()):
        return
    right = {name: way if way in ("min", "max") else nearest(str(way), ["min", "max"]) for name, way in given.items()}
    wrong = ", ".join(f"{name}:{as_text(way)}" for name, way in given.items() if way not in ("min", "max"))
    yield Mistake(
        where, f"each metric must be min or max, got {wrong}", put(where, right) if all(right.values()) else None
    )


def contradictions(search: Search) -> Iterator[Mistake]:
    """Settings that cannot both be meant."""
    if search.each and search.joint:
        problem = "search.each and search.joint contradict each other: a study per choice, or one over all"
        yield Mistake("", f"{problem}; the command keeps the first", take_back("search.joint"))
    if search.trials == "all" and search.sampler != "grid":
        problem = f"all: only a grid has an end; how many trials shall {search.sampler} have?"
        yield Mistake("search.trials", problem, put("search.trials", Search().trials))
    if search.objectives and len(search.objectives) > 1 and search.pruner not in ("auto", "none"):
        problem = f"{search.pruner}: trials with several objectives cannot be pruned; leave it out"
        yield Mistake("search.pruner", problem, take_back("search.pruner"))
    if search.warm_start and search.sampler == "grid":
        yield Mistake(
            "search.warm_start", "a grid goes through its own points; leave it out", take_back("search.warm_start")
        )


def retyped(plan: Plan, **changes: Scalar) -> str:
    """A command like the one that made `plan`, with `search` keys changed, for messages."""
    typed: list[str] = list(plan.typed) or [*plan.overrides, *said_by(plan.search)]
    for key, value in changes.items():
        typed = put(f"search.{key}", value)(typed)
    return command(typed, PROGRAM)


def said_by(search: Search) -> list[str]:
    """What one types for `search`, of which only the settings are known."""
    others = {f.name: getattr(search, f.name) for f in fields(Search) if f.name not in ("sampler", "space")}
    default = asdict(Search())
    said = [f"search.{name}={as_text(value)}" for name, value in others.items() if value != default[name]]
    return [f"search={search.sampler}", "search/space=null", f"search.space={as_text(search.space or {})}", *said]
