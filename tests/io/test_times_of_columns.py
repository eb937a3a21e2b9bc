"""Times and dates of columns are what Python's datetime says they are, or asked about; held against `strptime`."""

import random
from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest

from fulmen.errors import FulmenError
from fulmen.io.days import read_days
from fulmen.io.options import TableOptions
from fulmen.io.times import read_times
from fulmen.io.where import Where

AS_FOUND = TableOptions()
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def times(*cells, name="t", options=AS_FOUND, dtype=None, **more):
    values = (
        cells[0] if len(cells) == 1 and not isinstance(cells[0], str | float | int) else pd.Series(cells, dtype=dtype)
    )
    return read_times(values, name, Where("a.csv", np.arange(2, len(values) + 2)), options, **more)


def days(*cells, options=AS_FOUND, **more):
    values = cells[0] if len(cells) == 1 and not isinstance(cells[0], str | float | int) else pd.Series(cells)
    return read_days(values, "Date", Where("a.csv", np.arange(2, len(values) + 2)), options, **more)


def refused(match, *cells, reader=times, **more):
    with pytest.raises(FulmenError, match=match) as caught:
        reader(*cells, **more)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def hours(*moments):
    return [((m if m.tzinfo else m.replace(tzinfo=UTC)) - EPOCH).total_seconds() / 3600 for m in moments]


def said(found):
    return [str(guess) for guess in found.guesses]


NOON = datetime(2024, 1, 31, 14, 0)


# ISO


@pytest.mark.parametrize("as_list", [True, False])
@pytest.mark.parametrize("text", ["%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M:%S.%f", "%Y-%m-%dT%H:%M:%SZ"])
def test_iso_times_are_the_hours_since_1970_to_the_bit(text, as_list):
    draw = random.Random(text)
    moments = [datetime(1990, 1, 1) + timedelta(seconds=draw.randint(0, 10**9)) for _ in range(500)]
    texts = [moment.strftime(text) for moment in moments]
    found = times(texts if as_list else pd.Series(texts))
    expected = [datetime.strptime(t, text) for t in texts]
    assert found.hours.tolist() == hours(*expected)
    assert found.absolute
    assert said(found) == []


def test_offsets_become_utc_and_are_told():
    for form in ("2024-01-31T14:00:00+09:00", "31.01.2024 14:00 +0900", "2024-01-31 14:00:00+09"):
        found = times(form)
        assert found.hours.tolist() == hours(datetime(2024, 1, 31, 14, tzinfo=timezone(timedelta(hours=9))))
        assert said(found)[-1:] == ["t: times with an offset, taken in UTC"]
    assert times("2024-01-31T14:00-05:00", "2024-02-01T14:00-05:00").hours[0] == hours(NOON)[0] + 5
    assert said(times("2024-01-31T14:00Z")) == said(times("2024-01-31T14:00+00:00")) == []


def test_an_offset_that_no_zone_has_is_no_offset():
    for cell in ("2024-01-31 18:35-20", "2024-01-31 18:35-20:00", "2024-01-31T18:35+15:00"):
        refused("row 2, column t: .* no zone is .* from UTC", cell)
    assert times("2024-01-31T14:00+14:00").hours[0] == hours(NOON)[0] - 14


@pytest.mark.parametrize("as_list", [True, False])
@pytest.mark.parametrize("other", ["2024-01-31T15:00+01:00", "2024-01-31T15:00Z", "2024-01-31T15:00-05:00"])
def test_times_with_and_without_an_offset_are_refused(other, as_list):
    cells = ["2024-01-31T14:00", other]
    message = refused("row 2, column t: .* has no offset from UTC", cells if as_list else pd.Series(cells))
    assert "row 3" in message
    refused("has no offset", "31.01.2024 14:00", "31.01.2024 15:00 +01:00")


# other forms

