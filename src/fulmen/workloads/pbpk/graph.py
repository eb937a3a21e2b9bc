"""A subject and a drug as a graph: organs are nodes, blood vessels are edges, what belongs to neither is the context.

The 14 nodes and 26 edges are the same for every subject, so a batch is three dense tensors (nodes [B, 14, F],
edges [B, 26, F], context [B, F]) and the wiring is a constant. `to_pyg` gives the same as torch-geometric data.
All features are raw (mostly logarithms of physical quantities); networks standardise them by the training split.
"""

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from fulmen.workloads.pbpk.one_compartment import Reduced, body_load, equilibrium_concentrations
from fulmen.workloads.pbpk.simulator.physiology import CONNECTIONS, ORGANS, PORTAL
from fulmen.workloads.pbpk.simulator.population import (
    BOLUS,
    INFUSION,
    ORAL,
    ROUTES,
    Population,
    hepatic_clearance_l_per_h,
    portal_share,
    renal_clearance_l_per_h,
    steady_state_volume_l,
)

if TYPE_CHECKING:
    from torch_geometric.data import Data

NODE_FEATURES = (
    "log volume (L)",
    "log blood flow (L/h)",
    "log tissue:blood partition coefficient",
    "log blood turnover Q / (V Kp) (1/h)",
    "log share of the distribution volume",
    "log(1 + unbound intrinsic clearance (L/h))",
    "share of the dose that enters here",
)
LOG_VOLUME, ENTRY = NODE_FEATURES.index("log volume (L)"), NODE_FEATURES.index("share of the dose that enters here")
EDGE_FEATURES = (
    "log share of cardiac output",
    "log outflow rate of the source (1/h)",
    "log flow / target volume (1/h)",
)
CONTEXT_FEATURES = (
    "log body weight (kg)",
    "log cardiac output (L/h)",
    "log dose (mg)",
    *ROUTES,
    "log(0.1 + infusion time (h))",
    "log absorption rate (1/h), 0 unless oral",
    "log share that passes the gut wall, 0 unless oral",
    "logit fraction unbound",
    "log blood:plasma ratio",
    "log fraction unbound x hepatic intrinsic clearance (L/h)",
    "log hepatic blood clearance, well-stirred (L/h)",
    "log renal blood clearance (L/h)",
    "log distribution volume (L)",
    "log elimination rate CL / V (1/h)",
    "log Michaelis constant (mg/L)",
    "log saturation: unbound dose / (distribution volume x Km)",
    "log maximal elimination Vmax / dose (1/h)",
    "log number of doses",
    "log dosing interval (h)",
)
LOG_DOSE = CONTEXT_FEATURES.index("log dose (mg)")
SATURATION = CONTEXT_FEATURES.index("log saturation: unbound dose / (distribution volume x Km)")

DOSING_FEATURES = (
    "absorbed share of the dose",
    "log(1 + absorption rate (dose/h))",
    "log(one-compartment body load / dose + 0.001)",
)

SOURCE = torch.tensor([ORGANS.index(source) for source, _ in CONNECTIONS])  # [E]
TARGET = torch.tensor([ORGANS.index(target) for _, target in CONNECTIONS])  # [E]

_BLOOD, _LIVER, _KIDNEY, _GUT = (ORGANS.index(name) for name in ("blood", "liver", "kidney", "gut"))


def features(
    population: Population, kinetics: str = "saturable", dtype: torch.dtype = torch.float32
) -> dict[str, Tensor]:
    """`node` [S, 14, 7], `edge` [S, 26, 3] and `context` [S, 21] of S subjects, in `dtype`.

    With linear kinetics the three features that speak of saturation are 0.
    """
    p = population
    dose = p.dose_mg
    kp_blood = p.kp / p.blood_plasma_ratio[:, None]  # [S, 14]
    flow = p.flow_l_per_h.clone()
    flow[:, _LIVER] += flow[:, [ORGANS.index(organ) for organ in PORTAL]].sum(1)
    turnover = flow / (p.volume_l * kp_blood)  # [S, 14], 1/h
    distribution = steady_state_volume_l(p)  # [S]
    hepatic, renal = hepatic_clearance_l_per_h(p), renal_clearance_l_per_h(p)  # [S]
    unbound = p.fraction_unbound
    intrinsic = torch.zeros_like(p.volume_l)
    intrinsic[:, _LIVER] = unbound * p.clint_l_per_h
    intrinsic[:, _KIDNEY] = unbound * p.renal_clint_l_per_h
    oral, saturable = p.route == ORAL, float(kinetics == "saturable")
    entry = torch.zeros_like(p.volume_l)
    entry[:, _BLOOD] = (~oral).to(entry)
    entry[:, _GUT] = torch.where(oral, portal_share(p), 0.0)

    node = [
        p.volume_l.log(),
        flow.log(),
        kp_blood.log(),
        turnover.log(),
        (p.volume_l * kp_blood / distribution[:, None]).log(),
        intrinsic.log1p(),
        entry,
    ]
    vessel = torch.where(SOURCE == _BLOOD, p.flow_l_per_h[:, TARGET], flow[:, SOURCE])  # [S, E]
    edge = [
        (vessel / p.cardiac_output_l_per_h[:, None]).log(),
        (vessel / (p.volume_l * kp_blood)[:, SOURCE]).log(),
        (vessel / p.volume_l[:, TARGET]).log(),
    ]
    context = [
        p.weight_kg.log(),
        p.cardiac_output_l_per_h.log(),
        dose.log(),
        *((p.route == number).to(dose) for number in range(len(ROUTES))),
        (0.1 + p.infusion_h).log(),
        torch.where(oral, p.absorption_rate_per_h.log(), 0.0),
        torch.where(oral, portal_share(p).log(), 0.0),
        torch.logit(unbound, eps=1e-6),
        p.blood_plasma_ratio.log(),
        (unbound * p.clint_l_per_h).log(),
        hepatic.log(),
        renal.log(),
        distribution.log(),
        ((hepatic + renal) / distribution).log(),
        saturable * p.km_mg_per_l.log(),
        saturable * (unbound * dose / (p.blood_plasma_ratio * distribution * p.km_mg_per_l)).log(),
        saturable * (p.clint_l_per_h * p.km_mg_per_l / dose).log(),
        torch.full_like(dose, p.n_doses).log(),
        torch.full_like(dose, p.interval_h).log(),
    ]
    return {
        "node": torch.stack(node, -1).to(dtype),
        "edge": torch.stack(edge, -1).to(dtype),
        "context": torch.stack(context, -1).to(dtype),
    }


