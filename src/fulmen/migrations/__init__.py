"""Old run folders, kept models, searches and configs keep loading: numbered steps lead what they hold to today's.

What is written holds the number of its format. A step is applied to files of an earlier number alone, so that a value
may change its meaning; a file without a number is from before the first step. Names of classes and arguments are also
led on where a person types an old one, or writes it in a YAML file, with a line that says the new one; arguments of a
class of somebody else too, if it is made from one of fulmen and hands them on.

A step may go when what is older need not be read any more; `LAST_READERS` then says which release still reads it.
"""

from collections.abc import Iterator
from typing import Any

from fulmen.errors import FulmenError, Newer
from fulmen.migrations import step_1_rooms, step_2_reduced_model, step_3_within_dose, step_4_reading_room
from fulmen.migrations.bases import bases_in_fulmen
from fulmen.migrations.step import Plain, Step

STEPS: tuple[Step, ...] = (
    step_1_rooms.STEP, step_2_reduced_model.STEP, step_3_within_dose.STEP, step_4_reading_room.STEP,
)  # fmt: skip
LAST_READERS: dict[int, str] = {}  # format -> the last release that reads it, once its step is gone
KEY = "format"  # in a stored config


def newest() -> int:
    """The format that is written today."""
    return STEPS[-1].number


def stamped(plain: Plain) -> Plain:
    """A config as it is stored: with the number of its format."""
    return {KEY: newest(), **plain}


def migrate(stored: Plain, where: object) -> Plain:
    """A stored config led through every step that it has not seen; one of today comes back equal, without its number.

    Args:
        where: it was read, for messages.

    Raises:
        Newer: a later release has written it.
        FulmenError: it is older than the first step; the message names the release that reads it.
    """
    number = format_of(stored, where)
    for step in STEPS:
        if step.number > number:
            stored = step(stored, _bases)
    return {key: value for key, value in stored.items() if key != KEY}


def format_of(content: Plain, where: object) -> int:
    """The number of the format that `content` says it has; 0 if it says none.

    Raises:
        Newer, FulmenError: as `migrate`.
    """
    number = content.get(KEY, 0)
    if type(number) is not int or number < 0:
        raise FulmenError(f"{where}: format must be a whole number, got {number!r}")
    if number > newest():
        raise Newer(f"{where} has format {number}, this fulmen reads up to {newest()}; update fulmen to use it")
    if number < STEPS[0].number - 1:
        release = LAST_READERS.get(number, "an earlier release")
        raise FulmenError(f"{where} has format {number}, older than this fulmen reads; fulmen {release} reads it")
    return number


def migrate_flat(flat: Plain, number: int) -> Plain:
    """As `migrate`, of format `number`, for a config of which every value stands under its whole dotted path."""
    nested: Plain = {}
    alone = {path: value for path, value in flat.items() if isinstance(value, dict) or not _put(nested, path, value)}
    for step in STEPS:
        if step.number > number:
            nested = step(nested, _bases)
    return dict(_flat(nested)) | alone


def renewed(typed: Plain) -> tuple[Plain, list[str]]:
    """A config that was just composed with today's names for those that are deprecated, and a line for each of them."""
    said: list[str] = []
    for step in STEPS:
        typed = step.renewed(typed, _bases, said)
    return typed, said


def renamed(target: str) -> str:
    """The name of today of a class or function; any other text as it is."""
    for step in STEPS:
        target = step.target(target)
    return target


def renamed_module(module: str) -> str:
    """The name of today of a module; any other as it is."""
    return renamed(f"{module}.it").removesuffix(".it")


def moved_from(package: str) -> list[str]:
    """The packages of today that hold what lay below `package`."""
    modules = [f"fulmen.{old}" for step in STEPS for old in step.modules]
    return sorted({renamed_module(old).rpartition(".")[0] for old in modules if old.startswith(f"{package}.")})


def _bases(target: str) -> list[str]:
    """The classes of fulmen whose arguments somebody else's class takes, by every name that each has had since."""
    names = list(bases_in_fulmen(target))
    for step in STEPS:
        names += [step.target(name) for name in names]
    return list(dict.fromkeys(names))


def _put(node: Plain, path: str, value: Any) -> bool:
    """Write `value` into nested dicts; False if something else stands in the way."""
    *owners, name = path.split(".")
    for owner in owners:
        node = node.setdefault(owner, {})
        if not isinstance(node, dict):
            return False
    return node.setdefault(name, value) is value


def _flat(node: Plain, path: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in node.items():
        yield from _flat(value, f"{path}{key}.") if isinstance(value, dict) else [(f"{path}{key}", value)]
