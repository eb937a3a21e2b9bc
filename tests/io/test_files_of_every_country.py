"""Files as people of many countries write them are read to the last digit, or asked about by an override that works."""

import csv
import re
from datetime import datetime, timedelta
from random import Random

import numpy as np
import pytest

from fulmen.errors import FulmenError
from fulmen.io.numbers import read_numbers
from fulmen.io.options import TableOptions
from fulmen.io.tables import read_table
from fulmen.io.times import read_times
from fulmen.io.where import Where

COUNTRIES = [  # decimal sign, between thousands, in groups of
    (".", "", 3), (",", ".", 3), (".", ",", 3), (",", "\u202f", 3), (",", "\u00a0", 3), (".", "'", 3), (".", ",", 2),
    (",", "", 3), (",", " ", 3),
]  # fmt: skip
DATES = [
    "%Y-%m-%d %H:%M", "%d.%m.%Y %H:%M", "%m/%d/%Y %I:%M %p", "%d/%m/%Y %H:%M:%S", "%Y/%m/%d %H:%M", "%d-%b-%Y %H:%M",
    "%b %d, %Y %H:%M", "%Y%m%d%H%M", "%Y-%m-%dT%H:%M:%S+00:00", "%Y.%m.%d %H:%M:%S", "%Y-%m-%d %H:%M:%S,%f",
]  # fmt: skip
KINDS = {  # largest number, decimals
    "price": (5000, 2), "count": (2e6, 0), "loss": (1, 4), "reading": (50, 1), "reading in thousandths": (50, 3),
    "volume": (1e9, 0), "percent": (100, 1), "money": (8000, 2), "short": (999, 1), "with gaps": (300, 2),
}  # fmt: skip
SHORT = {"K": 1e3, "M": 1e6, "B": 1e9}


def written(value, decimals, decimal, group, size):
    whole, _, rest = f"{abs(value):.{decimals}f}".partition(".")
    parts, whole = [whole[-3:]], whole[:-3]
    while group and whole:
        parts, whole = [whole[-size:], *parts], whole[:-size]
    return "-" * (value < 0) + whole + group.join(parts) + (decimal + rest if rest else "")


def column(draw, kind, rows, country):
    """Texts of a column, and the numbers they mean."""
    largest, decimals = KINDS[kind]
    low = -largest if kind in ("loss", "reading", "reading in thousandths") else 0
    values = [round(draw.uniform(low, largest), decimals) for _ in range(rows)]
    texts = [written(value, decimals, *country) for value in values]
    if kind == "percent":
        texts = [f"{text}%" for text in texts]
    elif kind == "money":
        sign, behind = draw.choice("$€£"), draw.random() < 0.5
        texts = [f"{text} {sign}" if behind else f"{sign}{text}" for text in texts]
    elif kind == "short":
        scale = draw.choice("KMB")
        texts, values = [text + scale for text in texts], [value * SHORT[scale] for value in values]
    elif kind == "with gaps":
        mark, gap = draw.choice(["", "NA", "-", "?", "n/a"]), [draw.random() < 0.2 for _ in range(rows)]
        texts = [mark if missing else text for missing, text in zip(gap, texts, strict=True)]
        values = [np.nan if missing else value for missing, value in zip(gap, values, strict=True)]
    return texts, values


def drawn(seed, path):
    """Write a file; the numbers and hours that stand in it, and what a person who wrote it answers."""
    draw = Random(seed)
    country, delimiter, rows = draw.choice(COUNTRIES), draw.choice(",;\t|"), draw.choice([3, 8, 40, 200])
    columns = {name: column(draw, draw.choice(list(KINDS)), rows, country) for name in "abcd"[: draw.randint(1, 4)]}
    start, step = datetime(2015, 1, 1) + timedelta(days=draw.randint(0, 3000)), draw.choice([1, 24, 168])
    form = draw.choice(DATES)
    moments = [start + timedelta(hours=i * step) for i in range(rows)]
    with path.open("w", newline="", encoding=draw.choice(["utf-8", "utf-8-sig", "utf-16"])) as file:
        writer = csv.writer(file, delimiter=delimiter)
        writer.writerow(["time", *columns])
        times = [moment.strftime(form) for moment in moments]
        writer.writerows(zip(times, *(texts for texts, _ in columns.values()), strict=True))
    hours = [(moment - datetime(1970, 1, 1)).total_seconds() / 3600 for moment in moments]
    answers = {
        "decimal": "comma" if country[0] == "," else "point",
        "dates": "day_first" if form.startswith("%d") else "month_first",
    }
    return {name: values for name, (_, values) in columns.items()}, hours, answers


def read(path, names, options):
    table = read_table(path, options)
    where = Where(path.name, table.line)
    numbers, _ = read_numbers({name: table.frame[name] for name in names}, where, options, delimiter=table.delimiter)
    return numbers, read_times(table.frame["time"], "time", where, options).hours


@pytest.mark.parametrize("some", range(5))
def test_a_file_is_read_rightly_or_asked_about(some, tmp_path):
    asked = 0
    for seed in range(40 * some, 40 * some + 40):
        path, said = tmp_path / f"{seed}.csv", {}
        expected, hours, answers = drawn(seed, path)
        while True:
            try:
                numbers, found = read(path, expected, TableOptions(**said))
                break
            except FulmenError as error:
                questions = set(re.findall(r"data\.(\w+)=(\w+)", str(error)))
                told = {name: answer for name, answer in answers.items() if (name, answer) in questions}
                if not told or told.items() <= said.items():
                    raise
                said |= told
        asked += bool(said)
        for name, values in expected.items():
            np.testing.assert_allclose(numbers[name], values, rtol=1e-14, err_msg=f"{seed} {name}")
        np.testing.assert_allclose(found, hours, rtol=1e-12, err_msg=str(seed))
    assert asked < 10
