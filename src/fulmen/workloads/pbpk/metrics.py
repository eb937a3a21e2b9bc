"""How far predicted concentrations lie from the solver's, in the units of the field.

Concentrations are [S, 14, T] in mg/L without t = 0 (there the concentration is an input, not a prediction). On the log
scale a concentration is first divided by what the dose would give in the whole body, u = C W / dose with W = body
weight in kg = L, and floored: log10(u + 1e-3). Ratios (GMFE, shares, AUC, Cmax) need values above zero and take the
points, or curves, with u >= 1e-3.
"""

import torch
from torch import Tensor

DIRECTIONS = {
    **dict.fromkeys(("r2_log", "r2", "worst_organ_r2_log", "within_10_percent", "within_2_fold"), "max"),
    **dict.fromkeys(("auc_within_10_percent", "cmax_within_10_percent"), "max"),
    **dict.fromkeys(("rmse_mg_per_l", "mae_mg_per_l", "rmse_log10", "mae_log10"), "min"),
    **dict.fromkeys(("gmfe", "auc_gmfe", "cmax_gmfe"), "min"),
    **dict.fromkeys(
        ("content_above_2_percent", "balance_error_percent", "dose_error_percent"), "min"
    ),  # `law_table.py`
}
TWOFOLD = 0.6931472  # log 2
FLOOR = 1e-3  # of u: a thousandth of the concentration that the dose would give if spread over the whole body


def normalized(concentration: Tensor, dose_mg: Tensor, weight_kg: Tensor) -> Tensor:
    """u = C W / dose, dimensionless, for C [S, ...] in mg/L."""
    shape = (-1,) + (1,) * (concentration.ndim - 1)
    return concentration * (weight_kg / dose_mg).view(shape)


def r2(predicted: Tensor, true: Tensor) -> float:
    """Coefficient of determination over all entries: 1 - SS_residual / SS_total."""
    return float(1 - ((predicted - true) ** 2).sum() / ((true - true.mean()) ** 2).sum())


def metrics(predicted: Tensor, true: Tensor, dose_mg: Tensor, weight_kg: Tensor) -> dict[str, float]:
    """R2, RMSE and MAE in mg/L and in log10 units, GMFE and the shares of points within 10 % and 2-fold.

    Args:
        predicted: [S, ..., T] mg/L.
        true: the same shape.
        dose_mg: [S].
        weight_kg: [S].
    """
    predicted, true = predicted.double(), true.double()
    u_hat = normalized(predicted, dose_mg, weight_kg).clamp(min=0)
    u = normalized(true, dose_mg, weight_kg)
    log_hat, log_true = (u_hat + FLOOR).log10(), (u + FLOOR).log10()
    above = u >= FLOOR
    fold = (u_hat[above].clamp(min=1e-3 * FLOOR) / u[above]).log().abs()
    return {
        "r2_log": r2(log_hat, log_true),
        "r2": r2(predicted, true),
        "rmse_mg_per_l": float((predicted - true).square().mean().sqrt()),
        "mae_mg_per_l": float((predicted - true).abs().mean()),
        "rmse_log10": float((log_hat - log_true).square().mean().sqrt()),
        "mae_log10": float((log_hat - log_true).abs().mean()),
        "gmfe": float(fold.mean().exp()),
        "within_10_percent": float(100 * ((u_hat[above] / u[above] - 1).abs() <= 0.1).double().mean()),
        "within_2_fold": float(100 * (fold <= TWOFOLD).double().mean()),
    }


def log_normalized(concentration: Tensor, dose_mg: Tensor, weight_kg: Tensor) -> Tensor:
    """log10(u + 1e-3) of concentrations [S, ...] in mg/L."""
    return (normalized(concentration.double(), dose_mg, weight_kg).clamp(min=0) + FLOOR).log10()


def log_error(predicted: Tensor, true: Tensor, dose_mg: Tensor, weight_kg: Tensor) -> Tensor:
    """Mean squared error of log10(u + 1e-3) of each subject: [S]."""
    log_hat, log_true = (log_normalized(c, dose_mg, weight_kg) for c in (predicted, true))
    return (log_hat - log_true).square().flatten(1).mean(1)


def log_spread(true: Tensor, dose_mg: Tensor, weight_kg: Tensor) -> Tensor:
    """As `log_error`, of the mean of all log10(u + 1e-3): [S]; R2 (log) is 1 - sum(log_error) / sum(log_spread)."""
    log_true = (normalized(true.double(), dose_mg, weight_kg) + FLOOR).log10()
    return (log_true - log_true.mean()).square().flatten(1).mean(1)


def of_subjects(
    predicted: Tensor, true: Tensor, dose_mg: Tensor, weight_kg: Tensor, time_h: Tensor
) -> dict[str, Tensor]:
    """Scores of each subject [S]: % of its points within 10 % and 2-fold, of its AUCs within 10 %, MAE in log10 units.

    NaN of a subject of which no point, or no curve, reaches the floor.
    """
    predicted, true = predicted.double(), true.double()
    u_hat, u = normalized(predicted, dose_mg, weight_kg).clamp(min=0), normalized(true, dose_mg, weight_kg)
    ratio = torch.where(u >= FLOOR, u_hat.clamp(min=1e-3 * FLOOR) / u, torch.nan)
    area = [torch.trapezoid(c, time_h.to(c)) for c in (predicted, true)]
    exposure = torch.where(u.amax(-1) >= FLOOR, area[0] / area[1], torch.nan)
    return {
        "within_10_percent": _share((ratio - 1).abs(), 0.1),
        "within_2_fold": _share(ratio.log().abs(), TWOFOLD),
        "auc_within_10_percent": _share((exposure - 1).abs(), 0.1),
        "mae_log10": ((u_hat + FLOOR).log10() - (u + FLOOR).log10()).abs().flatten(1).mean(1),
    }


def _share(error: Tensor, most: float) -> Tensor:
    """% of the errors [S, ...] of each subject that are at most so large, NaN left out: [S]."""
    error = error.flatten(1)
    return 100 * (error <= most).double().sum(1) / (~error.isnan()).sum(1)


def exposure_errors(
    predicted: Tensor, true: Tensor, dose_mg: Tensor, weight_kg: Tensor, time_h: Tensor
) -> dict[str, float]:
    """GMFE of AUC and Cmax and the share within 10 %, over the curves whose peak reaches the floor.

    Both are taken from the sampled curve after t = 0 (trapezoids; largest sample).
    """
    seen = normalized(true, dose_mg, weight_kg).amax(-1) >= FLOOR  # [S, 14]
    errors = {}
    for name, measure in {"auc": lambda c: torch.trapezoid(c, time_h.to(c)), "cmax": lambda c: c.amax(-1)}.items():
        ratio = (measure(predicted.double())[seen] / measure(true.double())[seen]).clamp(min=1e-6)
        errors[f"{name}_gmfe"] = float(ratio.log().abs().mean().exp())
        errors[f"{name}_within_10_percent"] = float(100 * ((ratio - 1).abs() <= 0.1).double().mean())
    return errors
