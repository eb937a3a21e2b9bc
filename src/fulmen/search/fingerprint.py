"""What makes two trials of one study comparable: base config, space, objectives, and the code that trains."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from fulmen.config.mistakes import as_text
from fulmen.config.schema import is_group
from fulmen.config.stored import DISPLAY
from fulmen.runs.training_code import changes, training_code
from fulmen.search.parameters import Parameter
from fulmen.search.space import describe

IRRELEVANT = (
    "output_dir",
    "threads",
    "test",
    "resume",
    "leaks",
    "ensemble",
)  # where and how fast, not what, is trained
CODE = "training_code"
TARGET = re.compile(r"(data|model)\.(.*\.)?_target_")
GENERAL = ("experiment", "seed", "monitor", "mode")

Fingerprint = dict[str, Any]  # plain values by dotted path


def fingerprint(
    base: Mapping[str, Any], parameters: Sequence[Parameter], objectives: Mapping[str, str], overrides: Iterable[str]
) -> Fingerprint:
    """Everything two commands must agree on to work on one study, as flat plain values.

    Args:
        base: the config that all trainings share, flat.
        overrides: as typed; where a config group is searched they stand for the config, of which each choice changes
            much.
    """
    searched = {parameter.path for parameter in parameters}
    config = {
        path: value
        for path, value in base.items()
        if path not in IRRELEVANT
        and (path == "experiment" or not is_group(path))  # what a choice brings along stands in the config
        and not any(path == s or path.startswith(f"{s}.") for s in searched)
    }
    if any(map(is_group, searched)):
        config = {path: value for path, value in config.items() if path in GENERAL}
        config |= dict.fromkeys(overrides, "typed")
    space = {f"search.space.{path}": as_text(entry) for path, entry in describe(parameters).items()}
    code = training_code([{"_target_": value} for path, value in base.items() if TARGET.fullmatch(path)])
    plain: Fingerprint = json.loads(json.dumps(config | space | {"objectives": dict(objectives), CODE: code}))
    return plain


def difference(before: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """What stands in the way of going on with a study, in words; empty if nothing does."""
    if CODE not in before:  # begun before the code was recorded
        now = {path: value for path, value in now.items() if path != CODE}
    before, now = _without_display(before), _without_display(now)
    if before == now:
        return ""
    if before.get("experiment") != now.get("experiment"):
        return f"is one of experiment={before.get('experiment')}, not {now.get('experiment')}"
    if before.get(CODE) != now.get(CODE) and {**before, CODE: None} == {**now, CODE: None}:
        return f"was begun with other code ({changes(before[CODE], now[CODE])}); its trials could not be compared"
    changed = [path for path in {**before, **now} if path != CODE and before.get(path, ...) != now.get(path, ...)]
    lines = [f"    {path}: {before.get(path, 'nothing')} -> {now.get(path, 'nothing')}" for path in changed[:10]]
    lines += [f"    and {len(changed) - 10} more"] * (len(changed) > 10)
    return "\n".join(["was begun with other settings; its trials could not be compared:", *lines])


def _without_display(facts: Mapping[str, Any]) -> Fingerprint:
    """Without what only shows a training, or what is said of it: earlier releases had other classes and keys for it."""
    shown = (*(f"callbacks.{name}." for name in DISPLAY), "findings.", "callbacks.diagnosis.ignore.")
    return {path: value for path, value in facts.items() if not f"{path}.".startswith(shown)}
