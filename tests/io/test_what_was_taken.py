"""What a reader says it took, in lines and in a cache."""

from fulmen.data.cache import cached
from fulmen.io.taken import Guess, Taken, restored, stored

PRICES = Taken(
    "prices.csv", "2,768 days of AAPL, 2013-01-02 to 2023-12-29", {"close": "Zürich"},
    [Guess("decimal comma in Open", "data.decimal=point"), Guess("packed with gzip")], ["3 empty lines"], ["a jump"],
)  # fmt: skip


def test_what_was_taken_comes_back_from_a_cache_as_it_was(tmp_path):
    plain = Taken("other.csv", "3 rows")
    for build in (lambda: {"taken": stored([PRICES, plain])}, dict):
        assert restored(cached("prices", "key", build, tmp_path)["taken"]) == [PRICES, plain]
    assert restored(stored([])) == []


def test_what_was_taken_fits_into_five_lines():
    assert PRICES.lines() == [
        "prices.csv: 2,768 days of AAPL, 2013-01-02 to 2023-12-29",
        "  columns: close: Zürich",
        "  decided: decimal comma in Open (data.decimal=point); packed with gzip",
        "  left out: 3 empty lines",
        "  doubtful: a jump",
    ]
    assert Taken("other.csv", "3 rows").lines() == ["other.csv: 3 rows"]