FORMS = [
    "%d.%m.%Y %H:%M", "%d.%m.%Y %H:%M:%S", "%m/%d/%Y %I:%M:%S %p", "%Y/%m/%d %H:%M", "%d-%b-%Y %H:%M:%S",
    "%b %d, %Y %I:%M %p", "%B %d, %Y %H:%M", "%d %B %Y %H:%M", "%a %b %d %H:%M:%S %Y", "%Y-%m-%d %H:%M:%S,%f",
    "%a, %d %b %Y %H:%M:%S GMT", "%Y%m%dT%H%M%S", "%Y%m%d %H:%M:%S", "%Y.%m.%d %H:%M", "%m/%d/%Y %H:%M",
    "%Y-%b-%d %H:%M",
]  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_times_in_words_and_numbers_are_what_strptime_reads_with_their_form(form):
    draw = random.Random(form)
    moments = [datetime(1995, 1, 13) + timedelta(minutes=draw.randint(0, 15_000_000)) for _ in range(200)]
    texts = [moment.strftime(form) for moment in moments]
    assert times(*texts).hours.tolist() == pytest.approx(hours(*[datetime.strptime(t, form) for t in texts]), abs=1e-9)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2024-01-31 14:00:00,123", datetime(2024, 1, 31, 14, 0, 0, 123000)), ("1/31/2024", datetime(2024, 1, 31)),
        ("31/Jan/2024:14:00:00 +0000", NOON), ("Jan 31, 2024 2:00 PM", NOON),
        ("2024-01-31 24:00", datetime(2024, 2, 1)),
        ("31. Januar 2024 14:00", NOON), ("1/31/2024 12:00 AM", datetime(2024, 1, 31)), ("31 Jan 2024 2 p.m.", NOON),
        ("1/31/2024 12:30 PM", datetime(2024, 1, 31, 12, 30)), ("20240131_140000", NOON), ("14:00 31.01.2024", NOON),
        ("2024-01-31T15:00:00+01:00[Europe/Berlin]", NOON),
        ("2024-01-31 14:00 UTC", NOON),
        ("Wed Jan 31 2024 14:00:00 GMT+0000 (Greenwich Mean Time)", NOON), ("2024-1-31 14:00", NOON),
    ],
)  # fmt: skip
def test_a_time_that_has_one_reading_is_read(text, moment):
    assert times(text).hours.tolist() == hours(moment)


def test_one_cell_proves_the_order_of_day_and_month_and_it_is_told():
    found = times("01/02/2024", "13/02/2024")
    assert found.hours.tolist() == hours(datetime(2024, 2, 1), datetime(2024, 2, 13))
    assert said(found) == ["t: the day stands before the month (data.dates=day_first)"]
    found = times("01/02/2024", "01/13/2024")
    assert found.hours.tolist() == hours(datetime(2024, 1, 2), datetime(2024, 1, 13))
    assert said(found) == ["t: the month stands before the day (data.dates=month_first)"]


def test_day_and_month_that_may_be_either_are_asked_about_and_the_answers_work():
    cells = ["01/02/2024", "03/04/2024"]
    message = refused("row 2, column t: '01/02/2024' may be day 1 of month 2 or day 2 of month 1", *cells)
    assert message.endswith("data.dates=day_first or data.dates=month_first")
    assert times(*cells, options=TableOptions(dates="day_first")).hours[0] == hours(datetime(2024, 2, 1))[0]
    assert times(*cells, options=TableOptions(dates="month_first")).hours[0] == hours(datetime(2024, 1, 2))[0]
    assert times("05/05/2024").hours.tolist() == hours(datetime(2024, 5, 5))


def test_an_order_that_a_cell_contradicts_is_refused():
    message = refused("row 3, column t: '1/31/2024' has no month 31", "1/2/2024", "1/31/2024",
                      options=TableOptions(dates="day_first"))  # fmt: skip
    assert "data.dates=month_first reads it" in message
    message = refused("row 3, column t: '1/31/2024' has day and month in another order than '31/1/2024'",
                      "31/1/2024", "1/31/2024")  # fmt: skip
    assert "row 2" in message


