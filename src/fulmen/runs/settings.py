"""The settings of a run by their dotted keys, read from its `config.yaml` without importing anything heavy."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

Settings = dict[str, Any]  # dotted key -> plain value

SAME = ("output_dir", "resume", "format")  # of a config: no setting of the training
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
LINE = re.compile(r"( *)([\w./-]+):(?: +(\S.*))?")
NUMBER = re.compile(r"[-+]?(\d[\d_]*)?\.?\d+([eE][-+]?\d+)?|\d+\.")
WORDS = {"true": True, "false": False, "null": None}


def settings_of(folder: Path) -> Settings:
    """Every setting; {} where config.yaml is gone or damaged. Paths below the run's own folder begin with `<run>`."""
    try:
        found = yaml.load((folder / "config.yaml").read_text(encoding="utf-8"), LOADER)
    except (OSError, ValueError, RecursionError, yaml.YAMLError):
        return {}
    if not isinstance(found, dict):
        return {}
    return dict(_flat(_without(found, str(found.get("output_dir")))))


def single_settings(folder: Path) -> Settings:
    """The settings of one value each, at a tenth of the time of `settings_of`: for lists of thousands of runs.

    Reads the block style in which configs are stored; what stands in another style is left out.
    """
    try:
        text = (folder / "config.yaml").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return {}
    found: Settings = {}
    above: list[tuple[int, str]] = []  # indentation and dotted key of the nodes that a line lies in
    for line in text.splitlines():
        parts = LINE.fullmatch(line)
        if not parts:
            continue
        depth, name, value = len(parts[1]), parts[2], parts[3]
        while above and above[-1][0] >= depth:
            above.pop()
        key = f"{above[-1][1]}.{name}" if above else name
        if value is None:
            above.append((depth, key))
        elif value[0] not in "[{|>&*!" and key not in SAME:
            found[key] = plain(value)
    return found


def plain(text: str) -> Any:
    """A number, truth value, null or text, as it is written in YAML or typed."""
    if text in WORDS:
        return WORDS[text]
    if NUMBER.fullmatch(text):
        return int(text) if text.lstrip("+-").isdigit() else float(text.replace("_", ""))
    quoted = len(text) > 1 and text[0] == text[-1] and text[0] in "'\""
    return text[1:-1] if quoted else text


def _flat(config: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Dotted key -> value; lists as they are."""
    for key, value in config.items():
        name = f"{prefix}{key}"
        if isinstance(value, dict) and value:
            yield from _flat(value, f"{name}.")
        elif name not in SAME:
            yield name, value


def _without(value: Any, folder: str) -> Any:
    """`value` with paths below the run's own folder as they are below it: these differ in every run."""
    if isinstance(value, dict):
        return {key: _without(item, folder) for key, item in value.items()}
    return value.replace(folder, "<run>") if isinstance(value, str) and folder and folder in value else value
