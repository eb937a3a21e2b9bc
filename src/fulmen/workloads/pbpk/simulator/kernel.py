"""RODAS for one subject as loops over plain float64 arrays, compiled by Numba; see `compiled.py`.

`organs` [4, 13] holds inflow, outflow, outflow to the liver and to the veins per hour, `single` [6] the rates of the
veins, the liver far below Km, its saturation per mg, the kidney, the absorption and the metabolism of the gut wall.
States are those of `compartments`.
"""

import numpy as np
from numba import njit

from fulmen.workloads.pbpk.simulator import compartments as of
from fulmen.workloads.pbpk.simulator.rosenbrock import GAMMA, GROW, SAFETY, SHRINK, SMALLEST_STEP_H, STAGES

LIVER, KIDNEY, LUNG, GUT, N_TISSUES = of.LIVER, of.KIDNEY, of.LUNG, of.GUT, len(of.TISSUES)
VENOUS, ARTERIAL, FIRST, LUMEN, METABOLISED, URINE, UNABSORBED, RATE, N = (
    of.VENOUS, of.ARTERIAL, of.FIRST_TISSUE, of.LUMEN, of.METABOLISED, of.URINE, of.UNABSORBED, of.RATE, of.N_STATES,
)  # fmt: skip
N_STAGES = len(STAGES)
WEIGHTS = np.zeros((N_STAGES, 2, N_STAGES))
for _i, _rows in enumerate(STAGES):
    WEIGHTS[_i, :, : _i + 1] = _rows
DENSE = np.array(
    [
        [10.12623508344586, -7.487995877610167, -34.80091861555747, -7.992771707568823, 1.025137723295662],
        [-0.6762803392801253, 6.087714651680015, 16.43084320892478, 24.76722511418386, -6.594389125716872],
    ]
)  # over k1 ... k5


@njit(cache=True)
def factor(organs, single, g_h, slope, pivot, q, w):
    """Eliminate the tissues from I - g J, as `rosenbrock.factor` does; writes `pivot`, `q` [13] and `w` [8]."""
    inflow, portal, returning = 0.0, 0.0, 0.0
    for i in range(N_TISSUES):
        diagonal = 1.0 + g_h * organs[1, i]
        if i == LIVER:
            diagonal += g_h * slope
        if i == KIDNEY:
            diagonal += g_h * single[3]
        pivot[i] = 1.0 / diagonal
        q[i] = g_h * organs[0, i] * pivot[i]
        inflow += organs[0, i]
        portal += organs[2, i] * q[i]
    q[LIVER] += pivot[LIVER] * g_h * portal
    for i in range(N_TISSUES):
        returning += organs[3, i] * q[i]
    w[0] = 1.0 / (1.0 + g_h * single[0])  # of the veins
    w[1] = w[0] * g_h * returning  # venous amount per arterial amount
    w[2] = pivot[LUNG] * g_h * single[0]  # lung amount per venous amount
    q[LUNG] = w[2] * w[1]
    w[3] = g_h * organs[1, LUNG]
    w[4] = 1.0 / (1.0 + g_h * inflow - w[3] * q[LUNG])  # of the arteries
    w[5] = 1.0 / (1.0 + g_h * single[4] + g_h * single[5])  # of the lumen
    w[6] = pivot[GUT] * g_h * single[4]  # gut amount per lumen amount
    w[7] = g_h


@njit(cache=True)
def solve(organs, single, slope, pivot, q, w, b, x):
    """x with (I - g J) x = b, both [20]."""
    g_h, portal, returning = w[7], 0.0, 0.0
    x[LUMEN] = b[LUMEN] * w[5]
    for i in range(N_TISSUES):
        x[FIRST + i] = b[FIRST + i] * pivot[i]
    x[FIRST + GUT] += w[6] * x[LUMEN]
    for i in range(N_TISSUES):
        portal += organs[2, i] * x[FIRST + i]
    x[FIRST + LIVER] += pivot[LIVER] * g_h * portal
    for i in range(N_TISSUES):
        returning += organs[3, i] * x[FIRST + i]
    veins = (b[VENOUS] + g_h * b[RATE] + g_h * returning) * w[0]
    x[FIRST + LUNG] += w[2] * veins
    arteries = (b[ARTERIAL] + w[3] * x[FIRST + LUNG]) * w[4]
    for i in range(N_TISSUES):
        x[FIRST + i] += q[i] * arteries
    x[VENOUS] = veins + w[1] * arteries
    x[ARTERIAL] = arteries
    x[METABOLISED] = b[METABOLISED] + g_h * slope * x[FIRST + LIVER] + g_h * single[5] * x[LUMEN]
    x[URINE] = b[URINE] + g_h * single[3] * x[FIRST + KIDNEY]
    x[UNABSORBED] = b[UNABSORBED]
    x[RATE] = b[RATE]


