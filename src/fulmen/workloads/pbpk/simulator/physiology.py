"""The reference body: fourteen organs, their shares of body weight and cardiac output, and how blood connects them."""

import difflib
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from fulmen.errors import FulmenError

# Volume as a fraction of body weight (1 kg taken as 1 L) and flow as a fraction of cardiac output, after Brown et al.,
# Toxicol Ind Health 13:407 (1997), and ICRP Publication 89 (2002). The liver's flow is the hepatic artery alone.
_VOLUME = {
    "blood": 0.079,
    "liver": 0.026,
    "kidney": 0.0044,
    "brain": 0.02,
    "heart": 0.0047,
    "lung": 0.0076,
    "muscle": 0.4,
    "adipose": 0.2142,
    "gut": 0.0171,
    "skin": 0.0371,
    "bone": 0.1429,
    "spleen": 0.0026,
    "pancreas": 0.0014,
    "other": 0.043,
}
_FLOW = {
    "liver": 0.065,
    "kidney": 0.19,
    "brain": 0.12,
    "heart": 0.04,
    "muscle": 0.17,
    "adipose": 0.05,
    "gut": 0.15,
    "skin": 0.05,
    "bone": 0.05,
    "spleen": 0.03,
    "pancreas": 0.01,
    "other": 0.075,
}

ORGANS = tuple(_VOLUME)
INDEX = {organ: i for i, organ in enumerate(ORGANS)}
PERFUSED = tuple(_FLOW)  # fed by arterial blood: all but the blood itself and the lung, which carry the whole output
PORTAL = ("gut", "spleen", "pancreas")  # drain into the liver, not into the veins
ARTERIAL_SHARE = 1 / 3  # of the blood volume; the rest is venous
CARDIAC_OUTPUT_L_PER_H = 15.0  # of a body of 1 kg; grows with weight_kg ** 0.75

CONNECTIONS = (
    *(("blood", organ) for organ in ORGANS if organ != "blood"),
    *((organ, "blood") for organ in ORGANS if organ != "blood" and organ not in PORTAL),
    *((organ, "liver") for organ in PORTAL),
)
"""The 26 vessels as (source, target), with the veins and the arteries drawn as one blood node."""


@dataclass(frozen=True)
class Fractions:
    """Shares of body weight and cardiac output in the order of `ORGANS`; blood and lung carry the whole output."""

    volume: Tensor  # [14], sums to 1
    flow: Tensor  # [14], sums to 1 over PERFUSED


def fractions(organs: Mapping[str, Mapping[str, float]] | None = None) -> Fractions:
    """The reference fractions with overrides such as `{"liver": {"volume": 0.03}, "other": {"volume": 0.039}}`."""
    tables = {"volume": dict(_VOLUME), "flow": dict(_FLOW)}
    for organ, quantities in (organs or {}).items():
        known(organ, ORGANS, "organ", "organs")
        if not isinstance(quantities, Mapping):
            raise FulmenError(f"organs.{organ} is {quantities!r}; give volume, flow or both: {{volume: 0.03}}")
        for quantity, value in quantities.items():
            known(quantity, tables, "quantity", f"organs.{organ}")
            if organ not in tables[quantity]:
                raise FulmenError(f"organs.{organ}.flow cannot be set: {organ} carries the whole cardiac output")
            tables[quantity][organ] = positive(value, f"organs.{organ}.{quantity}")
    for quantity, table in tables.items():
        _require_closed(quantity, table)
    flow = [tables["flow"].get(organ, 1.0) for organ in ORGANS]
    volume = [tables["volume"][organ] for organ in ORGANS]
    return Fractions(torch.tensor(volume, dtype=torch.float64), torch.tensor(flow, dtype=torch.float64))


def known(name: str, choices: Iterable[str], kind: str, where: str) -> str:
    """`name` if it is one of `choices`; otherwise an error with the nearest one."""
    choices = tuple(choices)
    if name in choices:
        return name
    near = difflib.get_close_matches(str(name), choices, n=1, cutoff=0.5)
    hint = f"did you mean '{near[0]}'?" if near else f"known: {', '.join(choices)}"
    raise FulmenError(f"{where}: unknown {kind} '{name}'; {hint}")


def positive(value: float, where: str) -> float:
    """`value` as a float if it is a finite number above zero."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value <= 0:
        raise FulmenError(f"{where} is {value!r}; it must be a finite number above 0")
    return float(value)


def _require_closed(quantity: str, table: dict[str, float], tolerance: float = 1e-6) -> None:
    total = math.fsum(table.values())
    if abs(total - 1) <= tolerance:
        return
    closing = table["other"] + 1 - total
    remedy = f"other.{quantity} = {closing:.6g} would close it" if closing > 0 else "lower the values you set"
    raise FulmenError(f"organs: the {quantity} fractions sum to {total:.6g}, not 1; {remedy}")