def inputs(
    population: Population,
    time_h: Tensor,
    kinetics: str = "saturable",
    reduced: Reduced = "exponential",
    max_step_h: float | None = None,
    dtype: torch.dtype = torch.float32,
) -> dict[str, Tensor]:
    """All that a network and its module need to predict S subjects at T increasing times after 0, in `dtype`.

    `features`, and `dosing` [S, T, 3], `reduced` [S, 14, T] mg/L (the reduced model's concentrations), `dose_mg` [S],
    `weight_kg` [S]. `max_step_h` is that of the reduced model. Differentiable by the tensors of `population`.
    """
    load_mg = body_load(population, time_h, kinetics, reduced, max_step_h)
    return features(population, kinetics, dtype) | {
        "dosing": dosing(population, time_h, load_mg).to(dtype),
        "reduced": equilibrium_concentrations(population, load_mg).to(dtype),
        "dose_mg": population.dose_mg.to(dtype),
        "weight_kg": population.weight_kg.to(dtype),
    }


def dosing(population: Population, time_h: Tensor, load_mg: Tensor) -> Tensor:
    """What drives the body at each time, [S, T, 3] for times [T] and the reduced model's body load [S, T].

    Absorbed share and absorption rate are sums over the doses given so far, in units of one dose.
    """
    entered, rate = _absorption(population, time_h)
    load = load_mg / population.dose_mg[:, None]  # [S, T]
    return torch.stack([entered, rate.log1p(), (load + 1e-3).log()], -1)


def absorbed_share(population: Population, time_h: Tensor) -> Tensor:
    """What of the doses given until each time has reached the organs, in units of one dose: [S, T] for times [T]."""
    entered, _ = _absorption(population, time_h)
    return entered * torch.where(population.route == ORAL, portal_share(population), 1.0)[:, None]


def without_saturation(context: Tensor) -> bool:
    """Whether the context features [S, 21] are those of linear kinetics: then the dose only scales the curves."""
    return bool((context[:, SATURATION] == 0).all())


def _absorption(p: Population, time_h: Tensor) -> tuple[Tensor, Tensor]:
    """Absorbed share of the dose, and absorption rate in doses per hour, sums over the doses so far: [S, T] each."""
    since = time_h.to(p.dose_mg)[:, None] - p.interval_h * torch.arange(p.n_doses).to(p.dose_mg)  # [T, D]
    given, t = since >= 0, since.clamp(min=0).expand(len(p), -1, -1)  # [S, T, D], hours since each dose
    ka, duration = p.absorption_rate_per_h[:, None, None], p.infusion_h.clamp(min=1e-6)[:, None, None]
    route = p.route[:, None, None]
    entered = _by_route(route, torch.ones_like(t), t.minimum(duration) / duration, 1 - (-ka * t).exp())
    rate = _by_route(route, torch.zeros_like(t), (t < duration) / duration, ka * (-ka * t).exp())
    return (entered * given).sum(2), (rate * given).sum(2)


def _by_route(route: Tensor, bolus: Tensor, infusion: Tensor, oral: Tensor) -> Tensor:
    return torch.where(route == BOLUS, bolus, torch.where(route == INFUSION, infusion, oral))


def to_pyg(population: Population) -> list["Data"]:
    """One graph per subject: x [14, 7], edge_index [2, 26], edge_attr [26, 3], context [1, 21]."""
    from torch_geometric.data import Data

    parts = features(population)
    edge_index = torch.stack([SOURCE, TARGET])
    return [
        Data(x=node, edge_index=edge_index, edge_attr=edge, context=context[None], organ=list(ORGANS))
        for node, edge, context in zip(parts["node"], parts["edge"], parts["context"], strict=True)
    ]
