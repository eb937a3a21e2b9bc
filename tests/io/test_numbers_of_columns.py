"""Cells of columns are numbers to the last digit, or named with what to do; held against Python's own numbers."""

import random
import re
import time
import unicodedata
from datetime import date
from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from fulmen.errors import FulmenError
from fulmen.io.columns import column
from fulmen.io.forms import cleaned, form_of
from fulmen.io.numbers import number, read_numbers
from fulmen.io.options import TableOptions
from fulmen.io.where import InRecords, Where

AS_FOUND, POINT, COMMA = TableOptions(), TableOptions(decimal="point"), TableOptions(decimal="comma")


def read(columns, options=AS_FOUND, **more):
    """name -> list of floats, and what was said."""
    cells = {name: pd.Series(values) for name, values in columns.items()}
    rows = len(next(iter(cells.values())))
    numbers, guesses = read_numbers(cells, Where("a.csv", np.arange(2, rows + 2)), options, **more)
    return {name: values.tolist() for name, values in numbers.items()}, [str(guess) for guess in guesses]


def one(*cells, options=AS_FOUND, **more):
    """The numbers of one column x."""
    return read({"x": list(cells)}, options, **more)[0]["x"]


def said(*cells, options=AS_FOUND, **more):
    return read({"x": list(cells)}, options, **more)[1]


def refused(columns, match, options=AS_FOUND, **more):
    with pytest.raises(FulmenError, match=match) as caught:
        read(columns if isinstance(columns, dict) else {"x": columns}, options, **more)
    assert "\n" not in str(caught.value)
    return str(caught.value)


# plain numbers

PLAIN = ["0", "1", "-1", "+5", "5.", ".5", "1e5", "1E-5", "1.7976931348623157e308", "0.1", "3.141592653589793", " 12 "]


@pytest.mark.parametrize("dtype", ["str", object])
def test_plain_numbers_are_what_python_reads_and_nothing_is_said(dtype):
    random.seed(0)
    texts = PLAIN + [repr(random.uniform(-1, 1) * 10 ** random.randint(-300, 300)) for _ in range(2000)]
    found, guesses = read_numbers({"x": pd.Series(texts, dtype=dtype)}, Where("a", range(len(texts))))
    assert found["x"].tolist() == [float(text) for text in texts]
    assert guesses == []


