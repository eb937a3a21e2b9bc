"""The verbs after training; each a few lines over the rooms that do the work."""

import argparse
import inspect
import json
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from fulmen.config.arguments import AnyOrder
from fulmen.config.places import TRAIN, workloads
from fulmen.config.workload_verbs import with_verbs
from fulmen.errors import FulmenError
from fulmen.signals import answering, output_closed
from fulmen.utils.threads import quiet_waiting

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
    from fulmen.comparison.cli import add_compare, add_curve, add_rank
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
    add_compare(verbs, judge)
    add_registry(verbs)
    add_serve(verbs)
    add_rank(verbs, judge)
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
        help="leave out findings, by code or name (FUL-D10,FUL-D06); may be given again",
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
    from fulmen.utils.files import as_json

    try:
        verdicts, source, ignored = diagnose_path(
            Path(arguments.path), arguments.train, arguments.val, options, arguments.ignore
        )
    except FulmenError as error:
        if arguments.json:
            print(as_json({"error": str(error)}))
        raise
    if arguments.json:
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
