"""From a table's columns to what a network reads; everything fitted here comes from training rows alone.

K networks may be stacked (see `batched_fit.py`): every buffer has a leading dimension K, each network its own
statistics.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated

import torch
from torch import Tensor, nn

from fulmen.config.ranges import refuses_out_of_range
from fulmen.config.rules import Rule, is_zero_or_at_least
from fulmen.errors import FulmenError
from fulmen.workloads.sensors.features.features import feature_names

Bins = Annotated[int, Rule("of 0 or at least 2", is_zero_or_at_least, (2,))]


class Inputs(nn.Module):
    """Standardised columns, their logarithms, missing indicators, piecewise-linear bins, one-hot categories.

    A missing reading takes the training median and, with `missing`, sets its indicator. Logarithms (of 1 + x if there
    is a zero) are of columns without negative values. Bins are piecewise-linear encodings (Gorishniy et al. 2022)
    between training quantiles, the outer ones open, clipped to [-1, 2]; columns are not clipped: failures live in the
    tails.

    Args:
        numeric: names of the numeric columns, or their number.
        categorical: name -> levels; an unknown level is coded -1 and encoded as all zeros.
        wear: the columns that the data adds windows of.
        windows: the statistics it adds (`windows.STATISTICS`).
        missing: whether there are indicators of missing readings.
        log: whether logarithms are added.
        bins: per numeric column; 0: none.

    Attributes:
        feature: which numeric or categorical feature each encoded column belongs to [C].
    """

    median: Tensor
    shift: Tensor
    mean: Tensor
    sd: Tensor
    edges: Tensor

    @refuses_out_of_range
    def __init__(
        self,
        numeric: Sequence[str] | int,
        categorical: Mapping[str, Sequence[str]] | None = None,
        wear: Sequence[str] = (),
        windows: Sequence[str] = (),
        missing: bool = True,
        log: bool = True,
        bins: Bins = 16,
    ):
        super().__init__()
        names = [f"x{i}" for i in range(numeric)] if isinstance(numeric, int) else numeric
        self.names = feature_names(names, wear, windows)
        self.levels = [len(levels) for levels in (categorical or {}).values()]
        self.missing, self.log, self.bins = missing, log, bins
        n = len(self.names)
        self.register_buffer("median", torch.zeros(1, n))
        self.register_buffer("shift", torch.zeros(1, n))  # of the logarithm: 0 or 1; -1: the column has negatives
        self.register_buffer("mean", torch.zeros(1, 2 * n if log else n))
        self.register_buffer("sd", torch.ones(1, 2 * n if log else n))
        self.register_buffer("edges", torch.zeros(1, n, bins + 1 if bins else 0))
        per_column = torch.arange(n).repeat(1 + log + missing)
        one_hot = [torch.full((size,), n + i) for i, size in enumerate(self.levels)]
        self.feature = torch.cat([per_column, torch.arange(n).repeat_interleave(bins), *one_hot])
        self.columns = len(self.feature)

    @torch.no_grad()
    def fit(self, x: Tensor) -> None:
        """Take medians, means, deviations and quantiles from training rows `x` [N, n], NaN where missing.

        Raises:
            FulmenError: a column without a single value.
        """
        x = x.double()
        empty = torch.isnan(x).all(0)
        if empty.any():
            raise FulmenError(f"column {self.names[int(empty.nonzero()[0])]} has no value in the training split")
        self.median.copy_(x.nanmedian(0).values[None])
        lowest = torch.where(torch.isnan(x), torch.inf, x).amin(0)
        self.shift.copy_(torch.where(lowest > 0, 0.0, torch.where(lowest == 0, 1.0, -1.0))[None])
        wide = self._wide(torch.where(torch.isnan(x), self.median.to(x), x)[None])[0]
        sd = wide.std(0)
        self.mean.copy_(wide.mean(0)[None])
        self.sd.copy_(torch.where(sd > 1e-9, sd, 1.0)[None])
        if self.bins:
            quantiles = torch.linspace(0, 1, self.bins + 1, dtype=x.dtype)
            for i, column in enumerate(x.T):
                edges = column[~torch.isnan(column)].quantile(quantiles).unique()
                self.edges[0, i] = torch.nn.functional.pad(edges, (0, self.bins + 1 - len(edges)), value=torch.inf)

    def forward(self, x: Tensor, category: Tensor) -> Tensor:
        """Numeric columns [K, B, n] and level numbers [K, B, c] -> encoded columns [K, B, C]."""
        gone = torch.isnan(x)
        x = torch.where(gone, self.median[:, None], x)
        parts = [(self._wide(x) - self.mean[:, None]) / self.sd[:, None]]
        if self.missing:
            parts.append(gone.to(x))
        if self.bins:
            parts.append(self._binned(x))
        for i, size in enumerate(self.levels):
            parts.append((category[..., i, None] == torch.arange(size, device=x.device)).to(x))
        return torch.cat(parts, -1)

    def _wide(self, x: Tensor) -> Tensor:
        """[K, B, n] -> columns and, if wanted, their logarithms [K, B, 2n]; 0 for a column that has none."""
        if not self.log:
            return x
        shift = self.shift[:, None].to(x)
        logarithm = (x + shift).clamp(min=1e-6).log()  # a later reading may lie below all of training
        return torch.cat([x, torch.where(shift < 0, 0.0, logarithm)], -1)

    def _binned(self, x: Tensor) -> Tensor:
        """[K, B, n] -> how far x has come through each bin, [K, B, n * bins]; 0 in bins that do not exist."""
        low, high = self.edges[:, None, :, :-1], self.edges[:, None, :, 1:]
        there = torch.isfinite(high)
        width = torch.where(there, high - low, 1.0)
        share = torch.where(there, (x[..., None] - torch.where(there, low, 0.0)) / width, 0.0)
        first = torch.arange(self.bins, device=x.device) == 0
        last = there & ~torch.nn.functional.pad(there[..., 1:], (0, 1), value=False)
        share = share.clamp(torch.where(first, -1.0, 0.0), torch.where(last, 2.0, 1.0))
        return share.flatten(-2)
