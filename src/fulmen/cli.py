"""The verbs after training; each a few lines over the rooms that do the work."""

import argparse
import inspect
import json
import os
import shlex
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

from fulmen.config.arguments import AnyOrder
from fulmen.config.places import TRAIN, workloads
from fulmen.config.workload_verbs import with_verbs
from fulmen.errors import FulmenError
from fulmen.signals import answering, interruptible, output_closed
from fulmen.utils.threads import quiet_waiting

# name -> default
RANK_OPTIONS = {"metric": None, "folds": 5, "seeds": 1, "outputs": "outputs", "save_top": 0, "out": None, "nested": 0}
INTERRUPTED = "interrupted; the same command does it again"
PROGRAMS = {  # verb -> what it does, and what to say of it where a signal ends it
    "train": ("train one experiment", "interrupted before anything was begun; start it again"),
    "sweep": ("search its hyperparameters", "interrupted; the same command begins or goes on with the search"),
}


def main(argv: list[str] | None = None) -> int:
    typed = sys.argv[1:] if argv is None else argv
    if typed and typed[0] in PROGRAMS:
        return start(typed[0], typed[1:])
    try:
        with answering(INTERRUPTED, program=argv is None):
            quiet_waiting()
            if typed[:1] == ["-sc"]:
                from fulmen.config.completion import answer

                print(answer(typed[1:], parser().get_default("verbs")))
                return 0
            known = parser()
            refuse_no_verb(typed, known.get_default("verbs"))
            arguments = known.parse_args(argv)
            return arguments.call(arguments)
    except FulmenError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    except BrokenPipeError:  # `| head` has seen enough
        return output_closed()


def start(program: str, arguments: list[str]) -> int:
    """`fulmen train ...` and `fulmen sweep ...`, which take what train.py and sweep.py take."""
    sys.argv = [f"fulmen {program}", *arguments]
    if os.getcwd() not in sys.path:
        sys.path.append(os.getcwd())  # where one's own classes may lie; the last place, nothing is hidden by it
    with answering(PROGRAMS[program][1]):
        from fulmen import entrypoints  # where a signal is answered already

        entrypoints.train_program() if program == "train" else entrypoints.search_program()
    return 0


def parser() -> AnyOrder:
    """The command line of all verbs."""
    from fulmen.registry.cli import add_verbs as add_registry
    from fulmen.runs.check_cli import add_verb as add_check
    from fulmen.runs.cli import add_verbs as add_runs
    from fulmen.serve.command import add_verb as add_serve

    whole = AnyOrder(prog="fulmen", description="Train, search, and work with finished runs.")
    verbs = whole.add_subparsers(dest="verb", required=True)
    for program, (text, _) in PROGRAMS.items():
        verbs.add_parser(program, help=f"{text}; `fulmen {program} --help` says more", add_help=False)
    new = verbs.add_parser("new", help="write a project of your own, which trains at once")
    new.add_argument("name", type=Path, help="name of its folder and its package, for example mylab")
    new.add_argument("--workload", help=f"one to start from: {', '.join(workloads())} (default: a small data set)")
    new.set_defaults(call=begin_project)
    add_check(verbs)
    add_runs(verbs, kept_models)
    compare = verbs.add_parser("compare", help="compare runs on the test items they share; trains what is missing")
    compare.add_argument(
        "overrides", nargs="+", metavar="RUN|EXPERIMENT|OVERRIDE",
        help="run folders, or experiments with their overrides in quotes ('images_plain loss=focal'); an override "
        "without quotes (seeds=3) is for all of them",
    )  # fmt: skip
    compare.add_argument("-o", "--out", type=Path, help="folder of the report (default: outputs/comparisons/<stamp>)")
    compare.add_argument("--outputs", default="outputs", help="folder that holds runs/ (default: outputs)")
    compare.add_argument("--ensemble", action="store_true", help="the mean of the predictions of all takes part too")
    compare.set_defaults(call=compare_runs)
    add_registry(verbs)
    add_serve(verbs)
    rank = verbs.add_parser(
        "rank", help="train all networks of an experiment and its baselines on the same folds, and rank them"
    )
    rank.add_argument("experiment", help="for example sensors")
    rank.add_argument(
        "overrides", nargs="*", default=[], help="settings as train.py takes them, for example data.machines=8"
    )
    rank.add_argument("--metric", help="metric to rank by (default: the first that the workload names)")
    rank.add_argument("--folds", type=int, default=5, help="number of folds of the cross-validation (default: 5)")
    rank.add_argument("--seeds", type=int, default=1, help="how many networks to train for each fold (default: 1)")
    rank.add_argument("--outputs", default="outputs", help="folder that holds rankings/ (default: outputs)")
    rank.add_argument("-o", "--out", type=Path, help="folder of the ranking (default: outputs/rankings/<stamp>)")
    rank.add_argument("--save-top", type=int, default=0, metavar="K", help="keep the K best rows as models")
    rank.add_argument(
        "--nested", type=int, nargs="?", const=3, default=0, metavar="FOLDS",
        help="what choosing the best is worth: so many folds within each fold choose (default: 3), the fold judges",
    )  # fmt: skip
    rank.set_defaults(call=hold_contest)
    add_curve(verbs)
    schema = verbs.add_parser("schema", help="all that can be chosen and changed of experiments, as JSON")
    schema.add_argument("experiment", nargs="*", help="for example stocks (default: all)")
    schema.set_defaults(call=show_schema)
    add_diagnose(verbs)
    for name in with_verbs():
        own = verbs.add_parser(
            name, help=f"commands of the {name} workload; `fulmen {name}` lists them", add_help=False, prefix_chars="\0"
        )  # whatever is typed, options and --help too, is for the command to read
        own.add_argument("words", nargs="*")
        own.set_defaults(call=do_own_verb, workload=name)
    whole.set_defaults(verbs=list(verbs.choices))
    return whole


