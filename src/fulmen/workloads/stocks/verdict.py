"""What the test split shows of a forecaster: by the correlation with the returns that came, and by squared errors.

For the correlation returns and forecasts are divided by the volatility that is known on the day: else a few wild days
say more than all others, and twice as many days are needed.
"""

from collections.abc import Mapping

import numpy as np

from fulmen.report.estimates import agreement, gain
from fulmen.report.evidence import Evidence, Measure, judge, not_finite, too_few
from fulmen.report.shown import Shown

CONSTANT, PERSISTENCE = "historical mean", "persistence"
MEASURE = "correlation with the returns by their volatility"


def verdict(
    forecasts: Mapping[str, np.ndarray],
    true: np.ndarray,
    day: np.ndarray,
    margin: float,
    volatility: np.ndarray | None = None,
) -> Shown:
    """The network beside chance, the constant, persistence and the other baselines.

    Days are independent evidence, tickers of one day are not; of H days ahead every H-th day is. Each day ahead counts
    by its own scale, or the longest would decide alone.

    Args:
        forecasts: log-returns [N, H] of "network", `CONSTANT`, `PERSISTENCE` and the other baselines.
        true: log-returns [N, H].
        day: of the forecast [N].
        margin: share of the variance of the returns from which on it is a signal.
        volatility: daily, known on the day of the forecast [N]; None: all days count the same.
    """
    if not np.isfinite(forecasts["network"]).all():
        return not_finite("returns")
    ahead_days = true.shape[1]
    scale = np.sqrt(np.mean(true**2, axis=0))
    scale = np.where(scale > 0, scale, 1.0)
    days = len(np.unique(day))
    unit, units = ("day", days) if ahead_days == 1 else (f"span of {ahead_days} days", days // ahead_days)
    reason = "the returns do not change" if np.ptp(true) == 0 else too_few(units, unit)
    rules = [name for name in forecasts if name not in ("network", CONSTANT, PERSISTENCE)]
    loss = {name: (((true - each) / scale) ** 2).mean(1) for name, each in forecasts.items()}
    gaps = {name: gain(loss["network"], each, day, ahead_days) for name, each in loss.items() if name != "network"}
    calm = np.ones(len(day)) if volatility is None else np.where(volatility > 0, volatility, np.inf)
    unit_of = scale * calm[:, None]
    found = {name: agreement(true / unit_of, forecasts[name] / unit_of, day, ahead_days)
             for name in ["network", *rules]}  # fmt: skip
    measure = Measure(MEASURE, 0.0, float(np.sqrt(margin)), said=f"R² {100 * margin:.3g} %")
    evidence = Evidence(
        measure, found.pop("network"), units, unit, found, {name: gaps[name] for name in rules}, "R²",
        gaps[CONSTANT], f"the {CONSTANT}", gaps[PERSISTENCE],
    )  # fmt: skip
    return judge(evidence, reason)
