"""What a file is for: each experiment there is looks at it, and the log of a training is known too."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeGuard

from fulmen.config.allow_list import locate
from fulmen.config.choice_files import target_in, workload_of
from fulmen.config.compose import compositions_kept, unresolved
from fulmen.config.mistakes import as_text, command, for_shell, key_of
from fulmen.config.override_values import Interval, Several, value_of
from fulmen.config.schema import choices
from fulmen.config.signatures import parameters
from fulmen.config.words import chosen_by, experiments_of, plain_experiment
from fulmen.errors import FulmenError
from fulmen.io.content import Content, Recognised, content_of
from fulmen.io.names import plain
from fulmen.io.options import NAMES, TableOptions
from fulmen.workload import WorkloadData

LOSSES = ("loss", "logloss", "accuracy", "acc", "perplexity", "mse", "rmse", "auc", "mlogloss", "error")


@dataclass(frozen=True)
class Offer:
    """What a file can be trained as.

    Attributes:
        experiment: its name.
        argument: of the data that takes the file; "": the usual one.
        overrides: beside the file.
        lines: on what is in the file, for a person.
    """

    experiment: str
    argument: str
    overrides: list[str]
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Answer:
    """What a file is, where nothing is to be trained on it, and the command that is for it."""

    what: str
    command: str

    def lines(self) -> list[str]:
        return [self.what, self.command]


def recognised(path: Path, overrides: Sequence[str], quiet: bool = False) -> Offer | Answer:
    """What the file at `path` is for, by what is in it.

    Args:
        quiet: whether what was seen in it is not printed before a question.

    Raises:
        FulmenError: it cannot be read, nothing knows what to do with it, or something has to be said first.
    """
    content = content_of(path, options_in(overrides))
    found = list(offers(content, overrides))
    best = max(found, key=lambda each: each[1].strength, default=None)
    if (best is None or best[1].strength == 1) and is_log(content):
        return Answer(f"{path}: the log of a training", command(["diagnose", str(path)], "fulmen"))
    if best is None:
        raise content.refusal or FulmenError(unknown(content))
    (experiment, chosen, _), offer = best
    own = [f"data.{name}={as_text(value)}" for name, value in offer.arguments.items()]
    if offer.ask:
        print("\n".join(offer.seen), end="\n" * bool(offer.seen), flush=True) if not quiet else None
        words = ["check", str(path), *overrides]
        raise FulmenError(f"{path}: {offer.ask.replace('{command}', command(words, 'fulmen'))}")
    typed = {key_of(each) for each in overrides}
    own = [each for each in [*chosen, *own] if key_of(each) not in typed]
    return Offer(experiment, offer.argument, own, (f"{path}: {offer.what}", *offer.seen))


Place = tuple[str, list[str], dict[str, Any]]  # an experiment, the choice of its data, what that gives them


def offers(content: Content, overrides: Sequence[str]) -> Iterator[tuple[Place, Recognised]]:
    """What every experiment could make of a file."""
    with compositions_kept():
        for place in places(overrides):
            kind = locate(place[2].get("_target_", ""))
            if reads_files(kind) and (offer := kind.recognises(content, place[2])):
                yield place, offer


def reads_files(kind: Any) -> TypeGuard[type[WorkloadData]]:
    """Whether what a config names are data that take a file of a person's own."""
    if not (isinstance(kind, type) and issubclass(kind, WorkloadData)):
        return False
    return bool(kind.reads) and kind.reads in (parameters(kind) or ())


def places(overrides: Sequence[str] = ()) -> Iterator[Place]:
    """Every choice of data with an experiment that takes it, and the experiments that say themselves what they are.

    Args:
        overrides: what was typed; where it does not fit an experiment, that has none of it.
    """
    for name in choices("data"):
        owner = workload_of("data", name)
        if not owner or not experiments_of(owner):
            continue
        usual = plain_experiment(owner)
        chosen = [] if (chosen_by(usual) or {}).get("data") == name else [f"data={name}"]
        if node := _data([f"experiment={usual}", *chosen], overrides):
            yield usual, chosen, node
    for name in choices("experiment"):
        if target_in("experiment", name, "data") and (node := _data([f"experiment={name}"], overrides)):
            yield name, [], node


def _data(choosing: list[str], overrides: Sequence[str]) -> dict[str, Any] | None:
    """What a config gives its data; None: it cannot be composed."""
    for typed in ([*choosing, *overrides], choosing):
        with suppress(FulmenError):
            return unresolved(typed, "data")
    return None


def options_in(overrides: Sequence[str]) -> TableOptions:
    """How a table is read, as far as overrides say it."""
    given: dict[str, Any] = {}
    for override in overrides:
        name = key_of(override).removeprefix("data.")
        if name in NAMES and key_of(override) != name:
            with suppress(ValueError):
                value = value_of(override.lstrip("+"))
                given[name] = None if isinstance(value, Several | Interval) else value
    return TableOptions(**given)


def is_log(content: Content) -> bool:
    """Whether a file tells of a training."""
    from fulmen.io.logs import read_log

    named = {part for name in content.names for part in (plain(name), *name.lower().replace("/", "_").split("_"))}
    if content.kind == "arrays" or (content.kind == "table" and not named & set(LOSSES)):
        return False
    with suppress(FulmenError):
        read_log(content.path)
        return True
    return bool(named & {"loss", "trainloss", "valloss"}) and bool(named & {"epoch", "step", "iteration", "iter"})


def unknown(content: Content) -> str:
    """What to say of a file that nobody knows."""
    there = [name for name, _, node in places() if reads_files(locate(node.get("_target_", "")))]
    named = [f"fulmen check {for_shell(str(content.path))} --experiment {name}" for name in dict.fromkeys(there)]
    return f"{content.path}: what is it for? " + " or ".join(named)
