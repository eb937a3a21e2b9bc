"""The verdict on forecasts of numbers: what is better is called so, and what knows nothing is not."""

import numpy as np
import pytest

from fulmen.report.forecast_verdict import forecast_verdict

RNG = np.random.default_rng(0)
TRUE = RNG.normal(size=(200, 1))
LINEAR = TRUE + 2 * RNG.normal(size=TRUE.shape)


@pytest.mark.parametrize(
    ("network", "code"),
    [
        (TRUE + 0.3 * RNG.normal(size=TRUE.shape), "FUL-V00"),
        (RNG.normal(size=TRUE.shape), "FUL-V04"),
        (np.zeros(1), "FUL-V03"),
        (np.full(1, np.nan), "FUL-V04"),
    ],
)
def test_each_forecast_is_called_what_it_is(network, code):
    shown = forecast_verdict({"network": network, "linear": LINEAR, "constant": np.zeros(1)}, TRUE, 0.2, "patient")
    assert shown.id == code
    if np.isfinite(network).all():
        assert (shown.units, shown.unit, shown.constant.name) == (200, "patients", "the constant")


def test_items_of_a_group_count_once_and_a_constant_truth_is_not_judged():
    known = {"network": TRUE, "constant": np.zeros(1)}
    few = forecast_verdict(known, TRUE, 0.2, "clinic", group=np.arange(200) % 3)
    assert few.sentence.startswith("Too few for a verdict: the test split has 3 clinics, and 4 are the fewest")
    assert forecast_verdict(known, np.ones_like(TRUE), 0.2).id == "FUL-V05"
