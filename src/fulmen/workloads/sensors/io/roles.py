"""Which column of a stranger's table plays which role, and what to type where its names are others."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from fulmen.config.choice_files import read_choice, workload_of
from fulmen.config.schema import choices
from fulmen.errors import FulmenError
from fulmen.io.hints import override
from fulmen.io.layout import cells_of
from fulmen.io.names import likely, matched, plain
from fulmen.io.options import TableOptions, word_for
from fulmen.io.stamps import stamp_of
from fulmen.io.tables import RawTable
from fulmen.io.taken import Guess, listed
from fulmen.workloads.sensors.features.features import DERIVED, TIME, source_columns
from fulmen.workloads.sensors.io.labels import MOST, Distinct, spelled_once
from fulmen.workloads.sensors.io.tables import Columns

TIMES = ("time", "timestamp", "datetime", "date", "date_time", "ts", "time_stamp", "measured_at", "recorded_at",
         "created_at", "zeit", "zeitstempel", "datum", "fecha", "hora", "heure", "horodatage", "t", "epoch", "time_s",
         "time_ms", "unixtime", "cycle", "hour", "hours")  # fmt: skip
MACHINES = ("machine", "machine_id", "machineid", "unit", "unit_id", "unit_number", "device", "device_id", "asset",
            "asset_id", "engine", "engine_id", "equipment", "equipment_id", "pump", "motor", "station", "sensor_id",
            "maschine", "anlage", "gerät", "aggregat", "pumpe", "máquina", "serial", "serial_number")  # fmt: skip
TARGETS = ("maintenance", "label", "target", "class", "failure", "machine failure", "failed", "fail", "fault",
           "status", "event", "anomaly", "outcome", "result", "y", "pass/fail", "pass_fail", "alarm", "broken",
           "state", "condition", "needs_maintenance", "maintenance_needed", "maintenance_required",
           "wartung")  # fmt: skip
READINGS: Mapping[str, Sequence[str]] = {
    "light_lux": ("light", "lux", "illuminance", "light_level", "brightness", "licht", "helligkeit"),
    "temperature_c": ("temperature", "temp", "temp_c", "temperature_celsius", "temp_celsius", "temperatur", "t_c"),
    "vibration_mm_s": ("vibration", "vib", "vibration_rms", "vib_mm_s", "velocity_rms", "schwingung"),
}
OUTCOME = re.compile(r"status|label|fail|fault|target|class|anomal|maint|broken|defect|defekt|störung|ausfall", re.I)
DATES = ("date", "day", "datum", "fecha", "data", "jour")
CLOCK = re.compile(r"\d{1,2}([:.])\d\d(\1\d\d([.,]\d+)?)?(\s*[ap]m)?", re.IGNORECASE)
MACHINE = re.compile(r"[^\W\d][^\d.,]*\d{1,6}")  # M-01
SEEN = 30  # cells of a column that are tried as dates
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
    if len(there) == 1 and len(wanted) > 1 and options.character and len(cells_of(there[0], options.character)) == 1:
        raise FulmenError(
            f"{raw.source}: one column, {there[0][:60]!r}, with the delimiter {word_for(options.character)}; "
            f"{override(f'{key}.delimiter', 'auto')} finds out which one the file has"
        )
    lost = [
        name for name in wanted
        if name not in there and plain(name) not in said and not likely(name, free, synonyms.get(name, ()))
    ]  # fmt: skip
    if lost and columns.target:
        near = {name: column for name in wanted if name not in (*there, *lost) and plain(name) not in said
                and (column := likely(name, free, synonyms.get(name, ())))}  # fmt: skip
        raise FulmenError(f"{raw.source}: no column {listed(lost)}; {_instead(raw, lost, near, columns, key)}")
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
        numeric: hold numbers, and more than one; a count of the rows is none.
        few: hold two to ten different values, which may be labels.
        two: those of them that hold two.
        time: probably holds the time, by its name or because no other one holds dates.
        group: probably holds the machines, by its name or because no other one has repeated names such as M-01.
    """

    numeric: Sequence[str]
    few: Sequence[str]
    two: Sequence[str]
    time: str | None
    group: str | None

    @classmethod
    def of(cls, frame: pd.DataFrame) -> "Looks":
        names = [str(name) for name in frame.columns if name and list(frame.columns).count(name) == 1]
        kinds = {name: len(spelled_once(Distinct.of(frame[name]))[0]) for name in names}
        time = _named(names, TIMES) or _only(name for name in names if _holds_dates(frame[name]))
        group = _named([name for name in names if name != time], MACHINES)
        group = group or _only(name for name in names if name != time and _holds_machines(frame[name]))
        numeric = [name for name in names if name not in (time, group) and _varies(frame[name])]
        return cls(
            numeric, [name for name in names if 2 <= kinds[name] <= MOST],
            [name for name in names if kinds[name] == 2], time, group,
        )  # fmt: skip


