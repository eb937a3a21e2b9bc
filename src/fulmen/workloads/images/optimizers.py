"""Optimizers that torch does not have."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from fulmen.config.ranges import Count, PartOfAll, refuses_out_of_range


class LookaheadSGD(torch.optim.SGD):
    """SGD whose weights return to slow ones, which follow them, every few steps (Zhang et al. 2019).

    The slow weights are part of the optimizer's state and so of every checkpoint.

    Args:
        every: steps between two meetings.
        follow: share of the way to the fast weights that the slow ones go.
        lr, momentum, weight_decay, nesterov: as `torch.optim.SGD` takes them.
    """

    @refuses_out_of_range
    def __init__(self, params: Any, lr: float = 1e-3, momentum: float = 0.0, weight_decay: float = 0.0,
                 nesterov: bool = False, every: Count = 5, follow: PartOfAll = 0.5):  # fmt: skip
        super().__init__(params, lr, momentum, weight_decay=weight_decay, nesterov=nesterov)
        for group in self.param_groups:
            group |= {"every": every, "follow": follow, "steps": 0}

    @torch.no_grad()
    def step(self, closure: Callable[[], Tensor] | None = None) -> Tensor | None:  # type: ignore[override]  # overloaded
        for group in self.param_groups:
            if group["steps"] == 0:
                for each in group["params"]:
                    self.state[each]["slow"] = each.detach().clone()
        loss = super().step(closure)
        for group in self.param_groups:
            group["steps"] += 1
            if group["steps"] % group["every"] == 0:
                slow = [self.state[each]["slow"] for each in group["params"]]
                torch._foreach_lerp_(slow, group["params"], group["follow"])
                torch._foreach_copy_(group["params"], slow)
        return loss