@njit(cache=True)
def take_step(organs, single, y, h, k, pivot, q, w, u, b, x):
    """One step from `y` to `x`; the stages go to `k` [6, 20], of which the last is the difference from order 3."""
    liver = y[FIRST + LIVER]
    slope = single[1] / (1.0 + single[2] * abs(liver)) ** 2
    factor(organs, single, GAMMA * h, slope, pivot, q, w)
    for stage in range(N_STAGES):
        for i in range(N):
            u[i] = y[i]
            b[i] = y[i]
        for j in range(stage):
            for i in range(N):
                u[i] += WEIGHTS[stage, 0, j + 1] * k[j, i]
                b[i] += WEIGHTS[stage, 1, j + 1] * k[j, i]
        liver = u[FIRST + LIVER]
        bent = GAMMA * h * (single[1] * liver / (1.0 + single[2] * abs(liver)) - slope * liver)
        b[FIRST + LIVER] -= bent
        b[METABOLISED] += bent
        solve(organs, single, slope, pivot, q, w, b, x)
        for i in range(N):
            k[stage, i] = x[i] - u[i]


@njit(cache=True)
def error_norm(before, after, error, rtol, atol):
    """Root mean square, as `rosenbrock._error_norm`: what is outside of the body counts as one."""
    total, outside, left, leaving = 0.0, 0.0, 0.0, 0.0
    for i in range(METABOLISED):
        total += (error[i] / (atol + rtol * max(abs(before[i]), abs(after[i])))) ** 2
    for i in range(METABOLISED, RATE):
        outside += error[i]
        left += before[i]
        leaving += after[i]
    total += (outside / (atol + rtol * max(abs(left), abs(leaving)))) ** 2
    return np.sqrt(total / (METABOLISED + 1))


@njit(cache=True)
def clip(x):
    """Clip rounding below zero and give the mass it made back in proportion."""
    total, kept, lowest = 0.0, 0.0, 0.0
    for i in range(RATE):
        total += x[i]
        kept += max(x[i], 0.0)
        lowest = min(lowest, x[i])
    if lowest < 0.0 < kept:
        for i in range(RATE):
            x[i] = max(x[i], 0.0) * (total / kept)


@njit(cache=True)
def interpolate(y, x, k, s, row):
    """The solution at the share s of the step from `y` to `x`, to `row` [20]."""
    for i in range(N):
        first, second = 0.0, 0.0
        for j in range(N_STAGES - 1):
            first += DENSE[0, j] * k[j, i]
            second += DENSE[1, j] * k[j, i]
        row[i] = y[i] * (1.0 - s) + s * (x[i] + (1.0 - s) * (first + s * second))
    row[RATE] = y[RATE]
    clip(row)


@njit(cache=True)
def integrate_one(organs, single, event_h, doses, rate, dose, time_h, rtol, atol, out):
    """Amounts [T, 20] to `out`; the hour at which the step became too short, or -1."""
    pivot, q, w = np.empty(N_TISSUES), np.empty(N_TISSUES), np.empty(8)
    k, u, b, x, y = np.empty((N_STAGES, N)), np.empty(N), np.empty(N), np.empty(N), np.zeros(N)
    fastest = single[0]
    for i in range(N_TISSUES):
        fastest = max(fastest, organs[1, i])
    first_step_h = rtol**0.25 / (fastest + single[1])
    step_h, now_h, event, report, last_h = first_step_h, 0.0, 0, 0, time_h[-1]
    while report < len(time_h):
        if now_h == event_h[event]:
            while now_h == event_h[event]:
                for i in range(RATE):
                    y[i] += doses[event] * dose[i]
                y[RATE] = rate[event]
                event += 1
            step_h = first_step_h
        while report < len(time_h) and time_h[report] <= now_h:
            out[report] = y
            report += 1
        if report == len(time_h):
            break
        target_h = min(event_h[event], last_h)
        pieces = max(np.ceil((target_h - now_h) / step_h), 1.0)
        h = (target_h - now_h) / pieces
        take_step(organs, single, y, h, k, pivot, q, w, u, b, x)
        norm = error_norm(y, x, k[N_STAGES - 1], rtol, atol)
        change = SAFETY * max(norm, 1e-12) ** -0.25
        step_h = h * (min(max(change, SHRINK), GROW) if np.isfinite(change) else SHRINK)
        if not norm <= 1.0:
            if not h >= SMALLEST_STEP_H:
                return now_h
            continue
        clip(x)
        end_h = target_h if pieces == 1.0 else now_h + h
        while report < len(time_h) and time_h[report] < end_h:
            interpolate(y, x, k, (time_h[report] - now_h) / h, out[report])
            report += 1
        y[:] = x
        now_h = end_h
    return -1.0


@njit(cache=True)
def integrate_all(organs, single, event_h, doses, rate, dose, time_h, rtol, atol, out):
    """All subjects; the first that cannot be integrated and the hour at which it stopped, or -1 twice."""
    for s in range(len(out)):
        stuck_h = integrate_one(
            organs[s], single[s], event_h[s], doses[s], rate[s], dose[s], time_h, rtol, atol[s], out[s]
        )
        if stuck_h >= 0.0:
            return s, stuck_h
    return -1, -1.0