def _instead(raw: RawTable, lost: Sequence[str], near: Mapping[str, str], columns: Columns, key: str) -> str:
    """What to type so that the file is read, as far as that can be known.

    Args:
        lost: wanted names that nothing in the file resembles.
        near: wanted name -> the column that probably is it.
    """
    there = listed([str(name) for name in raw.frame.columns], 20)
    if known := _known_table(raw, columns):
        return f"the file has all that data={known} reads: data={known} {override(f'{key}.csv', raw.source)}"
    looks, typed = Looks.of(raw.frame), []
    others = {*lost, *near}
    target, time, group = str(columns.target), columns.time, columns.group
    if time in others:
        time = near.get(str(time)) or looks.time
        typed.append(override(f"{key}.time", time))
    if group in others:
        group = near.get(str(group)) or (looks.group if looks.group != time else None)
        typed.append(override(f"{key}.group", group))
    open_ = ""
    if target in others:
        few = [name for name in looks.few if name not in (time, group, *columns.numeric)]
        two = [name for name in few if name in looks.two]
        target = (
            near.get(target)
            or _named(few, TARGETS)
            or next(filter(OUTCOME.search, few), "")
            or (two[0] if len(two) == 1 else "")
        )
        if target:
            labels = [text for text, _ in spelled_once(Distinct.of(raw.frame[target]))[0]]
            typed = [override(f"{key}.target", target), override(f"{key}.labels", labels[:SHOWN]), *typed]
        else:
            few_ = f"{listed(few)} {'has' if len(few) == 1 else 'have'}" if few else "none has"
            open_ = f"; name the column of the labels by {key}.target ({few_} two to ten values)"
    typed = [*_features(looks, others, near, columns, (target, time, group), key), *typed]
    if set(lost) & set(columns.categorical):
        typed.append(override(f"{key}.categorical", None))
    last = "; the last label is the event" if any(".labels=" in each for each in typed) else ""
    return f"the file has {there}{'. Perhaps ' if typed else ''}{' '.join(typed)}{last}{open_}"


def _features(
    looks: Looks, others: Collection[str], near: Mapping[str, str], columns: Columns,
    roles: tuple[str, str | None, str | None], key: str,
) -> list[str]:  # fmt: skip
    """Overrides that name the features: those wanted, if most of them are there, else all columns of numbers."""
    sources = source_columns(columns.numeric)
    named = {name: near[name] for name in sources if name in near}
    gone = [name for name in sources if name in others and name not in named]
    if not gone and (roles[1] or not columns.time):
        return [override(f"{key}.columns", named)] if named else []
    if len(gone) * 2 < len(sources):
        kept = [name for name in columns.numeric if _is_there(name, gone, roles[1])]
        return [override(f"{key}.numeric", kept), *([override(f"{key}.columns", named)] if named else [])]
    numeric = [name for name in looks.numeric if name not in roles]
    return [override(f"{key}.numeric", numeric[:SHOWN])] if numeric else []


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


def with_its_date(frame: pd.DataFrame, column: str) -> tuple[pd.Series, Guess | None]:
    """The cells of a column of times; where they are times of day, with the date that stands in a column beside."""
    cells = frame[column]
    first = cells.iloc[0] if len(cells) else None
    dates = _named([str(name) for name in frame.columns if name != column], DATES)
    if dates is None or not (isinstance(first, str) and CLOCK.fullmatch(first.strip())):
        return cells, None
    joined = frame[dates].astype(str).str.strip() + " " + cells.astype(str).str.strip().str.replace(".", ":")
    return joined, Guess(f"{dates} and {column} are one time")


def _named(names: Sequence[str], known: Sequence[str]) -> str | None:
    by_plain = {plain(name): name for name in reversed(names)}
    return next((by_plain[plain(each)] for each in known if plain(each) in by_plain), None)


def _only(names: Iterable[str]) -> str | None:
    found = list(names)
    return found[0] if len(found) == 1 else None


def _holds_dates(cells: pd.Series) -> bool:
    """Whether the first cells are dates, and not numbers such as 20240131."""
    if cells.dtype.kind == "M":
        return True
    first = [str(cell) for cell in cells.iloc[:SEEN]]
    return bool(first) and not any(map(str.isdecimal, first)) and None not in map(stamp_of, first)


def _holds_machines(cells: pd.Series) -> bool:
    """Whether the cells are names with a number at their end, three or more, each in several rows."""
    distinct = Distinct.of(cells)
    names, count = [*filter(None, distinct.text)], np.bincount(distinct.number, minlength=1)
    return 3 <= len(names) <= len(cells) // 3 and count.min() > 1 and all(map(MACHINE.fullmatch, names))


def _varies(cells: pd.Series) -> bool:
    """Whether most cells hold numbers, and neither all the same nor a count of the rows."""
    number = pd.to_numeric(cells, errors="coerce")
    return bool(number.notna().mean() > 0.5 and number.nunique() > 1 and not (number.diff().iloc[1:] == 1).all())
