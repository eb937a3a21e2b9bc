"""About 200 wrong commands and config files, made by kind from the shipped configs and the signatures they name.

The same seed gives the same cases. What a right answer is, each case says for itself: see `Case`.
"""

import inspect
import random
import shlex
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from omegaconf import OmegaConf

from fulmen.config.allow_list import locate
from fulmen.config.check import compose
from fulmen.config.mistakes import as_text
from fulmen.config.places import conf_folders
from fulmen.config.schema import choices, groups, leaves, shared_out
from fulmen.config.words import network_of, options, workload

SEED = 16
EXPERIMENTS = choices("experiment")
TOP = {"seed": 7, "threads": 2, "monitor": "val/loss", "test": False, "seeds": 2}
OF_OTHERS = ("lr", "factor", "patience", "max_epochs", "min_delta", "weight_decay", "momentum", "save_top_k")
NEVER = ("folder", "dirpath", "seed", "filename", "cache", "classes", "inputs", "labels", "features")


@dataclass(frozen=True)
class Case:
    """One command that has to be refused before any work.

    Attributes:
        kind: of mistake.
        place: of the config in which it lies.
        typed: the arguments of the program.
        right: the arguments without the slip; what is offered has to come to the same. None: no one can know them.
        says: what the message has to name.
        goes: overrides that a cure has to leave out, and to name.
        program: `train.py` or `sweep.py`.
        files: of a project of one's own, path -> content; the command is started in its folder.
        slip: what is wrong with them.
    """

    kind: str
    place: str
    typed: tuple[str, ...]
    right: tuple[str, ...] | None = None
    says: tuple[str, ...] = ()
    goes: tuple[str, ...] = ()
    program: str = "train.py"
    files: Mapping[str, bytes] = field(default_factory=dict)
    slip: str = ""

    def __str__(self) -> str:
        what = f" ({self.slip})" if self.slip else ""
        return f"{self.kind}{what}, {self.place}: {self.program} {shlex.join(self.typed)}"

    def write(self, folder: Path) -> None:
        """Make the folder in which the command is started."""
        folder.mkdir(exist_ok=True)
        for name, content in self.files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)


@dataclass(frozen=True)
class Argument:
    """One argument of a node of an experiment: where it stands, its type, and a value other than the usual one."""

    path: str
    place: str
    kinds: tuple[type, ...]
    words: tuple[str, ...]
    other: typing.Any

    @property
    def name(self) -> str:
        return self.path.rpartition(".")[2]

    def set(self, value: object = ...) -> str:
        return f"{self.path}={as_text(self.other if value is ... else value)}"


def cases(seed: int = SEED) -> list[Case]:
    """All cases, those of one kind together."""
    from wrong_files import slips_in_files

    rng = random.Random(seed)
    kinds = (
        misspelt_keys, misspelt_nodes, misspelt_choices, misspelt_words, misspelt_classes, slips_in_values, wrong_types,
        wrong_classes, other_workloads, missing_values, two_at_once, searches, slips_in_files,
    )  # fmt: skip
    found = [case for kind in kinds for case in kind(rng)]
    wrong = [case for case in found if case.typed != case.right]  # two equal letters, swapped, are no slip
    return list({(case.program, case.typed, *case.files.values()): case for case in wrong}.values())


def misspelt(word: str, known: typing.Iterable[str], rng: random.Random) -> str:
    """`word` with one slip of the fingers: letters swapped, one lost, doubled or hit beside."""
    known = set(known)
    for _ in range(100):
        i = rng.randrange(1, max(2, len(word) - 1))
        beside = rng.choice("aeionrst")
        slips = [word[:i] + word[i] + word[i:], word[:i] + beside + word[i + 1 :]] if len(word) > 1 else [word * 2]
        if len(word) > 3:
            slips += [word[: i - 1] + word[i] + word[i - 1] + word[i + 1 :], word[:i] + word[i + 1 :]]
        slip = rng.choice(slips)
        if slip not in known and slip.strip("_."):
            return slip
    raise ValueError(f"no slip of {word} that is not a word itself")


