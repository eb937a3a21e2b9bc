"""What the organs of a body may hold together: never more than has been taken up from the doses.

A network says u = C W / dose for each organ by itself. The organs together then hold the share s = sum u V / W of a
dose. At most g has been taken up so far: all of a bolus, what has run in of an infusion, what has left the lumen of the
gut of an oral dose. All organs are lowered alike, smoothly, to

    s / (1 + (s / (LIMIT g))^SHARPNESS)^(1 / SHARPNESS)  <  LIMIT g.

What a body can hold, s <= g, passes with less than 0.04 % taken from it.
"""

from torch import Tensor
from torch.nn.functional import softplus

from fulmen.data.batches import Batch
from fulmen.workloads.pbpk.graph import ENTRY, LOG_VOLUME

LIMIT = 1.01
SHARPNESS = 256.0
_LEAST = 1e-9  # a share of a dose that stands for none


def taken_up(batch: Batch) -> Tensor:
    """The share g of one dose that has reached the organs until each time, more than 1 after several doses: [B, T]."""
    return batch["dosing"][..., 0] * batch["node"][..., ENTRY].sum(1)[:, None]


def within_dose(u: Tensor, batch: Batch, share: Tensor | None = None) -> Tensor:
    """u = C W / dose [B, 14, T], lowered where the organs would hold more than was taken up.

    Args:
        batch: `node` [B, 14, F] and `weight_kg` [B]; `dosing` [B, T, 3] if no share is given.
        share: g [B, T]; by default that of the batch.
    """
    volume = batch["node"][..., LOG_VOLUME].exp() / batch["weight_kg"][:, None]  # [B, 14], L/kg
    held = (u.clamp(min=0) * volume[:, :, None]).sum(1)  # [B, T]
    most = LIMIT * (taken_up(batch) if share is None else share)
    over = (held.clamp(min=_LEAST) / most.clamp(min=_LEAST)).log()
    return u * (-softplus(SHARPNESS * over) / SHARPNESS).exp()[:, None]


def curves_within_dose(concentration: Tensor, batch: Batch, share: Tensor) -> Tensor:
    """`within_dose` for concentrations [B, 14, A] in mg/L at times of one's own, with their share g [B, A]."""
    mg_per_kg = (batch["dose_mg"] / batch["weight_kg"])[:, None, None]
    return within_dose(concentration / mg_per_kg, batch, share.to(concentration)) * mg_per_kg
