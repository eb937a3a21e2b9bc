"""How often a verdict on two curves is right: measured on curves of known laws, not judged by its own rule.

The share depends on the verdict, on how many checks there are and on how noisy the validation loss is.
"""

from fulmen.diagnosis.confidence_table import TABLE
from fulmen.diagnosis.measured import Measured

CHECKS = {"few": 13, "some": 41}  # checks below
NOISE = {"quiet": 0.02, "noisy": 0.10}  # of the validation loss below
CELLS = [f"{checks}, {noise}" for checks in (*CHECKS, "many") for noise in (*NOISE, "loud")]


def cell_of(m: Measured) -> str:
    """`few, quiet` to `many, loud`, by the number of checks and the noise of the validation loss at the end."""
    noise = m.v_noise[-1] / max(abs(m.v[-1]), 0.4 * m.v_scale[-1], 1e-300)
    length = next((name for name, below in CHECKS.items() if len(m.v) < below), "many")
    return f"{length}, {next((name for name, below in NOISE.items() if noise < below), 'loud')}"


def confidence(code: str, m: Measured) -> float | None:
    """The share of such verdicts that is right; None of those that curves alone do not lead to."""
    return TABLE.get(code, {}).get(cell_of(m))


def in_words(share: float | None) -> str:
    """`such a verdict is right of 94 % of simulated curves like these`; "" where nothing is known."""
    return "" if share is None else f"such a verdict is right for {share:.0%} of simulated curves like these"