def test_a_list_of_numbers_and_typed_columns_are_read_as_they_are():
    found, _ = read_numbers({"x": [1, 2.5, 10**400 // 10**395]}, Where("a", range(3)))
    assert found["x"].tolist() == [1, 2.5, 100000]
    assert one(1, 2) == [1, 2]
    assert one(True, False) == [1, 0]
    assert said(True, False) == ["true as 1 and false as 0 in x"]


@pytest.mark.parametrize("dtype", ["Int64", "Float64", "int64[pyarrow]"])
def test_a_missing_value_of_a_nullable_column_is_missing(dtype):
    found, _ = read_numbers({"x": pd.Series([1, None], dtype=dtype)}, Where("a", range(2)))
    np.testing.assert_array_equal(found["x"], [1, np.nan])


def test_columns_of_parquet_are_read_or_refused():
    decimals = [Decimal("1.5"), None]
    for cells in (
        pd.Series(decimals),
        pd.Series(decimals, dtype=pd.ArrowDtype(pa.decimal128(5, 2))),
        pd.Series(["1,5", None], dtype="string[pyarrow]"),
        pd.Series(["1.5", None], dtype="category"),
        pd.Series([1.5, None], dtype="category"),
        pd.Series([np.str_("1,5"), pd.NA], dtype=object),
    ):
        np.testing.assert_array_equal(read_numbers({"x": cells}, Where("a", range(2)))[0]["x"], [1.5, np.nan])
    for cells in (
        pd.period_range("2024-01", periods=2, freq="M"), pd.to_timedelta([1, 2], "h"), [1j, 2j], [[1], [2]],
        pd.Series([date(2024, 1, 31)] * 2, dtype=pd.ArrowDtype(pa.date32())),
    ):  # fmt: skip
        refused({"x": cells}, "row 2, column x: .* is no number")


# the decimal sign

STYLES = {  # decimal sign, between thousands, in groups
    "plain": (".", "", 3), "German": (",", ".", 3), "American": (".", ",", 3), "French": (",", "\u202f", 3),
    "older French": (",", "\u00a0", 3), "Swiss": (".", "'", 3), "Swiss, typed well": (".", "\u2019", 3),
    "Indian": (".", ",", 2), "Swedish": (",", " ", 3), "Italian, ungrouped": (",", "", 3),
    "Austrian": (",", " ", 3), "of the SI": (".", "\u2009", 3),
}  # fmt: skip


def styled(value, decimal, group, size):
    """A Decimal as people write it in some country."""
    sign, (whole, _, rest) = "-" * (value < 0), format(abs(value), "f").partition(".")
    parts = [whole[-3:]]
    whole = whole[:-3]
    while whole and group:
        parts.insert(0, whole[-size:])
        whole = whole[:-size]
    return sign + whole + group.join(parts) + (decimal + rest if rest else "")


@pytest.mark.parametrize("style", STYLES)
def test_numbers_of_every_country_are_read_to_the_last_digit_or_asked_about(style):
    mark, group, size = STYLES[style]
    draw = random.Random(style)
    read_rightly = 0
    for _ in range(300):
        digits = draw.choice([0, 1, 2, 3, 6])
        values = [
            Decimal(draw.randint(-(10**9), 10**9)).scaleb(-draw.choice([digits, digits, draw.randint(0, 6)]))
            for _ in range(draw.randint(1, 6))
        ]
        texts = [styled(value, mark, group, size) for value in values]
        try:
            found = one(*texts)
        except FulmenError as error:
            if "two readings" not in str(error):
                raise
            found = one(*texts, options=COMMA if mark == "," else POINT)
        else:
            read_rightly += 1
        assert found == [float(value) for value in values], texts
    assert read_rightly > 250


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("0,693", 0.693), ("4,100.0", 4100), ("1.234.567,89", 1234567.89), ("1'234.5", 1234.5), ("1 234,5", 1234.5),
        ("12,34,567", 1234567), ("1,5e3", 1500), (",5", 0.5), ("\u22121.5", -1.5), ("１２.5", 12.5), ("١٢", 12),
        ("$2561.98", 2561.98), ("1.234,50 €", 1234.5), ("-$5", -5), ("$-5", -5), ("CHF 1'000.50", 1000.5),
        ("(1,234.5)", -1234.5), ("1.5-", -1.5), ("- 5", -5), ("12.5 %", 12.5), ("1.1M", 1_100_000), ("2.3bn", 2.3e9),
        ("456.7K", 456_700), ("tensor(0.5, device='cuda:0', grad_fn=<NllLossBackward0>)", 0.5), ("[0.25]", 0.25),
    ],
)  # fmt: skip
def test_a_cell_that_has_one_reading_is_read(cell, value):
    assert one(cell) == [value]
    assert one(cell, "") == [value] or np.isnan(one(cell, "")[1])


def test_one_cell_proves_the_decimal_sign_of_all_columns():
    found, guesses = read({"a": ["1.234", "5.678"], "b": ["0,5", "7"]})
    assert found == {"a": [1234, 5678], "b": [0.5, 7]}
    assert guesses == ["decimal comma in b (data.decimal=comma)", "point between thousands in a (data.decimal=comma)"]
    assert read({"a": ["1,234", "5,678"], "b": ["0.5", "7"]})[0]["a"] == [1234, 5678]
    assert read({"a": ["1,234", "5,678"], "b": ["0,5", "7"]})[0]["a"] == [1.234, 5.678]


def test_a_comma_that_may_part_thousands_is_asked_about_and_the_answers_work():
    message = refused(["1,234", "5,678"], "row 2, column x: '1,234' has two readings")
    assert "data.decimal=point reads 1234" in message
    assert "data.decimal=comma reads 1.234" in message
    assert one("1,234", "5,678", options=POINT) == [1234, 5678]
    assert one("1,234", "5,678", options=COMMA) == [1.234, 5.678]


def test_two_decimal_signs_in_a_file_name_both_places():
    message = refused({"a": ["0,5", "1,2"], "b": ["4,100.0", "7"]}, "decimal comma")
    assert "row 2, column a: '0,5'" in message
    assert "'4,100.0' has a decimal point, a.csv, row 2, column b" in message


def test_an_option_that_a_cell_contradicts_is_refused_and_the_other_named():
    assert "data.decimal=comma reads it" in refused(["0,5"], "row 2.*'0,5'", POINT)
    assert "data.decimal=point reads it" in refused(["0.5"], "row 2.*'0.5'", COMMA)


def test_points_between_thousands_beside_whole_numbers_are_asked_about():
    volume = ["950", "1.200", "875", "1.310", "2.440", "1.900", "1.020"]
    assert "data.decimal=comma reads 1200" in refused(volume, "'1.200' has two readings")
    assert one(*volume, options=COMMA)[1] == 1200
    assert one(*volume, options=POINT)[1] == 1.2
    assert one("950", "1.200", "875", "1.310", "2.440", "1.900", "1.02")[1] == 1.2
    assert read({"x": volume, "y": ["0.5"] * 7})[0]["x"][1] == 1.2


def test_points_alone_are_decimal_unless_semicolons_part_the_columns():
    cells = ["21.345", "22.123", "21.999", "20.500", "23.125"]
    assert one(*cells)[0] == one(*cells, "0.5", delimiter=";")[0] == one(*cells, delimiter=",")[0] == 21.345
    refused(cells, "'21.345' has two readings", delimiter=";")
    assert one(*cells, options=COMMA, delimiter=";")[0] == 21345
    assert one(21.345, 22.123, delimiter=";")[0] == 21.345


def test_points_in_prices_are_asked_about():
    refused(["€1.234", "€5.678"], "'€1.234' has two readings")
    assert one("€1.234", "€5.67") == [1.234, 5.67]
    assert one("1.234%", "5.678%") == [1.234, 5.678]


def test_numbers_that_are_no_texts_prove_nothing():
    assert read({"x": ["0,5", "7,25"], "y": [1.234, 5.678]})[0] == {"x": [0.5, 7.25], "y": [1.234, 5.678]}


# what is no number

NO_NUMBERS = [
    "0x1A", "1_000", "1e5,3", "2024-01-31", "12:30", "1.2.3", "10.0.0.1", "1/2", "5²", "½", "--5", "(5", "5)", "True",
    "1,23.5", "0,123,456", "1  234", "12'34", "5,", "tensor([0.5, 0.6])", "[1, 2]", "<5", "5*", "1e",
]  # fmt: skip


@pytest.mark.parametrize("cell", NO_NUMBERS)
def test_what_is_no_number_is_named_and_never_cut(cell):
    refused(["1", cell], "a.csv, row 3, column x: .* is no number")
    assert number(cell) is None


def test_no_digit_is_ever_lost():
    """Of texts at random: whatever is read has every digit of its cell, and those in their order."""
    draw, accepted = random.Random(0), 0
    for _ in range(30_000):
        signs = draw.choice(["0123456789", "0123456789.,", "0123456789., '-+()$%KMeE_x/:\u00a0٣"])
        cell = "".join(draw.choice(signs) for _ in range(draw.randint(1, 12)))
        form = form_of(cleaned(cell))
        if form is None:
            continue
        accepted += 1
        mantissa = re.split("[eE]", cell)[0]
        digits = "".join(str(unicodedata.decimal(sign)) for sign in mantissa if sign.isdecimal()).strip("0")
        for value in filter(None, form.digits):
            assert "".join(map(str, Decimal(value).as_tuple().digits)).strip("0") == digits, cell
    assert accepted > 3000


@pytest.mark.parametrize(
    "cell", ["1" * 20_000 + "x", "tensor(" + ",a=b" * 5000, "1," * 10_000 + "x", "(" + " " * 20_000]
)
def test_a_long_cell_is_refused_at_once(cell):
    start = time.process_time()
    assert form_of(cell) is None
    assert time.process_time() - start < 0.5


def test_cells_of_one_form_are_read_together_as_each_is_alone():
    draw = random.Random(0)
    forms = ["9,999", "9.999", "99,99,999", "9,999.99", "9 999,9", "$9,999", "(9.99)", "9,9e-9", "9.9K",
    "-9,999 %", "9'999",
             "tensor(9.999)", "np.float64(9.99)", "9.9.9", " 9,9 ", "-€ 9.999,9", "999999", "9,999,999-",
             "9.999f"]  # fmt: skip
    cells = [re.sub("9", lambda _: draw.choice("0012345"), draw.choice(forms)) for _ in range(20_000)]
    found = column("x", pd.Series(cells), set())
    found.look(set())
    alone = [form_of(cleaned(cell)) for cell in cells]
    for sign, readings in zip(("point", "comma"), found.readings, strict=True):
        values = [np.nan if form is None or form.value(sign) is None else form.value(sign) for form in alone]
        np.testing.assert_array_equal(readings, values)


def test_truth_values_and_dates_are_no_numbers():
    refused(pd.Series([2.0, True], dtype=object).tolist(), "row 3, column x: 'True' is no number")
    refused(pd.to_datetime(["2024-01-01"]), "column x: '2024-01-01 00:00:00' is no number")


def test_a_failed_formula_is_no_missing_value():
    assert "a formula of the spreadsheet failed" in refused(["1", "#DIV/0!"], "row 3, column x: '#DIV/0!' is no number")
    refused(["1", "#NAME?"], "formula")


@pytest.mark.parametrize(
    "cells", [["$5", "€5"], ["$5", "5"], ["5%", "5"], ["5 kr", "5 €"], ["5%", "$5"], ["USD 5", "EUR 5"]]
)
def test_two_units_in_a_column_name_both_cells(cells):
    message = refused(cells, "row 3, column x: .* differ in their unit")
    assert repr(cells[0]) in message
    assert repr(cells[1]) in message
    assert "row 2" in message


def test_an_unknown_unit_is_named():
    assert "mg is no unit that is known here" in refused(["1.5 mg", "2 mg"], "'1.5 mg' is no number")
    refused(["21 °C"], "°C is no unit")
    refused({"temperature": ["293.15K", "294K"]}, "kelvin or thousands")
    refused({"T2": ["293.15K", "294K"]}, "kelvin or thousands")
    refused({"inlet": ["293.15K", "294K", "301.2K"]}, "kelvin or thousands")
    assert one("293.15K", "94K", "301.2K", "999K") == [293_150, 94_000, 301_200, 999_000]


# missing values


@pytest.mark.parametrize(
    "mark",
    [
        "",
        "NA",
        "NaN",
        "null",
        "None",
        "n/a",
        "<NA>",
        "-",
        "--",
        "?",
        "#N/A",
        "\u200b",
        "\u2013",
        "NaT",
        ".",
        "missing",
        None,
        pd.NA,
    ],
)
def test_marks_of_a_missing_value_are_missing(mark):
    np.testing.assert_array_equal(one("1.5", mark), [1.5, np.nan])
    np.testing.assert_array_equal(one("1,5", mark), [1.5, np.nan])
    refused(["1.5", mark], "row 3, column x: the value is missing; say so", missing=False, hint="say so")


def test_an_unusual_mark_is_told():
    assert said("1", "?", "?") == ["'?' is a missing value in x (2 cells)"]
    assert said("1", "", "nan") == []


def test_marks_that_an_option_names_are_missing():
    options = TableOptions(missing_values=["bad", -999])
    np.testing.assert_array_equal(one("1", "bad", "-999", "-999.0", options=options), [1, np.nan, np.nan, np.nan])
    np.testing.assert_array_equal(one(1.0, -999.0, options=options), [1, np.nan])


def test_a_word_among_numbers_names_an_option_that_works():
    message = refused(["1", "2", "bad"], "row 4, column x: 'bad' is no number")
    assert "data.missing_values=[bad]" in message
    np.testing.assert_array_equal(one("1", "2", "bad", options=TableOptions(missing_values=["bad"])), [1, 2, np.nan])
    assert "data.missing_values" not in refused(["1", "2", "3 mg"], "is no number")  # a good number is never dropped


def test_infinity_is_refused_unless_it_may_be():
    refused(["1", "inf"], "row 3, column x: inf is infinite")
    assert one("1", "-inf", infinite=True) == [1, -np.inf]


# one cell, and records


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("tensor(0.5, device='cuda:0', grad_fn=<NllLossBackward0>)", 0.5), ("0.5", 0.5), ("50%", 50), ("1e-3", 1e-3),
        ("tensor([0.5])", 0.5), ("1.5f", 1.5), ("np.float64(0.5)", 0.5), ("array(0.5, dtype=float32)", 0.5),
        ("4,100.0", 4100), ("-inf", -np.inf), ("0,693", 0.693), ("1,234", None), ("1.234", 1.234), ("(5)", None),
        ("", None), ("-", None), ("$5", None), ("5K", None),
    ],
)  # fmt: skip
def test_a_cell_of_its_own(text, value):
    assert number(text) == value


