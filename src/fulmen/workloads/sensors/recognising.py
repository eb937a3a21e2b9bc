"""What a table of a person's own could be trained as: which columns are numbers, what could be the target."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from fulmen.config.mistakes import as_text
from fulmen.diagnosis.findings import FINDINGS
from fulmen.io.content import Content, Recognised
from fulmen.io.hints import override
from fulmen.io.layout import is_date, is_number
from fulmen.io.missing import COMMON
from fulmen.io.names import plain
from fulmen.io.taken import listed
from fulmen.workloads.sensors.features.features import DERIVED

SAMPLE = 5000  # rows that are looked at
NEVER = "it never changes"
FEW = 10  # different values that a target or a category may have
TARGETS = ("target", "label", "labels", "class", "y", "outcome", "failure", "machinefailure", "fault", "anomaly",
           "defect", "defective", "passfail", "quality", "maintenance", "broken", "event",
           "status", "condition", "failed")  # fmt: skip
GROUPS = ("machine", "machineid", "unit", "unitid", "unitnumber", "device", "deviceid", "asset", "assetid", "engine",
          "engineid", "equipment", "equipmentid", "serial", "serialnumber", "station", "pump", "motor")  # fmt: skip
TIMES = ("time", "timestamp", "datetime", "date", "ts", "zeit", "datum", "zeitstempel", "hour", "hours")
IDS = ("id", "uid", "udi", "index", "row", "no", "number", "productid", "unnamed0", "")
QUIET = ("0", "no", "n", "false", "f", "ok", "okay", "pass", "passed", "good", "normal", "healthy", "negative", "none",
         "nein", "gut", "-1", "0.0", "-1.0")  # what a label says where nothing has happened  # fmt: skip
ALARMS = ("1", "yes", "y", "true", "t", "nok", "ng", "fail", "failed", "bad", "abnormal", "anomaly", "faulty",
          "failure", "positive", "ja", "defect", "defective", "broken", "1.0")  # fmt: skip

OF_NUMBERS = "a numeric target needs a project of your own, whose template forecasts numbers: fulmen new NAME"
NO_CLASSES = (
    f"no column has so few values that it can be the target: sensors tells classes, {FEW} or fewer; {OF_NUMBERS}"
)


@dataclass
class Roles:
    """What the columns of a table could be.

    Attributes:
        numbers: columns of numbers.
        levels: columns of few texts -> these.
        targets: columns that could be the target -> their values, how often each.
        group: of the machine.
        time: of the time.
        useless: columns -> why they are left out.
    """

    numbers: list[str] = field(default_factory=list)
    levels: dict[str, list[str]] = field(default_factory=dict)
    targets: dict[str, dict[str, int]] = field(default_factory=dict)
    group: str | None = None
    time: str | None = None
    useless: dict[str, str] = field(default_factory=dict)


def recognised(content: Content, arguments: Mapping[str, Any]) -> Recognised | None:
    """As `fulmen.WorkloadData.recognises`."""
    if content.kind != "table" or content.table is None:
        return None
    if names_all(content.names, arguments):
        return Recognised("a table with the columns of this experiment", 3)
    if arguments.get("csv") == "???":
        return None  # a table of its own, and this is another one
    return of_any(roles_of(content.table), arguments)


def names_all(names: Sequence[str], arguments: Mapping[str, Any]) -> bool:
    """Whether a table has every column that a config names."""
    numeric = [name for name in arguments.get("numeric") or () if name not in DERIVED]
    wanted = [*numeric, *(arguments.get("categorical") or {}), arguments.get("target", "maintenance")]
    return bool(numeric) and {plain(name) for name in wanted} <= {plain(name) for name in names}


def roles_of(table: pd.DataFrame) -> Roles:
    """What each column could be, by its name and by what stands in it."""
    roles = Roles()
    for name in map(str, table.columns):
        cells = table[name].iloc[:SAMPLE]
        texts = pd.Series([text for text in map(_text, cells) if plain_cell(text) not in COMMON], dtype=str)
        counts = {str(value): int(count) for value, count in texts.value_counts().items()}
        if len(counts) < 2:
            roles.useless[name] = "it is empty" if not counts else NEVER
        elif roles.time is None and plain(name) in TIMES:
            roles.time = name
        elif roles.group is None and plain(name) in GROUPS and len(counts) <= len(cells) / 3:
            roles.group = name
        elif all(map(is_number, texts)):
            _number(roles, name, texts, counts)
        elif roles.time is None and texts.iloc[:50].map(is_date).all():
            roles.time = name
        elif len(counts) <= FEW:
            roles.levels[name] = roles.targets[name] = counts  # type: ignore[assignment]
        else:
            roles.useless[name] = "texts of too many kinds"
    return roles


def _number(roles: Roles, name: str, texts: pd.Series, counts: dict[str, int]) -> None:
    whole = texts.str.fullmatch(r"[-+]?\d+(\.0)?").all()
    if plain(name) in IDS and whole and len(counts) == len(texts):
        roles.useless[name] = "a number of its own in each row"
        return
    roles.numbers.append(name)
    if whole and (len(counts) == 2 or (plain(name) in TARGETS and len(counts) <= FEW)):
        roles.targets[name] = counts


def of_any(roles: Roles, arguments: Mapping[str, Any]) -> Recognised | None:
    """What to train on a table with such columns: sure of it where one column alone can be the target."""
    said = str(arguments.get("target"))
    target, likely = _target(roles, said)
    numeric = [name for name in roles.numbers if name != target]
    levels = {name: sorted(values) for name, values in roles.levels.items() if name != target and name.isascii()}
    given: dict[str, Any] = {"numeric": numeric, "group": roles.group, "time": roles.time}
    given |= {"categorical": levels} if levels else {}
    if not numeric and not levels:
        return None
    what, seen = "a table of readings", _seen(roles)
    if why := _no_classes(roles, said):
        return Recognised(what, 1, given, seen, why)
    if target is None:
        ask = _which([override("data.target", name) for name in likely], "which column is the target?")
        return Recognised(what, 1, given, seen, ask or NO_CLASSES)
    given |= {"target": target}
    others = [name for name, values in roles.targets.items() if len(values) == 2 and name != target]
    if others and target != str(arguments.get("target")):
        takes = " or ".join(override("data.target", name) for name in others[:3])
        seen = (*seen, f"  target: {target}, by its name; {takes} takes another")
    found = list(roles.targets[target])
    if set(map(str, arguments.get("labels") or ())) == set(found):
        return Recognised(what, 1, given, seen)
    if labels := ordered(found):
        return Recognised(what, 1, given | {"labels": _typed(labels)}, seen)
    ways = [override("data.labels", _typed(each)) for each in (sorted(found), sorted(found, reverse=True))]
    return Recognised(what, 1, given, seen, _which(ways, f"which value of {target} is the event, the second label?"))


def _no_classes(roles: Roles, said: str) -> str:
    """Why the column that is said to be the target cannot be one, in a clause; "" where it can, or is not there."""
    if said in roles.useless and said not in roles.targets:
        code = f" ({FINDINGS['constant_target']})" if roles.useless[said] == NEVER else ""
        return f"the target {said} tells no classes: {roles.useless[said]}{code}; name another column: data.target=NAME"
    if said in roles.numbers and said not in roles.targets:
        return f"the target {said} is a number of many values, and sensors tells classes, {FEW} or fewer; {OF_NUMBERS}"
    return ""


def _target(roles: Roles, said: str) -> tuple[str | None, list[str]]:
    """The column that alone can be the target, and all that could be, the likeliest first."""
    named = [name for name in roles.targets if plain(name) in TARGETS]
    binary = [name for name, values in roles.targets.items() if len(values) == 2]
    for choice in ([name for name in roles.targets if name == said], named, binary):
        if len(choice) == 1:
            return choice[0], choice
    return None, list(dict.fromkeys([*named, *binary, *roles.targets]))


def _which(overrides: Sequence[str], question: str) -> str:
    """The question with its answers, and a command that gives the first of them."""
    return f"{question} {' or '.join(overrides[:3])}: {{command}} {overrides[0]}" if overrides else ""


def ordered(labels: list[str]) -> list[str] | None:
    """Two labels, the event last; of more than two all, sorted; None: which of two is the event is not plain."""
    if len(labels) != 2:
        return sorted(labels, key=lambda each: (len(each), each) if each.isdigit() else (0, each))
    for quiet, alarm in (labels, labels[::-1]):
        if quiet.lower() in QUIET and alarm.lower() in ALARMS:
            return [quiet, alarm]
    return None


def _typed(labels: Sequence[str]) -> list[str | int]:
    """Labels as they are typed: whole numbers as such."""
    return [int(each) if as_text(each) == f"'{each}'" and each.lstrip("-").isdigit() else each for each in labels]


def _seen(roles: Roles) -> tuple[str, ...]:
    targets = [
        f"{name} ({', '.join(f'{value}: {count}' for value, count in list(values.items())[:5])})"
        for name, values in roles.targets.items()
    ]
    useless = [f"{name} ({why})" for name, why in roles.useless.items()]
    lines = (("numbers", roles.numbers), ("possible targets", targets), ("left out", useless))
    found = [f"  {word}: {listed(each)}" for word, each in lines if each]
    found += [f"  time: {roles.time}"] if roles.time else []
    return (*found, *([f"  machine: {roles.group}"] if roles.group else []))


def _text(cell: Any) -> str:
    if cell is None or cell != cell:
        return ""
    return str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell).strip()


def plain_cell(text: str) -> str:
    return text.strip().lower()
