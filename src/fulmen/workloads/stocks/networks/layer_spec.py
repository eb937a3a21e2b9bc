"""Stages of a network described by a list, as in conf/network/stocks.

A stage is a mapping with one key that says what it is and, beside it, its options:

    {rnn: lstm, units: 64, bidirectional: true, last: true}    lstm, gru or rnn; last: only the state at the end
    {norm: layer}                                              layer or batch, over the features
    {dropout: 1.5}                                             times the dropout of the network
    {dense: 16, activation: linear}                            on each day of a sequence
    {conv1d: 64, kernel: 3}                                    over time, keeping the length
    {attention: additive}, {attention: multihead, heads: 4}    over time
    {highway: 1}                                               this many highway layers
    {tap: a}                                                   remember the state under a name
    {add: a}, {concat: [a, b]}                                 with the state(s) remembered
    {parallel: [[...], [...]]}                                 lists of stages side by side, their results concatenated
    {pool: mean}                                               last, mean or max over time

Each knows what shape comes in and what goes out, so that a list that does not fit is refused before it runs, by stage.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from fulmen.config.mistakes import did_you_mean
from fulmen.errors import FulmenError
from fulmen.workloads.stocks.networks.activations import activation
from fulmen.workloads.stocks.networks.layers import (
    CELLS,
    AdditiveAttention,
    BatchNorm,
    Convolution,
    Highway,
    Pool,
    Recurrent,
    SelfAttention,
)

Stage = Mapping[str, Any]


class Shape(NamedTuple):
    """Of a state, without the batch."""

    features: int
    sequence: bool

    def __str__(self) -> str:
        return f"a sequence of {self.features} features" if self.sequence else f"a vector of {self.features} features"


class Stages(nn.Module):
    """A list of stages, built and run one after the other.

    Attributes:
        shape: of the state that comes out.
    """

    def __init__(
        self, stages: Sequence[Stage], shape: Shape, taps: Mapping[str, Shape], activation: str, dropout: float,
        where: str = "",
    ):  # fmt: skip
        super().__init__()
        self.layers = nn.ModuleList()
        self.wiring: list[tuple[str, Any]] = []  # (kind, names of taps) of each layer
        self.shape, self.taps = shape, dict(taps)
        self._activation, self._dropout = activation, dropout
        if not stages:
            raise FulmenError(f"{where}there is no stage")
        for number, stage in enumerate(stages, 1):
            self._append(stage, f"{where}stage {number}")

    def forward(self, x: Tensor, taps: Mapping[str, Tensor]) -> Tensor:
        taps = dict(taps)
        for (kind, names), layer in zip(self.wiring, self.layers, strict=True):
            if kind == "tap":
                taps[names] = x
            elif kind == "add":
                x = x + taps[names]
            elif kind == "concat":
                x = torch.cat([*(taps[name] for name in names), x], -1)
            elif isinstance(layer, nn.ModuleList):  # parallel
                x = torch.cat([branch(x, taps) for branch in layer], -1)
            else:
                x = layer(x)
        return x

    def _append(self, stage: Stage, where: str) -> None:
        if not isinstance(stage, Mapping) or not stage:
            raise FulmenError(f"{where}: {stage!r} is no mapping; write {{{stage or 'dense'}: ...}}")
        kinds = [key for key in stage if key in BUILDERS]
        if not kinds:
            named = next(iter(stage))
            raise FulmenError(f"{where}: there is no stage {named!r}{did_you_mean(str(named), BUILDERS)}")
        if len(kinds) > 1:
            raise FulmenError(f"{where}: one stage cannot be {' and '.join(kinds)}; write one line for each")
        kind = kinds[0]
        options = {key: value for key, value in stage.items() if key != kind}
        self._where = f"{where} ({kind}: {stage[kind] if kind != 'parallel' else '...'})"
        build, allowed = BUILDERS[kind]
        for option in options:
            if option not in allowed:
                raise self._wrong(f"takes no {option}{did_you_mean(option, allowed)}")
        self.layers.append(build(self, stage[kind], **options))
        self.wiring.append((kind, _listed(stage[kind]) if kind == "concat" else stage[kind]))

    def _wrong(self, problem: str) -> FulmenError:
        return FulmenError(f"{self._where} {problem}")

    def _count(self, value: Any, name: str) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise self._wrong(f"needs a whole number of {name} above 0, got {value!r}")
        return value

    def _choice(self, value: Any, choices: Sequence[str]) -> str:
        if value not in choices:
            raise self._wrong(f"is none of {', '.join(choices)}")
        return value

    def _flag(self, value: Any, name: str) -> bool:
        if not isinstance(value, bool):
            raise self._wrong(f"needs true or false for {name}, got {value!r}")
        return value

    def _sequence(self) -> int:
        """Features of the state, which must be a sequence."""
        if not self.shape.sequence:
            raise self._wrong(f"needs a sequence, but gets {self.shape}; does a stage before it say last: true?")
        return self.shape.features

    def _tap(self, name: Any) -> Shape:
        if not isinstance(name, str) or name not in self.taps:
            known = did_you_mean(str(name), self.taps) or "; no stage before it taps anything"
            raise self._wrong(f"refers to a tap {name!r} that does not exist{known}")
        return self.taps[name]

    def _activated(self, name: str | None) -> nn.Module:
        try:
            return activation(name or self._activation)
        except FulmenError as error:
            raise self._wrong(f"cannot be built: {error}") from error

    def _rnn(self, cell: Any, units: Any = None, bidirectional: bool = False, last: bool = False) -> nn.Module:
        features, units = self._sequence(), self._count(units, "units")
        directions = 2 if self._flag(bidirectional, "bidirectional") else 1
        self.shape = Shape(units * directions, sequence=not self._flag(last, "last"))
        return Recurrent(self._choice(cell, tuple(CELLS)), features, units, bidirectional, last)

    def _norm(self, kind: Any) -> nn.Module:
        return {"layer": nn.LayerNorm, "batch": BatchNorm}[self._choice(kind, ("layer", "batch"))](self.shape.features)

    def _drop(self, factor: Any) -> nn.Module:
        if not isinstance(factor, int | float) or isinstance(factor, bool) or factor < 0:
            raise self._wrong("needs a factor of 0 or more")
        return nn.Dropout(min(factor * self._dropout, 0.9))

    def _dense(self, units: Any, activation: str | None = None) -> nn.Module:
        features = self.shape.features
        self.shape = self.shape._replace(features=self._count(units, "units"))
        return nn.Sequential(nn.Linear(features, units), self._activated(activation))

    def _conv1d(self, channels: Any, kernel: Any = 3, activation: str | None = None) -> nn.Module:
        features = self._sequence()
        self.shape = Shape(self._count(channels, "channels"), sequence=True)
        return Convolution(features, channels, self._count(kernel, "days in the kernel"), self._activated(activation))

    def _attention(self, kind: Any, heads: Any = 4) -> nn.Module:
        features = self._sequence()
        if self._choice(kind, ("additive", "multihead")) == "additive":
            return AdditiveAttention(features)
        if features % self._count(heads, "heads"):
            raise self._wrong(f"cannot share {features} features among {heads} heads")
        return SelfAttention(features, heads)

    def _highway(self, layers: Any, activation: str | None = None) -> nn.Module:
        count = self._count(layers, "layers")
        return nn.Sequential(*(Highway(self.shape.features, self._activated(activation)) for _ in range(count)))

    def _remember(self, name: Any) -> nn.Module:
        if not isinstance(name, str):
            raise self._wrong("needs a name")
        self.taps[name] = self.shape
        return nn.Identity()

    def _add(self, name: Any) -> nn.Module:
        if self._tap(name) != self.shape:
            raise self._wrong(f"cannot add {self._tap(name)} to {self.shape}")
        return nn.Identity()

    def _concatenate(self, names: Any) -> nn.Module:
        self._join([*(self._tap(name) for name in _listed(names)), self.shape])
        return nn.Identity()

    def _parallel(self, branches: Any) -> nn.Module:
        if not isinstance(branches, Sequence) or not all(isinstance(branch, Sequence) for branch in branches):
            raise self._wrong("needs a list of lists of stages")
        within = f"{self._where.partition(' (')[0]}, branch"
        built = [
            Stages(branch, self.shape, self.taps, self._activation, self._dropout, f"{within} {number}, ")
            for number, branch in enumerate(branches, 1)
        ]
        self._join([branch.shape for branch in built])
        return nn.ModuleList(built)

    def _pool(self, kind: Any) -> nn.Module:
        self.shape = Shape(self._sequence(), sequence=False)
        return Pool(self._choice(kind, ("last", "mean", "max")))

    def _join(self, shapes: Sequence[Shape]) -> None:
        if len({shape.sequence for shape in shapes}) > 1:
            raise self._wrong(f"cannot join {' and '.join(map(str, shapes))}")
        self.shape = Shape(sum(shape.features for shape in shapes), shapes[0].sequence)


BUILDERS: dict[str, tuple[Callable[..., nn.Module], tuple[str, ...]]] = {
    "rnn": (Stages._rnn, ("units", "bidirectional", "last")),
    "norm": (Stages._norm, ()),
    "dropout": (Stages._drop, ()),
    "dense": (Stages._dense, ("activation",)),
    "conv1d": (Stages._conv1d, ("kernel", "activation")),
    "attention": (Stages._attention, ("heads",)),
    "highway": (Stages._highway, ("activation",)),
    "tap": (Stages._remember, ()),
    "add": (Stages._add, ()),
    "concat": (Stages._concatenate, ()),
    "parallel": (Stages._parallel, ()),
    "pool": (Stages._pool, ()),
}


def _listed(names: Any) -> list[Any]:
    return list(names) if isinstance(names, list | tuple) else [names]