def add_curve(verbs: Any) -> None:
    curve = verbs.add_parser("curve", help="train an experiment on shares of its data: would more of them help?")
    curve.add_argument("experiment", help="for example sensors")
    curve.add_argument(
        "overrides", nargs="*", default=[], help="settings as train.py takes them, for example trainer.max_epochs=5"
    )
    curve.add_argument(
        "--shares", type=float, nargs="+", default=(0.125, 0.25, 0.5), metavar="SHARE",
        help="of the training samples, beside all of them (default: 0.125 0.25 0.5)",
    )  # fmt: skip
    curve.add_argument("--seeds", type=int, default=3, help="trainings of each share (default: 3)")
    curve.add_argument("--outputs", default="outputs", help="folder that holds runs/ (default: outputs)")
    curve.add_argument("-o", "--out", type=Path, help="folder of the report (default: outputs/curves/<stamp>)")
    curve.set_defaults(call=draw_curve)


def add_diagnose(verbs: Any) -> None:
    diagnose = verbs.add_parser("diagnose", help="say what is wrong with a training, and what to try")
    diagnose.add_argument("path", help="a run folder, or a log of any tool with one or both losses, as file or folder")
    diagnose.add_argument("--train", metavar="COLUMN", help="column of the training loss; none: there is none")
    diagnose.add_argument("--val", metavar="COLUMN", help="column of the validation loss; none: there is none")
    diagnose.add_argument(
        "--run", metavar="RUN", help="which of several runs: fold=0, a number from 1; all: one training throughout"
    )
    better = diagnose.add_mutually_exclusive_group()
    for way in ("higher", "lower"):
        better.add_argument(
            f"--{way}-is-better",
            dest="better",
            action="store_const",
            const=way,
            help=f"{way} values are better",
        )
    diagnose.add_argument("--decimal", choices=["comma", "point"], help="sign before the decimals of its numbers")
    diagnose.add_argument("--epoch", metavar="COLUMN", help="column of the epochs; none: every row is a check")
    diagnose.add_argument("--phase", metavar="COLUMN", help="column that says whether a row is training or validation")
    diagnose.add_argument("--missing", metavar="MARK", help="what stands where there is no value")
    diagnose.add_argument(
        "--ignore",
        metavar="FINDING",
        action="append",
        default=[],
        help="leave out a finding, by code or name (FUL-D10); may be given again",
    )
    diagnose.add_argument("--json", action="store_true", help="print the findings as JSON, for programs")
    diagnose.add_argument("--strict", action="store_true", help="end with exit code 1 if something is wrong")
    diagnose.set_defaults(call=show_diagnosis)


