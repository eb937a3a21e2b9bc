"""The figure of elasticities: which inputs move an exposure most."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from matplotlib.ticker import MaxNLocator
from torch import Tensor

from fulmen.report.figures import MODEL, MUTED, TRUTH, WIDTH, figure
from fulmen.workloads.pbpk.sensitivity import INPUTS, Sensitivities

SHOWN = 10  # inputs of a tornado
INPUT_NAMES = {
    "weight_kg": "body weight", "cardiac_output_l_per_h": "cardiac output", "blood_plasma_ratio": "blood:plasma ratio",
    "fraction_unbound": "fraction unbound", "clint_l_per_h": "CLint, liver", "renal_clint_l_per_h": "CLint, kidney",
    "km_mg_per_l": "Km", "absorption_rate_per_h": "absorption rate", "bioavailability": "bioavailability",
    "gut_extraction": "gut wall extraction",
    "dose_mg": "dose", "infusion_h": "infusion time", "volume_l": "volume", "flow_l_per_h": "flow", "kp": "kp",
}  # fmt: skip
EXPOSURE_NAMES = {"auc": "AUC", "auc_infinity": "AUC to infinity", "cmax": "Cmax", "half_life": "half-life"}


def tornado(path: Path, found: Mapping[str, Sensitivities]) -> None:
    """The ten inputs with the largest elasticities of each exposure in each organ: medians over subjects, 10 to 90 %.

    Args:
        path: of the figure.
        found: "solver", "surrogate" or both -> what they say of the same subjects.
    """
    first = next(iter(found.values()))
    asked = [(p, e) for p in range(len(first.places)) for e in range(len(first.exposures))]
    bar = 0.8 / len(found)
    height = 0.55 + SHOWN * (0.17 if len(found) == 1 else 0.22)  # inches
    with figure(path, len(asked), 1, (WIDTH, height * len(asked)), squeeze=False) as axes:
        for (place, exposure), ax in zip(asked, axes[:, 0], strict=True):
            bands = {by: _quantiles(each.elasticity[:, place, exposure]) for by, each in found.items()}  # [3, I]
            largest = torch.stack([band[1].abs() for band in bands.values()]).amax(0).argsort(descending=True)[:SHOWN]
            rows = np.arange(len(largest))
            for number, (by, band) in enumerate(bands.items()):
                low, middle, high = band[:, largest].numpy()
                color = MODEL if by == "surrogate" else TRUTH
                at = rows + (number - (len(found) - 1) / 2) * bar
                ax.barh(at, middle, bar, color=color, label=by, alpha=0.85)
                if len(first.value) > 1:
                    ax.hlines(at, low, high, color=MUTED, linewidth=1)
            ax.set_yticks(rows, [spoken_input(INPUTS[i]) for i in largest.tolist()])
            ax.invert_yaxis()
            ax.xaxis.set_major_locator(MaxNLocator(5))
            ax.axvline(0, color=MUTED, linewidth=0.8)
            name, organ = EXPOSURE_NAMES[first.exposures[exposure]], first.places[place]
            ax.set_title(f"{name}, {organ}")
            if len(found) > 1:
                ax.legend(loc="lower right", bbox_to_anchor=(1.02, 0.97), ncols=2, columnspacing=1)
        subjects = len(first.value)
        of = "" if subjects == 1 else f"\n(bars: median of {subjects} subjects; lines: 10 to 90 %)"
        axes[-1, 0].set_xlabel(f"% of change where the input rises by 1 %{of}")


def _quantiles(elasticity: Tensor) -> Tensor:
    """10, 50 and 90 % over the subjects [S, I] that have one: [3, I]; 0 where nobody has."""
    return elasticity.nanquantile(torch.tensor([0.1, 0.5, 0.9]).to(elasticity), 0).nan_to_num()


def spoken_input(name: str) -> str:
    """`kp, liver` for `kp.liver`."""
    quantity, _, organ = name.partition(".")
    return f"{INPUT_NAMES[quantity]}, {organ}" if organ else INPUT_NAMES[quantity]
