"""The data set of a published graph network, drawn and solved again, so that its figures can stand beside ours.

The darwin-pbpk-platform (github.com/agourakis82/darwin-pbpk-platform, commit 9462026) trains a Dynamic GNN on 1,000
samples of one body. One pool of blood feeds 13 organs in parallel, the lung among them; with concentrations C in mg/L,

    dC_i/dt = Q_i / V_i (C_b - C_i / Kp_i),
    dC_b/dt = -sum_i Q_i / V_b (C_b - C_i / Kp_i) - (CL_h + CL_r) / V_b C_b,      C_b(0) = dose / V_b, all else 0.

Volumes and flows never vary; clearances, partition coefficients and the dose, always a bolus, are drawn.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from fulmen.config.rules import Count, Positive
from fulmen.data.cache import Arrays, cached, fingerprint
from fulmen.report.document import Rows
from fulmen.workloads.pbpk import npz
from fulmen.workloads.pbpk.data import PBPKData
from fulmen.workloads.pbpk.metrics import r2
from fulmen.workloads.pbpk.npz import arrays_from
from fulmen.workloads.pbpk.one_compartment import Reduced
from fulmen.workloads.pbpk.simulator.physiology import INDEX, ORGANS, PERFUSED, PORTAL
from fulmen.workloads.pbpk.simulator.population import BOLUS, Population, unsaid

_VOLUME_L = {"blood": 5.0, "liver": 1.8, "kidney": 0.31, "brain": 1.4, "heart": 0.33, "lung": 0.5, "muscle": 30.0,
             "adipose": 15.0, "gut": 1.1, "skin": 3.3, "bone": 10.0, "spleen": 0.18, "pancreas": 0.1,
             "other": 5.0}  # fmt: skip
_FLOW_L_PER_H = {"liver": 90.0, "kidney": 60.0, "brain": 50.0, "heart": 20.0, "lung": 300.0, "muscle": 75.0,
                 "adipose": 12.0, "gut": 45.0, "skin": 10.0, "bone": 5.0, "spleen": 15.0, "pancreas": 5.0,
                 "other": 20.0}  # fmt: skip
_LOG_KP = {"brain": (-0.5, 0.5), "adipose": (1.0, 0.8), "liver": (0.5, 0.6)}  # mean and sd; all others (0, 0.5)
_VOLUME = torch.tensor([_VOLUME_L[organ] for organ in ORGANS], dtype=torch.float64)  # [14]
_FLOW = torch.tensor([_FLOW_L_PER_H.get(organ, 0.0) for organ in ORGANS], dtype=torch.float64)  # [14], of the blood 0
_BLOOD = INDEX["blood"]
MOST_CLEARED = 0.99


@dataclass(frozen=True)
class Drugs:
    """What is drawn for each of S samples; float64."""

    hepatic_l_per_h: Tensor  # [S], clearance of blood
    renal_l_per_h: Tensor  # [S], clearance of blood
    kp: Tensor  # [S, 14], tissue to blood; of the blood itself 1
    dose_mg: Tensor  # [S]


def drawn(samples: int, seed: int = 42) -> Drugs:
    """Sample i from a generator of its own with the seed `seed + i`, in the order of the published script.

    That is `scripts/generate_dynamic_gnn_training_data.py`, at commit 1af5130: hepatic and renal clearance, the
    partition coefficients in the order of `ORGANS`, the dose.
    """
    rows = []
    for number in range(samples):
        random = np.random.RandomState(seed + number)
        clearances = [random.lognormal(2.0, 1.0), random.lognormal(1.5, 0.8)]
        kp = [random.lognormal(*_LOG_KP.get(organ, (0.0, 0.5))) for organ in ORGANS if organ != "blood"]
        rows.append([*clearances, 1.0, *kp, random.uniform(10.0, 1000.0)])
    table = torch.tensor(rows, dtype=torch.float64)
    return Drugs(table[:, 0], table[:, 1], table[:, 2:-1], table[:, -1])


def solved(drugs: Drugs, time_h: Tensor) -> Tensor:
    """The exact solution in mg/L, [S, 14, T] for times [T].

    With x_i = C_i sqrt(V_i / Kp_i) the matrix of the equations is symmetric: its eigenvectors solve them.
    """
    root = (_VOLUME / drugs.kp).sqrt()  # [S, 14]
    held = root.square() * drugs.kp.square()  # V Kp, [S, 14]
    matrix = torch.diag_embed(-_FLOW / held)
    exchange = _FLOW / (held * _VOLUME[_BLOOD]).sqrt()  # [S, 14], of the blood with itself 0
    matrix[:, _BLOOD] += exchange
    matrix[:, :, _BLOOD] += exchange
    leaving = _FLOW.sum() + drugs.hepatic_l_per_h + drugs.renal_l_per_h
    matrix[:, _BLOOD, _BLOOD] = -leaving / _VOLUME[_BLOOD]
    rate, vector = torch.linalg.eigh(matrix)  # [S, 14], [S, 14, 14]
    start = drugs.dose_mg / _VOLUME[_BLOOD] * root[:, _BLOOD]  # [S]
    weight = vector * (vector[:, _BLOOD] * start[:, None])[:, None]  # [S, 14, modes]
    decay = (rate[:, :, None] * time_h.double()).exp()  # [S, modes, T]
    return ((weight @ decay) / root[:, :, None]).clamp(min=0)


def described(drugs: Drugs) -> Population:
    """The samples as subjects of this workload: what networks read of them, and what a kept model can be asked.

    Body, flows and drugs are theirs, with blood for plasma (ratio 1) and nothing bound. Two things have no place in a
    `Population`. The lung, in parallel at 300 L/h, carries the cardiac output, 407 L/h, the sum of all other flows:
    a constant, from which nothing is learned. And both clearances act on the blood, so that their sum alone matters:
    liver and kidneys share it by their flows, 155 and 60 L/h, with intrinsic clearances by which they clear as much,
    together. Beyond `MOST_CLEARED` of these flows, which none of the published samples reaches, less is described.
    """
    samples = len(drugs.dose_mg)
    one, number = torch.ones(samples, dtype=torch.float64), torch.arange(samples)
    left_out: dict[str, Any] = {**unsaid(samples)}
    output = sum(_FLOW_L_PER_H[organ] for organ in PERFUSED)
    flow = _FLOW.clone()
    liver, kidney = float(_FLOW[[INDEX[organ] for organ in ("liver", *PORTAL)]].sum()), float(_FLOW[INDEX["kidney"]])
    cleared = ((drugs.hepatic_l_per_h + drugs.renal_l_per_h) / (liver + kidney)).clamp(max=MOST_CLEARED)  # of the flow
    odds = cleared / (1 - cleared)
    flow[[_BLOOD, INDEX["lung"]]] = output
    return Population(
        weight_kg=one * _VOLUME.sum(),
        cardiac_output_l_per_h=one * output,
        volume_l=_VOLUME.repeat(samples, 1),
        flow_l_per_h=flow.repeat(samples, 1),
        kp=drugs.kp,
        blood_plasma_ratio=one,
        fraction_unbound=one,
        clint_l_per_h=liver * odds,
        renal_clint_l_per_h=kidney * odds,
        km_mg_per_l=one,  # kinetics are linear
        lipophilicity=torch.zeros_like(one),
        absorption_rate_per_h=one,
        bioavailability=one,
        route=torch.full_like(number, BOLUS),
        dose_mg=drugs.dose_mg,
        infusion_h=torch.zeros_like(one),
        compound=number,
        **left_out,
    )


class PublishedData(PBPKData):
    """The published data set in the batches of `PBPKData`, split in three: theirs has no test split.

    Args:
        compounds: samples; theirs has 1,000.
        validation_compounds: samples that only validate.
        test_compounds: samples that only test; without a fold.
        fold: number of the fold that tests, from 0; null for one split.
        folds: number of folds.
        hours: end of the time grid.
        time_points: on the grid, t = 0 included.
        drawn_with: seed of the first sample; theirs is 42.
        reduced: model that networks start from, see `PBPKData`.
        batch_size: samples per training batch.
        seed: of the split and the order of the batches.
        cache: folder of the prepared arrays; `outputs/cache` by default.
    """

    of_simulator = False
    notes = (
        "Equations, volumes, flows, distributions, seeds and times are those of the darwin-pbpk-platform. Its split is "
        "another: 800 and 200 samples, without a seed, and the best epoch chosen on the samples that are reported; "
        "here 100 samples choose and 100 others are reported.",
        "Published for such a network, in arXiv 2510.22096, which that system follows: R² 0.9342, RMSE 0.0159, MAE "
        "0.0116. R² has no unit and can stand beside ours, as far as its data are like these: the paper's are not "
        "public. Units of RMSE and MAE are not named, and whether t = 0 was counted is not said.",
        "t = 0 is half of the variance of this data set, and costs nothing: the blood holds dose / 5 L, all else is "
        "empty. The table that counts it says what a constant and a mean curve reach with it.",
        "Networks read the sum of the two clearances, since both act on the blood, as a share of the flow through "
        "liver and kidneys.",
    )

    def __init__(
        self,
        compounds: Count = 1000,
        validation_compounds: Count = 100,
        test_compounds: Count = 100,
        fold: int | None = None,
        folds: Count = 5,
        hours: Positive = 24.0,
        time_points: Count = 100,
        drawn_with: int = 42,
        reduced: Reduced = "exponential",
        batch_size: Count = 32,
        seed: int = 42,
        cache: str | None = None,
    ):
        super().__init__(
            "linear", compounds, 1, validation_compounds, test_compounds, fold, folds, hours, time_points,
            reduced=reduced, batch_size=batch_size, seed=seed, cache=cache,
        )  # fmt: skip
        self.prior = {"compounds": compounds, "drawn_with": drawn_with, "population": None}

    def _arrays(self) -> Arrays:
        source = self.prior | {"time_h": self.grid_h.tolist()}
        self.fingerprint = fingerprint(source, code=(npz,), files=[__file__])
        return cached("pbpk-published", self.fingerprint, self._simulate, self._cache_folder())

    def _simulate(self) -> Arrays:
        drugs = drawn(self.prior["compounds"], self.prior["drawn_with"])
        return arrays_from(described(drugs), self.grid_h, solved(drugs, self.grid_h), self.kinetics)

    def tables(self, predictions: Mapping[str, Tensor]) -> dict[str, Rows]:
        """R2, RMSE and MAE in mg/L with and without t = 0, of the predictions and of what costs nothing."""
        train, test = self.splits["train"], self.splits["test"]
        true, dose = test["concentration"].double(), test["dose_mg"].double()[:, None, None]
        of_dose = train["concentration"].double() / train["dose_mg"].double()[:, None, None]  # [S, 14, T]
        free = {
            "mean curve of each organ x dose": of_dose.mean(0) * dose,
            "one mean curve of all organs x dose": of_dose.mean((0, 1)) * dose,
            "one number": train["concentration"].double().mean() * torch.ones_like(dose),
        }
        start = torch.zeros(len(true), len(ORGANS), 1, dtype=torch.float64)
        start[:, _BLOOD, 0] = dose[:, 0, 0] / _VOLUME[_BLOOD]
        whole = torch.cat([start, true], 2)
        rows = []
        for name, curves in {**predictions, **free}.items():
            later = curves.double().expand_as(true)
            error = torch.cat([start, later], 2) - whole
            rows.append({
                "": name, "R² with t = 0": r2(whole + error, whole), "R² without": r2(later, true),
                "RMSE with t = 0 (mg/L)": float(error.square().mean().sqrt()),
                "MAE with t = 0 (mg/L)": float(error.abs().mean()),
            })  # fmt: skip
        return {"With t = 0 counted, where all are given its exact value": rows}