def misspelt_keys(rng: random.Random) -> Iterator[Case]:
    """A slip in the last word of a key, in every place, beside something that has to stay."""
    for experiment in EXPERIMENTS:
        chosen = f"experiment={experiment}"
        top = rng.choice(sorted(TOP))
        wrong = f"{misspelt(top, TOP, rng)}={as_text(TOP[top])}"
        yield Case("misspelt key", "top", (chosen, wrong), (chosen, f"{top}={as_text(TOP[top])}"), (key(wrong),))
        for place in rng.sample(places(experiment), k=min(6, len(places(experiment)))):
            argument = rng.choice(arguments(experiment, place))
            slip = misspelt(argument.name, names_beside(experiment, argument.path), rng)
            wrong = argument.set().replace(f"{argument.name}=", f"{slip}=")
            typed, right = (chosen, wrong, "seed=7"), (chosen, argument.set(), "seed=7")
            yield Case("misspelt key", place, typed, right, (key(wrong),))


def misspelt_nodes(rng: random.Random) -> Iterator[Case]:
    """A slip in a word in the middle of a key."""
    for experiment in EXPERIMENTS:
        deep = [one for place in places(experiment) for one in arguments(experiment, place) if one.path.count(".") > 1]
        chosen, argument = f"experiment={experiment}", rng.choice(deep)
        first, node, *rest = argument.path.split(".")
        wrong = argument.set().replace(argument.path, ".".join([first, misspelt(node, (), rng), *rest]))
        yield Case(
            "misspelt node",
            argument.place,
            (chosen, wrong),
            (chosen, argument.set()),
            (".".join(wrong.split(".")[:2]),),
        )
        off = rng.choice(["callbacks.progress", "callbacks.diagnosis", "callbacks.summary", "logger.tensorboard"])
        wrong = f"{off.partition('.')[0]}.{misspelt(off.partition('.')[2], (), rng)}=null"
        yield Case("misspelt node", place_of(off), (chosen, wrong), (chosen, f"{off}=null"), (key(wrong),))
        part, *rest = argument.path.split(".")
        wrong = argument.set().replace(argument.path, ".".join([misspelt(part, groups(), rng), *rest]))
        yield Case("misspelt node", argument.place, (chosen, wrong), (chosen, argument.set()), (wrong.split(".")[0],))


def misspelt_choices(rng: random.Random) -> Iterator[Case]:
    """A slip in the name of an experiment, of a group and of a choice of one."""
    for experiment in EXPERIMENTS:
        wrong = misspelt(experiment, EXPERIMENTS, rng)
        typed, right = (f"experiment={wrong}", "seed=7"), (f"experiment={experiment}", "seed=7")
        yield Case("misspelt choice", "groups", typed, right, (wrong,))
        group = rng.choice([g for g in own_groups(experiment) if options(g, experiment)])
        choice = rng.choice([c for c in options(group, experiment) if c not in ("default", "none", "custom")])
        known = options(group, experiment)
        chosen, good = f"experiment={experiment}", f"{group}={choice}"
        wrong = f"{group}={misspelt(choice, known, rng)}"
        yield Case("misspelt choice", "groups", (chosen, wrong), (chosen, good), (key(wrong),))
        wrong = f"{misspelt(group, groups(), rng)}={choice}"
        yield Case("misspelt key", "groups", (chosen, wrong), (chosen, good), (key(wrong),))


def misspelt_words(rng: random.Random) -> Iterator[Case]:
    """A slip in the value of an argument that takes one of some words."""
    for experiment in EXPERIMENTS:
        of_words = [one for place in places(experiment) for one in arguments(experiment, place, words=True)]
        for argument in rng.sample(of_words, k=min(1, len(of_words))):
            word = rng.choice([each for each in argument.words if len(each) > 2] or argument.words)
            chosen = f"experiment={experiment}"
            wrong = argument.set(misspelt(word, argument.words, rng))
            right = (chosen, argument.set(word))
            yield Case("misspelt word", argument.place, (chosen, wrong), right, (argument.path,))