@pytest.mark.parametrize(
    ("cell", "match"),
    [
        ("30.02.2024", "no date: there is no such day"), ("2024-02-30", "there is no such day"),
        ("31.01.24", "may be of 2024 or of 2031"),
        ("14:00", "a time of day without its date"),
        ("soon", "'soon' is no time; write it"),
        ("2024-01-31 14:00 EST", "EST is no zone"), ("2024-01-31 25:00", "is no time"), ("now", "'now' is no time"),
        ("2024-01-31 2:00 XM", "no time"), ("1/31/2024 13:00 PM", "no time"), ("2024-01-31 14:60", "no time"),
        ("5", "no time"),
        ("2024", "no time"), ("99999", "no time"), ("", "the value is missing"), (None, "the value is missing"),
        ("NaT", "the value is missing"), ("2024-01-31 14:00 foo", "no time"),
        ("9999-12-31", "the year 9999 cannot be meant"),
        ("31.01.2024 14:00 -20", "is no time"),
    ],
)  # fmt: skip
def test_what_is_no_time_is_named(cell, match):
    refused(f"a.csv, row 3, column t: .*{match}", "2024-01-31 14:00", cell)


def test_a_missing_time_of_a_typed_column_is_named():
    beyond = pd.Series(np.array(["2024-01-31", "9999-12-31"], dtype="datetime64[s]"))
    refused("row 3, column t: the year 9999 cannot be meant", beyond)
    refused("row 3, column t: the value is missing", pd.to_datetime(pd.Series(["2024-01-31", None])))
    refused("row 3, column t: the value is missing; every row needs its time", 1.0, np.nan)


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("zone", [None, "UTC", "Asia/Tokyo", "America/New_York"])
def test_typed_times_are_read_and_their_zone_told(unit, zone):
    cells = pd.Series(pd.to_datetime(["2024-01-31 14:00", "2024-07-31 14:00"])).dt.as_unit(unit)
    found = times(cells.dt.tz_localize(zone) if zone else cells)
    local = [m.replace(tzinfo=ZoneInfo(zone)) if zone else m for m in (NOON, datetime(2024, 7, 31, 14))]
    assert found.hours.tolist() == hours(*local)
    assert said(found) == ([f"t: from {zone} to UTC"] if zone not in (None, "UTC") else [])


def test_dates_and_datetimes_in_memory_are_read():
    assert times(pd.Series([NOON, NOON + timedelta(hours=1)], dtype=object)).hours.tolist() == hours(
        NOON, datetime(2024, 1, 31, 15)
    )
    for kind in ("timestamp[us][pyarrow]", "date32[pyarrow]"):
        cells = pd.Series([date(2024, 1, 31)], dtype=kind)
        assert times(cells).hours.tolist() == hours(datetime(2024, 1, 31))
        assert days(cells).day.tolist() == [19753]
    assert len(times(pd.Series([], dtype=object)).hours) == len(days(pd.Series([], dtype=object)).day) == 0
    assert times([date(2024, 1, 31)]).hours.tolist() == hours(datetime(2024, 1, 31))


# numbers

STEPS = {"seconds": 1, "milliseconds": 1e-3, "microseconds": 1e-6, "nanoseconds": 1e-9}


@pytest.mark.parametrize("unit", STEPS)
@pytest.mark.parametrize("as_text", [True, False])
def test_numbers_since_1970_are_told_by_their_range(unit, as_text):
    moments = [NOON, NOON + timedelta(hours=1)]
    numbers = [round(hour * 3600 / STEPS[unit]) for hour in hours(*moments)]
    found = times(pd.Series([str(number) for number in numbers] if as_text else numbers))
    assert found.absolute
    np.testing.assert_allclose(found.hours, hours(*moments), rtol=1e-12)
    assert said(found) == [f"t: {unit} since 1970 (data.time_unit={unit})"]


