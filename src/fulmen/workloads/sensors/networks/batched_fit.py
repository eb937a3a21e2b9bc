"""Many small networks trained as one.

A step of a small network costs more in calls than in arithmetic. K networks of the same kind, differing in their fold
(their rows) or their seed (initial weights, order, dropout), run as one network whose tensors have a leading dimension
K. Nothing couples them: the loss is a sum, the optimizer works element by element, and each dropout mask is what the
network would draw alone. So the stack is exact: it ends where separate fits end, up to rounding.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from fulmen.utils.seeding import derived_seed
from fulmen.workloads.sensors.networks.layers import StackedDropout
from fulmen.workloads.sensors.networks.tabular import TableNet, parameter_groups, row_loss

Part = dict[str, Tensor]


@dataclass
class Fit:
    """One network to train: fresh weights, training rows, seed; its validation rows choose the epoch it keeps."""

    network: TableNet
    train: Part
    seed: int
    validation: Part | None = None


def stack(networks: Sequence[TableNet]) -> TableNet:
    """One network that computes all of `networks`, in their order."""
    whole = deepcopy(networks[0])
    if len(networks) == 1:
        return whole
    for name, tensor in [*whole.named_parameters(), *whole.named_buffers()]:
        if name in whole.state_dict():
            tensor.data = torch.cat([network.state_dict()[name] for network in networks])
    return whole


def unstack(whole: TableNet, into: Sequence[TableNet]) -> None:
    """Copy the slices of a stack back into the networks it was made of."""
    state = whole.state_dict()
    for k, network in enumerate(into):
        network.load_state_dict({n: value[k : k + 1] if len(into) > 1 else value for n, value in state.items()})


def fit_all(
    fits: Sequence[Fit],
    optimizer: Callable[..., Any],
    scheduler: Callable[..., Any] | None,
    epochs: int,
    batch_size: int,
) -> list[list[float]]:
    """Train every network of `fits` in place, together where that is exact.

    Networks go together if they take the same number of steps an epoch; each has the batches, in the order, that
    `BatchLoader` would deal it. Encodings are fitted on each network's own rows. Each network keeps the weights of the
    epoch with its lowest validation loss, as `best.ckpt` does, or of the last if it has no validation rows.

    Args:
        optimizer: makes an optimizer of parameter groups; must work element by element (Adam, SGD).
        scheduler: makes a step-by-step scheduler of an optimizer and `total_steps`, or None.

    Returns:
        The mean training loss of each epoch, for each network.
    """
    together = defaultdict(list)
    for place, fit in enumerate(fits):
        fit.network.inputs.fit(fit.train["x"])
        alone = () if fit.network.stackable else (place,)
        together[(-(-len(fit.train["target"]) // batch_size), *alone)].append(place)
    curves: dict[int, list[float]] = {}
    for places in together.values():
        places = sorted(places, key=lambda place: fits[place].seed)
        several = [fits[place] for place in places]
        curves |= zip(places, _fit_stack(several, optimizer, scheduler, epochs, batch_size), strict=True)
    return [curves[place] for place in range(len(fits))]


def _fit_stack(
    fits: Sequence[Fit],
    optimizer: Callable[..., Any],
    scheduler: Callable[..., Any] | None,
    epochs: int,
    batch_size: int,
) -> list[list[float]]:
    network = stack([fit.network for fit in fits]).train()
    seeds = list(dict.fromkeys(fit.seed for fit in fits))
    # nn.Dropout knows torch's own generator only
    generators = [torch.Generator() for _ in seeds] if network.stackable else [torch.default_generator]
    for module in network.modules():
        if isinstance(module, StackedDropout):
            module.generators = generators
    parts = [fit.train for fit in fits]
    with torch.no_grad():
        columns = network.inputs(_padded(parts, "x"), _padded(parts, "category"))  # [K, N, C]
    target = _padded(parts, "target")
    which = torch.arange(len(fits))[:, None]
    count = torch.tensor([len(part["target"]) for part in parts])
    optimize = optimizer(parameter_groups(network))
    steps = -(-target.shape[1] // batch_size)
    watch = _Best(network, fits)
    schedule = scheduler(optimize, total_steps=epochs * steps) if scheduler else None
    curves = []
    for epoch in range(epochs):
        order = torch.nn.utils.rnn.pad_sequence([_order(fit, epoch) for fit in fits], batch_first=True)  # [K, N]
        dealt, wanted = columns[which, order], target[which, order]
        total = torch.zeros(len(fits))
        for step in range(steps):
            batch = slice(step * batch_size, (step + 1) * batch_size)
            for generator, seed in zip(generators, seeds, strict=True):
                generator.manual_seed(derived_seed(seed, epoch, step, 0))
            loss = row_loss(network.body(dealt[:, batch]), wanted[:, batch])  # [K, B]
            size = (count - batch.start).clamp(max=batch_size)
            if step == steps - 1:  # the others are full in every network
                loss = loss * (torch.arange(loss.shape[1]) < size[:, None])
            loss = loss.sum(1) / size
            optimize.zero_grad()
            loss.sum().backward()
            optimize.step()
            if schedule:
                schedule.step()
            total += loss.detach() * size
        curves.append(total / count)
        watch.update(network)
    watch.restore(network)
    unstack(network, [fit.network for fit in fits])
    return torch.stack(curves, 1).tolist()


class _Best:
    """The weights of each network of a stack at its lowest validation loss."""

    def __init__(self, network: TableNet, fits: Sequence[Fit]):
        self.held = [fit.validation for fit in fits if fit.validation and len(fit.validation["target"])]
        if not self.held:
            return
        if len(self.held) < len(fits):
            raise ValueError("give validation rows to all networks of a stack or to none")
        self.size = torch.tensor([len(part["target"]) for part in self.held])
        with torch.no_grad():
            self.columns = network.inputs(_padded(self.held, "x"), _padded(self.held, "category"))
        self.target = _padded(self.held, "target")
        self.inside = torch.arange(self.target.shape[1]) < self.size[:, None]
        self.lowest = torch.full((len(fits),), torch.inf)
        self.state = {name: value.clone() for name, value in network.state_dict().items()}

    @torch.no_grad()
    def update(self, network: TableNet) -> None:
        if not self.held:
            return
        loss = (row_loss(network.eval().body(self.columns), self.target) * self.inside).sum(1) / self.size
        network.train()
        better = loss < self.lowest
        self.lowest = torch.where(better, loss, self.lowest)
        for name, value in network.state_dict().items():
            if len(better) > 1:
                self.state[name][better] = value[better]
            elif better:
                self.state[name].copy_(value)

    def restore(self, network: TableNet) -> None:
        if self.held:
            network.load_state_dict(self.state)


def _order(fit: Fit, epoch: int) -> Tensor:
    """As `fulmen.data.batches.BatchLoader` deals the rows."""
    generator = torch.Generator().manual_seed(derived_seed(fit.seed, "epoch", epoch))
    return torch.randperm(len(fit.train["target"]), generator=generator)


def _padded(parts: Sequence[Part], name: str) -> Tensor:
    """The tensor `name` of each split, with rows of zeros to the common length: [K, N, ...]."""
    return torch.nn.utils.rnn.pad_sequence([part[name] for part in parts], batch_first=True)


@torch.no_grad()
def predict(network: TableNet, part: Part) -> Tensor:
    """Logits [N, M, O] of one network."""
    return network.eval()(part["x"][None], part["category"][None])[0]
