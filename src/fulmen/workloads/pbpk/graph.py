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
_PORTAL = torch.tensor([ORGANS.index(organ) for organ in PORTAL])
# of the flows into organs, then those out of them, the one in each vessel: [E]
_VESSEL = torch.where(SOURCE == _BLOOD, TARGET, len(ORGANS) + SOURCE)
_ROUTE = CONTEXT_FEATURES.index(ROUTES[0])


def features(
    population: Population, kinetics: str = "saturable", dtype: torch.dtype = torch.float32
) -> dict[str, Tensor]:
    """`node` [S, 14, 7], `edge` [S, 26, 3] and `context` [S, 21] of S subjects, in `dtype`.

    With linear kinetics the three features that speak of saturation are 0.
    """
    p = population
    kp_blood = p.kp / p.blood_plasma_ratio[:, None]  # [S, 14]
    holding = p.volume_l * kp_blood  # [S, 14], L of blood that hold as much as the organ
    flow = p.flow_l_per_h.clone()
    flow[:, _LIVER] += flow[:, _PORTAL].sum(1)
    vessel = torch.cat([p.flow_l_per_h, flow], 1)[:, _VESSEL]  # [S, E]
    distribution = steady_state_volume_l(p)  # [S]
    node = [p.volume_l, flow, kp_blood, flow / holding, holding / distribution[:, None]]
    edge = [vessel / p.cardiac_output_l_per_h[:, None], vessel / holding[:, SOURCE], vessel / p.volume_l[:, TARGET]]
    # the logarithms of all at once: a call costs what a thousand numbers do
    logs = torch.cat([*node, *edge, _scales(p, distribution, kinetics)], 1).log()
    sizes = [len(ORGANS) * len(node), len(CONNECTIONS) * len(edge)]
    node_logs, edge_logs, scales = logs.tensor_split([sizes[0], sum(sizes)], 1)

    oral = (p.route == ORAL).to(flow)
    intrinsic, entry = torch.zeros_like(flow), torch.zeros_like(flow)
    intrinsic[:, _LIVER] = p.fraction_unbound * p.clint_l_per_h
    intrinsic[:, _KIDNEY] = p.fraction_unbound * p.renal_clint_l_per_h
    entry[:, _BLOOD], entry[:, _GUT] = 1 - oral, torch.where(p.route == ORAL, portal_share(p), 0.0)
    routes = (p.route[:, None] == torch.arange(len(ROUTES))).to(flow)
    nodes = [*node_logs.unflatten(1, (len(node), -1)).unbind(1), intrinsic.log1p(), entry]
    edges = edge_logs.unflatten(1, (len(edge), -1)).unbind(1)
    return {
        "node": torch.stack(nodes, -1).to(dtype),
        "edge": torch.stack(edges, -1).to(dtype),
        "context": torch.cat([scales[:, :_ROUTE], routes, scales[:, _ROUTE:]], 1).to(dtype),
    }


def _scales(p: Population, distribution_l: Tensor, kinetics: str) -> Tensor:
    """Of the context, [S, 18]: what is a logarithm there, before it is taken; 1 where the feature is 0."""
    hepatic, renal = hepatic_clearance_l_per_h(p), renal_clearance_l_per_h(p)  # [S]
    oral, dose, unbound, km = p.route == ORAL, p.dose_mg, p.fraction_unbound, p.km_mg_per_l
    inside = unbound.clamp(1e-6, 1 - 1e-6)
    saturation = [km, unbound * dose / (p.blood_plasma_ratio * distribution_l * km), p.clint_l_per_h * km / dose]
    return torch.stack([
        p.weight_kg,
        p.cardiac_output_l_per_h,
        dose,
        0.1 + p.infusion_h,
        torch.where(oral, p.absorption_rate_per_h, 1.0),
        torch.where(oral, portal_share(p), 1.0),
        inside / (1 - inside),
        p.blood_plasma_ratio,
        unbound * p.clint_l_per_h,
        hepatic,
        renal,
        distribution_l,
        (hepatic + renal) / distribution_l,
        *(saturation if kinetics == "saturable" else [torch.ones_like(dose)] * 3),
        torch.full_like(dose, p.n_doses),
        torch.full_like(dose, p.interval_h),
    ], 1)  # fmt: skip


def inputs(
    population: Population,
    time_h: Tensor,
    kinetics: str = "saturable",
    reduced: Reduced = "exponential",
    max_step_h: float | None = None,
    dtype: torch.dtype = torch.float32,
) -> dict[str, Tensor]:
    """All that a network and its module need to predict S subjects at T increasing times after 0, in `dtype`.

    What is `described`, `dosing` [S, T, 3], and `reduced` [S, 14, T] mg/L, the reduced model's concentrations;
    `max_step_h` is that of the reduced model. Differentiable by the tensors of `population`.
    """
    load_mg = body_load(population, time_h, kinetics, reduced, max_step_h)
    return described(population, kinetics, dtype) | {
        "dosing": dosing(population, time_h, load_mg).to(dtype),
        "reduced": equilibrium_concentrations(population, load_mg).to(dtype),
    }


def described(
    population: Population, kinetics: str = "saturable", dtype: torch.dtype = torch.float32
) -> dict[str, Tensor]:
    """What is known whatever the time: `features`, `dose_mg` [S], `weight_kg` [S]."""
    return features(population, kinetics, dtype) | {
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
    given, t = (since >= 0).to(since), since.clamp(min=0)  # [T, D], hours since each dose
    ka = torch.where(p.route == ORAL, p.absorption_rate_per_h, 0.0)[:, None, None]
    duration = torch.where(p.route == INFUSION, p.infusion_h.clamp(min=1e-6), torch.inf)[:, None, None]
    bolus = (p.route == BOLUS).to(since)[:, None, None]
    in_gut = (-ka * t).exp()  # [S, T, D]
    entered = bolus + t.minimum(duration) / duration + (1 - in_gut)
    rate = (t < duration) / duration + ka * in_gut
    return (entered * given).sum(2), (rate * given).sum(2)


def to_pyg(population: Population) -> list["Data"]:
    """One graph per subject: x [14, 7], edge_index [2, 26], edge_attr [26, 3], context [1, 21]."""
    from torch_geometric.data import Data

    parts = features(population)
    edge_index = torch.stack([SOURCE, TARGET])
    return [
        Data(x=node, edge_index=edge_index, edge_attr=edge, context=context[None], organ=list(ORGANS))
        for node, edge, context in zip(parts["node"], parts["edge"], parts["context"], strict=True)
    ]
