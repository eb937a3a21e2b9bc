"""A verdict for forecasts of numbers, such as those of a regression, beside a constant and simple models."""

from collections.abc import Mapping

import numpy as np

from fulmen.report.estimates import agreement, gain
from fulmen.report.evidence import Evidence, Measure, judge, not_finite, too_few
from fulmen.report.shown import Shown

MEASURE = "correlation with the truth"


def forecast_verdict(
    forecasts: Mapping[str, np.ndarray], true: np.ndarray, margin: float, unit: str = "row", constant: str = "constant",
    group: np.ndarray | None = None,
) -> Shown:  # fmt: skip
    """Whether a network is shown to be better than chance, than a constant and than simple models.

    Chance is judged by the correlation with the truth, the others by squared errors as a share of its variance.

    Args:
        forecasts: of "network", of the constant and of simple models, [N, ...] or what can be made so.
        true: [N, ...]
        margin: correlation from which on it is a signal.
        unit: one of what is independent of each other: "patient".
        constant: the name of the constant among the forecasts.
        group: of each item [N], where items of a group resemble each other; then groups are what `unit` names.
    """
    true = np.asarray(true, float)
    known = {name: np.broadcast_to(np.asarray(each, float), true.shape) for name, each in forecasts.items()}
    if not np.isfinite(known["network"]).all():
        return not_finite("numbers")
    count = len(true) if group is None else len(np.unique(group))
    flat = {name: each.reshape(len(true), -1) for name, each in {**known, "": true}.items()}
    truth = flat.pop("")
    spread = float(truth.var(0).mean())
    reason = too_few(count, unit, group is not None) if spread > 0 else "the truth does not vary"
    error = {name: ((each - truth) ** 2).mean(1) / (spread or 1.0) for name, each in flat.items()}
    rules = [name for name in flat if name not in ("network", constant)]
    scores = {name: agreement(truth, flat[name], group) for name in ["network", *rules]}
    ahead = {name: gain(error["network"], error[name], group) for name in [*rules, constant]}
    return judge(
        Evidence(
            Measure(MEASURE, 0.0, margin), scores.pop("network"), count, unit, scores,
            {name: ahead[name] for name in rules}, "R²", ahead[constant], f"the {constant}",
        ),
        reason,
    )  # fmt: skip
