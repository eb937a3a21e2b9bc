"""All that can be chosen and changed, as plain values: `fulmen schema` and the help of an experiment are made of it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from typing import Any

from fulmen.config import signature_index
from fulmen.config.allow_list import TargetError, locate, without_import
from fulmen.config.check import compose
from fulmen.config.choice_files import workload_of
from fulmen.config.comments import first_comment
from fulmen.config.compose import choices_made, compositions_kept, to_plain
from fulmen.config.described import Entry, describe
from fulmen.config.mistakes import join
from fulmen.config.places import conf_file
from fulmen.config.plain_types import remade_type
from fulmen.config.rules import is_node
from fulmen.config.schema import TrainConfig, choices, groups, shared_out
from fulmen.config.signatures import OF_HYDRA, literals, parameters
from fulmen.config.signatures import describe as in_words
from fulmen.config.words import network_of, options, workload

FORMAT = 1
PARTS = ("data", "model")  # groups whose choices are classes of workloads


@dataclass
class Argument:
    """One thing that can be changed.

    Attributes:
        path: as one types it, `model.optimizer.lr`.
        type: in words.
        choices: all values there are, where they can be listed.
        default: of the code, where it is a plain value; None also stands for null.
        required: whether the code has no default.
        value: in the experiment; the default where no file says anything.
        about: what its docstring says.
    """

    path: str
    type: str
    choices: list[Any]
    default: Any
    required: bool
    value: Any
    about: str


@dataclass
class Node:
    """What a `_target_` makes, and its arguments."""

    path: str
    target: str
    about: str
    arguments: list[Argument]


@dataclass
class Group:
    """A config group.

    Attributes:
        chosen: in the experiment; None: nothing, or the experiment says itself what stands there.
        choices: name -> the comment in its file.
    """

    name: str
    chosen: str | None
    choices: dict[str, str]


@dataclass
class Surface:
    """An experiment: what can be chosen, the keys at the top, and the arguments of every node."""

    experiment: str
    about: str
    workload: str
    groups: list[Group]
    top: list[Argument]
    nodes: list[Node] = field(default_factory=list)


def as_plain(experiments: Sequence[str]) -> dict[str, Any]:
    """The surfaces of experiments as JSON can keep them."""
    found = {name: asdict(surface([f"experiment={name}"])) for name in experiments}
    return {"format": FORMAT, "fulmen": version("fulmen"), "experiments": found}


def surface(overrides: Sequence[str]) -> Surface:
    """All that can be changed of what `overrides` choose, without an import where everything is known already.

    Raises:
        ConfigError: the overrides cannot be composed.
    """
    with compositions_kept(), without_import() as unknown:
        cfg, chosen = compose(overrides), choices_made(list(overrides))
        plain = to_plain(cfg)
        nodes = list(_nodes(plain, ""))
    if unknown:
        for target in unknown:
            locate(target)
        signature_index.keep(unknown, parameters)
        nodes = list(_nodes(plain, ""))
    owner = workload(network_of(cfg.experiment, overrides) or "")
    return Surface(
        experiment=cfg.experiment,
        about=first_comment(conf_file(f"experiment/{cfg.experiment}.yaml")),
        workload=owner,
        groups=list(_groups(cfg.experiment, owner, chosen, overrides)),
        top=_top(plain),
        nodes=nodes,
    )


def _groups(experiment: str, owner: str, chosen: Mapping[str, str | None], overrides: Sequence[str]) -> Iterator[Group]:
    for group in groups():
        names = options(group, experiment, overrides) if group != "experiment" else choices(group)
        names = [name for name in names if group not in PARTS or workload_of(group, name) in (owner, "")]
        folder = f"{group}/{owner}" if group in shared_out() else group
        if names:
            about = {name: first_comment(conf_file(f"{folder}/{name}.yaml")) for name in names}
            yield Group(group, (chosen.get(group) or "").rpartition("/")[2] or None, about)


def _top(plain: Mapping[str, Any]) -> list[Argument]:
    entry = describe(TrainConfig, parameters(TrainConfig))
    return [each for each in _arguments(entry, plain, "") if not is_node(plain.get(each.path))
            and each.path not in ("callbacks", "logger", "data", "model", "trainer")]  # fmt: skip


def _nodes(value: Any, path: str) -> Iterator[Node]:
    """Every node at and below `path`, the outer ones first."""
    if is_node(value) and isinstance(value["_target_"], str):
        try:
            entry = _entry(value["_target_"])
            arguments = _arguments(entry, value, path)
            later = [each for each in arguments if each.required and value.get("_partial_") and each.value is None]
            yield Node(path, value["_target_"], entry["doc"], [each for each in arguments if each not in later])
        except TargetError:
            pass  # the check says what is wrong with it, or it is known a moment later
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from _nodes(item, join(path, key))


def _entry(target: str) -> Entry:
    """What is known of a class or function."""
    found = locate(target)
    try:
        return signature_index.entry_of(target)
    except signature_index.Stale:  # nothing can be written down here
        return describe(found, parameters(found))


def _arguments(entry: Entry, given: Mapping[str, Any], path: str) -> list[Argument]:
    found = []
    for each in entry["parameters"] or ():
        name = each["name"]
        if each["kind"] in (2, 4) or name in OF_HYDRA:  # *args and **kwargs
            continue
        annotation = remade_type(each["type"]) if "type" in each else Any
        default = each.get("default", each.get("shown"))
        value = given.get(name, default)
        found.append(
            Argument(
                path=join(path, name),
                type=in_words(annotation),
                choices=literals(annotation),
                default=default,
                required="default" not in each and "shown" not in each,
                value=value["_target_"] if is_node(value) else value,
                about=entry["arguments"].get(name, ""),
            )
        )
    return found
