"""Every mistake in what was typed, told with a command that works, and before any import where that is possible."""

from collections.abc import Callable, Iterable
from contextlib import suppress

from omegaconf import DictConfig

from fulmen.config import signature_index
from fulmen.config.allow_list import imports_nothing, without_import
from fulmen.config.compose import choices_made, composed, compositions_kept, to_plain
from fulmen.config.mistakes import Broken, ConfigError, Mistake, Unknown, is_typed, key_of, mended_by
from fulmen.config.places import own_conf
from fulmen.config.schema import find_mistakes
from fulmen.config.side_effects import undoes
from fulmen.config.signatures import parameters
from fulmen.config.words import renamed
from fulmen.config.written import with_line

Load = Callable[[list[str]], DictConfig]


def judged(load: Load, overrides: list[str], trusted: bool) -> DictConfig:
    """What `load` makes of `overrides`, without a mistake.

    What was written down of the modules it names can refuse it; it is accepted by the modules themselves.

    Args:
        trusted: as in `fulmen.config.check.check`.

    Raises:
        ConfigError: all mistakes, and a command that works.
    """
    with compositions_kept():
        unknown = refuse_without_import(overrides, load, trusted)
        if imports_nothing():
            return load(overrides)
        try:
            with suppress(ConfigError):
                cfg = load(overrides)
                if not find_mistakes(to_plain(cfg), trusted):
                    return cfg
            raise diagnosed(load, overrides, trusted)
        finally:
            signature_index.keep(unknown, parameters)


def refuse_without_import(overrides: list[str], load: Load = composed, trusted: bool = True) -> set[str]:
    """Pass if there is no mistake as far as can be told before anything is imported.

    Returns:
        The names that only an import can tell about. Where one of them may be what an override is about, nothing is
        refused here: the message could not say all that is wrong.

    Raises:
        ConfigError: as `judged`.
    """
    with compositions_kept(), without_import() as unknown:
        refused = diagnosed(load, overrides, trusted)
    strange = any(isinstance(mistake, Unknown) for mistake in refused.mistakes)
    unsure = unknown and (strange or any("." in key_of(each) or each.startswith("~") for each in overrides))
    if refused.mistakes and not unsure:
        raise refused
    return unknown


def diagnosed(load: Load, overrides: list[str], trusted: bool = True) -> ConfigError:
    """Every mistake in what `overrides` lead to, mended overrides that were tried and lead to none, and what they lack.

    One mistake can hide the next (without a model nothing is known of its arguments), so mend what was found and
    look again. What was typed is mended first: what a file says may only follow from it, by `${...}`.
    """
    found: list[Mistake] = []
    without: list[str] = []
    overrides = typed = list(map(renamed, overrides))
    for _ in range(10):
        try:
            now = find_mistakes(to_plain(load(overrides)), trusted)
        except ConfigError as error:
            now = error.mistakes
        if not now:
            mended = None if undoes(overrides, typed) else overrides
            return ConfigError(with_lines(found, typed), mended, without=without)
        now = [mistake for mistake in now if mistake.mend and is_typed(mistake.path, overrides)] or now
        found += [mistake for mistake in now if mistake not in found]
        if any(mistake.mend is None for mistake in now):
            break
        before, (overrides, gone) = overrides, mended_by(now, overrides)
        without += typed_of(gone, typed)
        if overrides == before:
            break
    return ConfigError(with_lines(found, typed))


def typed_of(gone: Iterable[str], typed: Iterable[str]) -> list[str]:
    """Those of `typed` that are gone, also where one cure has changed them before another left them out."""
    keys = {key_of(override) for override in gone}
    return [override for override in typed if override in gone or ("=" in override and key_of(override) in keys)]


def with_lines(mistakes: Iterable[Mistake], typed: list[str]) -> list[Mistake]:
    """`mistakes`, those that nobody typed with the file and line of the project at hand that say it."""
    found = list(mistakes)
    if own_conf() is None:
        return found
    with suppress(ConfigError):
        chosen = choices_made(typed)
        told = [each for each in found if isinstance(each, Broken) or is_typed(each.path, typed)]
        return [each if each in told else with_line(each, chosen) for each in found]
    return found
