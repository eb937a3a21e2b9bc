"""The drugs and regimens of a table: what each row says of them, checked, and completed where it may be silent."""

from collections.abc import Mapping, Sequence
from functools import cache

import numpy as np
import torch
from torch import Tensor

from fulmen.workloads.pbpk.simulate.columns import KP
from fulmen.workloads.pbpk.simulate.table import Table
from fulmen.workloads.pbpk.simulator.body import blood_flows_l_per_h, densities_kg_per_l, organ_masses_kg
from fulmen.workloads.pbpk.simulator.partition import ACID, BASE, KINDS, NEUTRAL, ZWITTERION, rodgers_rowland
from fulmen.workloads.pbpk.simulator.physiology import INDEX, PORTAL
from fulmen.workloads.pbpk.simulator.population import INFUSION, ORAL, ROUTES, SEXES

LINEAR_KM_MG_PER_L = 1e4  # stands for kinetics without saturation where a number is needed
NO_CLEARANCE_L_PER_H = 1e-9
OF_AN_ADULT = " of an adult"
CLEARED = {  # intrinsic clearance -> that of plasma, and the organ that clears
    "clint_l_per_h": ("hepatic_clearance_l_per_h", "liver"),
    "renal_clint_l_per_h": ("renal_clearance_l_per_h", "kidney"),
}


def drugs_of(table: Table) -> dict[str, Tensor]:
    """Fields of `Population` that describe drugs [N], [N, 14], and which of them belong to an adult.

    `linear` [N] says whether a row leaves out Km; `clint_l_per_h of an adult` and `renal_clint_l_per_h of an adult` [N]
    whether that clearance was told as one of plasma, which is that of the man of 73 kg.

    Raises:
        FulmenError: it names file, line and column.
    """
    unbound, ratio = _needed(table, "fraction_unbound"), _filled(table, "blood_plasma_ratio", 1.0)
    km = torch.from_numpy(table.numbers("km_mg_per_l"))
    route = torch.from_numpy(table.levels("route"))
    usual = {"bioavailability": 1.0, "gut_extraction": 0.0, "absorption_rate_per_h": 1.0}
    oral = {name: _filled(table, name, value) for name, value in usual.items()}
    for name in oral:
        _refuse_where(table, name, (route != ORAL).numpy(), "it belongs to an oral dose; leave it empty")
    return {
        "fraction_unbound": unbound,
        "blood_plasma_ratio": ratio,
        "kp": _kp(table, unbound, ratio),
        "km_mg_per_l": km.where(~km.isnan(), LINEAR_KM_MG_PER_L),
        "linear": km.isnan(),
        **oral,
        **_clearances(table, unbound, ratio),
    }


def regimens_of(table: Table) -> dict[str, Tensor]:
    """`route`, `dose_mg`, `infusion_h`, `n_doses` and `interval_h` of each row, [N].

    Raises:
        FulmenError: it names file, line and column.
    """
    route = table.levels("route")
    if (route < 0).any():
        row = int((route < 0).argmax())
        table.refuse(row, "route", f"every row needs one{_there_is(ROUTES)}")
    dose = _needed(table, "dose_mg")
    infusion_h = table.numbers("infusion_h")
    infused = route == INFUSION
    if (infused & ~(infusion_h > 0)).any():
        table.refuse(int((infused & ~(infusion_h > 0)).argmax()), "infusion_h", "an infusion needs its hours, above 0")
    if (~infused & (infusion_h > 0)).any():
        row = int((~infused & (infusion_h > 0)).argmax())
        table.refuse(row, "infusion_h", f"a dose by the route {ROUTES[route[row]]} takes no time; leave it empty")
    doses, interval_h = table.numbers("n_doses"), table.numbers("interval_h")
    repeated = doses > 1
    if (repeated & np.isnan(interval_h)).any():
        table.refuse(int((repeated & np.isnan(interval_h)).argmax()), "interval_h", "doses that repeat need one")
    return {
        "route": torch.from_numpy(route),
        "dose_mg": dose,
        "infusion_h": torch.from_numpy(np.where(infused, infusion_h, 0.0)),
        "n_doses": torch.from_numpy(np.where(np.isnan(doses), 1, doses).astype(np.int64)),
        "interval_h": torch.from_numpy(np.where(repeated, interval_h, 24.0)),
    }


@cache
def adult() -> dict[str, Tensor]:
    """Volumes [14] and blood flows [14] of a man of 35 years and 73 kg."""
    age, weight = torch.tensor([35.0]).double(), torch.tensor([73.0]).double()
    mass = organ_masses_kg(age, torch.tensor([SEXES.index("male")]), weight)
    flow = blood_flows_l_per_h(age, torch.tensor([SEXES.index("male")]), mass)
    return {"volume_l": (mass / densities_kg_per_l())[0], "flow_l_per_h": flow[0]}


