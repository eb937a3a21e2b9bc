"""The runs of a multirun, judged together before the first is started."""

from collections.abc import Callable
from functools import partial

from omegaconf import DictConfig

from fulmen.config.allow_list import without_import
from fulmen.config.check import check_overrides
from fulmen.config.compose import composed, compositions_kept, to_plain
from fulmen.config.cures import refuse_without_import
from fulmen.config.mistakes import ConfigError, Mistake
from fulmen.config.schema import find_mistakes
from fulmen.distributed.devices import refuse_unless_here
from fulmen.errors import FulmenError


def check_runs(runs: list[list[str]]) -> dict[tuple[str, ...], DictConfig]:
    """Check every run of a multirun.

    Returns:
        What Hydra has composed for each, by its overrides.

    Raises:
        FulmenError: the mistakes of all runs, each once, or a run over several machines.
    """
    raw: dict[tuple[str, ...], DictConfig] = {}
    known: set[Mistake] = set()
    with compositions_kept():
        _refuse(runs, partial(_seen_without_import, raw=raw, known=known))
        _refuse(runs, lambda overrides: refuse_unless_here(check_overrides(overrides, raw).trainer, "-m"))
    return raw


def _refuse(runs: list[list[str]], check: Callable[[list[str]], object]) -> None:
    """Raise what `check` raises of any run, each message once."""
    refused: dict[str, str] = {}
    for number, overrides in enumerate(runs, 1):
        try:
            check(overrides)
        except ConfigError as error:
            mistakes = "; ".join(map(str, error.mistakes))
            refused.setdefault(mistakes, f"run {number} of {len(runs)}: {error}")
    if refused:
        raise FulmenError("\n".join(refused.values()))


def _seen_without_import(overrides: list[str], raw: dict[tuple[str, ...], DictConfig], known: set[Mistake]) -> None:
    """As `refuse_without_import`, for a run that has other mistakes than the `known` ones of the runs before.

    What was composed for it is kept in `raw`.
    """
    with without_import():
        mistakes = find_mistakes(to_plain(composed(overrides, raw=raw)))
    if not known.issuperset(mistakes):
        known.update(mistakes)
        refuse_without_import(overrides)