def test_a_cell_of_its_own_with_a_decimal_comma():
    assert number("0,693", "comma") == 0.693
    assert number("0,693", "point") is None
    assert (number("1,234", "comma"), number("1,234", "point"), number("1.234", "comma")) == (1.234, 1234, 1234)
    assert number("1.234,5", "comma") == 1234.5
    assert number("0.5", "comma") is None
    assert np.isnan(number("tensor(nan)"))


def test_records_are_read_strictly():
    def strict(*cells):
        return read_numbers({"x": list(cells)}, InRecords("rows", range(9)), strict=True)[0]["x"].tolist()

    assert strict("1.5", 2) == [1.5, 2]
    with pytest.raises(FulmenError, match=r"^rows\[1\]\.x: '1,5' is no number; write a decimal point$"):
        strict(1, "1,5")
    for cell in ("$5", "?", True, "5%"):
        with pytest.raises(FulmenError, match=r"^rows\[1\]\.x: .* is no number$"):
            strict(1, cell)


# said


def test_what_was_decided_is_said():
    assert said("$1.5", "$2") == ["sign $ read as a currency in x"]
    assert said("5%", "6%") == ["percent, 5% read as 5, in x"]
    assert said("1.2K", "950") == ["1.2K read as 1200 in x"]
    assert said("(1.5)", "2") == ["(1.5) read as -1.5 in x"]
    assert said("1'234.5", "2") == ["apostrophe between thousands in x (data.decimal=point)"]


def test_overrides_begin_with_the_key():
    assert "--table.decimal=comma" in refused(["1,234"], "two readings", key="--table")
