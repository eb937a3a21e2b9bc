"""How well the whole past of an unseen machine of the simulated plant can be judged at best: no windows can do better.

A filter over all pairs of age and life. Given age, life and load, both sensors are a machine's own level plus normal
noise, so each pair carries a normal distribution of the two levels; where paths meet (two loads, a renewal) their
mixture is replaced by the normal distribution of the same mean and variance, the one approximation.
"""

import numpy as np
from scipy.stats import norm

from fulmen.workloads.sensors.simulator import plant
from fulmen.workloads.sensors.simulator.plant import Readings, expected_temperature, relative_vibration


def history_probability(readings: Readings, lives: int = 64) -> np.ndarray:
    """P(maintenance | all readings of the machine up to this one) [N]; about a CPU second a machine.

    Args:
        readings: of the plant without a fault.
        lives: in the grid, of equal probability.
    """
    p = np.empty(len(readings.time_h))
    for machine in np.unique(readings.machine):
        rows = np.flatnonzero(readings.machine == machine)
        vibration = np.log(readings.vibration_mm_s[rows] / plant.VIBRATION_MEDIAN_MM_S)
        p[rows] = _filter(readings.time_h[rows] % 24, readings.temperature_c[rows], vibration, lives)
    return plant.P_FALSE + (plant.P_RECORDED - plant.P_FALSE) * p


def _filter(hour: np.ndarray, temperature: np.ndarray, log_vibration: np.ndarray, lives: int) -> np.ndarray:
    """P(needed) [n] at each step of one machine; log vibration relative to the plant's median."""
    step = plant.STEP_H / 24
    life = plant.LIFE_MEDIAN_DAYS * np.exp(plant.LIFE_LOG_SD * norm.ppf((np.arange(lives) + 0.5) / lives))
    age = (np.arange(int(life[-1] / step) + 2)[:, None] + 0.5) * step
    alive, needed = age < life, life - age <= plant.NEED_DAYS
    wear = ((age / life) ** 2).astype(np.float32)
    weight = alive / alive.sum()  # at any one time, age and life are uniform over what is alive
    effect = float(np.log(relative_vibration(0, 0)))  # of no load
    levels = [
        _Level(wear, plant.MACHINE_TEMPERATURE_SD_C, plant.TEMPERATURE_SD_C, effect=-5.0),
        _Level(wear, plant.MACHINE_VIBRATION_LOG_SD, plant.VIBRATION_LOG_SD, effect=effect),
    ]
    p = np.empty(len(hour))
    for i, h in enumerate(hour):
        if i:
            weight = _older(weight, levels, alive)
        excess = (
            temperature[i] - expected_temperature(h, 1, wear),
            log_vibration[i] - np.log(relative_vibration(1, wear)),
        )
        seen = [(level, x) for level, x in zip(levels, excess, strict=True) if not np.isnan(x[0, 0])]
        p_load = plant.P_LOAD[bool(6 <= h < 22)]
        loaded = np.full(wear.shape, np.log(p_load)) + sum(level.log_likelihood(x, True) for level, x in seen)
        idle = np.full(wear.shape, np.log(1 - p_load)) + sum(level.log_likelihood(x, False) for level, x in seen)
        either = np.logaddexp(loaded, idle)
        for level, x in seen:
            level.update(x, np.exp(idle - either))
        weight = weight * np.exp(either - np.max(either[alive]))
        weight /= weight.sum()
        p[i] = weight[needed].sum()
    return p


def _older(weight: np.ndarray, levels: list["_Level"], alive: np.ndarray) -> np.ndarray:
    """The weights one step later: lives that have ended begin anew, with any life."""
    for array in (weight, *(array for level in levels for array in (level.mean, level.variance))):
        array[1:] = array[:-1].copy()
    weight[0] = 0
    ended = weight * ~alive
    renewed = ended.sum()
    if renewed > 0:
        weight = weight * alive
        weight[0] = renewed / weight.shape[1]
        for level in levels:
            level.begin(ended / renewed)
    return weight


class _Level:
    """Mean and variance of a machine's own level of one sensor, for each age and life."""

    def __init__(self, wear: np.ndarray, sd: float, noise: float, effect: float):
        self.mean, self.variance = np.zeros_like(wear), np.full_like(wear, sd**2)
        self.noise, self.effect = noise**2, effect  # of no load on the reading

    def log_likelihood(self, excess: np.ndarray, loaded: bool) -> np.ndarray:
        total = self.variance + self.noise
        return -0.5 * (np.log(total) + (excess - self.mean - (0 if loaded else self.effect)) ** 2 / total)

    def update(self, excess: np.ndarray, p_idle: np.ndarray) -> None:
        gain = self.variance / (self.variance + self.noise)
        self.mean += gain * (excess - self.mean - self.effect * p_idle)
        self.variance += -gain * self.variance + gain**2 * p_idle * (1 - p_idle) * self.effect**2

    def begin(self, share: np.ndarray) -> None:
        mean = (share * self.mean).sum()
        self.variance[0] = (share * (self.variance + (self.mean - mean) ** 2)).sum()
        self.mean[0] = mean