def misspelt_classes(rng: random.Random) -> Iterator[Case]:
    """A slip in a module or class that a `_target_` names."""
    for experiment in EXPERIMENTS:
        targets = {path: target for path, target in nodes(experiment).items() if not target.startswith("torch.optim.l")}
        path = rng.choice(sorted(targets))
        parts = targets[path].split(".")
        at = rng.choice([len(parts) - 1, rng.randrange(len(parts))])
        slip = ".".join([*parts[:at], misspelt(parts[at], (), rng), *parts[at + 1 :]])
        chosen, where = f"experiment={experiment}", f"{path}._target_"
        right = (chosen, f"{where}={targets[path]}")
        yield Case("misspelt class", place_of(path), (chosen, f"{where}={slip}"), right, (where,))


def slips_in_values(rng: random.Random) -> Iterator[Case]:
    """Values written as in another language or with a letter too much; it is plain what they mean."""
    for experiment in EXPERIMENTS:
        every = [one for place in places(experiment) for one in arguments(experiment, place)]
        chosen = f"experiment={experiment}"
        lr = "model.optimizer.lr"
        argument, value, wrong = rng.choice([
            (lr, "0.001", "0,001"), (lr, "1e-3", "1e-3x"), (lr, "0.002", "0.002."), (lr, "0.01", "'0.01'"),
        ])  # fmt: skip
        yield slip_of(chosen, argument, value, wrong)
        switch = rng.choice([one for one in every if one.kinds == (bool,)] or [Argument("test", "top", (bool,), (), 1)])
        yes = rng.choice([("true", "yes"), ("false", "no"), ("true", "ture"), ("false", "Flase"), ("true", "1")])
        yield slip_of(chosen, switch.path, *yes)
        whole = rng.choice([one for one in every if one.kinds == (int,)])
        yield slip_of(chosen, whole.path, str(whole.other), rng.choice(["{}.0", "'{}'", "{}x"]).format(whole.other))


def slip_of(chosen: str, path: str, value: str, wrong: str) -> Case:
    right = (chosen, f"{path}={value}")
    return Case("slip in a value", place_of(path), (chosen, f"{path}={wrong}"), right, (path,))


def wrong_types(rng: random.Random) -> Iterator[Case]:
    """Values of another type, from which nobody can know what was meant."""
    wrong = {int: ["many", "[1]", "2.5"], float: ["fast", "[1]", "true"], bool: ["3.5", "[true]", "perhaps"]}
    for experiment in EXPERIMENTS:
        every = [one for place in places(experiment) for one in arguments(experiment, place)]
        for argument in rng.sample(every, k=2):
            value = rng.choice(wrong[argument.kinds[0]])
            typed = (f"experiment={experiment}", f"{argument.path}={value}")
            yield Case("wrong type", argument.place, typed, None, (argument.path,))


def wrong_classes(rng: random.Random) -> Iterator[Case]:
    """A class that exists and makes something else."""
    strangers = ("torch.nn.Identity", "torch.optim.Adam", "lightning.pytorch.callbacks.Timer", "torch.nn.Linear")
    for experiment in EXPERIMENTS:
        others = [each for each in EXPERIMENTS if owner_of(each) != owner_of(experiment)]
        chosen, other = f"experiment={experiment}", rng.choice(others)
        if path := rng.choice([part for part in ("model.network", "data", "model") if part in nodes(other)]):
            typed = (chosen, f"{path}._target_={nodes(other)[path]}")
            yield Case("wrong class", place_of(path), typed, None, (path,), typed[1:])
        path = rng.choice(["data", "model", "trainer", "callbacks.best", "logger.csv", "model.optimizer"])
        wrong = rng.choice([one for one in strangers if path != "model.optimizer" or "optim" not in one])
        typed = (chosen, f"{path}._target_={wrong}")
        yield Case("wrong class", place_of(path), typed, None, (path,), typed[1:])