def test_dates_that_are_numbers_are_read():
    for numbers, moment in [
        ((20240131, 20240201), datetime(2024, 1, 31)),
        ((202401311400, 202401311500), NOON),
        ((20240131140000,), NOON),
    ]:
        found = times(pd.Series(numbers))
        assert found.hours[0] == hours(moment)[0]
        assert found.absolute
        assert times(pd.Series([str(number) for number in numbers])).hours[0] == hours(moment)[0]
    assert times(pd.Series([20240131.0, 20240201.0])).hours[0] == hours(datetime(2024, 1, 31))[0]


def test_days_of_excel_are_told_by_their_fractions_or_asked_about():
    found = times(pd.Series([45322 + i / 24 for i in range(48)]))
    assert found.hours.tolist() == [hours(datetime(2024, 1, 31))[0] + i for i in range(48)]
    assert said(found) == ["t: days of Excel (data.time_unit=excel_days)"]
    for minutes, decimals in [(60, 4), (60, 6), (15, 6), (1, 5), (1, 9)]:
        rounded = pd.Series([f"{45322 + i * minutes / 1440:.{decimals}f}" for i in range(1, 50)])
        assert times(rounded).hours[-1] == hours(datetime(2024, 1, 31) + timedelta(minutes=49 * minutes))[0]
    refused("hours, or days as Excel", pd.Series([f"{45322 + i * 0.1234:.4f}" for i in range(50)]))
    message = refused("row 2, column t: .* hours, or days as Excel", pd.Series([45322.0, 45323.0]))
    assert "data.time_unit=hours or data.time_unit=excel_days" in message
    assert times(45322.0, 45323.0, options=TableOptions(time_unit="hours")).hours.tolist() == [45322, 45323]
    assert (
        times(45322.0, 45323.0, options=TableOptions(time_unit="excel_days")).hours[0]
        == hours(datetime(2024, 1, 31))[0]
    )


def test_other_numbers_are_hours_as_they_stand():
    found = times(pd.Series(["0.1", "0.35", "100.7"]))
    assert found.hours.tolist() == [0.1, 0.35, 100.7]
    assert not found.absolute
    assert said(found) == ["t: hours, as numbers without a unit are (data.time_unit=hours)"]
    assert not times([3.5]).absolute
    assert times(pd.Series(np.arange(100))).hours.tolist() == list(range(100))
    assert times(pd.Series(np.arange(0, 2000, 168))).hours[1] == 168  # weeks


@pytest.mark.parametrize(
    "numbers", [np.arange(0, 6000, 60), np.arange(10) * 300, np.arange(10) * 3600, np.arange(20) * 1000]
)
def test_steps_of_a_minute_or_more_are_asked_about_and_the_answers_work(numbers):
    message = refused("row 2, column t: the times go up by", pd.Series(numbers))
    assert "data.time_unit=seconds or data.time_unit=hours" in message
    np.testing.assert_allclose(
        times(pd.Series(numbers), options=TableOptions(time_unit="seconds")).hours, numbers / 3600
    )
    assert times(pd.Series(numbers), options=TableOptions(time_unit="hours")).hours.tolist() == numbers.tolist()


def test_steps_are_those_of_each_machine():
    numbers, group = np.repeat(np.arange(5) * 60, 60) + np.tile(np.arange(60), 5), np.tile(np.arange(60), 5)
    refused("go up by 60", pd.Series(numbers), group=group)
    assert times(pd.Series(numbers)).hours[1] == 1


