"""From verified bytes to a model: the config's `model` node, built of parts of a training only, and the weights."""

import json
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

import torch
import yaml
from lightning.pytorch import LightningModule
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from fulmen.config.allow_list import locate_untrusted
from fulmen.config.check import build
from fulmen.config.gone import release, with_origin
from fulmen.config.mistakes import ConfigError, Mistake
from fulmen.config.outside import unsaid
from fulmen.config.rules import is_node
from fulmen.config.schema import find_interpolations
from fulmen.config.signatures import check_nodes
from fulmen.config.stored import led_on
from fulmen.registry import estimators, examples
from fulmen.registry.manifest import Damaged, plain, read_json
from fulmen.registry.verification import CONFIG, ESTIMATOR, PREPROCESS, PROBE, WEIGHTS
from fulmen.registry.versions import Version
from fulmen.registry.weights import decode

LARGEST_CONFIG = 1 << 20  # bytes
DEEPEST_CONFIG = 40
FITTED = 1000  # values; larger buffers are not written out in preprocess.json
Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Bundle:
    """A version whose every file was verified, in memory.

    Raises:
        Damaged: it is not what was saved.
        NotFound: it was deleted in the meantime.
    """

    def __init__(self, version: Version):
        self.version, self.manifest = version, version.manifest
        self.files = version.verify()

    def __repr__(self) -> str:
        return f"Bundle({self.version})"

    @cached_property
    def config(self) -> dict[str, Any]:
        """The config of the run it came from, plain; of it, only `model` is ever built."""
        return read_config(self.files[CONFIG], self.version.folder / CONFIG)

    @cached_property
    def weights(self) -> dict[str, Tensor]:
        shared = self.manifest.get("shared_weights") or {}
        return decode(self.files[WEIGHTS], self.version.folder / WEIGHTS, shared)

    @cached_property
    def example(self) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Inputs, and what the model predicted for them when it was saved."""
        return examples.split(decode(self.files[PROBE], self.version.folder / PROBE))

    def model(self) -> LightningModule:
        """A new model with the weights, in evaluation mode, on the CPU. The caller's random state is left alone.

        Raises:
            ConfigError: the config names what is no part of a model; nothing of it was imported or run.
            Damaged: weights and architecture do not belong together.
        """
        estimator = self.files.get(ESTIMATOR)
        if estimator is not None:
            estimators.check(estimator, self.version.folder / ESTIMATOR)
        node = self.config.get("model")
        try:
            node = check_model(node)
        except ConfigError as error:
            origin = f"{self.version} was saved with {release(self.manifest.get('saved_with') or {})}"
            raise with_origin(error, {"model": node}, origin) from None
        with torch.random.fork_rng(devices=[]):
            model = build(node, "model")
        if not isinstance(model, LightningModule):
            raise ConfigError([Mistake("model._target_", f"{node['_target_']} is no LightningModule")])
        weights = estimators.put_back(self.weights, estimator, model, self.version.folder / ESTIMATOR)
        load_weights(model, weights, self.version.folder / WEIGHTS)
        return model.eval()

    def check_preprocessing(self, model: nn.Module) -> None:
        """Pass if preprocess.json says what the model does.

        Raises:
            Damaged: it does not.
        """
        path = self.version.folder / PREPROCESS
        if read_json(self.files[PREPROCESS], path) != json.loads(preprocessing(model)):
            raise Damaged(f"{path} does not say what the buffers in {WEIGHTS} hold")


def read_config(raw: bytes, path: object) -> dict[str, Any]:
    """YAML of plain values, limited in size and depth, without aliases and tags.

    Raises:
        Damaged: it is none.
        Newer: a later fulmen wrote it.
    """
    if len(raw) > LARGEST_CONFIG:
        raise Damaged(f"{path} has {len(raw):,} bytes; refused beyond {LARGEST_CONFIG:,}")
    depth = 0
    try:
        for event in yaml.parse(raw, Loader=Loader):
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > DEEPEST_CONFIG:
                raise Damaged(f"{path} is nested more than {DEEPEST_CONFIG} deep")
            if isinstance(event, yaml.AliasEvent) or (getattr(event, "tag", None) and not all_implicit(event)):
                raise Damaged(f"{path}: aliases and tags are refused (line {event.start_mark.line + 1})")
        plain = yaml.load(raw, Loader=Loader)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise Damaged(f"{path} is no readable YAML: {str(error).splitlines()[0]}") from None
    if not isinstance(plain, dict):
        raise Damaged(f"{path} holds no config")
    return led_on(plain, path)


def all_implicit(event: yaml.Event) -> bool:
    """Whether nobody wrote a tag: libyaml gives `!` to quoted texts."""
    return isinstance(event, yaml.ScalarEvent) and bool(event.tag == "!")


def check_model(node: Any) -> dict[str, Any]:
    """The `model` node itself if it names nothing but modules, optimizers and schedulers, with arguments they take.

    Narrower than what a run folder may hold, since a bundle is meant to travel. Whatever is outside the parts of a
    training is refused before anything of it is imported; so are functions (which could download or write), but for
    those of `fulmen.optim.schedulers`.

    Raises:
        ConfigError: all mistakes.
    """
    if not is_node(node):
        raise ConfigError([Mistake("model", "has no _target_")])
    mistakes = find_interpolations({"model": node}) or list(check_nodes(node, "model", trusted=False))
    mistakes += unsaid({"model": node}, None)
    if mistakes:
        raise ConfigError(mistakes)
    for path, target in targets(node, "model"):
        found = locate_untrusted(target)
        kinds = (nn.Module, Optimizer, LRScheduler)
        if not (isinstance(found, type) and issubclass(found, kinds)) and found.__module__ != "fulmen.optim.schedulers":
            mistakes.append(Mistake(path, f"{target} is no module, optimizer or scheduler: refused in a saved model"))
    if mistakes:
        raise ConfigError(mistakes)
    return dict(node)


def targets(value: Any, path: str) -> Iterator[tuple[str, str]]:
    """Every `_target_` in nested plain values, with its path."""
    if isinstance(value, dict | list):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            if key == "_target_":
                yield f"{path}.{key}", item
            else:
                yield from targets(item, f"{path}.{key}")


def load_weights(model: nn.Module, weights: Mapping[str, Tensor], path: object) -> None:
    """Fill in weights and buffers; each keeps the type it was saved with.

    Raises:
        Damaged: names or shapes are not the model's.
    """
    own, stored = shapes(model.state_dict()), shapes(weights)
    if own != stored:
        name = next(name for name in own | stored if own.get(name) != stored.get(name))
        raise Damaged(
            f"{path} does not fit the model in {CONFIG}: {name} is {stored.get(name, 'absent')} there and "
            f"{own.get(name, 'absent')} in the model"
        )
    for name, tensor in (*model.named_parameters(), *model.named_buffers()):
        if name in weights and tensor.dtype != weights[name].dtype:
            tensor.data = tensor.data.to(weights[name].dtype)
    model.load_state_dict(weights)


def shapes(tensors: Mapping[str, Tensor]) -> dict[str, tuple[int, ...]]:
    """Of each tensor; an estimator has the size it happens to have."""
    return {name: () if estimators.is_estimator(name) else tuple(value.shape) for name, value in tensors.items()}


def preprocessing(model: nn.Module) -> bytes:
    """preprocess.json: the fitted buffers (means, deviations, bins, thresholds) of a model, for people to read."""
    buffers = {name: value for name, value in model.state_dict().items() if name in dict(model.named_buffers())}
    small = {name: plain(value) for name, value in buffers.items() if value.numel() <= FITTED}
    return f"{json.dumps({'buffers': small}, indent=1)}\n".encode()
