"""What is asked over the network held against the configs, before anything starts and without an import of torch.

Hydra holds global state: one request is judged at a time, in a thread.
"""

import shlex
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fulmen.config.mistakes import did_you_mean
from fulmen.config.places import conf_folders
from fulmen.errors import FulmenError
from fulmen.launch import commands
from fulmen.serve.problems import Problem
from fulmen.serve.readable import is_within
from fulmen.serve.settings import Settings
from fulmen.serve.uploads import Uploads

if TYPE_CHECKING:
    from fulmen.serve.untrusted import Places

RUN = Path("outputs", "runs", "asked")  # stands for the folder of a run that may never be
MOST_JUDGED = 40  # runs of a multirun that are looked at one by one: the first and the last of more

Asked = tuple[str, str, tuple[str, ...], tuple[tuple[str, Any], ...], str]


class Judge:
    """Says whether a job may start.

    Args:
        settings: of the server: the folders that may be read, what may be opened.
    """

    def __init__(self, settings: Settings):
        self.settings = settings
        self._one_at_a_time = threading.Lock()
        self._judged = lru_cache(maxsize=256)(self._mistake)
        self._described = lru_cache(maxsize=64)(self._surface)

    def refuse(
        self, kind: str, experiment: str, overrides: Sequence[str], options: Mapping[str, Any] | None = None,
        by: str = "",
    ) -> None:  # fmt: skip
        """Pass if this can be asked of this server and has no mistake that can be seen before an import.

        Args:
            by: who asks; only one's own uploads may be read.

        Raises:
            ConfigError: every mistake, and a command that works.
            FulmenError: there is no such experiment, or no job can be made of it.
        """
        commands.check(kind, experiment, overrides, options or {})
        given = tuple((name, tuple(v) if isinstance(v, list) else v) for name, v in (options or {}).items())
        with self._one_at_a_time:
            mistake = self._judged((kind, experiment, tuple(overrides), given, by), newest_config())
        if mistake is not None:
            raise mistake

    def schema(self, experiment: str, overrides: Sequence[str] = (), by: str = "") -> dict[str, Any]:
        """All that can be chosen and changed, as `fulmen schema` tells it; of other choices with `overrides`.

        Raises:
            Problem: there is no such experiment.
            ConfigError: the overrides say what nobody may, or cannot be composed.
        """
        from fulmen.config.schema import choices
        from fulmen.serve.untrusted import refuse_untrusted

        if experiment not in (there := choices("experiment")):
            raise Problem(404, f"there is no experiment {experiment[:80]}{did_you_mean(experiment[:80], there)}")
        refuse_untrusted(overrides, self.places(by))
        with self._one_at_a_time:
            return self._described((experiment, *overrides), newest_config())

    def _surface(self, asked: tuple[str, ...], _: float) -> dict[str, Any]:
        from fulmen.config.surface import FORMAT, surface

        typed = [f"experiment={asked[0]}", *asked[1:]]
        if refuse_wrong_run(typed):
            raise Problem(503, "some classes of this experiment cannot be described; fulmen schema says why")
        return {"format": FORMAT, "experiment": asdict(surface(typed))}

    def _mistake(self, asked: Asked, _: float) -> FulmenError | None:
        try:
            self._judge(*asked)
        except FulmenError as error:
            return error
        except RecursionError:
            return FulmenError("overrides: a value is nested too deeply")
        return None

    def _judge(
        self, kind: str, experiment: str, overrides: tuple[str, ...], options: tuple[tuple[str, Any], ...], by: str
    ) -> None:
        from fulmen.config.schema import refuse_unknown
        from fulmen.serve.untrusted import refuse_untrusted

        places = self.places(by)
        refuse_untrusted(overrides, places)
        if kind == "compare":
            for name in dict(options)["runs"]:
                self._judge_compared(name, overrides, places)
            return
        refuse_unknown(experiment)
        typed = [f"experiment={experiment}", *overrides]
        if kind == "sweep":
            judge_search(typed)
        else:
            self._judge_runs(typed, kind != "train", places)

    def _judge_compared(self, name: str, shared: Sequence[str], places: "Places") -> None:
        """One thing to compare: a run folder, or an experiment with overrides of its own in one text."""
        from fulmen.config.schema import choices
        from fulmen.serve.untrusted import refuse_untrusted, run_inside

        try:
            experiment, *own = shlex.split(name)
        except ValueError as error:
            raise FulmenError(f"options.runs: {name[:80]}: {error}") from error
        if experiment in choices("experiment"):
            refuse_untrusted(own, places)
            self._judge_runs([f"experiment={experiment}", *own, *shared], True, places)
        else:
            run_inside(name, self.settings.outputs)

    def _judge_runs(self, typed: list[str], several: bool, places: "Places") -> None:
        """Every run that `typed` asks for; what several values mean, the verb knows."""
        from fulmen.config.compose import compositions_kept, expand
        from fulmen.entrypoints import started_from

        typed = started_from(typed)
        with compositions_kept():
            runs = expand(typed) if several else [typed]
            chosen = runs if len(runs) <= MOST_JUDGED else [runs[0], runs[-1]]
            for overrides in chosen:
                refuse_wrong_run(overrides)
            self._refuse_outside(chosen[0], places)

    def _refuse_outside(self, typed: list[str], places: "Places") -> None:
        """Pass if the choices of groups bring in nothing that opens an address or writes elsewhere."""
        from fulmen.config.compose import composed, to_plain
        from fulmen.config.mistakes import ConfigError, Mistake
        from fulmen.config.outside import named_outside

        usual = {(path, str(value)) for path, value, _ in named_outside(to_plain(composed(typed[:1], RUN)), RUN)}
        found = [
            Mistake(path, f"{effect}; the server allows it with --allow {path}")
            for path, value, effect in named_outside(to_plain(composed(typed, RUN)), RUN)
            if (path, str(value)) not in usual and path not in self.settings.allow and not _is_readable(value, places)
        ]
        if found:
            raise ConfigError(found)

    def places(self, by: str = "") -> "Places":
        """What overrides may lead to, where somebody asks: the folders of data, and one's own uploads."""
        from fulmen.serve.untrusted import Places

        own = Uploads(self.settings.uploads, self.settings.limits).folder(by)
        folders = (*self.settings.data, own)
        return Places(folders, self.settings.outputs, frozenset(self.settings.allow))


