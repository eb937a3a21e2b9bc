"""What a docstring says of a class or function and of its arguments, in the style of Google."""

import inspect
import re
from typing import Any

SECTION = re.compile(r"^(Args|Arguments|Parameters):\s*$")
ENTRY = re.compile(r"^\*{0,2}(\w+)(?: \([^)]*\))?:\s*(.*)$")


def first_paragraph(thing: Any) -> str:
    """Of its docstring, in one line; "" without one."""
    text = _docstring(thing)
    return " ".join(text.partition("\n\n")[0].split())


def arguments_of(thing: Any) -> dict[str, str]:
    """What is said of each argument: by a class, its constructor, or a base."""
    bases = reversed(thing.__mro__) if isinstance(thing, type) else [thing]
    texts = [text for base in bases for text in (_docstring(vars(base).get("__init__")), _docstring(base))]
    return {name: about for text in texts for name, about in _arguments(text).items()}


def _docstring(thing: Any) -> str:
    text = getattr(thing, "__doc__", None)
    return inspect.cleandoc(text) if isinstance(text, str) else ""


def _arguments(text: str) -> dict[str, str]:
    """The entries of the section `Args:`."""
    found: dict[str, list[str]] = {}
    inside, margin, name = False, None, ""
    for line in text.splitlines():
        indent = len(line) - len(line.lstrip())
        if not inside:
            inside = bool(SECTION.match(line))
        elif line.strip() and indent == 0:
            break
        elif line.strip():
            margin = indent if margin is None else margin
            entry = ENTRY.match(line.strip()) if indent <= margin else None
            if entry:
                name = entry[1]
                found[name] = [entry[2]]
            elif name:
                found[name].append(line.strip())
    return {name: " ".join(filter(None, lines)) for name, lines in found.items()}
