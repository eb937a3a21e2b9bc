"""A known table, written as strangers write theirs, is read to the value, or refused in a line that says what to type.

What is typed after a refusal is what the line itself names, unless it can only say what is to be chosen.
"""

import re

import numpy as np
import pandas as pd
import pytest

from fulmen.errors import FulmenError
from tests.workloads.sensors.strangers import (
    READINGS,
    START_H,
    Kind,
    column_as,
    data_of,
    known,
    lines,
    named_in,
    packed,
    parquet,
    raw,
    renamed,
    text,
    time_as,
    workbook,
    zipped,
)

EPOCH = pd.Timestamp(0, tz="UTC")
HOUR = pd.Timedelta(hours=1)


def comma(values):
    """A column with decimal commas."""
    return values.map(lambda value: "" if pd.isna(value) else str(value).replace(".", ","))


def german(t):
    return t.assign(**{name: comma(t[name]) for name in READINGS})


CONTAINERS = {
    "as it is": Kind(text()),
    "gzip": Kind(raw(packed, "readings.csv.gz")),
    "gzip that is called csv": Kind(raw(packed)),
    "bzip2": Kind(text(name="readings.csv.bz2")),
    "xz": Kind(text(name="readings.csv.xz")),
    "zip": Kind(raw(zipped, "readings.zip")),
    "called txt": Kind(text(name="readings.txt")),
    "UTF-16": Kind(text(encoding="utf-16")),
    "UTF-8 with a mark": Kind(text(encoding="utf-8-sig")),
    "Latin-1": Kind(
        text(lambda t: t.rename(columns={"temperature_c": "Temperatur °C"}), encoding="latin-1"),
        typed=("data.columns={temperature_c: 'Temperatur °C'}",), says="cp1252",
    ),
    "Parquet": Kind(parquet()),
    "Parquet that is called csv": Kind(parquet(name="readings.csv")),
    "Parquet with times": Kind(parquet(lambda t: t.assign(time=pd.to_datetime(t.time)))),
    "Parquet with times of a zone": Kind(
        parquet(lambda t: t.assign(time=pd.to_datetime(t.time, utc=True).dt.tz_convert("Asia/Tokyo")))
    ),
    "Parquet with types that know of gaps": Kind(parquet(lambda t: t.convert_dtypes())),
    "Parquet with an index of times": Kind(parquet(lambda t: t.set_index("time"))),
    "Excel": Kind(workbook(lambda t: t.assign(time=pd.to_datetime(t.time)))),
    "Excel with texts for times": Kind(workbook()),
    "Excel with lines above": Kind(workbook(above=3)),
}  # fmt: skip
LAYOUTS = {
    "semicolon": Kind(text(sep=";")),
    "tab": Kind(text(sep="\t")),
    "bar": Kind(text(sep="|")),
    "blanks": Kind(text(lambda t: t.fillna({"light_lux": "NA"}), sep=" ")),
    "semicolon, as typed": Kind(text(sep=";"), typed=("data.delimiter=semicolon",)),
    "CR LF": Kind(lines(lambda rows: rows, end="\r\n")),
    "CR": Kind(lines(lambda rows: rows, end="\r")),
    "sep=": Kind(lines(lambda rows: ["sep=;", *rows], sep=";")),
    "title": Kind(lines(lambda rows: ["Plant 7, export of 2024-04-01", "", *rows])),
    "comments": Kind(lines(lambda rows: ["# logger 7", "# unit: hour", *rows])),
    "empty lines": Kind(lines(lambda rows: [*rows[:50], "", *rows[50:], "", ""]), says="empty"),
    "the header again": Kind(lines(lambda rows: [*rows[:121], rows[0], *rows[121:]]), says="header again"),
    "a delimiter at the end": Kind(lines(lambda rows: [f"{row}," for row in rows])),
    "blanks around": Kind(lines(lambda rows: [" , ".join(row.split(",")) for row in rows])),
    "all in quotes": Kind(text(quoting=1)),
    "row names of R": Kind(lines(lambda rows: [rows[0], *(f"{i},{row}" for i, row in enumerate(rows[1:], 1))])),
    "row numbers of pandas": Kind(text(index=True)),
    "columns in another order": Kind(text(lambda t: t[list(t.columns)[::-1]])),
    "a line of units": Kind(
        lines(lambda rows: [rows[0], ",,lux,°C,mm/s,", *rows[1:]]), says="line of words below"
    ),
    "no header": Kind(
        text(header=False), asks="no line with the names",
        then=("data.header=[machine,time,light_lux,temperature_c,vibration_mm_s,maintenance]",),
    ),
}  # fmt: skip
NUMBERS = {
    "decimal comma": Kind(text(german, sep=";"), says="decimal comma"),
    "decimal comma in quotes": Kind(text(german), says="decimal comma"),
    "decimal comma, tabs": Kind(text(german, sep="\t"), says="decimal comma"),
    "decimal comma, as typed": Kind(text(german, sep=";"), typed=("data.decimal=comma",)),
    "thousands": Kind(column_as("light_lux", lambda x: x.map("{:,.1f}".format).replace("nan", "")), says="thousands"),
    "thousands of Switzerland": Kind(
        column_as("light_lux", lambda x: x.map("{:,.1f}".format).replace("nan", "").str.replace(",", "'"))
    ),
    "exponents": Kind(column_as("light_lux", lambda x: x.map("{:.6e}".format).replace("nan", ""))),
    "a sign before": Kind(column_as("temperature_c", lambda x: x.map("{:+.2f}".format))),
    "NA": Kind(text(na_rep="NA")),
    "NaN": Kind(text(na_rep="NaN")),
    "null": Kind(text(na_rep="null")),
    "a stroke": Kind(text(na_rep="-"), says="'-' is a missing value"),
    "#N/A": Kind(text(na_rep="#N/A")),
    "<NA>": Kind(text(na_rep="<NA>")),
    "bad": Kind(text(na_rep="bad"), asks="row 14, column light_lux: 'bad' is no number"),
    "-999": Kind(text(na_rep="-999"), asks="-999"),
    "-200": Kind(text(na_rep="-200"), asks="-200", then=("data.missing_values=[-200]",)),
    "99999": Kind(text(na_rep="99999"), asks="99999"),
    "infinite": Kind(text(na_rep="inf"), asks="row 14, column light_lux: inf is infinite", ends=True),
    "a unit in the cells": Kind(
        column_as("temperature_c", lambda x: x.map("{} °C".format)), asks="row 2, column temperature_c: .*°C", ends=True
    ),
    "one number of words": Kind(
        column_as("temperature_c", lambda x: x.astype(object).where(x.index != 29, "warm")),
        asks="row 31, column temperature_c: 'warm' is no number", ends=True,
    ),
    "two decimal signs": Kind(
        column_as("temperature_c", lambda x: x.astype(object).where(x.index != 29, "21,55")),
        asks="row 31, column temperature_c: '21,55' has a decimal comma", ends=True,
    ),
}  # fmt: skip
NAMES = {
    "capitals": Kind(text(lambda t: t.rename(columns=str.upper)), says="LIGHT_LUX is light_lux"),
    "blanks for strokes": Kind(text(lambda t: t.rename(columns=lambda name: name.replace("_", " ").title()))),
    "Timestamp": Kind(renamed(time="Timestamp"), asks="is it Timestamp as time"),
    "Machine ID": Kind(renamed(machine="Machine ID"), asks="is it Machine ID as machine"),
    "Temp": Kind(renamed(temperature_c="Temp"), asks="is it Temp as temperature_c"),
    "several at once": Kind(renamed(machine="unit_id", time="Date", temperature_c="Temp (C)", maintenance="Label"),
                            asks="is it"),
    "misspelt": Kind(renamed(vibration_mm_s="vibraton_mm_s"), asks="is it vibraton_mm_s as vibration_mm_s"),
    "said at once": Kind(renamed(temperature_c="Kelvin?", machine="Anlage 1"),
                         typed=("data.columns={temperature_c: 'Kelvin?', machine: Anlage 1}",)),
    "another label": Kind(renamed(maintenance="xyz"), asks="no column maintenance"),
    "a name twice": Kind(
        lines(lambda rows: [f"{rows[0]},light_lux", *(f"{row},1" for row in rows[1:])]), asks="light_lux", ends=True
    ),
}  # fmt: skip