@pytest.mark.parametrize(
    ("unit", "hour"),
    [("hours", 1), ("minutes", 1 / 60), ("seconds", 1 / 3600), ("milliseconds", 1 / 3.6e6), ("days", 24)],
)
def test_a_unit_that_is_said_or_named_is_taken(unit, hour):
    numbers = pd.Series([0.0, 60.0, 120.0])
    np.testing.assert_allclose(times(numbers, options=TableOptions(time_unit=unit)).hours, numbers * hour)
    found = times(numbers, name=f"elapsed_{unit}")
    np.testing.assert_allclose(found.hours, numbers * hour)
    assert said(found) == [f"elapsed_{unit}: {unit}, by its name (data.time_unit={unit})"]


@pytest.mark.parametrize("name", ["time_s", "t [s]", "Time (sec)", "seconds", "elapsedSeconds", "t/s", "time.s"])
def test_names_say_seconds(name):
    assert times(pd.Series([0.0, 3600.0]), name=name).hours[1] == 1


def test_years_are_no_times():
    refused("a year alone is no time", pd.Series([2019, 2020]), name="Year")


def test_a_name_that_numbers_contradict_is_asked_about():
    message = refused(
        "stand in time_s, but are milliseconds since 1970", pd.Series([1.7e12, 1.7e12 + 1]), name="time_s"
    )
    assert "data.time_unit=seconds or data.time_unit=milliseconds" in message


def test_numbers_too_large_for_hours_are_asked_about():
    for elsewhere in (3.79e9, 1.335e17, 6.38e17, 739_000, 2.46e6):  # since 1904, 1601, the year 1, and in days
        refused("are large for hours", pd.Series([elsewhere, elsewhere * 1.0001]))
    message = refused("are large for hours", pd.Series([2e6, 3e6]))
    assert "data.time_unit=minutes" in message


def test_two_units_since_1970_and_impossible_dates_in_numbers_name_the_cell():
    refused("row 3, column t: milliseconds since 1970, but seconds in a.csv, row 2", pd.Series([1.7e9, 1.7e12]))
    refused("row 4, column t: 20240230 is no date", pd.Series([20240131, 20240201, 20240230]))
    refused("row 4, column t: 202401312500 is no date", pd.Series([202401311300, 202401311400, 202401312500]))
    refused("row 4, column Date: 20240230 is no date", pd.Series([20240131, 20240201, 20240230]), reader=days)


# days of prices


@pytest.mark.parametrize(
    "cells",
    [
        ["2015-02-24", "2015-02-25"], ["2015-02-24 00:00:00-05:00", "2015-02-25 00:00:00-05:00"],
        ["2015-02-24T16:00:00", "2015-02-25T16:00:00"], ["24.02.2015", "25.02.2015"], ["2/24/2015", "2/25/2015"],
        ["Feb 24, 2015", "Feb 25, 2015"], ["24-Feb-2015", "25-Feb-2015"], ["20150224", "20150225"],
        [20150224, 20150225],
        [42059, 42060], ["42059", "42060"], [1424736000, 1424822400], [1424736000000, 1424822400000],
        ["2015/02/24", "2015/02/25"], ["Tue 24 Feb 2015", "Wed 25 Feb 2015"],
        ["2015-02-24 23:00+01:00", "2015-02-25 23:00+01:00"],
    ],
)  # fmt: skip
def test_days_are_dated_where_they_were_written(cells):
    expected = [date(2015, 2, 24).toordinal() - date(1970, 1, 1).toordinal() + i for i in range(2)]
    assert days(pd.Series(cells)).day.tolist() == expected
    assert days(pd.Series(cells, dtype=object)).day.tolist() == expected
    assert days(pd.Series(cells)).day.dtype == np.int64


@pytest.mark.parametrize("zone", [None, "America/New_York", "Asia/Tokyo", "UTC"])
def test_typed_days_are_local_dates(zone):
    cells = pd.Series(pd.date_range("2024-03-08", periods=5, tz=zone))
    assert days(cells).day.tolist() == [19790 + i for i in range(5)]


