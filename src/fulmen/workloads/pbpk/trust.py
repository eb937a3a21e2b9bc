"""How far a prediction can be trusted: is a subject like those of the training, and how wide is its interval?

Both rest on one distance, that of Mahalanobis (1936): with the standardised inputs x [F] of a subject, and their
covariance S over the training split,

    d^2 = x^T (S + 0.001 I)^-1 x / F,

which is near 1 for a subject of the training, and large where inputs go together as they never did there, though each
of them may be usual. A subject is in the domain if d is at most the 95 % quantile of the validation split.

Intervals are split-conformal (Papadopoulos 2002), by distance: the score of a point is |log((C + f) / (C_hat + f))|
over the typical error of that organ and time, with f the floor of the log scale; its quantile is taken apart for
subjects near and far (Mondrian bins; Vovk et al. 2005). Beyond the domain they widen with d^2 and promise nothing.
"""

import torch
from torch import Tensor, nn

from fulmen.data.batches import Batch
from fulmen.utils.conformal import conformal_rank
from fulmen.workloads.pbpk.graph import (
    CONTEXT_FEATURES,
    DOSING_FEATURES,
    LOG_DOSE,
    NODE_FEATURES,
    without_saturation,
)
from fulmen.workloads.pbpk.metrics import FLOOR
from fulmen.workloads.pbpk.simulator.physiology import ORGANS
from fulmen.workloads.pbpk.times import stretched

LEVEL = 0.9
IN_DOMAIN = 0.95  # of the validation split
RIDGE = 1e-3
CONSTANT = 1e-3  # the deviation of an input that never varied in training
PROBES = 9  # times at which the dosing features are looked at
KNOTS = 12  # of the typical error, over time
BINS = 5  # of distance
WIDEST = 6.9  # log of a thousand, to both sides
DOSE = len(ORGANS) * len(NODE_FEATURES) + LOG_DOSE
FEATURES = len(ORGANS) * len(NODE_FEATURES) + len(CONTEXT_FEATURES) + PROBES * len(DOSING_FEATURES)


class Trust(nn.Module):
    """A domain and its intervals; everything is a buffer and goes with the weights."""

    mean: Tensor  # [F]
    whitening: Tensor  # [F, F], distances are those of x @ whitening
    limit: Tensor  # the largest distance in the domain
    ends_h: Tensor  # [2], first and last time of the grid
    typical: Tensor  # [14, KNOTS], root mean squared log error
    edges: Tensor  # [BINS - 1], distances between the bins
    quantile: Tensor  # [BINS], of the scores

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(FEATURES))
        self.register_buffer("whitening", torch.eye(FEATURES))
        self.register_buffer("limit", torch.full((), torch.inf))
        self.register_buffer("ends_h", torch.tensor([0.0, 1.0]))
        self.register_buffer("typical", torch.ones(len(ORGANS), KNOTS))
        self.register_buffer("edges", torch.zeros(BINS - 1))
        self.register_buffer("quantile", torch.full((BINS,), torch.inf))

    def fit(self, train: Batch, validation: Batch, time_h: Tensor) -> None:
        """Take the domain from the training split, and its limit from the validation split."""
        x = flat(train).double()
        mean, sd = x.mean(0), x.std(0)
        sd = torch.where(sd > 1e-6, sd, CONSTANT)
        if without_saturation(train["context"]):
            sd[DOSE] = torch.inf  # no dose is strange where it only scales the curves
        covariance = torch.cov(((x - mean) / sd).T) + RIDGE * torch.eye(FEATURES).double()
        root = torch.linalg.cholesky(torch.linalg.inv(covariance))
        self.mean.copy_(mean)
        self.whitening.copy_(root / sd[:, None] / FEATURES**0.5)
        self.limit.copy_(self.distance(validation).quantile(IN_DOMAIN))
        self.ends_h.copy_(time_h[[0, -1]])

    def trained_h(self, grid_h: Tensor) -> Tensor:
        """The first and the last time of the training, [2] h; those of `grid_h` [T] before there was one."""
        return self.ends_h.to(grid_h) if bool(self.limit.isfinite()) else grid_h[[0, -1]]

    def distance(self, batch: Batch) -> Tensor:
        """d [B] of the inputs of a batch, in single precision whatever the training is in."""
        with torch.autocast(self.mean.device.type, enabled=False):
            return ((flat(batch).to(self.mean) - self.mean) @ self.whitening).norm(dim=1)

    def calibrate(self, log_error: Tensor, distance: Tensor, time_h: Tensor) -> None:
        """Take the widths from errors of subjects that no training saw.

        Args:
            log_error: |log((C + f) / (C_hat + f))| [V, 14, T].
            distance: [V].
            time_h: [T].
        """
        weight = hats(time_h, self.ends_h).to(log_error)  # [T, KNOTS]
        mean_square = log_error.square().mean(0) @ weight / weight.sum(0).clamp(min=1e-9)  # [14, KNOTS]
        self.typical.copy_(mean_square.sqrt().clamp(min=1e-6))
        self.edges.copy_(distance.quantile(torch.linspace(0, 1, BINS + 1)[1:-1].to(distance)))
        scores, bins = log_error / self._typical(time_h), self._bin(distance)
        for number in range(BINS):
            self.quantile[number] = conformal_quantile(scores[bins == number].flatten())

    def log_half_width(self, distance: Tensor, time_h: Tensor) -> Tensor:
        """h [B, 14, T]: log(C + f) lies within h of its prediction with a chance of 90 %, in the domain."""
        beyond = (distance / self.limit).clamp(min=1).square()
        half = (self.quantile[self._bin(distance)] * beyond)[:, None, None] * self._typical(time_h)
        return half.clamp(max=WIDEST)

    def _typical(self, time_h: Tensor) -> Tensor:
        """Typical error [14, T]."""
        return (self.typical.square() @ hats(time_h, self.ends_h).to(self.typical).T).sqrt()

    def _bin(self, distance: Tensor) -> Tensor:
        return torch.bucketize(distance.contiguous(), self.edges)


def bounds(concentration: Tensor, log_half_width: Tensor, mg_per_kg: Tensor) -> tuple[Tensor, Tensor]:
    """The ends of the intervals around concentrations [S, 14, T] in mg/L, for doses over body weights [S]."""
    floor = FLOOR * mg_per_kg[:, None, None]
    factor = log_half_width.exp()
    return ((concentration + floor) / factor - floor).clamp(min=0), (concentration + floor) * factor - floor


def flat(batch: Batch) -> Tensor:
    """The inputs that are tested together, [B, F]: organs, context, and the dosing at a few times."""
    times = batch["dosing"].shape[1]
    probed = torch.linspace(0, times - 1, PROBES, device=batch["dosing"].device).round().long()
    return torch.cat([batch["node"].flatten(1), batch["context"], batch["dosing"][:, probed].flatten(1)], 1)


def hats(time_h: Tensor, ends_h: Tensor) -> Tensor:
    """Weights [T, KNOTS] of knots that are even on the stretched scale between two times; the rows sum to 1."""
    low, high = stretched(ends_h)
    place = ((stretched(time_h.to(ends_h)) - low) / (high - low)).clamp(0, 1) * (KNOTS - 1)
    return (1 - (place[:, None] - torch.arange(KNOTS, device=place.device)).abs()).clamp(min=0)


def conformal_quantile(scores: Tensor, level: float = LEVEL) -> Tensor:
    """The ceil((n + 1) level)-th smallest of n scores; infinite where n is too small for the level."""
    rank = conformal_rank(len(scores), level)
    return scores.kthvalue(rank).values if rank <= len(scores) else scores.new_tensor(torch.inf)