def as_text(no, yes):
    return column_as("maintenance", lambda x: x.map({0: no, 1: yes}))


LABELS = {
    "0.0 and 1.0": Kind(column_as("maintenance", lambda x: x.astype(float))),
    "True and False": Kind(as_text("False", "True"), says="is 1"),
    "TRUE and FALSE": Kind(as_text("FALSE", "TRUE"), says="is 1"),
    "truth in Parquet": Kind(parquet(lambda t: t.assign(maintenance=t.maintenance == 1))),
    "truth, as typed": Kind(as_text("false", "true"), typed=("data.labels=[false,true]",)),
    "yes and no": Kind(as_text("no", "yes"), asks="none of the labels 0, 1; .*the last is the event"),
    "Yes and No": Kind(as_text("No", "Yes"), asks="none of the labels"),
    "Pass and Fail": Kind(as_text("Pass", "Fail"), asks=r"Pass \(85\.0%\), Fail \(15\.0%\).*the last is the event"),
    "words with blanks": Kind(as_text("no need", "needs repair"), asks="none of the labels"),
    "-1 and 1": Kind(as_text(-1, 1), asks="'-1' is none of the labels"),
    "1 and 2": Kind(as_text(1, 2), asks="'2' is none of the labels"),
    "in capitals": Kind(as_text("OK", "NOK"), typed=("data.labels=[ok,nok]",), says="OK in maintenance is ok"),
    "two spellings": Kind(
        lines(lambda rows: [*(row[:-1] + {"0": "ok", "1": "nok"}.get(row[-1], row[-1]) for row in rows[:-1]),
                            rows[-1][:-1] + "NOK"]),
        typed=("data.labels=[ok,nok]",), says="NOK in maintenance is nok",
    ),
    "one is missing": Kind(
        column_as("maintenance", lambda x: x.astype(object).where(x.index != 7, "")),
        asks="row 9, column maintenance: empty", ends=True,
    ),
    "a number instead": Kind(column_as("maintenance", lambda x: x + np.arange(240)), asks="name the column of the lab",
                             ends=True),
}  # fmt: skip
TIMES = {
    "ISO with a blank": Kind(time_as(lambda t: t.dt.strftime("%Y-%m-%d %H:%M:%S"))),
    "with Z": Kind(time_as(lambda t: t.dt.strftime("%Y-%m-%dT%H:%M:%SZ"))),
    "of a zone": Kind(time_as(lambda t: t.dt.tz_convert("Asia/Tokyo").map(pd.Timestamp.isoformat)), says=" UTC to 20"),
    "seconds since 1970": Kind(time_as(lambda t: (t - EPOCH) // pd.Timedelta(seconds=1)), says="seconds since 1970"),
    "milliseconds": Kind(time_as(lambda t: (t - EPOCH) // pd.Timedelta(milliseconds=1)), says="milliseconds since"),
    "microseconds": Kind(time_as(lambda t: (t - EPOCH) // pd.Timedelta(microseconds=1)), says="microseconds since"),
    "nanoseconds": Kind(time_as(lambda t: (t - EPOCH) // pd.Timedelta(nanoseconds=1)), says="nanoseconds since"),
    "seconds with decimals": Kind(time_as(lambda t: ((t - EPOCH) / pd.Timedelta(seconds=1)).map("{:.3f}".format))),
    "days of Excel": Kind(
        time_as(lambda t: (t - pd.Timestamp("1899-12-30", tz="UTC")) / pd.Timedelta(days=1)), says="Excel"
    ),
    "days of Excel, rounded": Kind(
        time_as(lambda t: ((t - pd.Timestamp("1899-12-30", tz="UTC")) / pd.Timedelta(days=1)).round(6)), says="Excel"
    ),
    "hours": Kind(time_as(lambda t: (t - t.min()) // HOUR), since_start=True, says="hours"),
    "seconds since the start": Kind(
        time_as(lambda t: (t - t.min()) // pd.Timedelta(seconds=1)), asks="say their unit", since_start=True
    ),
    "minutes, as typed": Kind(
        time_as(lambda t: (t - t.min()) // pd.Timedelta(minutes=1)), typed=("data.time_unit=minutes",), since_start=True
    ),
    "minutes since the start": Kind(
        time_as(lambda t: (t - t.min()) // pd.Timedelta(minutes=1)), asks="say their unit",
        then=("data.time_unit=minutes",), since_start=True,
    ),
    "German": Kind(time_as(lambda t: (t + 14 * 24 * HOUR).dt.strftime("%d.%m.%Y %H:%M")), since_start=True, says="day"),
    "American": Kind(
        time_as(lambda t: (t + 14 * 24 * HOUR).dt.strftime("%m/%d/%Y %H:%M")), since_start=True, says="month"
    ),
    "afternoon": Kind(time_as(lambda t: (t + 14 * 24 * HOUR).dt.strftime("%m/%d/%Y %I:%M:%S %p")), since_start=True),
    "day or month": Kind(
        time_as(lambda t: t.dt.strftime("%m/%d/%Y %H:%M")), asks="may be day", then=("data.dates=month_first",)
    ),
    "year of two digits": Kind(
        time_as(lambda t: t.dt.strftime("%m/%d/%y %H:%M")), asks="may be of", then=("data.dates=month_first",)
    ),
    "names of months": Kind(time_as(lambda t: t.dt.strftime("%d %b %Y %H:%M"))),
    "digits alone": Kind(time_as(lambda t: t.dt.strftime("%Y%m%d%H%M"))),
    "times of day": Kind(time_as(lambda t: t.dt.strftime("%H:%M")), asks="time of day", ends=True),
    "one is missing": Kind(
        column_as("time", lambda t: t.where(t.index != 7, "")), asks="row 9, column time", ends=True
    ),
    "no such day": Kind(
        column_as("time", lambda t: t.where(t.index != 7, "2024-02-31T00:00:00")), asks="row 9, column time", ends=True
    ),
    "rows in another order": Kind(text(lambda t: t.sample(frac=1, random_state=3))),
    "a time twice": Kind(
        column_as("time", lambda t: t.where(t.index != 7, t[6])), asks="row 9, column time: machine M-00 has", ends=True
    ),
}  # fmt: skip


def spelled(row, name):
    return column_as("machine", lambda x: x.where(x.index != row, name))


IDENTITY = {
    "a blank behind a name": Kind(spelled(7, "M-00 ")),
    "a small letter": Kind(spelled(7, "m-00"), asks="'m-00' .1 rows. differ in case alone"),
    "no name": Kind(spelled(7, ""), asks="row 9, column machine: empty", ends=True),
    "3 and 3.0": Kind(
        column_as("machine", lambda x: x.str[3:].astype(object).where(x.index % 2 == 0, x.str[3:] + ".0")),
        asks="differ in how a number is written alone",
    ),
    "the table three times": Kind(text(lambda t: pd.concat([t] * 3)), says="480 of 720 rows"),
    "the target among the features": Kind(
        text(lambda t: t.assign(alarm=t.maintenance)), typed=("data.numeric=[light_lux,temperature_c,alarm]",),
        asks="alarm is maintenance under another name; leave it out", ends=True,
    ),
    "kinds of the target among the features": Kind(
        text(lambda t: t.assign(heat=t.maintenance * (t.index % 2), load=t.maintenance * (t.index % 2 == 0))),
        typed=("data.numeric=[light_lux,temperature_c,vibration_mm_s,hour_sin,heat,load]",),
        asks="heat, load are kinds of maintenance: the rows in which one of them is 1 have the label 1 alone",
        then=("data.numeric=[light_lux,temperature_c,vibration_mm_s,hour_sin]",),
    ),
}  # fmt: skip
BROKEN = {
    "empty": Kind(raw(lambda content: b""), asks="readings.csv: the file is empty", ends=True),
    "blank": Kind(raw(lambda content: b"\n\n  \n"), asks="the file is empty", ends=True),
    "header only": Kind(text(lambda t: t.iloc[:0]), asks="no row below the header", ends=True),
    "one row": Kind(text(lambda t: t.iloc[:1]), asks="readings.csv, row 2", ends=True),
    "binary": Kind(raw(lambda content: bytes(range(256)) * 40), asks="readings.csv, line 1", ends=True),
    "a control character": Kind(
        raw(lambda content: content.replace(b"M-01", b"M-\x0001", 1)), asks="line 62, character .*control", ends=True
    ),
    "a long line": Kind(raw(lambda content: content + b"x" * 3_000_000), asks="line 242", ends=True),
    "unequal rows": Kind(lines(lambda rows: [*rows[:9], "a,b,c,d,e,f,g", *rows[9:]]), asks="line 10", ends=True),
    "a short row": Kind(lines(lambda rows: [*rows[:9], "a,b", *rows[9:]]), asks="line 10", ends=True),
    "half a gzip": Kind(raw(lambda content: packed(content)[:1000], "readings.csv.gz"), asks="damaged", ends=True),
    "a pickle": Kind(lambda t, f: (t.to_pickle(f / "r.csv"), f / "r.csv")[1], asks="pickle", ends=True),
    "JSON": Kind(lambda t, f: (t.to_json(f / "r.json", orient="records"), f / "r.json")[1], asks="is JSON", ends=True),
    "constant": Kind(text(lambda t: t.assign(light_lux=7.0)), asks="row 2, column light_lux: the column is constant"),
    "empty column": Kind(text(lambda t: t.assign(light_lux="")), asks="row 2, column light_lux: .* no number"),
    "one class": Kind(text(lambda t: t.assign(maintenance=0)), asks="the target has one class, 0", ends=True),
}  # fmt: skip
KINDS = {
    f"{group}: {name}": kind
    for group, kinds in {
        "container": CONTAINERS, "layout": LAYOUTS, "numbers": NUMBERS, "names": NAMES, "labels": LABELS,
        "times": TIMES, "identity": IDENTITY, "broken": BROKEN,
    }.items()
    for name, kind in kinds.items()
}  # fmt: skip


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.filterwarnings("ignore")
def test_a_strange_table_is_read_to_the_value_or_refused_in_a_line_whose_override_reads_it(name, tmp_path):
    kind = KINDS[name]
    path, typed = kind.write(known(), tmp_path), kind.typed
    asked = 0
    while asked < 3:
        data = data_of(path, typed)
        try:
            data.prepare_data()
            break
        except FulmenError as refused:
            message, asked = str(refused), asked + 1
        assert "\n" not in message
        assert "Traceback" not in message
        assert path.name in message
        assert re.search(kind.asks or "nothing is asked", message), message
        if kind.ends:
            return
        more = kind.then or named_in(message)
        assert more, message
        typed = tuple({each.partition("=")[0]: each for each in (*typed, *more)}.values())
    assert bool(asked) == bool(kind.asks), "it was read"
    assert kind.says in "\n".join(data.taken[0].lines()), data.taken[0].lines()
    check_equal(data, kind)
    data.setup()


def check_equal(data, kind):
    """Every number, label, machine and time is that of the known table."""
    arrays, frame = data._arrays(), known()
    order = np.lexsort((arrays["time_h"], arrays["group"]))
    x = arrays["x"][order]
    for name in READINGS:
        if name in data.numeric:
            expected = frame[name].to_numpy(np.float32)
            assert np.array_equal(x[:, data.numeric.index(name)], expected, equal_nan=True), name
    assert arrays["target"][order].tolist() == frame.maintenance.tolist()
    assert len(set(arrays["group_name"].tolist())) == 4
    hours = arrays["time_h"][order]
    assert hours - (hours[0] if kind.since_start else START_H) == pytest.approx(np.arange(240) % 60, abs=1e-3)
