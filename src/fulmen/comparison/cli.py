"""The command lines of `fulmen compare`, `rank` and `curve`; what they do stands in files of those names."""

import argparse
import shlex
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from functools import partial
from pathlib import Path
from typing import Any

from fulmen.errors import FulmenError
from fulmen.signals import interruptible

Judge = Callable[[str, Sequence[str]], None]  # refuses an experiment whose overrides hold a mistake
# name -> default
RANK_OPTIONS = {"metric": None, "folds": 5, "seeds": 1, "outputs": "outputs", "save_top": 0, "out": None, "nested": 0}
ON = "interrupted; what has been trained is kept, the same command goes on"


def add_compare(verbs: Any, judge: Judge) -> None:
    compare = verbs.add_parser("compare", help="compare runs on the test items they share; trains what is missing")
    compare.add_argument(
        "overrides", nargs="+", metavar="RUN|EXPERIMENT|OVERRIDE",
        help="run folders, or experiments with their overrides in quotes ('images_plain loss=focal'); an override "
        "without quotes (seeds=3) is for all of them",
    )  # fmt: skip
    compare.add_argument("-o", "--out", type=Path, help="folder of the report (default: outputs/comparisons/<stamp>)")
    compare.add_argument("--outputs", default="outputs", help="folder that holds runs/ (default: outputs)")
    compare.add_argument("--ensemble", action="store_true", help="the mean of the predictions of all takes part too")
    compare.set_defaults(call=compare_runs, judge=judge)


def add_rank(verbs: Any, judge: Judge) -> None:
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
    rank.add_argument("--json", action="store_true", help="print what ranking.json holds, for programs")
    rank.set_defaults(call=hold_contest, judge=judge)


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


def compare_runs(arguments: argparse.Namespace) -> int:
    overrides = [name for name in arguments.overrides if "=" in name.split()[0]]
    names = dict.fromkeys(name for name in arguments.overrides if name not in overrides)
    if len(names) < 2:
        raise FulmenError("a comparison takes two runs or more: fulmen compare RUN RUN ...")
    for name in names:
        experiment, *own = shlex.split(name)
        with mended_as(partial(compare_again, arguments, name, own, overrides)):
            arguments.judge(experiment, [*own, *overrides])
    from fulmen.comparison.named import compare_named

    with interruptible(lambda: ON):
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


def hold_contest(arguments: argparse.Namespace) -> int:
    a = arguments
    with mended_as(lambda mended: ["rank", a.experiment, *mended, *options_of(a, RANK_OPTIONS)]):
        a.judge(a.experiment, a.overrides)
    from fulmen.comparison.benchmark import rank

    asked = partial(rank, a.experiment, a.overrides, a.metric, a.folds, a.seeds, a.outputs, a.save_top, a.out, a.nested)
    if not a.json:
        asked()
        return 0
    with redirect_stdout(sys.stderr):  # what a person reads; the JSON stands alone
        folder = asked()
    print((folder / "ranking.json").read_text(), end="")
    return 0


def draw_curve(arguments: argparse.Namespace) -> int:
    a = arguments
    from fulmen.comparison.curve import curve

    with interruptible(lambda: ON):
        curve(a.experiment, a.overrides, a.shares, a.seeds, a.outputs, a.out)
    return 0
