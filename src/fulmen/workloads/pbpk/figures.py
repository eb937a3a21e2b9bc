"""The figures of a PBPK run: curves, residuals, organs."""

import warnings
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter
from torch import Tensor

from fulmen.report.figures import COOL, MODEL, MUTED, TRUTH, WIDTH, figure
from fulmen.workloads.pbpk.metrics import FLOOR, normalized, r2
from fulmen.workloads.pbpk.simulator.physiology import ORGANS

SHOWN = 50  # times of a band, at most
UNEVEN = 20  # longest step over shortest, from which on early times need a logarithmic axis


def curves(path: Path, time_h: Tensor, predicted: Tensor, true: Tensor, floor: float, title: str) -> None:
    """One subject, [14, T]: the network over the solver in each organ, mg/L, down to a tenth of the metrics' floor."""
    with figure(path, 5, 3, (WIDTH, 7.2), sharex=True, sharey=True) as axes:
        for organ, ax in zip(range(len(ORGANS)), axes.flat, strict=False):
            ax.plot(time_h, true[organ], color=TRUTH, linewidth=2.4, alpha=0.35, label="ODE solver")
            ax.plot(time_h, predicted[organ], color=MODEL, linewidth=1.2, label="network")
            ax.set_title(ORGANS[organ])
        lowest, top = float(true.min()), float(true.max())
        axes[0, 0].set_yscale("log")
        axes[0, 0].set_ylim(max(floor / 10, lowest / 2), top * 2)
        if lowest < floor:
            for ax in axes.flat[: len(ORGANS)]:
                ax.axhline(floor, color=MUTED, linewidth=0.8, linestyle=":", label="floor of the metrics")
        _of_organs(axes, "mg/L", title)
        _time_axis(axes[0, 0], time_h)


def _time_axis(ax: Axes, time_h: Tensor) -> None:
    """Times that are dense early and sparse late, such as those of a stretched grid, lie on a logarithmic axis."""
    steps = time_h.diff()
    if len(steps) and float(steps.max()) > UNEVEN * float(steps.min()):
        ax.set_xscale("log")
        ax.set_xlim(float(time_h[-1]) / 1000, float(time_h[-1]))
        ax.xaxis.set_major_formatter(FuncFormatter(lambda hours, _: f"{hours:g}"))


def _of_organs(axes: np.ndarray, unit: str, title: str) -> None:
    """Names the axes [5, 3] of 14 organs over time, and puts the legend into the place that is left."""
    for ax in axes[:, 0]:
        ax.set_ylabel(unit)
    for ax in axes[-1]:
        ax.set_xlabel("time (h)")
    axes[-2, -1].xaxis.set_tick_params(labelbottom=True)
    handles, labels = axes[0, 0].get_legend_handles_labels()
    axes[-1, -1].axis("off")
    axes[-1, -1].legend(handles, labels, loc="center left", bbox_to_anchor=(-0.1, 0.5), title=title, alignment="left")


def residuals(path: Path, time_h: Tensor, predicted: Tensor, true: Tensor, dose_mg: Tensor, weight_kg: Tensor) -> None:
    """Predicted against solved concentrations, and the log10 ratio over time (median, 50 % and 90 % bands)."""
    x, y = true.numpy(), np.maximum(predicted.numpy(), 1e-12)
    ratio = log_ratio(predicted, true, dose_mg, weight_kg)
    seen = ~np.isnan(ratio)
    with figure(path, 2, 1, (WIDTH, 6.4)) as (scatter, over_time):
        scatter.hexbin(
            x[seen], y[seen], xscale="log", yscale="log", gridsize=70, bins="log", cmap="Blues", mincnt=1,
            rasterized=True,
        )  # fmt: skip
        low, high = x[seen].min(), x[seen].max()
        scatter.plot([low, high], [low, high], color=MODEL, linewidth=1)
        scatter.plot(
            [low, high],
            [2 * low, 2 * high],
            [low, high],
            [low / 2, high / 2],
            color=MUTED,
            linewidth=0.7,
            linestyle=":",
        )
        scatter.set_xlabel("ODE solver (mg/L)")
        scatter.set_ylabel("network (mg/L)")
        scatter.set_title("every organ and time; dotted: 2-fold")
        _bands(over_time, time_h, ratio.reshape(-1, ratio.shape[-1]))
        over_time.set_title("residuals; dotted: ±10 %")
        over_time.set_xlabel("time (h)")
        _time_axis(over_time, time_h)
        over_time.set_ylabel("log10(network / solver)")
        over_time.legend(loc="upper right", ncols=3, columnspacing=1)


