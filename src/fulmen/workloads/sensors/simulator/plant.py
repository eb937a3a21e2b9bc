"""A simulated plant whose best possible prediction is known (see `bayes_one_row.py`).

Each machine wears from 0 to 1 over a random life and is then renewed; light follows the shift and the sun, temperature
and vibration follow load and wear. Maintenance is needed in the last days of a life, and its records are not perfect.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

STEP_H = 2.0
BURN_IN_DAYS = 400  # so that wear is stationary when the records begin

LIFE_MEDIAN_DAYS, LIFE_LOG_SD = 30.0, 0.35
NEED_DAYS = 3.0  # before the end of a life
P_RECORDED, P_FALSE = 0.95, 0.01  # P(maintenance | needed), P(maintenance | not needed)
P_LOAD = {True: 0.9, False: 0.2}  # during the shift and outside it

MACHINE_TEMPERATURE_SD_C, TEMPERATURE_SD_C = 2.0, 1.5
VIBRATION_MEDIAN_MM_S, MACHINE_VIBRATION_LOG_SD, VIBRATION_LOG_SD = 1.2, 0.25, 0.18
SENSORS = ("light_lux", "temperature_c", "vibration_mm_s")

Fault = Literal["drift", "dimming", "stuck", "dropout"]

Numbers = np.ndarray | float


@dataclass(frozen=True)
class Readings:
    """One row per machine and time, machine by machine: all arrays [N]; NaN where a reading is missing."""

    machine: np.ndarray
    time_h: np.ndarray  # since a Monday, 00:00
    light_lux: np.ndarray
    temperature_c: np.ndarray
    vibration_mm_s: np.ndarray
    maintenance: np.ndarray  # 0 or 1


def simulate_plant(
    machines: int = 24, days: int = 35, seed: int = 42, missing: float = 0.03, fault: Fault | None = None
) -> Readings:
    """Readings every two hours of `machines` machines over `days` days.

    Args:
        missing: share of the readings lost at random.
        fault: "drift": thermometers read 6 °C too much in the last third; "dimming": light sensors half of it;
            "stuck": a tenth of the machines repeats one vibration through the last third; "dropout": high vibrations
            are lost more often than low ones.
    """
    rng = np.random.default_rng(seed)
    time = np.arange(0, 24 * days, STEP_H)
    hour, day = time % 24, (time // 24).astype(int)
    on_shift = (hour >= 6) & (hour < 22)
    shape = (machines, len(time))

    vibration_0 = VIBRATION_MEDIAN_MM_S * np.exp(MACHINE_VIBRATION_LOG_SD * rng.standard_normal((machines, 1)))
    offset = MACHINE_TEMPERATURE_SD_C * rng.standard_normal((machines, 1))
    age, life = _renewals(machines, time / 24, rng)  # days [machines, T]
    wear = (age / life) ** 2
    load = rng.random(shape) < np.where(on_shift, P_LOAD[True], P_LOAD[False])
    cloud = rng.beta(2, 2, (machines, days))[:, day]

    light = (20 + 350 * on_shift + 900 * np.maximum(0, np.sin(np.pi * (hour - 6) / 12)) * cloud) * np.exp(
        0.15 * rng.standard_normal(shape)
    )
    temperature = expected_temperature(hour, load, wear) + offset + TEMPERATURE_SD_C * rng.standard_normal(shape)
    vibration = vibration_0 * relative_vibration(load, wear) * np.exp(VIBRATION_LOG_SD * rng.standard_normal(shape))
    needed = life - age <= NEED_DAYS
    maintenance = rng.random(shape) < np.where(needed, P_RECORDED, P_FALSE)

    late = time >= time[-1] * 2 / 3
    if fault == "drift":
        temperature[:, late] += 6
    elif fault == "dimming":
        light[:, late] *= 0.5
    elif fault == "stuck":
        stuck = rng.permutation(machines)[: -(-machines // 10)]
        vibration[np.ix_(stuck, late)] = vibration[stuck, late.argmax()][:, None]
    lost = rng.random((3, *shape)) < missing
    if fault == "dropout":
        lost[2] |= rng.random(shape) < 0.5 * (vibration > np.quantile(vibration, 0.8))
    light, temperature, vibration = (
        np.where(gone, np.nan, x).ravel() for gone, x in zip(lost, (light, temperature, vibration), strict=True)
    )
    names = np.array([f"M{number:02d}" for number in range(1, machines + 1)])
    machine, when, needed = np.repeat(names, len(time)), np.tile(time, machines), maintenance.ravel().astype(int)
    return Readings(machine, when, light, temperature, vibration, needed)


def expected_temperature(hour: Numbers, load: Numbers, wear: Numbers) -> np.ndarray:
    """Of a machine without an offset of its own, in °C."""
    return 21 + 4 * np.sin(2 * np.pi * (hour - 9) / 24) + 5 * load + 9 * wear


def relative_vibration(load: Numbers, wear: Numbers) -> np.ndarray:
    """Of a machine's own level under full load without wear."""
    return (0.7 + 0.3 * load) * np.exp(1.6 * wear)


def _renewals(machines: int, day: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Age and life in days [machines, T] at each of `day` [T], long after the first machine was new."""
    lives = int(8 * (BURN_IN_DAYS + day[-1]) / LIFE_MEDIAN_DAYS)  # far more than can begin in that time
    life = LIFE_MEDIAN_DAYS * np.exp(LIFE_LOG_SD * rng.standard_normal((machines, lives)))
    end = life.cumsum(1)
    age, current = np.empty((2, machines, len(day)))
    for machine in range(machines):
        number = np.searchsorted(end[machine], BURN_IN_DAYS + day, side="right")
        current[machine] = life[machine, number]
        age[machine] = BURN_IN_DAYS + day - (end[machine, number] - life[machine, number])
    return age, current
