"""What the file of one choice of a config group says by itself, read without Hydra."""

import re
from contextlib import suppress
from typing import Any

import yaml

from fulmen.config.places import conf_file


def read_choice(group: str, choice: str) -> tuple[str, dict[str, Any], list[Any]]:
    """Where a choice writes to ("" for the top), what it writes, and its own defaults.

    Of a choice that lies in none of the folders of conf/ nothing is known: it writes to its group, and nothing. So does
    one that cannot be read: who chooses it is told, who chooses another one is not.
    """
    path = conf_file(f"{group}/{choice}.yaml")
    text = path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""  # elsewhere: somebody's own
    package = re.search(r"^#\s*@package\s+(\S+)", text, re.MULTILINE)
    content: Any = None
    with suppress(yaml.YAMLError):
        content = yaml.load(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    if not isinstance(content, dict):
        content = {}
    defaults = content.pop("defaults", None) or []
    return (package[1].replace("_global_", "") if package else group), content, defaults


def workload_of(group: str, choice: str) -> str:
    """Whose class a choice of data or of a model names, itself or by what it builds on; "" if nobody's."""
    _, content, defaults = read_choice(group, choice)
    if found := re.search(r"\.workloads\.(\w+)\.", str(content.get("_target_"))):
        return found[1]
    below = [each for each in defaults if isinstance(each, str) and each != "_self_"]
    return next((owner for each in below if (owner := workload_of(group, each))), "")


def target_in(group: str, choice: str, part: str) -> str:
    """The class that a choice, or one it builds on, names for a part such as `data`; "" if it names none."""
    _, content, defaults = read_choice(group, choice)
    node = content.get(part)
    if isinstance(node, dict) and "_target_" in node:
        return str(node["_target_"])
    below = [each for each in defaults if isinstance(each, str) and each not in ("_self_", choice)]
    return next((found for each in below if (found := target_in(group, each, part))), "")
