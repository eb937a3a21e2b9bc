"""Units in names: `dose_g` is a dose too, a thousand times as large a number's worth as `dose_mg`."""

from collections.abc import Sequence

from fulmen.io.names import plain

MASS = {"kg": 1e6, "g": 1e3, "mg": 1.0, "ug": 1e-3, "mcg": 1e-3, "ng": 1e-6, "lb": 453592.37, "lbs": 453592.37}
TIME = {"y": 8766.0, "years": 8766.0, "months": 730.5, "d": 24.0, "day": 24.0, "days": 24.0, "h": 1.0, "hr": 1.0,
        "hours": 1.0,
        "min": 1 / 60, "minutes": 1 / 60, "s": 1 / 3600, "sec": 1 / 3600, "seconds": 1 / 3600}  # fmt: skip
VOLUME = {"l": 1.0, "ml": 1e-3, "dl": 0.1, "ul": 1e-6}
RATIOS = {
    **{f"{m}_per_{v}": MASS[m] / VOLUME[v] for m in MASS for v in VOLUME},
    **{f"{v}_per_{t}": VOLUME[v] / TIME[t] for v in VOLUME for t in TIME},
    **{f"per_{t}": 1 / TIME[t] for t in TIME},
    "percent": 0.01, "pct": 0.01,
}  # fmt: skip
DIMENSIONS = (MASS, TIME, VOLUME)
WANTED = ("l_per_h", "mg_per_l", "kg_per_l", "per_h", "kg", "mg", "l", "h", "y")  # the longest first


def unit_of(name: str) -> tuple[str, str]:
    """`dose` and `mg` of `dose_mg`; the name itself and "" where it says no unit."""
    return next(((name.removesuffix(f"_{u}"), u) for u in WANTED if name.endswith(f"_{u}")), (name, ""))


def other_unit(name: str, wanted: Sequence[str]) -> tuple[str, str, float] | None:
    """Which of `wanted` is meant by `name`, the unit that `name` says, and the factor to that of the wanted name.

    None: it is one of them, or says the unit of none.
    """
    if name in wanted:
        return None
    for each in wanted:
        base, unit = unit_of(each)
        for other, factor in _units_like(unit).items():
            if other != unit and plain(name) == plain(f"{base}_{other}"):
                return each, other.replace("_per_", "/").replace("per_", "1/"), factor
    return None


def times(factor: float) -> str:
    """`* 60` or `/ 1000`"""
    return f"* {factor:.9g}" if factor >= 1 or round(1 / factor, 6) % 1 else f"/ {round(1 / factor):d}"


def _units_like(unit: str) -> dict[str, float]:
    """Unit -> its size in `unit`, of units of the same kind."""
    if not unit:
        return {"percent": 0.01, "pct": 0.01}
    for known in DIMENSIONS:
        if unit in known:
            return {other: size / known[unit] for other, size in known.items()}
    kind = [_kind(part) for part in unit.split("_per_")] if "_per_" in unit else ["", _kind(unit.removeprefix("per_"))]
    found = {}
    for other, size in RATIOS.items():
        parts = other.split("_per_") if "_per_" in other else ["", other.removeprefix("per_")]
        if [_kind(part) for part in parts] == kind:
            found[other] = size / RATIOS[unit]
    return found


def _kind(unit: str) -> str:
    return next((str(n) for n, known in enumerate(DIMENSIONS) if unit in known), "")