def refuse_no_verb(typed: Sequence[str], verbs: Sequence[str]) -> None:
    """Pass if a command line begins with a verb, or with an option.

    Raises:
        FulmenError: it begins with another word, or is empty.
    """
    if not typed:
        raise FulmenError(f"fulmen: which command? There is {', '.join(verbs)}; `fulmen --help` says what each does")
    if typed[0].startswith("-") or typed[0] in verbs:
        return
    from fulmen.config.mistakes import did_you_mean

    if typed[0] in workloads():
        raise FulmenError(f"{typed[0]} has no commands of its own; `{TRAIN} --help` lists what can be trained")
    raise FulmenError(f"fulmen has no command {typed[0]}{did_you_mean(typed[0], verbs)}")


def begin_project(arguments: argparse.Namespace) -> int:
    from fulmen.scaffold.new import new_project

    place = arguments.name
    for path in new_project(place, arguments.workload):
        print(place / path)
    print(f"\nnext: cd {place} && make train   (or: fulmen train experiment={place.name})")
    return 0


def kept_models() -> dict[Path, list[str]]:
    """The models that are kept, by the run folder that each came from."""
    from fulmen.registry.origins import origins

    return origins()


def compare_runs(arguments: argparse.Namespace) -> int:
    overrides = [name for name in arguments.overrides if "=" in name.split()[0]]
    names = dict.fromkeys(name for name in arguments.overrides if name not in overrides)
    if len(names) < 2:
        raise FulmenError("a comparison takes two runs or more: fulmen compare RUN RUN ...")
    for name in names:
        experiment, *own = shlex.split(name)
        with mended_as(partial(compare_again, arguments, name, own, overrides)):
            judge(experiment, [*own, *overrides])
    from fulmen.comparison.named import compare_named

    with interruptible(lambda: "interrupted; what has been trained is kept, the same command goes on"):
        compare_named(list(names), overrides, arguments.out, Path(arguments.outputs), arguments.ensemble)
    return 0


@contextmanager
def mended_as(words: Callable[[list[str]], list[str]]) -> Iterator[None]:
    """Tell mistakes with a command of this verb: `words` makes it of overrides that work, `experiment=` left out."""
    from fulmen.config.mistakes import ConfigError, key_of

    try:
        yield
    except ConfigError as error:
        mended = [each for each in error.overrides if key_of(each) != "experiment"] if error.overrides else None
        works = None if mended is None else words(mended)
        raise ConfigError(error.mistakes, works, "fulmen", error.without) from error


def options_of(arguments: argparse.Namespace, defaults: Mapping[str, Any]) -> list[str]:
    """The options that were typed, as one types them."""
    given = {name: vars(arguments)[name] for name, default in defaults.items() if vars(arguments)[name] != default}
    return [word for name, value in given.items() for word in (f"--{name.replace('_', '-')}", str(value))]


def compare_again(
    arguments: argparse.Namespace, name: str, own: list[str], shared: list[str], mended: list[str]
) -> list[str]:
    """The words of a comparison in which `mended` stand for `own` overrides of one name and those `shared` by all."""
    if all(override in mended for override in own):
        own, shared = own, [override for override in mended if override not in own]
    else:
        own = [override for override in mended if override not in shared]
    again = shlex.join([shlex.split(name)[0], *own])
    others = [again if each == name else each for each in arguments.overrides if "=" not in each.split()[0]]
    return ["compare", *others, *shared, *options_of(arguments, {"out": None, "outputs": "outputs"})]


def judge(experiment: str, overrides: Sequence[str]) -> None:
    """Pass if overrides of an experiment have no mistake that can be seen before torch is imported.

    Raises:
        ConfigError: they have; the message holds a command that works.
    """
    from fulmen.config.compose import expand
    from fulmen.config.cures import refuse_without_import
    from fulmen.config.mistakes import ConfigError
    from fulmen.config.schema import choices
    from fulmen.entrypoints import started_from

    if experiment in choices("experiment"):
        typed = started_from([f"experiment={experiment}", *overrides])
        runs = [typed]
        with suppress(ConfigError):
            runs = expand(typed)
        if len(runs) == 1:  # what several values mean, the verb knows
            refuse_without_import(runs[0])


