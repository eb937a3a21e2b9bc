"""Which column of a stranger's table plays which role, and what to type where its names are others."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from fulmen.config.choice_files import read_choice, workload_of
from fulmen.config.schema import choices
from fulmen.errors import FulmenError
from fulmen.io.hints import override
from fulmen.io.names import likely, matched, plain
from fulmen.io.options import TableOptions
from fulmen.io.tables import RawTable
from fulmen.io.taken import Guess, listed
from fulmen.workloads.sensors.features.features import DERIVED, TIME, source_columns
from fulmen.workloads.sensors.io.labels import MOST, Distinct
from fulmen.workloads.sensors.io.tables import Columns

TIMES = ("time", "timestamp", "datetime", "date", "date_time", "ts", "time_stamp", "measured_at", "recorded_at",
         "created_at", "zeit", "zeitstempel", "datum", "fecha", "hora", "heure", "horodatage", "t", "epoch", "time_s",
         "time_ms", "unixtime", "cycle", "hour", "hours")  # fmt: skip
MACHINES = ("machine", "machine_id", "machineid", "unit", "unit_id", "unit_number", "device", "device_id", "asset",
            "asset_id", "engine", "engine_id", "equipment", "equipment_id", "pump", "motor", "station", "sensor_id",
            "maschine", "anlage", "máquina", "serial", "serial_number")  # fmt: skip
TARGETS = ("maintenance", "label", "target", "class", "failure", "machine failure", "failed", "fail", "fault",
           "status", "event", "anomaly", "outcome", "result", "y", "pass/fail", "pass_fail", "alarm", "broken",
           "state", "condition", "needs_maintenance", "maintenance_needed", "maintenance_required",
           "wartung")  # fmt: skip
READINGS: Mapping[str, Sequence[str]] = {
    "light_lux": ("light", "lux", "illuminance", "light_level", "brightness", "licht", "helligkeit"),
    "temperature_c": ("temperature", "temp", "temp_c", "temperature_celsius", "temp_celsius", "temperatur", "t_c"),
    "vibration_mm_s": ("vibration", "vib", "vibration_rms", "vib_mm_s", "velocity_rms", "schwingung"),
}
SHOWN = 60  # columns named in one override at most


def columns_of(
    raw: RawTable, columns: Columns, options: TableOptions, key: str = "data"
) -> tuple[dict[str, str], list[Guess]]:
    """Wanted name -> name in the file, for all that `columns` names.

    Raises:
        FulmenError: a column is not there; the message has a command that reads the file as far as it can be known.
    """
    there = [str(name) for name in raw.frame.columns]
    wanted, chosen = columns.named(), options.columns
    if not columns.target:  # said of the training data: another file may have the names that are wanted
        chosen = {name: column for name, column in chosen.items() if name in wanted and column in there}
    said = {plain(str(name)) for name in chosen}
    free = [name for name in there if name not in wanted]
    synonyms = _synonyms(columns)
    lost = [
        name for name in wanted
        if name not in there and plain(name) not in said and not likely(name, free, synonyms.get(name, ()))
    ]  # fmt: skip
    if lost and columns.target:
        raise FulmenError(f"{raw.source}: no column {listed(lost)}{_instead(raw, lost, columns, options, key)}")
    found, guesses = matched(wanted, there, chosen, synonyms, (), key, raw.source)
    for name in found.values():
        if there.count(name) > 1:
            raise FulmenError(f"{raw.source}: {there.count(name)} columns are called {name}; rename all but one")
    return found, guesses


def _synonyms(columns: Columns) -> dict[str, Sequence[str]]:
    roles = ((columns.time, TIMES), (columns.group, MACHINES), (columns.target, TARGETS))
    return {**READINGS, **{name: synonyms for name, synonyms in roles if name and name in synonyms}}


@dataclass(frozen=True)
class Looks:
    """What the columns of a table look like.

    Attributes:
        numeric: hold numbers, and more than one.
        few: hold two to ten different values, which may be labels.
        time: probably holds the time.
        group: probably holds the machines.
    """

    numeric: Sequence[str]
    few: Sequence[str]
    time: str | None
    group: str | None

    @classmethod
    def of(cls, frame: pd.DataFrame) -> "Looks":
        names = [str(name) for name in dict.fromkeys(frame.columns) if list(frame.columns).count(name) == 1]
        few = [name for name in names if 2 <= len(Distinct.of(frame[name]).by_share()) <= MOST]
        time = _named(names, TIMES)
        group = _named([name for name in names if name != time], MACHINES)
        numeric = [name for name in names if name not in (time, group) and _varies(frame[name])]
        return cls(numeric, few, time, group)


def _instead(raw: RawTable, lost: Sequence[str], columns: Columns, options: TableOptions, key: str) -> str:
    """What to type so that the file is read, as far as that can be known."""
    if known := _known_table(raw, columns):
        return f"; the file has all that data={known} reads: data={known} {override(f'{key}.csv', raw.source)}"
    looks, typed, open_ = Looks.of(raw.frame), [], []
    there = listed(map(str, raw.frame.columns), 20)
    taken = [name for name in (columns.group, columns.time) if name and name not in lost]
    time, group = columns.time, columns.group
    if columns.target in lost or columns.target is None:
        target = _target(looks, taken)
        if target:
            labels = [text for text, _ in Distinct.of(raw.frame[target]).by_share()]
            typed += [override(f"{key}.target", target), override(f"{key}.labels", labels)]
        else:
            few = listed([name for name in looks.few if name not in taken]) or "none has two to ten values"
            open_.append(f"{key}.target=<the column of the labels: {few}>")
    else:
        target = columns.target
    if group in lost:
        group = looks.group if looks.group != target else None
        typed.append(override(f"{key}.group", group))
    if time in lost:
        time = looks.time if looks.time not in (target, group) else None
        typed.append(override(f"{key}.time", time))
    if (set(lost) & set(source_columns(columns.numeric))) or (not time and columns.time):
        numeric = [name for name in columns.numeric if _is_there(name, lost, time)]
        if not set(source_columns(numeric)) - set(DERIVED):
            numeric = [name for name in looks.numeric if name not in (target, group, time)]
        if numeric:
            typed.insert(0, override(f"{key}.numeric", numeric[:SHOWN]))
        else:
            open_.insert(0, f"{key}.numeric=[<columns with numbers>]")
    typed += [override(f"{key}.categorical", {})] if set(lost) & set(columns.categorical) else []
    more = "; the last label is the event" if any(".labels=" in each for each in typed) else ""
    say = f"; and say {' '.join(open_)}" if open_ else ""
    return f"; the file has {there}. {'Perhaps ' if typed else ''}{' '.join(typed)}{more}{say}"


def _is_there(name: str, lost: Sequence[str], time: str | None) -> bool:
    sources = DERIVED[name][0] if name in DERIVED else (name,)
    return not set(sources) & set(lost) and (TIME not in sources or time is not None)


def _known_table(raw: RawTable, columns: Columns) -> str | None:
    """A choice of data for tables of this kind whose columns are all in the file."""
    there = set(map(str, raw.frame.columns))
    for name in choices("data"):
        content = read_choice("data", name)[1]
        numeric, target = content.get("numeric"), content.get("target")
        if isinstance(numeric, list) and target and workload_of("data", name) == "sensors":
            needed = {*source_columns(numeric), *(content.get("categorical") or {}), target}
            if needed <= there and needed != set(columns.named()):
                return name
    return None


def _target(looks: Looks, taken: Sequence[str]) -> str | None:
    """The column that probably has the labels: by its name, or as the only one of two values."""
    few = [name for name in looks.few if name not in taken and name not in (looks.time, looks.group)]
    return _named(few, TARGETS) or (few[0] if len(few) == 1 else None)


def _named(names: Sequence[str], known: Sequence[str]) -> str | None:
    by_plain = {plain(name): name for name in reversed(names)}
    return next((by_plain[plain(each)] for each in known if plain(each) in by_plain), None)


def _varies(cells: pd.Series) -> bool:
    """Whether most cells hold numbers, and not all the same."""
    number = pd.to_numeric(cells, errors="coerce")
    return bool(number.notna().mean() > 0.5 and number.nunique() > 1)
