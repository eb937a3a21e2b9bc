"""Gradients and updates of sampled steps, cheap enough to be always on."""

import math
from collections import deque
from typing import Any

import torch
from torch import Tensor, nn

from fulmen.diagnosis import Verdict, health

EVERY = 5  # optimizer steps
OFTEN = 200  # of them; afterwards a fifth as many looks will do
KEPT = 100  # samples
MATRICES = 16  # whose updates are measured
VALUES = 1024  # of each
SMALL = 0.3  # of what PyTorch draws: weights below began at 0


class GradientWatch:
    """The latest gradient norms, how the first layer's gradient compares, and how far a step moves the weights.

    Attributes:
        norms: of all gradients together.
        relative: the same over the norm of the weights.
        ratios: RMS of the first weight matrix's gradient over that of the last.
        first_relative: RMS of the first weight matrix's gradient over that of its weights.
        updates: RMS of what a step changed over that of the weights, the median of the weight matrices; matrices
            that begin at 0 count as if they had begun as PyTorch draws weights, until they are a third as large.
        largest_update: of all sampled steps, those that are no longer kept too.
        ends: names of the first and the last weight matrix.
    """

    def __init__(self) -> None:
        self.norms: deque[float] = deque(maxlen=KEPT)
        self.relative: deque[float] = deque(maxlen=KEPT)
        self.ratios: deque[float] = deque(maxlen=KEPT)
        self.first_relative: deque[float] = deque(maxlen=KEPT)
        self.updates: deque[float] = deque(maxlen=KEPT)
        self.largest_update = 0.0
        self.ends = ("", "")
        self._weights = (1.0, 1.0)  # norm of all, RMS of the first: hardly change from step to step
        self._named: list[tuple[str, nn.Parameter]] = []
        self._before: list[tuple[Tensor, Tensor]] = []  # what will change, as it was
        self._init_sizes: list[float] = []  # its norm, if it were drawn as PyTorch draws weights
        self._steps = self._looks = 0

    def before_step(self, module: nn.Module) -> None:
        """Measure the gradients that the module holds now, if it is time to."""
        self._steps += 1
        if (self._steps - 1) % (EVERY if self._steps <= OFTEN else 5 * EVERY):
            return
        refresh = self._looks % 20 == 0
        if refresh or not self._named:
            self._named = list(module.named_parameters())
        self._looks += 1
        named = [(name, p) for name, p in self._named if p.grad is not None and not p.grad.is_sparse]
        if named:
            self._look(named, refresh)

    def after_step(self) -> None:
        """Measure what the step has changed, if its gradients were measured."""
        if not self._before:
            return
        before = [then for _, then in self._before]
        moved = torch._foreach_sub([now for now, _ in self._before], before)
        sizes = torch.stack(torch._foreach_norm([*moved, *before])).double().tolist()
        starts = zip(sizes, sizes[len(before) :], self._init_sizes, strict=False)
        ratios = sorted(moved / (size if size > SMALL * init else init) for moved, size, init in starts)
        self._before = []
        if ratios and math.isfinite(middle := ratios[len(ratios) // 2]):
            self.updates.append(middle)
            self.largest_update = max(self.largest_update, middle)

    def _look(self, named: list[tuple[str, nn.Parameter]], weights_too: bool) -> None:
        values = torch.stack(torch._foreach_norm([p.grad for _, p in named if p.grad is not None])).double().tolist()
        matrices = [i for i, (_, p) in enumerate(named) if p.ndim > 1]
        if weights_too:
            sizes = torch.stack(torch._foreach_norm([p.detach() for _, p in named])).double().tolist()
            first = sizes[matrices[0]] / math.sqrt(named[matrices[0]][1].numel()) if matrices else 1.0
            self._weights = max(math.hypot(*sizes), 1e-300), max(first, 1e-300)
        self.norms.append(math.hypot(*values))
        self.relative.append(self.norms[-1] / self._weights[0])
        if len(matrices) > 1:
            rms = [values[i] / math.sqrt(named[i][1].numel()) for i in (matrices[0], matrices[-1])]
            self.ratios.append(rms[0] / max(rms[1], 1e-300))
            self.first_relative.append(rms[0] / self._weights[1])
            self.ends = named[matrices[0]][0], named[matrices[-1]][0]
        some = matrices[:: max(1, -(-len(matrices) // MATRICES))]
        seen = [named[i][1].detach().flatten()[:: max(1, named[i][1].numel() // VALUES)] for i in some]
        self._before = [(x, x.clone()) for x in seen]
        self._init_sizes = [
            math.sqrt(len(x) * len(named[i][1]) / (3 * named[i][1].numel())) for i, x in zip(some, seen, strict=True)
        ]

    def verdicts(self, base: float | None) -> list[Verdict | None]:
        """What the samples say; `base` is the loss of a constant predictor."""
        exploding = health.exploding(self.norms, self.relative, base)
        return [exploding, health.vanishing(self.ratios, self.first_relative, *self.ends), self.step_size()]

    def step_size(self) -> Verdict | None:
        return health.updates(self.updates, self.largest_update)

    def state_dict(self) -> dict[str, Any]:
        kept = {name: list(value) for name, value in vars(self).items() if isinstance(value, deque)}
        counts = {"steps": self._steps, "looks": self._looks}
        return (
            kept | counts | {"largest_update": self.largest_update, "weights": list(self._weights), "ends": self.ends}
        )

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.largest_update, self._steps = state["largest_update"], state["steps"]
        self._looks = state.get("looks", 0)
        self._weights = tuple(state.get("weights", self._weights))
        self.ends = tuple(state.get("ends", self.ends))
        for name, value in vars(self).items():
            if isinstance(value, deque):
                value.extend(state[name])
