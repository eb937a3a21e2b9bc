"""In which file of the project at hand, and in which line, something of a config is written."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace

import yaml

from fulmen.config.choice_files import read_choice
from fulmen.config.mistakes import Mistake
from fulmen.config.own_project import shown
from fulmen.config.places import own_conf


def with_line(mistake: Mistake, chosen: Mapping[str, str | None]) -> Mistake:
    """`mistake` with its file and line, where a file of the project at hand says what is wrong.

    Args:
        chosen: group -> choice, as Hydra found them in conf/.
    """
    own = own_conf()
    places = [each for group, choice in chosen.items() if choice for each in _with_bases(group, choice)]
    for name, package in places if own else []:
        path = own / f"{name}.yaml" if own else None
        if path is None or not path.is_file() or not f"{mistake.path}.".startswith(f"{package}." if package else ""):
            continue
        with suppress(yaml.YAMLError, UnicodeDecodeError):
            root = yaml.compose(path.read_text(encoding="utf-8-sig"), yaml.SafeLoader)
            below = mistake.path.removeprefix(package).removeprefix(".")
            if below and (line := _line(root, below.split("."))):
                return replace(mistake, where=f"{shown(path)}, line {line}")
    return mistake


def _with_bases(group: str, choice: str) -> Iterator[tuple[str, str]]:
    """The file of a choice and those it builds on, and where each of them writes to."""
    package, _, defaults = read_choice(group, choice)
    yield f"{group}/{choice}", package
    for base in defaults:
        if isinstance(base, str) and base not in ("_self_", choice):
            yield from _with_bases(group, base)


def _line(node: yaml.Node | None, keys: list[str]) -> int | None:
    """The line, from 1, of the key that `keys` lead to; None if it is not there."""
    for at, name in enumerate(keys):
        if isinstance(node, yaml.SequenceNode) and name.isdigit() and int(name) < len(node.value):
            node = node.value[int(name)]
            line = node.start_mark.line
        elif isinstance(node, yaml.MappingNode):
            found = next((pair for pair in node.value if pair[0].value == name), None)
            if found is None:
                return None
            line, node = found[0].start_mark.line, found[1]
        else:
            return None
        if at == len(keys) - 1:
            return int(line) + 1
    return None