def hold_contest(arguments: argparse.Namespace) -> int:
    a = arguments
    with mended_as(lambda mended: ["rank", a.experiment, *mended, *options_of(a, RANK_OPTIONS)]):
        judge(a.experiment, a.overrides)
    from fulmen.comparison.benchmark import rank

    rank(a.experiment, a.overrides, a.metric, a.folds, a.seeds, a.outputs, a.save_top, a.out, a.nested)
    return 0


def draw_curve(arguments: argparse.Namespace) -> int:
    a = arguments
    from fulmen.comparison.curve import curve

    with interruptible(lambda: "interrupted; what has been trained is kept, the same command goes on"):
        curve(a.experiment, a.overrides, a.shares, a.seeds, a.outputs, a.out)
    return 0


def do_own_verb(arguments: argparse.Namespace) -> int:
    """A verb that a workload brings itself, see `fulmen.Workload.verbs`."""
    from fulmen.config.allow_list import locate
    from fulmen.config.check import check_overrides
    from fulmen.config.words import plain_experiment
    from fulmen.workload import Workload

    overrides = [word for word in arguments.words if "=" in word and not word.startswith("-")]
    words = [word for word in arguments.words if word not in overrides]
    cfg = check_overrides([f"experiment={plain_experiment(arguments.workload)}", *overrides])
    kind = locate(cfg.model["_target_"])
    verbs = kind.verbs() if isinstance(kind, type) and issubclass(kind, Workload) else {}
    width = max(map(len, verbs), default=0) + 2
    lines = [f"  {name:{width}}{(verb.__doc__ or '').partition(chr(10))[0]}" for name, verb in verbs.items()]
    told = "\n".join([f"fulmen {arguments.workload} takes one of", *lines])
    if lines and words[:1] in (["--help"], ["-h"]):
        print(told)
        return 0
    if not words or words[0] not in verbs:
        raise FulmenError(told if lines else f"{arguments.workload} has no commands of its own")
    verb = verbs[words[0]]
    if "load" in inspect.signature(verb).parameters:
        from fulmen.registry.trained import trained

        verb = partial(verb, load=trained)
    verb(cfg, words[1:])
    return 0


def show_schema(arguments: argparse.Namespace) -> int:
    from fulmen.config.schema import choices, refuse_unknown
    from fulmen.config.surface import as_plain

    for name in arguments.experiment:
        refuse_unknown(name)
    print(json.dumps(as_plain(arguments.experiment or choices("experiment")), indent=1))
    return 0


def show_diagnosis(arguments: argparse.Namespace) -> int:
    from fulmen.diagnosis.confidence import in_words
    from fulmen.diagnosis.ignored import in_a_line
    from fulmen.io.logs import LogOptions
    from fulmen.runs.diagnose import diagnose_path

    given = {name: getattr(arguments, name) for name in ("run", "better", "decimal", "epoch", "phase", "missing")}
    options = LogOptions(**{name: value for name, value in given.items() if value}) if any(given.values()) else None
    verdicts, source, ignored = diagnose_path(
        Path(arguments.path), arguments.train, arguments.val, options, arguments.ignore
    )
    if arguments.json:
        from fulmen.utils.files import as_json

        found = [verdict.as_dict() for verdict in verdicts]
        print(as_json({"source": source.splitlines(), "findings": found, "ignored": ignored}))
    else:
        print("\n".join(filter(None, [source, in_a_line(ignored)])))
    for verdict in () if arguments.json else verdicts:
        print(f"\n{verdict.severity}: {verdict.heading}: {verdict.finding}")
        if known := in_words(verdict.confidence):
            print(f"  {known}")
        for name, lines in (("causes", verdict.causes), ("try", verdict.cures)):
            if lines:
                print(f"  {name}: {', '.join(lines)}")
    wrong = any(verdict.severity in ("warning", "error") for verdict in verdicts)
    return int(arguments.strict and wrong)


if __name__ == "__main__":
    sys.exit(main())
