"""What a reader took is said in at most five lines, and an option that cannot be is refused."""

import json

import pytest

from fulmen.errors import FulmenError
from fulmen.io.hints import override
from fulmen.io.options import TableOptions, options_of, word_for
from fulmen.io.taken import LONGEST, Guess, Taken

TAKEN = Taken(
    "prices.csv",
    "250 days of AAPL, 2024-01-02 to 2024-12-30",
    {"close": "Price", "date": "Day"},
    [Guess("decimal comma in Price", "data.decimal=point"), Guess("packed with gzip")],
    ["1 empty line"],
    ["a return of 1.2 on 2024-06-03, line 108"],
)


def test_what_was_taken_is_said_in_five_lines():
    assert TAKEN.lines() == [
        "prices.csv: 250 days of AAPL, 2024-01-02 to 2024-12-30",
        "  columns: close: Price; date: Day",
        "  decided: decimal comma in Price (data.decimal=point); packed with gzip",
        "  left out: 1 empty line",
        "  doubtful: a return of 1.2 on 2024-06-03, line 108",
    ]


def test_what_is_empty_has_no_line_and_a_long_line_ends():
    assert len(Taken("a", "1 row").lines()) == 1
    long = Taken("a", "1 row", {f"column {i}": f"name {i}" for i in range(500)})
    assert len(long.lines()[1]) < LONGEST + 20


def test_it_survives_json():
    assert Taken.of_plain(json.loads(json.dumps(TAKEN.to_plain()))) == TAKEN


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"decimal": "comma,"}, "did you mean comma"),
        ({"dates": "dayfirst"}, "day_first"),
        ({"time_unit": "h"}, "hours"),
        ({"delimiter": "semi"}, "semicolon"),
        ({"header": "a"}, "names of all columns"),
        ({"encoding": "utf9"}, "Python knows none called utf9"),
    ],
)
def test_an_option_that_cannot_be_is_refused(arguments, said):
    with pytest.raises(FulmenError, match=said):
        TableOptions(**arguments)


def test_delimiters_by_name_and_by_character():
    given = {";": ";", "semicolon": ";", "tab": "\t", "\\t": "\t", "space": " ", "|": "|"}
    assert {name: TableOptions(delimiter=name).character for name in given} == given
    assert TableOptions().character is None
    assert word_for(";") == "semicolon"
    assert options_of({"decimal": "comma", "seed": 3}).decimal == "comma"


def test_an_override_is_quoted_for_hydra_and_the_shell():
    assert override("data.decimal", "comma") == "data.decimal=comma"
    assert override("data.columns", {"Close": "Close/Last"}) == "'data.columns={Close:Close/Last}'"
    assert override("data.csv", "px=2024.csv") == "\"data.csv='px=2024.csv'\""
