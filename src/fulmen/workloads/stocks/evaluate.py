"""The evaluation of a forecaster on its test split: beside the baselines, with intervals, and a verdict in words."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from fulmen.report.document import Rows
from fulmen.report.evidence import NOTE
from fulmen.report.shown import Shown
from fulmen.report.summary import Summary
from fulmen.workloads.stocks import baselines, conformal, figures, metrics, trading
from fulmen.workloads.stocks.items import items_of
from fulmen.workloads.stocks.verdict import verdict

COLUMNS = {
    "skill": "skill",
    "dm_p": "DM p",
    "rmse_price": "RMSE price",
    "mae_price": "MAE price",
    "direction": "direction",
    "always_up": "always up",
    "r2_oos": "R² OOS",
    "mase": "MASE",
    "rmse_return": "RMSE return",
    "mae_return": "MAE return",
    "skill_price": "skill price",
    "direction_low": "direction from",
    "direction_high": "to (95 %)",
    "dm": "DM",
}
INTERVAL = "direction, 95 %"
NOTES = [
    "return: log(P(t+h) / P(t)) over h days; price: in the currency of the data. Numbers over several days ahead are "
    "means over the steps.",
    "skill: 1 - RMSE / RMSE of persistence. MASE: MAE of the log-return over that of persistence on the training "
    "split. R² OOS: against the mean of the training split.",
    "direction: share of right signs, with a 95 % interval; a forecaster that always says up is right as often as "
    "'always up' says.",
    "DM: Diebold-Mariano statistic of the squared errors against persistence, small-sample corrected, positive where "
    "the model is better; p is one-sided.",
    "persistence: P(t); drift: the mean return of the window goes on; historical mean: of the training split; "
    "seasonal: the same of days that followed the same weekday (month, where lines are a week or more apart); one lag: "
    "the last return times a number, AR(1); ridge: on the same windows, its penalty chosen on the validation split.",
    NOTE,
    "Intervals: split-conformal, calibrated on the validation split, scaled by an exponentially weighted volatility; "
    "rolling: calibrated anew each day on the errors of the last 250 days that were known by then.",
    trading.NOTE,
]


def summarize(
    predicted: Tensor, half_width: Tensor, calibration: Tensor, data: Any, folder: Path | None, residuals: bool = True,
    margin: float = 0.01,
) -> Summary:  # fmt: skip
    """Metrics, tables and figures of the test split.

    Args:
        predicted: log-returns [N, H].
        half_width: of the intervals [levels, N, H].
        calibration: predicted log-returns of the validation split.
        folder: where figures go; None draws none.
        residuals: whether they are drawn too, beside the forecast.
        margin: share of the variance of the returns from which on it is a signal.
    """
    train, test = data.splits["train"], data.splits["test"]
    true, price, day, ticker = (test[name].double().numpy() for name in ("log_return", "price", "day", "ticker"))
    history = train["log_return"].double().numpy()
    forecasts = {"network": predicted.double().numpy(), **baselines.forecasts(data.splits)}
    steps = {name: metrics.per_step(r, true, price, day, history) for name, r in forecasts.items()}
    scores = {name: _mean_over_steps(values) for name, values in steps.items()}
    for name, score in scores.items():
        score["dm"], score["dm_p"] = metrics.overall(forecasts[name], true, day)
    intervals = {"": half_width, " rolling": _rolling(predicted, calibration, data)}
    covered = {kind: _coverage(test["log_return"], predicted, half) for kind, half in intervals.items()}
    rows = [{"": name, **_row(score)} for name, score in scores.items()]
    main = scores.pop("network")
    ahead = f"{true.shape[1]} days ahead" if true.shape[1] > 1 else "1 day ahead"
    shown = verdict(forecasts, true, day, margin, test["volatility"].double().numpy())
    said = answer(shown, main, forecasts["network"], true)
    tables = {f"{said.removesuffix('.')} (test split, {len(np.unique(day))} days, {ahead})": rows}
    if true.shape[1] > 1:
        tables["Network, per day ahead"] = _per_step_rows(steps["network"])
    tables["Intervals"] = [
        {"nominal": f"{level:.0%}{kind}", "coverage": float(covered[kind][i].mean()),
         "lowest step": float(covered[kind][i].min()), "median width, return": float(2 * half[i].median())}
        for i, level in enumerate(conformal.LEVELS) for kind, half in intervals.items()
    ]  # fmt: skip
    ours, held = trading.traded(forecasts["network"], true[:, 0], ticker, day), trading.bought(true[:, 0], ticker, day)
    tables[trading.TITLE] = trading.table(ours, held)
    coverage = {
        f"coverage_{round(100 * level)}{kind.replace(' ', '_')}": float(covered[kind][i].mean())
        for i, level in enumerate(conformal.LEVELS)
        for kind in intervals
    }
    drawn = figures.draw(predicted, half_width, test, data.tickers, folder, residuals) if folder else {}
    items = items_of(test, forecasts["network"])
    return Summary(
        main | coverage, scores, tables, drawn, NOTES, items,
        question="Does the network forecast prices better than persistence, which says that they stay as they are?",
        answer=said, verdict=shown, said={trading.TITLE: trading.in_words(ours, held)},
        leading=["skill", "DM p", "direction", INTERVAL, "always up"], counted="windows", shown=[trading.TITLE],
    )  # fmt: skip


def answer(shown: Shown, main: dict[str, float], forecast: np.ndarray, true: np.ndarray) -> str:
    """What came out, how far the error lies from that of persistence, and what the directions are worth.

    Args:
        main: scores of the network.
        forecast: log-returns [N, H], likewise `true`.
    """
    error = f"Its error is {abs(main['skill']):.2%} {'smaller' if main['skill'] > 0 else 'larger'} than that of "
    return f"{shown.sentence} {error}persistence; {directions(main, forecast, true)}."


def directions(main: dict[str, float], forecast: np.ndarray, true: np.ndarray) -> str:
    """`53% of its directions are right (95 %: 42% to 63%)`; of a forecast of one direction alone, which that is.

    Args:
        main: scores of the network.
        forecast: log-returns [N, H], likewise `true`.
    """
    for way, mark, word in (("rise", 1, "rose"), ("fall", -1, "fell")):
        if (np.sign(forecast) == mark).all():
            return f"it forecasts a {way} on every day, and {(np.sign(true) == mark).mean():.0%} of them {word}"
    ends = f"{main['direction_low']:.0%} to {main['direction_high']:.0%}"
    return f"{main['direction']:.0%} of its directions are right (95 %: {ends})"


def _rolling(predicted: Tensor, calibration: Tensor, data: Any) -> Tensor:
    """Half widths [levels, N, H] calibrated on what was known on each test day."""
    parts = (data.splits["validation"], data.splits["test"])
    scale = [conformal.scale(part["volatility"], predicted.shape[1]) for part in parts]
    scores = [
        (part["log_return"] - forecast).abs() / unit
        for part, forecast, unit in zip(parts, (calibration, predicted), scale, strict=True)
    ]
    day = torch.cat([part["day"] for part in parts])
    return conformal.rolling_quantiles(torch.cat(scores), day, parts[1]["day"]) * scale[1]


def _coverage(true: Tensor, predicted: Tensor, half_width: Tensor) -> np.ndarray:
    """[levels, H]"""
    return np.stack([conformal.coverage(true, predicted, half).numpy() for half in half_width])


def _mean_over_steps(values: dict[str, np.ndarray]) -> dict[str, float]:
    return {name: float(values[name].mean()) for name in COLUMNS}


def _row(score: dict[str, float]) -> dict[str, Any]:
    row: dict[str, Any] = {}
    for name, title in COLUMNS.items():
        row[title] = score[name]
        if name == "direction":
            low, high = score["direction_low"], score["direction_high"]
            row[INTERVAL] = f"{low:.3f} to {high:.3f}" if low == low else ""  # persistence points nowhere
    return row


def _per_step_rows(values: dict[str, np.ndarray]) -> Rows:
    horizon = len(values["skill"])
    return [{"days ahead": h + 1, **_row({name: float(v[h]) for name, v in values.items()})} for h in range(horizon)]
