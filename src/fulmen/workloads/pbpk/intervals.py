"""Whether the intervals of predictions hold what they promise, on subjects of whom the solver knows the truth."""

from collections.abc import Mapping

import torch
from torch import Tensor

from fulmen.report.document import Rows
from fulmen.workloads.pbpk.metrics import FLOOR, normalized
from fulmen.workloads.pbpk.trust import LEVEL

TITLE = f"{100 * LEVEL:.0f} % intervals"
NOTE = (
    f"{TITLE}: calibrated on the validation split, they promise to cover {100 * LEVEL:.0f} % of the points of subjects "
    "that are like those of the training, and nothing beyond; widths are of the points that reach C W / dose = 0.001."
)


def rows(predicted: Mapping[str, Tensor], true: Tensor, dose_mg: Tensor, weight_kg: Tensor) -> Rows:
    """A row for the subjects in the domain and one for those beyond, as far as there are any.

    Args:
        predicted: `low_90_mg_per_l` and `high_90_mg_per_l` [S, 14, T], and `in_domain` [S].
        true: of the solver, mg/L [S, 14, T].
        dose_mg: [S].
        weight_kg: [S].
    """
    low, high, inside = predicted["low_90_mg_per_l"], predicted["high_90_mg_per_l"], predicted["in_domain"].bool()
    covered = (low <= true) & (true <= high)
    width = torch.where(normalized(true, dose_mg, weight_kg) >= FLOOR, high / low, torch.nan)
    found = []
    for name, those, right in (("in the domain", inside, f"{100 * LEVEL:.0f}"), ("beyond it", ~inside, "")):
        if bool(those.any()):
            found.append({
                "test subjects": name, "points covered (%)": float(100 * covered[those].double().mean()),
                "right": right, "median of high / low": float(width[those].double().nanmedian()),
                "subjects": int(those.sum()), "share of them (%)": float(100 * those.double().mean()),
            })  # fmt: skip
    return found
