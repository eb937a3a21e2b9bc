"""Days out of order because of what was said about them are answered with what puts them in order."""

import pandas as pd
import pytest

from fulmen.errors import FulmenError
from fulmen.io.options import TableOptions
from fulmen.workloads.stocks.prices import read_prices
from fulmen.workloads.stocks.reading import Reading

from .price_styles import PRICES, csv


def test_day_and_month_the_wrong_way_round_are_not_to_be_sorted(tmp_path):
    days = pd.to_datetime([f"2021-{month:02}-{day:02}" for month in range(1, 7) for day in range(1, 13)])
    path = tmp_path / "px.csv"
    path.write_text(csv(PRICES.head(len(days)).assign(Date=days), dates="%d/%m/%Y"))
    with pytest.raises(FulmenError) as refused:
        read_prices(path, Reading(table=TableOptions(dates="month_first")))
    assert "sort" not in str(refused.value)
    assert "with data.dates=day_first they are" in str(refused.value)
    (prices,), _ = read_prices(path, Reading(table=TableOptions(dates="day_first")))
    assert (prices.day[[0, -1]] == days[[0, -1]].values.astype("datetime64[D]").astype(int)).all()


def test_days_that_no_order_puts_right_are_named_by_their_line(tmp_path):
    path = tmp_path / "px.csv"
    path.write_text(csv(PRICES.iloc[[0, 2, 1, *range(3, len(PRICES))]], dates="%d/%m/%Y"))
    with pytest.raises(FulmenError, match=r"line 4.*lies before the line above it"):
        read_prices(path, Reading(table=TableOptions(dates="day_first")))
