"""A loss that falls on is still improving, however many checks its log has; noise at rest is not."""

import numpy as np
import pytest

from fulmen.diagnosis import diagnose


@pytest.mark.parametrize("checks", [20, 24, 25, 28, 32, 40, 56, 100, 1000])
def test_a_fall_without_noise_is_told_at_any_length(checks):
    train = 0.1 + 0.9 * np.exp(-4.3 * np.arange(checks) / (checks - 1))
    assert 0.14 < 1 - train[-1] / train[-1 - checks // 4] < 0.2
    assert diagnose(train, 1.03 * train)[0].code == "still_improving"


@pytest.mark.parametrize(("floor", "rate"), [(0.2, 4.2), (0.3, 3.4), (0.15, 4.8)])
def test_a_last_quarter_of_8_to_13_percent_is_told_at_any_length(floor, rate):
    for checks in (25, 28, 33, 40, 50, 75, 300):
        train = floor + (1 - floor) * np.exp(-rate * np.arange(checks) / (checks - 1))
        assert 0.07 < 1 - train[-1] / train[-1 - checks // 4] < 0.13
        assert diagnose(train, 1.03 * train)[0].code == "still_improving", checks


@pytest.mark.parametrize("memory", [0.0, 0.8])
def test_noise_about_a_level_is_no_fall(memory):
    rng, words = np.random.default_rng(4), []
    for checks in (26, 33, 47, 90) * 8:
        noise = np.zeros(checks)
        for i in range(checks):
            noise[i] = memory * noise[i - 1] + np.sqrt(1 - memory**2) * rng.standard_normal()
        law = 0.2 + 0.8 * np.exp(-25 * np.arange(checks) / checks)
        words.append(diagnose(law, 1.05 * law * (1 + 0.03 * noise))[0].code)
    assert words.count("still_improving") <= 1