def other_workloads(rng: random.Random) -> Iterator[Case]:
    """Choices, groups, data and models of another workload."""
    for experiment in EXPERIMENTS:
        chosen, owner = f"experiment={experiment}", workload(network_of(experiment) or "")
        strange = [(group, home) for group, homes in shared_out().items() for home in homes if home != owner]
        for group, home in rng.sample(strange, k=2):
            choice = rng.choice(choices(f"{group}/{home}"))
            if choice in options(group, experiment):
                continue
            wrong = f"{group}={choice}"
            yield Case(
                "other workload", "groups", (chosen, wrong, "seed=7"), None, (f"{group}=", "belongs to", home), (wrong,)
            )
        part = rng.choice(["data", "model"])
        others = [c for c in ("images", "pbpk", "stocks", "sensors") if c in choices(part) and c != owner and owner]
        if others:
            typed = (chosen, f"{part}={rng.choice(others)}")
            yield Case("other workload", part, typed, None, ("belongs to", owner), typed[1:])


def missing_values(rng: random.Random) -> Iterator[Case]:
    """Keys with nothing behind `=`, with `???`, or without `=`."""
    for experiment in EXPERIMENTS:
        every = [one for place in places(experiment) for one in arguments(experiment, place)]
        argument, other = rng.sample(every, k=2)
        chosen = f"experiment={experiment}"
        nothing = rng.choice(["=", "=???", ""])
        yield Case("missing value", argument.place, (chosen, argument.path + nothing), None, (argument.path,))
        yield Case("missing value", other.place, (chosen, f"{other.path}=???"), None, (other.path,))
    yield Case("missing value", "top", ("experiment=",), None, ("experiment",))
    yield Case("missing value", "top", ("trainer.max_epochs=3",), None, ("experiment",))
    yield Case("missing value", "groups", ("experiment=stocks", "network="), None, ("network",))


def two_at_once(rng: random.Random) -> Iterator[Case]:
    """Two misspelt keys, or one and a misspelt choice: both are told, and one command mends them."""
    keys = [case for case in misspelt_keys(rng) if case.place not in ("top", "groups")]
    chosen_wrong = [case for case in misspelt_choices(rng) if case.place == "groups" and len(case.typed[1]) > 6]
    for experiment in EXPERIMENTS:
        own = [case for case in keys if case.typed[0] == f"experiment={experiment}"]
        first, second = rng.sample(own, k=2)
        typed, right = (*first.typed[:2], second.typed[1]), (*first.right[:2], second.right[1])
        yield Case("two at once", f"{first.place} and {second.place}", typed, right, (*first.says, *second.says))
        third = rng.choice(own)
        choice = rng.choice([c for c in chosen_wrong if c.typed[0] == third.typed[0]])
        typed, right = (*third.typed[:2], choice.typed[1]), (*third.right[:2], choice.right[1])
        yield Case("two at once", f"{third.place} and groups", typed, right, (*third.says, *choice.says))


def searches(rng: random.Random) -> Iterator[Case]:
    """Slips in what a search is asked for, and in the config that it searches."""
    spaces = {path.stem for folder in conf_folders() for path in folder.glob("search/space/**/*.yaml")}
    for experiment in sorted(spaces & set(EXPERIMENTS)):
        chosen = f"experiment={experiment}"
        name, value = rng.choice([("trials", "7"), ("workers", "2"), ("champion_seeds", "1"), ("retries", "1")])
        slip = misspelt(name, (), rng)
        good = (chosen, "search=random", f"search.{name}={value}")
        yield Case("misspelt key", "search", (*good[:2], f"search.{slip}={value}"), good, (slip,), program="sweep.py")
        sampler = rng.choice(["random", "tpe"])
        wrong = f"search={misspelt(sampler, choices('search'), rng)}"
        yield Case("misspelt choice", "search", (chosen, wrong), (chosen, f"search={sampler}"), ("search",),
                   program="sweep.py")  # fmt: skip
        argument = rng.choice(arguments(experiment, "trainer"))
        slip = misspelt(argument.name, names_beside(experiment, argument.path), rng)
        typed = (chosen, "search=random", argument.set().replace(f"{argument.name}=", f"{slip}="))
        good = (chosen, "search=random", argument.set())
        yield Case("misspelt key", "trainer", typed, good, (f"trainer.{slip}",), program="sweep.py")
        yield Case("wrong type", "search", (chosen, "search=random", "search.trials=many"), None, ("search.trials",),
                   program="sweep.py")  # fmt: skip