def _is_readable(value: Any, places: "Places") -> bool:
    return isinstance(value, str) and is_within(Path(value), places.readable)


def refuse_wrong_run(typed: list[str]) -> set[str]:
    """Pass if a run has no mistake; what is not known of its classes is learnt by a process beside this one.

    Returns:
        The names of which nothing is known even then.

    Raises:
        ConfigError: every mistake, and a command that works.
    """
    from fulmen.config.cures import refuse_without_import
    from fulmen.serve.learn import learn

    if not (unknown := refuse_without_import(typed)):
        return set()
    learn(unknown)
    return refuse_without_import(typed)


def judge_search(typed: list[str]) -> None:
    """Pass if a search has no mistake; of a study for each of many choices, the first and the last are looked at.

    Raises:
        ConfigError: every mistake, and a command that works.
    """
    from fulmen.config.mistakes import ConfigError
    from fulmen.config.places import SWEEP
    from fulmen.search.architectures import matching
    from fulmen.search.plans import is_of_search, refuse_wrong

    with suppress(ConfigError):  # told with a search that works below
        refuse_wrong_run([override for override in typed if not is_of_search(override)])
    each = next((override for override in reversed(typed) if override.startswith("search.each=")), "")
    few = each
    if each:
        try:
            group, found = matching(each.partition("=")[2].strip("'\""), "each", typed)
        except ConfigError as error:
            mends = [mistake.mend for mistake in error.mistakes if mistake.mend]
            raise ConfigError(error.mistakes, mends[0](typed) if mends else None, SWEEP) from error
        few = f"search.each='{group}={','.join(dict.fromkeys((found[0], found[-1])))}'"
    try:
        refuse_wrong([few if override == each else override for override in typed])
    except ConfigError as error:
        if error.overrides is None:
            raise
        whole = [each if override == few else override for override in error.overrides]
        raise ConfigError(error.mistakes, whole, SWEEP, error.without) from error


def newest_config() -> float:
    """When a file of the configs was last changed, so that what was judged before is judged again after that."""
    files = [path for folder in conf_folders() for path in folder.rglob("*.yaml")]
    return max((path.stat().st_mtime for path in files), default=0.0)
