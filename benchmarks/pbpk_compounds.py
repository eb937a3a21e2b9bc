"""Make the table of measured compounds that the population `real_chemistry` draws from.

    python benchmarks/pbpk_compounds.py Human_PK_data.csv

reads the compilation of human intravenous pharmacokinetics that is published with PKSmart (Seal et al., Apache-2.0) and
writes src/fulmen/workloads/pbpk/simulator/compounds.csv: numbers alone, no structures. Left out are compounds without
one of the measured values, and all whose molecular weight is within 0.06 of one of the drugs on which clinical
comparisons are made, so that no surrogate is trained on what it is tested on.

The kind of a compound is that of its net charge, as its SMILES at pH 7.4 writes it; its pKa is the one at which
log P - log D at pH 7.4 is what the table says, since no pKa is measured. A zwitterion without net charge counts as
neutral.
"""

import argparse
import re
from pathlib import Path

import numpy as np
import pandas as pd

TABLE = Path(__file__).resolve().parents[1] / "src/fulmen/workloads/pbpk/simulator/compounds.csv"
HELD_OUT = {  # molecular weights of the drugs of clinical comparisons
    "midazolam": 325.77, "alfentanil": 416.52, "alprazolam": 308.77, "triazolam": 343.21, "fluconazole": 306.27,
    "digoxin": 780.94, "amikacin": 585.6, "vancomycin": 1449.3, "cimetidine": 252.34, "mexiletine": 179.26,
    "sildenafil": 474.58, "omeprazole": 345.42, "warfarin": 308.33, "verapamil": 454.6, "moclobemide": 268.74,
    "metoprolol": 267.36, "theophylline": 180.16, "caffeine": 194.19, "thiopental": 242.34, "carbamazepine": 236.27,
    "dapagliflozin": 408.87, "antipyrine": 188.23, "diazepam": 284.74, "propranolol": 259.34, "atenolol": 266.34,
    "acetaminophen": 151.16, "phenytoin": 252.27,
}  # fmt: skip
WEIGHT_TOLERANCE = 0.06
COLUMNS = {
    "human_VDss_L_kg": "vss_l_per_kg",
    "human_CL_mL_min_kg": "cl_ml_per_min_per_kg",
    "human_fup": "fraction_unbound",
    "MoKa.LogP": "log_p",
    "MoKa.LogD7.4": "log_d",
}
NO_CHARGE = re.compile(  # nitro groups and N-oxides: neutral, though written with charges
    r"\[[Nn]@*\+\]\(=O\)\(?\[O-\]\)?|O=\[N\+\]\(?\[O-\]\)?|\[N\+\]\(\[O-\]\)=O|\[O-\]\[[Nn]@*\+\](\(=O\))?|\[n\+\]\(?\[O-\]\)?"
)
HEADER = """\
# Measured human intravenous pharmacokinetics of {n} compounds: volume of distribution at steady state (plasma), plasma
# clearance, fraction unbound in plasma; predicted log P and pKa. Numbers of the compilation published with PKSmart
# (Seal et al., after Lombardo et al., Drug Metab Dispos 46:1466, 2018), selected and completed by
# benchmarks/pbpk_compounds.py. Licence: Apache License 2.0, see LICENSE.compounds beside this file.
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", help="Human_PK_data.csv of PKSmart")
    parser.add_argument("--out", default=TABLE, type=Path)
    options = parser.parse_args()
    source = pd.read_csv(options.source)
    held_out = np.zeros(len(source), dtype=bool)
    for name, weight in HELD_OUT.items():
        same = (source["MW"] - weight).abs().to_numpy() <= WEIGHT_TOLERANCE
        print(f"{name}: {same.sum()} compounds of its weight" + "; it is not in the table" * (not same.any()))
        held_out |= same
    complete = source[list(COLUMNS)].notna().all(axis=1).to_numpy()
    print(f"{len(source)} compounds, {held_out.sum()} held out, {(complete & ~held_out).sum()} complete and kept")
    table = kept(source[complete & ~held_out].rename(columns=COLUMNS))
    with options.out.open("w", encoding="utf-8", newline="\n") as file:
        file.write(HEADER.format(n=len(table)))
        table.to_csv(file, index=False, float_format="%.5g", lineterminator="\n")


def kept(source: pd.DataFrame) -> pd.DataFrame:
    """Kind and pKa in the place of SMILES and log D."""
    charge = source["smiles_r"].map(net_charge)
    kind = np.where(charge > 0, "base", np.where(charge < 0, "acid", "neutral"))
    gap = (source["log_p"] - source["log_d"]).clip(0.01, 6)  # beyond are rounding and the ends of the predictor
    shift = np.log10(10**gap - 1)
    pka = np.where(kind == "base", 7.4 + shift, np.where(kind == "acid", 7.4 - shift, np.nan))
    table = source.drop(columns="log_d").assign(kind=kind, pka=pka)
    columns = ["kind", "log_p", "pka", "fraction_unbound", "cl_ml_per_min_per_kg", "vss_l_per_kg"]
    return table[columns].sort_values(columns, ignore_index=True)


def net_charge(smiles: str) -> int:
    """Sum of the formal charges in a SMILES."""
    text = NO_CHARGE.sub("", smiles)
    charges = re.findall(r"\[[A-Za-z0-9@]*([+-])(\d?)\]", text)
    return sum(int(f"{sign}{size or 1}") for sign, size in charges)


if __name__ == "__main__":
    main()
