"""What a config for training holds, and everything that can be wrong with one."""

import operator
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from fulmen.config.allow_list import locate, locate_untrusted
from fulmen.config.choice_files import workload_of
from fulmen.config.classes import of_two_workloads, owner_of, wrong_parts
from fulmen.config.contradictions import contradictions
from fulmen.config.elsewhere import told_where
from fulmen.config.mistakes import Broken, Mistake, by_cause, did_you_mean, drop, join, nearest, put, rename
from fulmen.config.places import conf_folders
from fulmen.config.places import project_root as project_root
from fulmen.config.rules import Count, Rule, between, is_node, says_something
from fulmen.config.signatures import check_call, check_nodes
from fulmen.errors import FulmenError
from fulmen.utils.precision import AUTO

OLD_WORDS = {"zoo": "network", "tabular": "network", "gallery": "debug"}  # what groups were called -> are called

Node = Annotated[dict[Any, Any], Rule("with a _target_", is_node)]


@dataclass
class TrainConfig:
    """The keys at the top of a config and their types; below a node the arguments of its target are the keys.

    Args:
        data: the data module.
        model: the network with its loss.
        trainer: Lightning's Trainer.
        callbacks: name -> callback.
        logger: name -> logger.
        seed: of weights, order and dropout; the data have a seed of their own where they are simulated.
        threads: of the processor; auto takes as many as the run makes use of.
        monitor: the metric that checkpoints and early stopping go by.
        mode: whether less or more of it is better; where it is left out, the model says so.
        test: whether the test split is evaluated at the end.
        leaks: whether leaks are looked for in the data before the training: off, scan (what shows without training),
            deep (and by models that are fitted with and without what is suspected); strict and deep_strict refuse to
            train where one is found.
        folds: of a cross-validation: a run for each.
        seeds: how many seeds to train, a run for each.
        ensemble: whether the mean of the predictions of all seeds becomes one model more; all see the same data.
        resume: the folder of a run to go on with.
        weights: a run folder or a kept model whose weights a new run starts from.
        findings: `ignore`, codes or names of findings that are not reported: {ignore: [FUL-D10, overfitting]}.
        output_dir: the run folder; a fresh one below outputs/runs by default.
        experiment: what to train.
    """

    data: Node
    model: Node
    trainer: Node
    callbacks: dict[Any, Any] | None = None
    logger: dict[Any, Any] | None = None
    seed: Annotated[int, Rule("from 0 to 4294967295", between, (0, 2**32 - 1))] = 42
    threads: Count | Literal["auto"] = "auto"
    monitor: Annotated[str, Rule("that names a metric", says_something)] = "val/loss"
    mode: Literal["min", "max"] = "min"
    test: bool = True
    leaks: Literal["off", "scan", "strict", "deep", "deep_strict"] = "scan"
    folds: Annotated[int, Rule("of at least 2", operator.ge, (2,))] | None = None
    seeds: Count = 1
    ensemble: bool = False
    resume: str | None = None
    weights: Annotated[str, Rule("that names a run folder or a kept model", says_something)] | None = None
    findings: dict[Any, Any] | None = None
    output_dir: str | None = None
    experiment: str | None = None


def choices(group: str) -> list[str]:
    """The files in conf/<group>, without `.yaml`."""
    return sorted({path.stem for folder in conf_folders() for path in (folder / group).glob("*.yaml")})


def refuse_unknown(experiment: str) -> None:
    """Pass if there is an experiment of this name.

    Raises:
        FulmenError: there is none.
    """
    if experiment not in (there := choices("experiment")):
        raise FulmenError(f"there is no experiment {experiment}{did_you_mean(experiment, there)}")


def groups() -> list[str]:
    """The config groups of a training: the folders in conf, but those of a search."""
    return sorted({Path(folder).name for conf in conf_folders() for folder in _folders(conf)} - {"search", "hydra"})


def shared_out() -> dict[str, list[str]]:
    """The groups whose choices lie in a folder for each workload, and the workloads that have some."""
    found: dict[str, set[str]] = {}
    for group in (Path(folder) for conf in conf_folders() for folder in _folders(conf)):
        own = {Path(each).name for each in _folders(group) if any(name.endswith(".yaml") for name in os.listdir(each))}
        if own and group.name not in ("search", "hydra"):
            found.setdefault(group.name, set()).update(own)
    return {group: sorted(found[group]) for group in sorted(found)}


