"""Where an argument that nothing takes in its place belongs: `max_epochs=3` is meant for the trainer."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from fulmen.config.allow_list import TargetError
from fulmen.config.mistakes import Mistake, Unknown, join, rename
from fulmen.config.rules import is_node
from fulmen.config.signatures import parameters

NEAR = 0.85  # how alike two names are of which one is a slip, where they stand in different places


def told_where(mistakes: Iterable[Mistake], plain: Mapping[str, Any], find: Callable[[str], Any]) -> list[Mistake]:
    """`mistakes`, those about an argument that is one in another place with that place, and a cure that writes there.

    Args:
        plain: the config they are of.
        find: gives the class or function that a target names, or raises TargetError.
    """
    found = list(mistakes)
    if not any(isinstance(mistake, Unknown) for mistake in found):
        return found
    wrong = [mistake.path for mistake in found if isinstance(mistake, Unknown)]
    known = {path: written for path, written in _paths(plain, "", find)
             if not any(f"{path}.".startswith(f"{each}.") for each in wrong)}  # fmt: skip
    return [_moved(mistake, known) if isinstance(mistake, Unknown) else mistake for mistake in found]


def _moved(mistake: Unknown, known: Mapping[str, bool]) -> Mistake:
    """`mistake` with the places of the same name; the likeliest lie below what was typed, and are written somewhere."""
    owner, _, name = mistake.path.rpartition(".")
    places = [path for path in known if path.rpartition(".")[2] == name and path != mistake.path]
    if not places and mistake.meant is None:
        last = {path.rpartition(".")[2] for path, written in known.items() if written}
        near = get_close_matches(name, last, n=1, cutoff=NEAR)
        places = [path for path in known if path.rpartition(".")[2] in near]
    if not places:
        return mistake

    def rank(path: str) -> tuple[bool, bool, int]:
        return not path.startswith(f"{owner}."), not known[path], path.count(".")

    best = [path for path in places if rank(path) == min(map(rank, places))]
    problem = mistake.problem.partition(";")[0]
    cure = rename(mistake.path, best[0], mistake.value)
    return Mistake(mistake.path, f"{problem}; did you mean {' or '.join(best)}?", cure)


def _paths(value: Any, path: str, find: Callable[[str], Any]) -> Iterator[tuple[str, bool]]:
    """Every path in a config and every argument of its nodes, and whether the config holds it."""
    if not isinstance(value, Mapping):
        return
    if is_node(value):
        try:
            takes = parameters(find(value["_target_"])) or {}
        except TargetError:
            takes = {}
        yield from ((join(path, name), False) for name, each in takes.items() if each.kind not in (2, 4))
    for key, item in value.items():
        if key != "_target_":
            yield join(path, key), True
            yield from _paths(item, join(path, key), find)
