"""`python train.py experiment=stocks --help`: all that can be chosen and changed of one experiment, node by node."""

import re
import textwrap
from collections.abc import Iterator, Sequence
from typing import Any

from fulmen.config.mistakes import as_text
from fulmen.config.places import TRAIN
from fulmen.config.surface import Argument, Node, Surface, surface

WIDTH = 120
LONGEST = 40  # characters of a value


def experiment_help(overrides: Sequence[str]) -> str:
    """Groups with their choices, then every node with its arguments, their values, types and meaning.

    Raises:
        ConfigError: the overrides cannot be composed.
    """
    found = surface(overrides)
    return "\n".join([
        f"usage: {TRAIN} experiment={found.experiment} [changes]",
        "",
        f"experiment={found.experiment}: {found.about}",
        "",
        "groups, as <group>=<choice>; what is chosen stands first:",
        *_groups(found),
        "",
        "arguments, as <argument>=<value>, with the values that this experiment has:",
        *(line for each in found.top for line in _argument(each)),
        *(line for node in found.nodes for line in _node(node)),
        "",
        f"{TRAIN} --help lists all experiments; the same as JSON: fulmen schema {found.experiment}",
    ])  # fmt: skip


def _groups(found: Surface) -> Iterator[str]:
    shown = [group for group in found.groups if group.name != "experiment"]
    width = max(len(group.name) for group in shown)
    for group in shown:
        names = sorted(group.choices, key=lambda name: name != group.chosen)
        first = f"{names[0]} (chosen)" if names[0] == group.chosen else names[0]
        text = ", ".join([first, *names[1:]])
        yield from _wrapped(f"  {group.name + '=':{width + 1}}  ", text)


def _node(node: Node) -> Iterator[str]:
    yield ""
    yield from _wrapped(f"{node.path}: ", f"{node.target}{f': {node.about}' if node.about else ''}")
    for argument in node.arguments:
        yield from _argument(argument)


def _argument(argument: Argument) -> Iterator[str]:
    value = "" if argument.required and argument.value is None else _shown(argument.value)
    left = f"  {argument.path}={value}"
    yield from _wrapped(f"{left:46}  ", "; ".join(filter(None, [argument.type, _in_short(argument.about)])))


def _in_short(text: str) -> str:
    """The first sentence."""
    return re.split(r"(?<=[a-z)`\]])\. (?=[A-Z])|\.$", text, maxsplit=1)[0]


def _shown(value: Any) -> str:
    text = value if isinstance(value, str) and "." in value else as_text(value)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."


def _wrapped(left: str, text: str) -> list[str]:
    indent = " " * min(len(left), 48)
    return textwrap.wrap(text, WIDTH, initial_indent=left, subsequent_indent=indent) or [left.rstrip()]
