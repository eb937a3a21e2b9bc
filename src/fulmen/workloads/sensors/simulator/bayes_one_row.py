"""How well a single reading of an unseen machine of the simulated plant can be judged at best.

In the long run a machine's age is uniform over its life, and the life met at a random time is length-biased: for
log-normal lives log-normal again, its log median raised by the variance. Offsets of machine and sensor add up to normal
distributions, light depends on nothing that matters; what is left is a sum over load and an integral over age / life.
"""

import numpy as np
from scipy.stats import norm

from fulmen.workloads.sensors.simulator.plant import (
    LIFE_LOG_SD,
    LIFE_MEDIAN_DAYS,
    MACHINE_TEMPERATURE_SD_C,
    MACHINE_VIBRATION_LOG_SD,
    NEED_DAYS,
    P_FALSE,
    P_LOAD,
    P_RECORDED,
    TEMPERATURE_SD_C,
    VIBRATION_LOG_SD,
    VIBRATION_MEDIAN_MM_S,
    expected_temperature,
    relative_vibration,
)


def bayes_probability(
    hour: np.ndarray, temperature_c: np.ndarray, vibration_mm_s: np.ndarray, points: int = 512
) -> np.ndarray:
    """P(maintenance | one reading) [N] for a machine that was never seen; no model of single rows can rank better.

    Args:
        hour: of the day [N].
        temperature_c: [N], NaN where missing.
        vibration_mm_s: [N], NaN where missing.
        points: of the midpoint rule over age / life.
    """
    u = (np.arange(points) + 0.5) / points  # age / life [points]
    median = LIFE_MEDIAN_DAYS * np.exp(LIFE_LOG_SD**2)
    p_need = norm.cdf(np.log(NEED_DAYS / (1 - u) / median) / LIFE_LOG_SD)
    temperature_sd = np.hypot(MACHINE_TEMPERATURE_SD_C, TEMPERATURE_SD_C)
    vibration_sd = np.hypot(MACHINE_VIBRATION_LOG_SD, VIBRATION_LOG_SD)
    on_shift = (hour >= 6) & (hour < 22)
    log_vibration = np.log(vibration_mm_s / VIBRATION_MEDIAN_MM_S)
    likelihood = np.zeros((len(hour), points))
    for load in (0.0, 1.0):
        p_load = np.where(on_shift, P_LOAD[True], P_LOAD[False])
        prior = p_load if load else 1 - p_load
        t = (temperature_c[:, None] - expected_temperature(hour[:, None], load, u**2)) / temperature_sd
        v = (log_vibration[:, None] - np.log(relative_vibration(load, u**2))) / vibration_sd
        squares = np.where(np.isnan(t), 0, t) ** 2 + np.where(np.isnan(v), 0, v) ** 2
        likelihood += prior[:, None] * np.exp(-0.5 * squares)
    posterior = likelihood @ p_need / likelihood.sum(1)
    return P_FALSE + (P_RECORDED - P_FALSE) * posterior