def _folders(folder: Path) -> list[str]:
    with os.scandir(folder) as entries:
        return [entry.path for entry in entries if entry.is_dir()]


def is_group(key: str) -> bool:
    """Whether a key is a config group, by its name of today or of before."""
    return key in OLD_WORDS or key in groups()


def find_mistakes(plain: dict[str, Any], trusted: bool = True) -> list[Mistake]:
    """All that is wrong with a resolved config; `trusted` as in `fulmen.config.check.check`."""
    if not trusted and (found := find_interpolations(plain)):
        return found
    if trusted and (strangers := list(of_two_workloads(plain))):
        return strangers  # nothing of them fits the rest
    found = [_nothing_chosen(part, plain) for part in ("data", "model", "trainer") if plain.get(part) is None]
    found += [m for m in check_call(TrainConfig, plain, "", "the config") if m.path not in {f.path for f in found}]
    found += _entries_without_target(plain)

    if isinstance(plain.get("trainer"), dict) and plain["trainer"].get("precision") == AUTO:
        plain = plain | {"trainer": plain["trainer"] | {"precision": None}}  # resolved before Lightning sees it
    values = dict(leaves(plain))
    wrong = [values[mistake.path] for mistake in found if mistake.path in values]
    for mistake in check_nodes(plain, "", trusted):
        if isinstance(mistake, Broken) and mistake.problem in {each.problem for each in found}:
            continue
        if values.get(mistake.path, ...) not in wrong:  # ${seed} is as wrong as seed: say it once
            found.append(mistake)
    known = {mistake.path for mistake in found}
    parts = wrong_parts(plain, locate if trusted else locate_untrusted)
    found += [mistake for mistake in parts if mistake.path not in known]
    found = told_where(found, plain, locate if trusted else locate_untrusted)
    missing = [path for path, value in values.items() if value == "???" and path not in known]
    if trusted and not found:
        found += contradictions(plain)
    return by_cause(found) + [Mistake(path, "has no value (???)", put(path, 1)) for path in missing]


def find_interpolations(plain: dict[str, Any]) -> list[Mistake]:
    """Every `${...}`: in a config from elsewhere it could read the environment, and a stored one has none."""
    problem = "${...} is not allowed in a config from elsewhere; a stored config is fully resolved"
    return [Mistake(path, problem) for path, value in leaves(plain) if "${" in path or "${" in str(value)]


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every plain value in nested dicts and lists with its dotted path."""
    if isinstance(value, dict | list):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from leaves(item, join(path, key))
    else:
        yield path, value


def _nothing_chosen(part: str, plain: dict[str, Any]) -> Mistake:
    """The mistake of a config without data, a model or a trainer; data and a model have to be of one workload."""
    there = sorted(choices(part), key=lambda choice: choice != "default")
    other = plain.get("model" if part == "data" else "data")
    if part != "trainer" and isinstance(other, dict) and is_node(other):
        owner = owner_of(other["_target_"])
        there = [name for name in there if owner and workload_of(part, name) == owner[1]]
    known = f"there is {', '.join(there)}" if there else f"the experiment needs a node `{part}:` with a _target_"
    return Mistake(part, f"nothing chosen; {known}", put(part, there[0]) if there else None)


def _entries_without_target(plain: dict[str, Any]) -> Iterator[Mistake]:
    """Callbacks and loggers that are neither a node nor null, mostly misspelled names of others."""
    for part in ("callbacks", "logger"):
        entries = plain.get(part)
        if not isinstance(entries, dict):
            continue
        named = [name for name, entry in entries.items() if is_node(entry)]
        for name, entry in entries.items():
            if entry is not None and not is_node(entry):
                where, meant = join(part, name), nearest(str(name), named)
                mend = rename(where, join(part, meant), entry) if meant else drop(where)
                yield Mistake(where, f"has no _target_{did_you_mean(str(name), named)}", mend)