def test_summer_time_moves_no_day():
    opens = pd.Series(pd.date_range("2024-03-07 09:30", "2024-03-15 09:30", tz="America/New_York"))
    stamps = opens.dt.tz_convert("UTC").dt.as_unit("s").astype("int64")
    assert stamps.mod(86400).nunique() == 2
    assert days(stamps).day.tolist() == [19789 + i for i in range(9)]


def test_several_times_of_a_day_are_refused():
    message = refused("row 3, column Date: .* prices are daily", "2024-01-31 10:00", "2024-01-31 11:00", reader=days)
    assert "second time of the day" in message
    two = ["2024-01-31 10:00", "2024-01-31 11:00", "2024-02-01 10:00", "2024-02-01 11:00"]
    assert days(pd.Series(two), group=np.array([0, 1, 0, 1])).day.tolist() == [19753, 19753, 19754, 19754]


def test_midnights_of_another_zone_are_refused():
    berlin = pd.Series(pd.bdate_range("2024-01-01", periods=20, tz="Europe/Berlin")).dt.tz_convert("UTC")
    refused("fall on Sundays and never on a Friday", berlin.dt.as_unit("ms").astype("int64"), reader=days)


@pytest.mark.parametrize(
    ("cells", "match"),
    [
        (["2024-01-31", "soon"], "row 3, column Date: 'soon' is no date; write it as 2024-01-31"),
        (["2024-01-31", ""], "row 3, column Date: the value is missing"),
        (["2024-01-31", "2024-02-30"], "row 3, column Date: '2024-02-30' is no date: there is no such day"),
        (["01/02/2024", "02/02/2024"], "data.dates=day_first or data.dates=month_first"),
        (["9999-12-31"], "the year 9999 cannot be meant"), (["1", "2"], "row 2, column Date: '1' is no date"),
        ([19723, 19724], "data.time_unit=excel_days or data.time_unit=days"),
        (["2024-01", "2024-02"], "'2024-01' is no date"), (["31.01.24"], "may be of 2024 or of 2031"),
    ],
)  # fmt: skip
def test_what_is_no_day_is_named_or_asked_about(cells, match):
    refused(match, pd.Series(cells), reader=days)


def test_days_that_an_option_says_are_read():
    assert days(pd.Series([19723, 19724]), options=TableOptions(time_unit="days")).day.tolist() == [19723, 19724]
    assert days(pd.Series([19723]), options=TableOptions(time_unit="excel_days")).day.tolist() == [19723 - 25569]


@pytest.mark.parametrize(
    ("cells", "form"),
    [
        (["02/25/22", "02/28/22", "03/01/22"], "%m/%d/%y"),
        (["25-Feb-22", "01-Mar-22"], "%d-%b-%y"),
        (["25.02.99", "01.03.00"], "%d.%m.%y"),
        (["02/25/69", "02/25/70"], "%m/%d/%y"),
    ],
)
def test_years_of_two_digits_are_read_and_said_where_day_and_month_are_certain(cells, form) -> None:
    read = days(cells)
    meant = [datetime.strptime(cell, form).replace(tzinfo=UTC) for cell in cells]
    meant = [each.replace(year=each.year + 100) if each.year < 1970 else each for each in meant]
    assert read.day.tolist() == [(each - EPOCH).days for each in meant]
    assert any("years of two digits are 1970 to 2069" in guess.what for guess in read.guesses)
    assert times(cells).hours.tolist() == [(each - EPOCH).days * 24 for each in meant]


def test_where_the_year_may_stand_first_it_is_asked_and_the_override_reads_it() -> None:
    message = refused("may be of 2025 or of 2022", ["22/02/25", "23/02/25"])
    assert "data.dates=day_first" in message
    assert "month_first" not in message
    read = days(["22/02/25", "23/02/25"], options=TableOptions(dates="day_first"))
    assert read.day.tolist() == [(datetime(2025, 2, day, tzinfo=UTC) - EPOCH).days for day in (22, 23)]
    assert "day_first or data.dates=month_first" in refused("may be of", ["02/03/04", "05/06/07"])
