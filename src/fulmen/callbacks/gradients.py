"""Gradient norms of sampled steps, cheap enough to be always on."""

import math
from collections import deque
from typing import Any

import torch
from torch import nn

EVERY = 5  # optimizer steps
KEPT = 100  # samples


class GradientWatch:
    """The latest gradient norms, and how the first layer's gradient compares.

    Attributes:
        norms: of all gradients together.
        relative: the same over the norm of the weights.
        ratios: RMS of the first weight matrix's gradient over that of the last.
        first_relative: RMS of the first weight matrix's gradient over that of its weights.
        ends: names of the first and the last weight matrix.
    """

    def __init__(self) -> None:
        self.norms: deque[float] = deque(maxlen=KEPT)
        self.relative: deque[float] = deque(maxlen=KEPT)
        self.ratios: deque[float] = deque(maxlen=KEPT)
        self.first_relative: deque[float] = deque(maxlen=KEPT)
        self.ends = ("", "")
        self._weights = (1.0, 1.0)  # norm of all, RMS of the first: hardly change from step to step
        self._looks = 0

    def look(self, module: nn.Module) -> None:
        """Measure the gradients that the module holds now."""
        named = [(name, p) for name, p in module.named_parameters() if p.grad is not None and not p.grad.is_sparse]
        if not named:
            return
        values = torch.stack(torch._foreach_norm([p.grad for _, p in named])).double().tolist()
        matrices = [i for i, (_, p) in enumerate(named) if p.ndim > 1]
        if self._looks % 20 == 0:
            sizes = torch.stack(torch._foreach_norm([p.detach() for _, p in named])).double().tolist()
            first = sizes[matrices[0]] / math.sqrt(named[matrices[0]][1].numel()) if matrices else 1.0
            self._weights = max(math.hypot(*sizes), 1e-300), max(first, 1e-300)
        self._looks += 1
        self.norms.append(math.hypot(*values))
        self.relative.append(self.norms[-1] / self._weights[0])
        if len(matrices) > 1:
            rms = [values[i] / math.sqrt(named[i][1].numel()) for i in (matrices[0], matrices[-1])]
            self.ratios.append(rms[0] / max(rms[1], 1e-300))
            self.first_relative.append(rms[0] / self._weights[1])
            self.ends = named[matrices[0]][0], named[matrices[-1]][0]

    def state_dict(self) -> dict[str, Any]:
        return {name: list(getattr(self, name)) for name in ("norms", "relative", "ratios", "first_relative")}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        for name, values in state.items():
            getattr(self, name).extend(values)
