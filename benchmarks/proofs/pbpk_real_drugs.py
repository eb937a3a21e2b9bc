"""A surrogate trained on real chemistry is within 10 % of the solver for real drugs that its training left out.

    make proofs ARGS="pbpk_real_drugs"                                     # 3 cells
    PBPK_DRUGS=clinical_pk_drugs.csv PBPK_EXPERIMENT=pbpk_pod make proofs ARGS="pbpk_real_drugs"

Each cell trains PBPK_EXPERIMENT (`pbpk` unless said) with `data.population=real_chemistry` and one seed. The drugs
are rows of a table: PBPK_DRUGS, by default `clinical_pk_drugs.csv` in a folder `shared/data` beside the project;
without it there is nothing to do. A man of 73 kg gets a usual dose of each as a bolus. Partition coefficients are those
of Rodgers and Rowland, the clearance is the measured one, at most 95 % of an organ's flow, split by the share that is
excreted unchanged, and Km is 1000 mg/L, far from saturation, or 5 mg/L. The compounds that the training draws from
(`simulator/compounds.csv`) are none of the weight of one of these drugs. At least 94 % of all points above a thousandth
of dose / weight have to be within 10 % of the solver, and the blood's AUC of every drug; Cmax and the domain are told.
"""

import csv
import os
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from benchmarks.proofs import ROOT, Proof
from benchmarks.proofs.pbpk_gradients import EXPERIMENT, trained
from fulmen.runs.run_folder import load_run
from fulmen.workloads.pbpk import pk
from fulmen.workloads.pbpk.graph import inputs
from fulmen.workloads.pbpk.metrics import FLOOR, metrics, normalized
from fulmen.workloads.pbpk.simulate.drugs import adult
from fulmen.workloads.pbpk.simulate.subjects import subjects_of
from fulmen.workloads.pbpk.simulate.table import Table
from fulmen.workloads.pbpk.simulator.physiology import INDEX, PORTAL
from fulmen.workloads.pbpk.simulator.population import Population
from fulmen.workloads.pbpk.simulator.solvers import concentrations, simulate

SEEDS, KM_MG_PER_L, WEIGHT_KG = (1, 2, 3), (1000.0, 5.0), 73.0
AT_LEAST, AUC_FOLD, MOST_OF_FLOW = 94.0, 1.1, 0.95
DRUGS = Path(os.environ.get("PBPK_DRUGS", ROOT.parent / "shared" / "data" / "clinical_pk_drugs.csv"))
DOSES_MG = {  # usual single ones
    "midazolam": 5, "alfentanil": 3.5, "alprazolam": 1, "triazolam": 0.25, "fluconazole": 100, "digoxin": 0.5,
    "amikacin": 500, "vancomycin": 1000, "cimetidine": 200, "mexiletine": 200, "sildenafil": 50, "omeprazole": 40,
    "S-warfarin": 12.5, "warfarin": 25, "verapamil": 10, "moclobemide": 150, "metoprolol": 10, "theophylline": 300,
    "caffeine": 150, "thiopental": 250, "carbamazepine": 200, "dapagliflozin": 10, "antipyrine": 500, "diazepam": 10,
    "propranolol": 10, "atenolol": 50, "acetaminophen": 500, "phenytoin": 300,
}  # fmt: skip


def main() -> bool:
    torch.set_num_threads(1)
    if not DRUGS.is_file():
        print(f"nothing to do: there is no {DRUGS}; PBPK_DRUGS names the table of drugs")
        return True
    drugs = read_drugs(DRUGS)
    proof = Proof(__name__, __doc__, seeds=SEEDS)
    for cell in proof.missing(f"{EXPERIMENT}, seed {seed}" for seed in SEEDS):
        begun = time.process_time()
        with tempfile.TemporaryDirectory() as folder:
            seed = cell.rpartition(" ")[2]
            trained(f"{folder}/run", "data.population=real_chemistry", f"seed={seed}")
            spent = round(time.process_time() - begun, 1)
            proof.keep(cell, **judged(f"{folder}/run", drugs), training_cpu_seconds=spent)
    return proof.holds()


