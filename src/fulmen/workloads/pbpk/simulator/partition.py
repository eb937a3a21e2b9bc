"""Tissue to plasma partition coefficients after Rodgers and Rowland.

Strong bases (pKa >= 7), those of zwitterions too: Rodgers, Leahy & Rowland, J Pharm Sci 94:1259 (2005), which bind to
acidic phospholipids as they do in blood cells; all others: Rodgers & Rowland, J Pharm Sci 95:1238 (2006), which bind to
albumin or, if neutral, to lipoproteins. With P the octanol:water coefficient (in adipose vegetable oil, log P_vo =
1.115 log P - 1.35), I the ratio of ionised to neutral drug and pH 7.0 in cells, 7.4 in plasma and 7.22 in blood cells:

    Kp = fu (f_ew + (1 + I_7.0) / (1 + I_7.4) f_iw + (P f_nl + (.3 P + .7) f_np) / (1 + I_7.4) + bound).

A drug that is hardly soluble in fat (log D at pH 7.4 below -2.5) does not enter cells: Kp = fu f_ew.
"""

import torch
from torch import Tensor

from fulmen.workloads.pbpk.simulator.physiology import ORGANS

KINDS = ("acid", "base", "neutral", "zwitterion")
ACID, BASE, NEUTRAL, ZWITTERION = range(4)
HAEMATOCRIT = 0.45
STRONG_PKA = 7.0
LOWEST_LOG_D = -2.5

# Fractions of neutral lipids, neutral phospholipids, extracellular and intracellular water; acidic phospholipids in
# mg/g; albumin and lipoprotein relative to plasma. Rat tissue, as published with the equations.
_COMPOSITION = {
    "liver": (0.014, 0.024, 0.161, 0.573, 4.56, 0.086, 0.161),
    "kidney": (0.012, 0.0242, 0.273, 0.483, 5.03, 0.13, 0.137),
    "brain": (0.039, 0.0015, 0.162, 0.62, 0.4, 0.048, 0.041),
    "heart": (0.014, 0.0111, 0.32, 0.456, 2.25, 0.157, 0.16),
    "lung": (0.022, 0.0128, 0.336, 0.446, 3.91, 0.212, 0.168),
    "muscle": (0.01, 0.0072, 0.118, 0.63, 1.53, 0.064, 0.059),
    "adipose": (0.853, 0.0016, 0.135, 0.017, 0.4, 0.049, 0.068),
    "gut": (0.038, 0.0125, 0.282, 0.475, 2.41, 0.158, 0.141),
    "skin": (0.06, 0.0044, 0.382, 0.291, 1.32, 0.277, 0.096),
    "bone": (0.017, 0.0017, 0.1, 0.346, 0.67, 0.1, 0.05),
    "spleen": (0.0077, 0.0113, 0.207, 0.579, 3.18, 0.097, 0.207),
    "pancreas": (0.041, 0.0093, 0.12, 0.664, 1.67, 0.06, 0.06),
}
_COMPOSITION["other"] = _COMPOSITION["muscle"]
_CELL_LIPID, _CELL_PHOSPHOLIPID, _CELL_WATER, _CELL_ACIDIC = 0.0017, 0.0029, 0.603, 0.5  # of red blood cells
_PLASMA_LIPID, _PLASMA_PHOSPHOLIPID = 0.0023, 0.0013


def rodgers_rowland(
    log_p: Tensor,
    pka: Tensor,
    kind: Tensor,
    fraction_unbound: Tensor,
    blood_plasma_ratio: Tensor,
    pka_acid: Tensor | None = None,
) -> Tensor:
    """Kp of C drugs in the order of `ORGANS`, tissue to plasma; the column of the blood is its ratio. Shape [C, 14].

    Args:
        log_p: [C], logarithm of the octanol:water coefficient.
        pka: [C], of the strongest group, of a zwitterion its base; not read where the drug is neutral.
        kind: [C], long, indices into `KINDS`.
        fraction_unbound: [C], in plasma.
        blood_plasma_ratio: [C], from which binding in blood cells follows, at a haematocrit of 0.45.
        pka_acid: [C], of the acid of zwitterions, read of these alone; None where there are none.
    """
    charge = torch.zeros_like(log_p)
    charge[(kind == BASE) | (kind == ZWITTERION)], charge[kind == ACID] = 1.0, -1.0
    pka = torch.where(kind == NEUTRAL, 0.0, pka)

    def ionised(ph: float) -> Tensor:
        one = torch.where(charge == 0, 0.0, 10 ** (charge * (pka - ph)))
        return one if pka_acid is None else one + torch.where(kind == ZWITTERION, 10 ** (ph - pka_acid), 0.0)

    in_plasma, in_cell, in_blood_cell = ionised(7.4), ionised(7.0), ionised(7.22)
    octanol, oil = 10**log_p, 10 ** (1.115 * log_p - 1.35)
    free = 1 / fraction_unbound
    strong = (charge > 0) & (pka >= STRONG_PKA)

    in_cells = (blood_plasma_ratio - 1 + HAEMATOCRIT) / HAEMATOCRIT * free  # blood cells to unbound plasma
    unspecific = (1 + in_blood_cell) / (1 + in_plasma) * _CELL_WATER
    unspecific += _in_lipids(octanol, _CELL_LIPID, _CELL_PHOSPHOLIPID) / (1 + in_plasma)
    affinity = (in_cells - unspecific).clamp(min=0) * (1 + in_plasma) / (_CELL_ACIDIC * in_blood_cell.clamp(min=1e-300))
    in_plasma_lipids = _in_lipids(octanol, _PLASMA_LIPID, _PLASMA_PHOSPHOLIPID) / (1 + in_plasma)
    protein_bound = (free - 1 - in_plasma_lipids).clamp(min=0)
    shut_out = log_p - (1 + in_plasma).log10() < LOWEST_LOG_D

    kp = torch.empty(len(log_p), len(ORGANS), dtype=log_p.dtype)
    for column, organ in enumerate(ORGANS):
        if organ == "blood":
            kp[:, column] = blood_plasma_ratio
            continue
        lipid, phospholipid, outside, inside, acidic, albumin, lipoprotein = _COMPOSITION[organ]
        solvent = oil if organ == "adipose" else octanol
        dissolved = outside + (1 + in_cell) / (1 + in_plasma) * inside
        dissolved += _in_lipids(solvent, lipid, phospholipid) / (1 + in_plasma)
        on_acidic = affinity * acidic * in_cell / (1 + in_plasma)
        on_protein = torch.where(kind == NEUTRAL, lipoprotein * protein_bound, albumin * protein_bound)
        bound = torch.where(strong, on_acidic, on_protein)
        kp[:, column] = fraction_unbound * torch.where(shut_out, outside, dissolved + bound)
    return kp


def _in_lipids(solvent: Tensor, neutral: float, phospholipid: float) -> Tensor:
    return solvent * neutral + (0.3 * solvent + 0.7) * phospholipid