def _clearances(table: Table, unbound: Tensor, ratio: Tensor) -> dict[str, Tensor]:
    """Intrinsic clearances as told, or of those of plasma by the well-stirred model of an adult."""
    found: dict[str, Tensor] = {}
    said = {name: table.numbers(name) for pair in CLEARED.items() for name in (pair[0], pair[1][0])}
    silent = np.logical_and.reduce([np.isnan(values) for values in said.values()])
    if silent.any():
        names = "clint_l_per_h, hepatic_clearance_l_per_h, renal_clint_l_per_h and renal_clearance_l_per_h"
        table.refuse(int(silent.argmax()), "clint_l_per_h", f"a drug needs a clearance: fill at least one of {names}")
    for name, (of_plasma, organ) in CLEARED.items():
        both = ~np.isnan(said[name]) & ~np.isnan(said[of_plasma])
        if both.any():
            table.refuse(int(both.argmax()), of_plasma, f"{name} says the same; leave one of them empty")
        in_blood = torch.from_numpy(said[of_plasma]) / ratio
        flow = _flow_l_per_h(organ)
        if bool((too_much := in_blood >= flow).any()):
            row = int(too_much.int().argmax())
            table.refuse(
                row,
                of_plasma,
                f"{said[of_plasma][row]:g} L/h of plasma are {in_blood[row]:.3g} L/h of blood, and through the {organ} "
                f"of an adult flow {flow:.3g}; no more than that is cleared there",
            )
        intrinsic = flow * in_blood / (flow - in_blood) * ratio / unbound
        own = torch.from_numpy(said[name])
        told = torch.where(own.isnan(), intrinsic, own)
        found[name] = told.nan_to_num(0.0).clamp(min=NO_CLEARANCE_L_PER_H)
        found[name + OF_AN_ADULT] = ~intrinsic.isnan()
    return found


def _flow_l_per_h(organ: str) -> float:
    through = ("liver", *PORTAL) if organ == "liver" else (organ,)
    return float(adult()["flow_l_per_h"][[INDEX[each] for each in through]].sum())


def _kp(table: Table, unbound: Tensor, ratio: Tensor) -> Tensor:
    """Of each row, by Rodgers and Rowland or as told: [N, 14]."""
    told = np.stack([table.numbers(name) for name in KP], 1)  # [N, 13]
    some, all_of_them = (~np.isnan(told)).any(1), (~np.isnan(told)).all(1)
    log_p = table.numbers("log_p")
    for row in np.flatnonzero(some & ~all_of_them & np.isnan(log_p)).tolist():
        missing = KP[int(np.isnan(told[row]).argmax())]
        table.refuse(row, missing, "it is missing; give a kp of every organ, or log_p for those that have none")
    if (silent := ~some & np.isnan(log_p)).any():
        table.refuse(int(silent.argmax()), "log_p", "a drug needs log_p, kind and pka, or a kp_ of every organ")
    kind, pka, pka_acid = _ionisation(table, ~np.isnan(log_p))
    kp = rodgers_rowland(torch.from_numpy(np.nan_to_num(log_p)), pka, kind, unbound, ratio, pka_acid)
    columns = [INDEX[name.removeprefix("kp_")] for name in KP]
    kp[:, columns] = torch.where(torch.from_numpy(~np.isnan(told)), torch.from_numpy(told), kp[:, columns])
    return kp


def _ionisation(table: Table, asked: np.ndarray) -> tuple[Tensor, Tensor, Tensor]:
    """Kind, pKa and that of the acid of a zwitterion, each [N]; of the rows that are `asked` they are complete."""
    kind, pka, pka_acid = table.levels("kind"), table.numbers("pka"), table.numbers("pka_acid")
    unsaid = asked & (kind < 0) & ~np.isnan(pka)
    if unsaid.any():
        table.refuse(int(unsaid.argmax()), "kind", f"a pka needs one{_there_is(KINDS)}")
    kind = np.where(kind < 0, NEUTRAL, kind)
    without = asked & np.isin(kind, (ACID, BASE, ZWITTERION)) & np.isnan(pka)
    if without.any():
        row = int(without.argmax())
        table.refuse(row, "pka", f"the kind {KINDS[kind[row]]} needs one")
    if (without := asked & (kind == ZWITTERION) & np.isnan(pka_acid)).any():
        table.refuse(int(without.argmax()), "pka_acid", "a zwitterion needs it, and its base in pka")
    _refuse_where(table, "pka_acid", kind != ZWITTERION, "it belongs to a zwitterion; write the pKa of an acid to pka")
    _refuse_where(table, "pka", kind == NEUTRAL, "a neutral drug has none; leave it empty")
    return torch.from_numpy(kind), torch.from_numpy(np.nan_to_num(pka)), torch.from_numpy(np.nan_to_num(pka_acid))


def _there_is(names: Sequence[str]) -> str:
    return f"; there is {', '.join(names)}"


def _needed(table: Table, name: str) -> Tensor:
    values = table.numbers(name)
    if np.isnan(values).any():
        table.refuse(int(np.isnan(values).argmax()), name, "it is missing; every row needs it")
    return torch.from_numpy(values)


def _filled(table: Table, name: str, usual: float) -> Tensor:
    return torch.from_numpy(table.numbers(name)).nan_to_num(usual)


def _refuse_where(table: Table, name: str, unfit: np.ndarray, problem: str) -> None:
    told = unfit & np.array([bool(cell) for cell in table.texts(name)])
    if told.any():
        table.refuse(int(told.argmax()), name, problem)


def of_bodies(drugs: Mapping[str, Tensor], volume_l: Tensor, all_of_an_adult: bool = False) -> dict[str, Tensor]:
    """The fields of `Population` that describe the drugs of N rows in bodies with these organ volumes [N, 14].

    An intrinsic clearance that is an adult's goes with the mass of the subject's own liver or kidneys.

    Args:
        all_of_an_adult: take every clearance so, also one that was told as intrinsic.
    """
    fields = {name: value for name, value in drugs.items() if name != "linear" and not name.endswith(OF_AN_ADULT)}
    for name, (_, organ) in CLEARED.items():
        share = volume_l[:, INDEX[organ]] / adult()["volume_l"][INDEX[organ]]
        own = torch.where(drugs[name + OF_AN_ADULT] | all_of_an_adult, fields[name] * share, fields[name])
        fields[name] = own.clamp(min=NO_CLEARANCE_L_PER_H)
    return fields
