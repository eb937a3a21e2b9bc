"""A column that is meant is found, or asked about by an override that works; never ignored, never taken for another."""

import shlex

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser

from fulmen.errors import FulmenError
from fulmen.io.names import likely, matched, plain

WANTED = ["Date", "Close", "Volume", "Adj Close", "Ticker"]
OPTIONAL = ["Adj Close", "Ticker"]
SYNONYMS = {"Close": ["Price", "Last"], "Ticker": ["Symbol"], "Adj Close": ["Adjusted Close"]}


def found(there, columns=None):
    return matched(WANTED, there, columns, SYNONYMS, OPTIONAL, source="prices.csv")


def typed(message):
    """`columns` of each override in a message, as Hydra reads what a shell makes of it."""
    words = [word for word in shlex.split(message.replace("; ", " ; ")) if word.startswith("data.columns=")]
    return [OverridesParser.create().parse_override(word).value() for word in words]


def test_equal_names_are_taken_without_a_word():
    assert found(["Date", "Close", "Volume"]) == ({name: name for name in ["Date", "Close", "Volume"]}, [])


@pytest.mark.parametrize("name", ["AdjClose", "Adj_Close", "adj close", "ADJ. CLOSE"])
def test_names_that_differ_in_case_and_signs_alone_are_taken_and_said(name):
    names, guesses = found(["Date", "Close", "Volume", name])
    assert names["Adj Close"] == name
    assert [guess.what for guess in guesses] == [f"{name} is Adj Close"]


@pytest.mark.parametrize(
    ("there", "asked"),
    [
        (["Date", "Price", "Volume"], {"Close": "Price"}),
        (["Date", "Close", "Volume", "Symbol"], {"Ticker": "Symbol"}),
        (["Date", "Close", "Volume", "Adjusted Close"], {"Adj Close": "Adjusted Close"}),
        (["Date", "Close", "Volume", "Adj Clsoe"], {"Adj Close": "Adj Clsoe"}),
        (["Date", "Last", "Volume", "symbol"], {"Close": "Last", "Ticker": "symbol"}),
        (["Date", "Close", "Volumen"], {"Volume": "Volumen"}),
    ],
)
def test_a_synonym_or_a_misspelling_is_asked_about_and_the_override_works(there, asked):
    with pytest.raises(FulmenError) as caught:
        found(there)
    assert "\n" not in str(caught.value)
    columns = typed(str(caught.value))[0]
    assert columns == asked
    names, _ = found(there, columns)
    assert {name: names[name] for name in asked} == asked


def test_an_optional_column_that_is_asked_about_can_be_denied():
    there = ["Date", "Close", "Volume", "Symbol"]
    with pytest.raises(FulmenError) as caught:
        found(there)
    denied = typed(str(caught.value))[1]
    assert denied == {"Ticker": None}
    assert "Ticker" not in found(there, denied)[0]


def test_a_column_said_by_a_person_goes_before_one_of_the_same_name():
    names, _ = found(["Date", "Close", "Price", "Volume"], {"close": "Price"})
    assert names["Close"] == "Price"


@pytest.mark.parametrize(
    ("there", "columns", "said"),
    [
        (["Date", "Volume"], {}, "no column Close; there is Date, Volume"),
        (["Date", "CLOSE", "close", "Volume"], {}, "CLOSE, close could each be Close"),
        (["Date", "Close", "Close", "Volume"], {}, "two columns are called Close"),
        (["Date", "Close", "Volume"], {"close": "Prise"}, "no column Prise, which data.columns names for Close"),
        (["Date", "Close", "Volume"], {"clsoe": "Close"}, "nothing is called clsoe here"),
        (["Date", "Close", "Volume"], {"close": None}, "Close is needed and cannot be null"),
    ],
)
def test_what_cannot_be_is_said_in_one_line(there, columns, said):
    with pytest.raises(FulmenError, match=said) as caught:
        found(there, columns)
    assert "\n" not in str(caught.value)


def test_plain_names_keep_letters_and_digits_of_every_script():
    assert plain("Größe [mm/s]") == "grössemms"
    assert plain("温度_1") == "温度1"
    assert plain("ﬁle") == "file"


def test_short_names_are_not_taken_for_misspellings():
    assert likely("low", ["lux", "log"]) is None


def test_a_misspelled_wish_and_one_the_other_way_round_are_answered_with_what_was_meant():
    with pytest.raises(FulmenError, match=r"nothing is called Clsoe here; did you mean Close[?]"):
        found(["Date", "Schluss", "Volume"], {"Clsoe": "Schluss"})
    with pytest.raises(FulmenError, match="the other way round") as refused:
        found(["Date", "Schluss", "Volume"], {"Schluss": "close"})
    (columns,) = typed(str(refused.value))
    assert found(["Date", "Schluss", "Volume"], columns)[0]["Close"] == "Schluss"


def test_a_column_that_is_wanted_itself_cannot_stand_for_another():
    with pytest.raises(FulmenError, match="Volume would stand for two, for itself and for Close"):
        found(["Date", "Close", "Volume"], {"Close": "Volume"})
    both = ["Date", "Close", "Adj Close", "Volume"]
    assert found(both, {"Close": "Adj Close"})[0]["Close"] == "Adj Close"