def residuals_per_organ(
    path: Path, time_h: Tensor, predicted: Tensor, true: Tensor, dose_mg: Tensor, weight_kg: Tensor
) -> None:
    """The log10 ratio of network to solver over time in each organ, [S, 14, T] (median, 50 % and 90 % of subjects)."""
    some = slice(None, None, -(-len(time_h) // SHOWN))
    ratio = log_ratio(predicted[..., some], true[..., some], dose_mg, weight_kg)
    with figure(path, 5, 3, (WIDTH, 7.2), sharex=True, sharey=True) as axes:
        ends = []
        for organ, ax in zip(range(len(ORGANS)), axes.flat, strict=False):
            ends.append(_bands(ax, time_h[some], ratio[:, organ])[[0, -1]])
            ax.set_title(ORGANS[organ])
        far = np.abs(ends)[np.isfinite(ends)]
        title = "network / solver;\ndotted: ±10 %"
        if len(far):  # the first times, which are often the worst, would flatten all others
            edge = max(0.06, 1.2 * float(np.quantile(far, 0.98)))
            axes[0, 0].set_ylim(-edge, edge)
            title += f"\n90 % up to ±{far.max():.2g}"
        _of_organs(axes, "log10 ratio", title)
        _time_axis(axes[0, 0], time_h)


def log_ratio(predicted: Tensor, true: Tensor, dose_mg: Tensor, weight_kg: Tensor) -> np.ndarray:
    """log10 of prediction over truth [S, 14, T], NaN where the truth is below the floor of the metrics."""
    x, y = (np.maximum(c.numpy(), 1e-12) for c in (true, predicted))
    return np.where((normalized(true, dose_mg, weight_kg) >= FLOOR).numpy(), np.log10(y) - np.log10(x), np.nan)


def _bands(ax: Axes, time_h: Tensor, ratio: np.ndarray) -> np.ndarray:
    """Draws median, 50 % and 90 % of log10 ratios [N, T], and lines at a ratio of 1 and at ±10 %; the bands [5, T]."""
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a time at which no curve reaches the floor has no band
        bands = np.nanpercentile(ratio, [5, 25, 50, 75, 95], axis=0)
    ax.fill_between(time_h, bands[0], bands[4], color=COOL[0], alpha=0.15, label="90 %", linewidth=0)
    ax.fill_between(time_h, bands[1], bands[3], color=COOL[0], alpha=0.35, label="50 %", linewidth=0)
    ax.plot(time_h, bands[2], color=COOL[0], label="median")
    ax.axhline(0, color=MODEL, linewidth=1)
    for fold in (0.9, 1.1):
        ax.axhline(np.log10(fold), color=MUTED, linewidth=0.7, linestyle=":")
    return bands


def organs(path: Path, predictions: dict[str, Tensor], true: Tensor, dose_mg: Tensor, weight_kg: Tensor) -> None:
    """1 - R2 on the log scale per organ, of the network and the baselines: unexplained variance, smaller is better."""
    target = (normalized(true, dose_mg, weight_kg) + FLOOR).log10()
    with figure(path, 1, 1, (WIDTH, 4.6)) as ax:
        for (name, predicted), color in zip(predictions.items(), (MODEL, *COOL), strict=False):
            log_hat = (normalized(predicted, dose_mg, weight_kg).clamp(min=0) + FLOOR).log10()
            unexplained = [1 - r2(log_hat[:, organ], target[:, organ]) for organ in range(len(ORGANS))]
            size = 46 if color == MODEL else 26
            ax.scatter(unexplained, range(len(ORGANS)), s=size, color=color, label=name, zorder=3)
        ax.axvline(0.01, color=MUTED, linewidth=0.8, linestyle=":")
        ax.set_xscale("log")
        ax.set_yticks(range(len(ORGANS)), ORGANS)
        ax.invert_yaxis()
        ax.set_xlabel("1 - R², log scale (dotted: R² = 0.99)")
        ax.legend(loc="lower center", bbox_to_anchor=(0.4, 1.0), ncols=3, columnspacing=1)