def read_drugs(path: Path) -> list[dict[str, str]]:
    """The rows of a table with the columns `drug`, `logP`, `pKa`, `type`, `fu`, `bp`, `CL_mL_min_kg` and `fe`."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def judged(folder: str, drugs: Sequence[Mapping[str, str]]) -> dict[str, Any]:
    """How far the surrogate of a run is from the solver, drug by drug, and whether that is near enough."""
    finished = load_run(folder)
    model, data = finished.model, finished.data
    parts = {f"Km {km:g} mg/L": compared(model, data, drugs, km) for km in KM_MG_PER_L}
    enough = all(part["within_10_percent"] >= AT_LEAST for part in parts.values())
    near = all(part["worst_auc_fold"] <= AUC_FOLD for part in parts.values())
    return {"ok": enough and near, "drugs": len(drugs), "hours": float(data.time_h[-1]), **parts}


def compared(model: Any, data: Any, drugs: Sequence[Mapping[str, str]], km_mg_per_l: float) -> dict[str, Any]:
    """Network beside solver at the network's own times."""
    people = men(drugs, km_mg_per_l)
    time_h = data.time_h.double()
    predicted = model.predict_population(people, data.time_h, data.kinetics).double()
    true = concentrations(people, simulate(people, time_h, data.kinetics))
    known = inputs(people, data.time_h, data.kinetics, data.reduced)
    far = model.trust.distance(known) / model.trust.limit
    areas, peaks = (
        of(predicted[:, INDEX["blood"]]) / of(true[:, INDEX["blood"]])
        for of in (lambda curve: pk.auc_last(curve, time_h), pk.cmax)
    )
    inside = share_within(predicted, true, people)
    rows = {
        drug["drug"]: {
            "within_10_percent": round(inside[i].item(), 1), "auc_ratio": round(areas[i].item(), 4),
            "cmax_ratio": round(peaks[i].item(), 4), "in_domain": bool(far[i] <= 1),
            "distance_over_limit": round(far[i].item(), 2), "dose_mg": DOSES_MG[drug["drug"]],
        }
        for i, drug in enumerate(drugs)
    }  # fmt: skip
    scores = metrics(predicted, true, people.dose_mg, people.weight_kg)
    return {
        "within_10_percent": round(scores["within_10_percent"], 2), "gmfe": round(scores["gmfe"], 4),
        "worst_auc_fold": round(areas.log().abs().max().exp().item(), 4),
        "worst_cmax_fold": round(peaks.log().abs().max().exp().item(), 4),
        "in_domain": int((far <= 1).sum()), "rows": rows,
    }  # fmt: skip


def share_within(predicted: Tensor, true: Tensor, people: Population) -> Tensor:
    """% of the points of each subject within 10 %, [S]."""
    seen = (normalized(true, people.dose_mg, people.weight_kg) >= FLOOR).flatten(1)
    good = ((predicted / true - 1).abs() <= 0.1).flatten(1) & seen
    return 100 * good.sum(1) / seen.sum(1)


def men(drugs: Sequence[Mapping[str, str]], km_mg_per_l: float) -> Population:
    """A man of 73 kg for each drug, who gets a usual dose of it as a bolus."""
    rows = [as_row(drug, km_mg_per_l) for drug in drugs]
    cells = {name: [row.get(name, "") for row in rows] for name in sorted({name for row in rows for name in row})}
    return subjects_of(Table(DRUGS, cells, list(range(2, len(rows) + 2)))).population


def as_row(drug: Mapping[str, str], km_mg_per_l: float) -> dict[str, str]:
    """A row as `fulmen pbpk simulate` reads it; of several pKa a base has its highest, an acid its lowest."""
    pka = sorted(float(value) for value in drug["pKa"].split(";") if value)
    kind = drug["type"]
    ionised = {"neutral": {}, "acid": {"pka": pka[:1]}, "base": {"pka": pka[-1:]},
               "zwitterion": {"pka": pka[-1:], "pka_acid": pka[:1]}}[kind]  # fmt: skip
    total = float(drug["CL_mL_min_kg"]) * WEIGHT_KG * 0.06  # L/h of plasma
    excreted = float(drug["fe"])
    return {
        "compound": drug["drug"], "log_p": drug["logP"], "kind": kind,
        **{name: str(value[0]) for name, value in ionised.items()},
        "fraction_unbound": drug["fu"], "blood_plasma_ratio": drug["bp"],
        "hepatic_clearance_l_per_h": str(at_most((1 - excreted) * total, float(drug["bp"]), ("liver", *PORTAL))),
        "renal_clearance_l_per_h": str(at_most(excreted * total, float(drug["bp"]), ("kidney",))),
        "km_mg_per_l": str(km_mg_per_l), "route": "bolus", "dose_mg": str(DOSES_MG[drug["drug"]]),
        "weight_kg": str(WEIGHT_KG), "age_y": "35", "sex": "male",
    }  # fmt: skip


def at_most(plasma_l_per_h: float, blood_plasma_ratio: float, through: Sequence[str]) -> float:
    """A plasma clearance, or 95 % of the blood flow through these organs, as plasma."""
    flow = float(adult()["flow_l_per_h"][[INDEX[organ] for organ in through]].sum())
    return min(plasma_l_per_h, MOST_OF_FLOW * flow * blood_plasma_ratio)
