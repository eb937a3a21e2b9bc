"""The runs of a multirun, judged together before the first is started."""

from collections.abc import Callable, Sequence
from functools import partial

from omegaconf import DictConfig

from fulmen.config.allow_list import without_import
from fulmen.config.check import check_overrides
from fulmen.config.compose import composed, compositions_kept, expand, to_plain
from fulmen.config.cures import refuse_without_import
from fulmen.config.mistakes import ConfigError, Mistake, command, key_of, mended_by
from fulmen.config.schema import find_mistakes
from fulmen.config.torn import torn
from fulmen.distributed.devices import refuse_unless_here
from fulmen.errors import FulmenError


def runs_of(typed: list[str]) -> list[list[str]]:
    """The overrides of each run of a multirun.

    Raises:
        ConfigError: an override cannot be read, with a multirun that can.
    """
    try:
        if broken := torn(typed):
            raise ConfigError(broken)
        return expand(typed)
    except ConfigError as error:
        if not all(mistake.mend for mistake in error.mistakes):
            raise
        mended, gone = mended_by(error.mistakes, typed)
        try:
            expand(mended)
        except ConfigError:
            raise error from None
        raise ConfigError(error.mistakes, ["-m", *mended], without=gone) from error


def check_runs(runs: list[list[str]], typed: Sequence[str] = ()) -> dict[tuple[str, ...], DictConfig]:
    """Check every run of a multirun.

    Args:
        typed: what led to them; the message then holds a multirun that works, if one can be found.

    Returns:
        What Hydra has composed for each, by its overrides.

    Raises:
        FulmenError: the mistakes of all runs, each once, or a run over several machines.
    """
    raw: dict[tuple[str, ...], DictConfig] = {}
    known: set[Mistake] = set()
    with compositions_kept():
        _refuse(runs, partial(_seen_without_import, raw=raw, known=known), typed)
        _refuse(runs, lambda overrides: refuse_unless_here(check_overrides(overrides, raw).trainer, "-m"), typed)
    return raw


def _refuse(runs: list[list[str]], check: Callable[[list[str]], object], typed: Sequence[str]) -> None:
    """Raise what `check` raises of any run, each message once."""
    refused: dict[str, str] = {}
    now, without, told = list(typed), list[str](), set[Mistake]()
    for number, overrides in enumerate(runs, 1):
        try:
            check(overrides)
        except ConfigError as error:
            mistakes = "; ".join(map(str, error.mistakes))
            refused.setdefault(mistakes, f"run {number} of {len(runs)}: {ConfigError(error.mistakes)}")
            for mistake in (each for each in error.mistakes if each not in told):
                now, gone = _mended(now, mistake, overrides)
                without += gone
            told.update(error.mistakes)
    if refused:
        lines = [*refused.values(), *(_that_works(now, without) if now else [])]
        raise FulmenError("\n".join(lines))


def _mended(typed: list[str], mistake: Mistake, run: list[str]) -> tuple[list[str], list[str]]:
    """What was typed for all runs without a mistake of one of them, and what of it is gone; [] if nothing mends it.

    Of several values for one key the wrong one is left out, if nobody knows what was meant by it.
    """
    of_run = next((override for override in run if key_of(override) == mistake.path), None)
    several = next((override for override in typed if key_of(override) == mistake.path and override != of_run), None)
    mended = mistake.mend(typed) if mistake.mend and typed else []
    if of_run is None or several is None or mistake.path not in map(key_of, mended):
        return mended, [override for override in typed if override == several and len(mended) < len(typed)]
    key, _, text = several.partition("=")
    values = text.split(",")
    wrong = of_run.partition("=")[2]
    meant = next(override.partition("=")[2] for override in mended if key_of(override) == mistake.path)
    instead = [meant] if "did you mean" in mistake.problem else []
    left = list(dict.fromkeys(each for value in values for each in (instead if value == wrong else [value])))
    if not left or "(" in text or "[" in text:
        return [], []
    one = f"{key}={','.join(left)}"
    return [one if override == several else override for override in typed], [] if instead else [of_run]


def _that_works(typed: list[str], without: list[str]) -> list[str]:
    """The lines of a message with a multirun that was tried; none if it has a mistake."""
    try:
        for overrides in expand(typed):
            with without_import():
                if find_mistakes(to_plain(composed(overrides))):
                    return []
    except ConfigError:
        return []
    gone = [f"  without: {' '.join(dict.fromkeys(without))}"] if without else []
    return [*gone, f"  this works: {command(['-m', *typed])}"]


def _seen_without_import(overrides: list[str], raw: dict[tuple[str, ...], DictConfig], known: set[Mistake]) -> None:
    """As `refuse_without_import`, for a run that has other mistakes than the `known` ones of the runs before.

    What was composed for it is kept in `raw`.
    """
    with without_import():
        mistakes = find_mistakes(to_plain(composed(overrides, raw=raw)))
    if not known.issuperset(mistakes):
        known.update(mistakes)
        refuse_without_import(overrides)
