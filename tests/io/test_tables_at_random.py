"""Tables at random, written in the ways of many programs: read cell by cell as they were, or refused."""

import csv
import io

import numpy as np
import pytest

from fulmen.errors import FulmenError
from fulmen.io.tables import read_table

WORDS = ["OK", "north", "pump 7", "rot, grün", "a;b", 'the "best"', "x|y", "3 mm", "M-01", "Größe"]


def table_at_random(rng):
    """Names, rows of texts, and whether a comma is the decimal sign."""
    width, length = int(rng.integers(2, 8)), int(rng.integers(2, 40))
    comma = rng.random() < 0.3
    kinds = ["number", *rng.choice(["number", "count", "word", "date", "hole"], width - 1)]
    rng.shuffle(kinds)

    def cell(kind, i):
        if kind == "number" or (kind == "hole" and rng.random() < 0.7):
            text = f"{rng.normal(0, 10 ** rng.integers(0, 5)):.{rng.integers(1, 6)}f}"
            return text.replace(".", ",") if comma else text
        if kind == "count":
            return str(rng.integers(0, 5000))
        if kind == "date":
            return f"2024-{1 + i // 28:02}-{1 + i % 28:02}" + f"T{rng.integers(24):02}:00" * bool(i % 2)
        return str(rng.choice(WORDS)) if kind == "word" else ""

    names = [f"{rng.choice(['lux', 'Temp (C)', 'time', 'naïve', 'machine id', 'v.2'])} {i}" for i in range(width)]
    return names, [[cell(kind, i) for kind in kinds] for i in range(length)], comma


def written(rng, names, rows, comma):
    """Bytes of a file, as some program would write it."""
    delimiter = str(rng.choice([";", "\t", "|"])) if comma else str(rng.choice([",", ";", "\t", "|"]))
    quoting = [csv.QUOTE_MINIMAL, csv.QUOTE_ALL][int(rng.random() < 0.2)]
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, quoting=quoting, lineterminator=str(rng.choice(["\n", "\r\n"])))
    writer.writerows([names, *rows])
    above = str(rng.choice(["", "", "", "Plant 7\n", "# by a logger\n", "Plant 7\nJanuary 2024\n\n"]))
    below = str(rng.choice(["", "", "\n", "\n\n\n"]))
    encoding = str(rng.choice(["utf-8", "utf-8-sig", "cp1252", "utf-16"]))
    return (above + text.getvalue() + below).encode(encoding)


@pytest.mark.parametrize("seed", range(10))
def test_a_table_at_random_is_read_as_it_was_written_or_refused(tmp_path, seed):
    refused = 0
    for number in range(25):
        rng = np.random.default_rng([seed, number])
        names, rows, comma = table_at_random(rng)
        path = tmp_path / "t.csv"
        path.write_bytes(written(rng, names, rows, comma))
        try:
            table = read_table(path)
        except FulmenError:
            refused += 1
            continue
        assert list(table.frame.columns) == names, (seed, number)
        assert table.frame.to_numpy().tolist() == rows, (seed, number)
    assert refused <= 2
