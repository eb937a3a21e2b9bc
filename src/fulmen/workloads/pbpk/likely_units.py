"""Units that numbers seem to have, by what a body is: its volumes fill its weight, its heart pumps what its weight
needs, and its organs hold what it was given."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from fulmen.workloads.pbpk.simulator.physiology import CARDIAC_OUTPUT_L_PER_H, INDEX
from fulmen.workloads.pbpk.unit_names import times

Arrays = Mapping[str, np.ndarray]
FLOWS = {"L/min": 60.0, "mL/min": 0.06, "mL/h": 1e-3, "mL/s": 3.6, "L/s": 3600.0, "L/day": 1 / 24}
USUAL = (0.3, 3.2)  # cardiac output over that of the same weight by its power 3/4: mice and men
HEAVY_KG = 3000.0
NEAR = 0.01
POUND_KG = 0.45359237
MILLIGRAMS = 2.0  # doses below it seem to be grams, where the organs hold a thousand times what was given
AS_NAMED = "data.units=as_named"


@dataclass(frozen=True)
class Fix:
    """What an array seems to be, and by what it would become what its name says.

    Attributes:
        name: of the array.
        unit: that it seems to have, or "percent", "shares of ...".
        call: what to save in its place, an expression of numpy.
    """

    name: str
    unit: str
    call: str

    def __str__(self) -> str:
        if self.name == "kinetics":
            return f"its curves are those of {self.unit} kinetics (save kinetics={self.call})"
        return f"{self.name} seems to be in {self.unit} (save {self.call})"


def scaled(name: str, unit: str, factor: float) -> Fix:
    """A fix by a factor."""
    return Fix(name, unit, f"{name} {times(factor)}")


def refusal(fixes: list[Fix], why: str = "") -> str:
    """The sentence that a message says."""
    told = " and ".join(map(str, fixes))
    return f"{told}{why and f': {why}'}; if all is as its name says: {AS_NAMED}"


def of_bodies(arrays: Arrays) -> tuple[list[Fix], dict[str, np.ndarray], str]:
    """Fixes of weights, volumes, flows and shares; the arrays with them; and what tells it."""
    fixed = {name: np.asarray(value, dtype=float) for name, value in arrays.items() if value.dtype.kind in "fiu"}
    fixes: list[Fix] = []
    why = ""
    for name in ("fraction_unbound", "bioavailability", "gut_extraction"):
        if name in fixed and np.median(fixed[name]) > 1 and fixed[name].max() <= 100 and fixed[name].min() >= 0:
            why = why or f"{name}, subject {fixed[name].argmax()}: {fixed[name].max():.4g}"
            fixes.append(scaled(name, "percent", 0.01))
            fixed[name] = fixed[name] / 100
    weight, volume = fixed["weight_kg"], fixed["volume_l"]
    density = fixed.get("density_kg_per_l", np.ones_like(volume))
    filled = float(np.median((volume * density).sum(1) / weight))  # 1 where units are right
    found = _of_masses(filled, float(np.median(weight)), float(np.median((volume * density).sum(1))))
    if found:
        why = why or f"the volumes fill {filled:.4g} times the weight" if abs(filled - 1) > NEAR else why or (
            f"a weight of {np.median(weight):.4g}")  # fmt: skip
    for fix, name, factor in found:
        fixes.append(fix)
        fixed[name] = fixed[name] * (factor if np.ndim(factor) else float(factor))
        if "weight_kg[:, None]" in fix.call:
            fixed[name] = volume / volume.sum(1, keepdims=True) * fixed["weight_kg"][:, None]
    return _of_flows(fixed, fixes, why)


def _of_masses(filled: float, weight: float, mass: float) -> list[tuple[Fix, str, float]]:
    """Fix, array and factor."""
    if abs(filled - 1) < NEAR:
        if weight < HEAVY_KG:
            return []
        return [(scaled("weight_kg", "g", 1e-3), "weight_kg", 1e-3), (scaled("volume_l", "mL", 1e-3), "volume_l", 1e-3)]
    if weight > HEAVY_KG and abs(filled * 1000 - 1) < NEAR:
        return [(scaled("weight_kg", "g", 1e-3), "weight_kg", 1e-3)]
    if abs(filled / POUND_KG - 1) < NEAR:
        return [(scaled("weight_kg", "lb", POUND_KG), "weight_kg", POUND_KG)]
    if abs(filled / 1000 - 1) < NEAR:
        return [(scaled("volume_l", "mL", 1e-3), "volume_l", 1e-3)]
    for whole, unit in ((1.0, "shares of the weight"), (100.0, "percent of the weight")):
        if abs(mass / whole - 1) < 0.1 and abs(filled - 1) > 0.1 and weight > 1.5 * mass / whole:
            over = "" if whole == 1 else " / 100"
            return [(Fix("volume_l", unit, f"volume_l{over} * weight_kg[:, None]"), "volume_l", 1.0)]
    return []


def _of_flows(fixed: dict[str, np.ndarray], fixes: list[Fix], why: str) -> tuple[list[Fix], dict[str, np.ndarray], str]:
    expected = CARDIAC_OUTPUT_L_PER_H * fixed["weight_kg"] ** 0.75
    output, flow = fixed["cardiac_output_l_per_h"], fixed["flow_l_per_h"]
    unit = _flow_unit(float(np.median(output / expected)))
    if unit:
        why = why or (
            f"at a weight of {fixed['weight_kg'][0]:.4g} kg a heart pumps about {expected[0]:.3g} L/h, and here "
            f"{output[0]:.4g}"
        )
        fixes.append(scaled("cardiac_output_l_per_h", unit, FLOWS[unit]))
        fixed["cardiac_output_l_per_h"] = output = output * FLOWS[unit]
    systemic = flow.sum(1) - flow[:, INDEX["lung"]] - flow[:, INDEX["blood"]]
    share = float(np.median(systemic / output))
    if abs(share - 1) < NEAR:
        return fixes, fixed, why
    for name, factor in FLOWS.items():
        if abs(share * factor - 1) < NEAR:
            why = why or f"the flows of the organs make {share:.4g} times the cardiac output"
            fixes.append(scaled("flow_l_per_h", name, factor))
            fixed["flow_l_per_h"] = flow * factor
            return fixes, fixed, why
    total = float(np.median(systemic))
    for whole, over in ((1.0, ""), (100.0, " / 100")):
        if abs(total / whole - 1) < NEAR:
            why = why or f"the flows of the organs make {total:.4g}"
            unit = "shares of the cardiac output" if whole == 1 else "percent of the cardiac output"
            fixes.append(Fix("flow_l_per_h", unit, f"flow_l_per_h{over} * cardiac_output_l_per_h[:, None]"))
            fixed["flow_l_per_h"] = flow / whole * output[:, None]
    return fixes, fixed, why


def _flow_unit(ratio: float) -> str:
    """The unit of a cardiac output that is `ratio` of what its weight needs; "" where it may be L/h."""
    if not np.isfinite(ratio) or ratio <= 0 or USUAL[0] <= ratio <= USUAL[1]:
        return ""
    best = min(FLOWS, key=lambda unit: abs(np.log(ratio * FLOWS[unit])))
    return best if abs(np.log(ratio * FLOWS[best])) < np.log(2.2) else ""


def of_amounts(fixed: Arrays, concentration: np.ndarray, n_doses: int, absorbed: np.ndarray) -> tuple[list[Fix], str]:
    """Fixes of doses or concentrations [S, 14, T], where the organs hold a thousand times too much or too little.

    Args:
        fixed: arrays with the fixes of bodies.
        absorbed: share of the dose that can reach the organs [S].
    """
    given = n_doses * fixed["dose_mg"]
    with np.errstate(invalid="ignore", divide="ignore"):
        most = np.einsum("sot,so->st", concentration, fixed["volume_l"]).max(1) / given  # [S], shares of what was given
    dose = float(np.median(fixed["dose_mg"]))
    high, low, top = float(np.median(most)), float((most / absorbed.clip(1e-9)).max()), float(most.max())
    if top > 2 and abs(top / float(fixed["weight_kg"][int(most.argmax())]) - 1) < 0.05:
        return [Fix("dose_mg", "mg/kg", "dose_mg * weight_kg")], f"the organs hold up to {top:.4g} times what was given"
    for power in (1e3, 1e6):
        if high > 0.02 * power and 0.2 * power < top <= 1.01 * power:
            if power == 1e3 and dose < MILLIGRAMS:
                return [scaled("dose_mg", "g", 1e3)], f"the organs hold up to {high:.4g} times what was given"
            unit = "ug/L (ng/mL)" if power == 1e3 else "ng/L (pg/mL)"
            return [scaled("concentration_mg_per_l", unit, 1 / power)], (
                f"the organs hold up to {high:.4g} times what was given"
            )
        if 0.05 / power < low <= 1.001 / power:
            if power == 1e3 and dose > 5000:
                return [scaled("dose_mg", "ug", 1e-3)], f"the organs hold at most {low:.3g} of what was given"
            unit = "g/L (mg/mL)" if power == 1e3 else "kg/L"
            return [
                scaled("concentration_mg_per_l", unit, power)
            ], f"the organs hold at most {low:.3g} of what was given"
    return [], ""