def key(override: str) -> str:
    return override.partition("=")[0]


def places(experiment: str) -> list[str]:
    """Where an experiment has arguments."""
    names = ["data", "model", "model.network", "model.optimizer", "model.scheduler", "trainer", "callbacks", "logger"]
    return [place for place in names if arguments(experiment, place)]


def own_groups(experiment: str) -> list[str]:
    """Groups of which the choices make sense in an experiment."""
    names = {"network", "loss", "sampler", "imbalance"} if workload(network_of(experiment) or "") else set()
    return sorted((names | {"scheduler", "debug"}) & set(groups()))


def place_of(path: str) -> str:
    first, _, rest = path.partition(".")
    second = rest.partition(".")[0]
    return f"model.{second}" if first == "model" and second in ("network", "optimizer", "scheduler") else first


@cache
def config(experiment: str) -> dict[str, typing.Any]:
    return typing.cast(dict, OmegaConf.to_container(compose(f"experiment={experiment}", output_dir="folder")))


@cache
def nodes(experiment: str) -> dict[str, str]:
    """Path -> `_target_` of every node in an experiment."""
    found = {path: value for path, value in leaves(config(experiment)) if path.endswith("._target_")}
    return {path.removesuffix("._target_"): target for path, target in found.items()}


def owner_of(experiment: str) -> str:
    """The workload that the model of an experiment belongs to."""
    return nodes(experiment)["model"].partition(".workloads.")[2].partition(".")[0]


def names_beside(experiment: str, path: str) -> list[str]:
    """Every argument that the node around `path` takes."""
    return list(inspect.signature(locate(nodes(experiment)[path.rpartition(".")[0]])).parameters)


@cache
def arguments(experiment: str, place: str, words: bool = False) -> tuple[Argument, ...]:
    """Arguments in a place that are a number or a switch, or (`words`) one of some words, with other values."""
    given = dict(leaves(config(experiment)))
    every = [one for path, target in nodes(experiment).items() for one in arguments_of(path, target, given)]
    return tuple(one for one in every if one.place == place and bool(one.words) is words)


def arguments_of(path: str, target: str, given: Mapping[str, typing.Any]) -> Iterator[Argument]:
    """The arguments of one node whose types are plain; of other people's classes those that we use."""
    found = locate(target)
    hints = typing.get_type_hints(found.__init__ if isinstance(found, type) else found)
    for name, parameter in inspect.signature(found).parameters.items():
        where, hint = f"{path}.{name}", hints.get(name)
        if name in NEVER or not (target.startswith("fulmen.") or name in OF_OTHERS):
            continue
        value = given.get(where, parameter.default)
        kinds = [kind for kind in typing.get_args(hint) or (hint,) if kind is not type(None)]
        if typing.get_origin(hint) is typing.Literal and all(isinstance(word, str) for word in kinds):
            yield Argument(where, place_of(where), (str,), tuple(kinds), kinds[-1])
        elif kinds[0] in (int, float, bool) and isinstance(value, kinds[0]):
            yield Argument(where, place_of(where), tuple(kinds), (), another(value))


def another(value: float) -> float:
    """A value near to this one, of the same type."""
    return not value if isinstance(value, bool) else value * 2 + (value < 8) if isinstance(value, int) else value / 2
