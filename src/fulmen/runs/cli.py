"""The command lines of `fulmen runs ...` and `fulmen clean`; what they do stands in `verbs.py`."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fulmen.runs.choices import COLUMNS, KINDS, ORDERS, USUAL

SHOWN = [name for name in COLUMNS if name not in ("tag", "name", "path")]
Kept = dict[Path, list[str]]  # folder of a run -> the models that were saved from it

USES = """\
fulmen runs                      list all runs: status, overrides, main metrics, cost
fulmen runs EXPERIMENT           those of one experiment
fulmen runs show RUN ...         all that is known of a run
fulmen runs compare RUN RUN ...  metrics side by side, and the settings that differ
fulmen runs note TEXT RUN ...    write a note to it; "" takes it away
fulmen runs tag TAG RUN ...      give it a tag; untag takes it away
fulmen runs archive RUN ...      leave it out of the list; unarchive takes it back
fulmen runs delete RUN ...       delete its folder for good

RUN is a folder, or what the list calls it. A verb is one only with a RUN behind it:
`fulmen runs show` alone lists the runs of an experiment called show."""


def add_verbs(parsers: "argparse._SubParsersAction[Any]", kept: Callable[[], Kept]) -> None:
    """Add `runs` and `clean` to the command line.

    Args:
        kept: finds the models there are, by where they came from.
    """
    runs = parsers.add_parser(
        "runs", help="list the runs; show, label, compare or delete some", description=USES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        usage="fulmen runs [EXPERIMENT | VERB ... RUN ...] [options]",
    )  # fmt: skip
    runs.add_argument("words", nargs="*", metavar="WORD", help="an experiment, or a verb and what it takes")
    runs.add_argument("--outputs", default="outputs", help="folder that holds runs/ (default: outputs)")
    listed = runs.add_argument_group("of the list")
    listed.add_argument("--filter", nargs="+", action="extend", default=[], metavar="CONDITION",
                        help="status=failed 'lr>0.01' tag=paper 'network!=mlp' note~figure: a column, hyperparameter "
                        "or metric, a sign (= != < <= > >=, or ~ for a part of a text) and a value, several after "
                        "commas; a word alone is sought in all texts; quote < and >")  # fmt: skip
    listed.add_argument("--columns", nargs="+", action="extend", default=[], metavar="NAME",
                        help=f"what to show of each: {', '.join(SHOWN)}, or any hyperparameter or metric")  # fmt: skip
    listed.add_argument("--status", default="", help="only these, for example failed,killed")
    listed.add_argument("--tag", action="append", default=[], help="only those with this tag; may be said again")
    listed.add_argument("--archived", action="store_true", help="only those that are archived")
    listed.add_argument("--kind", default="run", choices=("run", "multirun", "search", "ranking", "comparison", "all"),
                        help="what to list (default: run)")  # fmt: skip
    listed.add_argument("--sort", default="stamp", metavar="COLUMN",
                        help=f"{', '.join(ORDERS)}, a hyperparameter or a metric; "
                        "--sort=-seconds: the largest first")  # fmt: skip
    runs.add_argument("--json", action="store_true", help="print JSON")
    removed = runs.add_argument_group("of delete")
    removed.add_argument("--yes", action="store_true", help="do not ask")
    removed.add_argument("--force", action="store_true", help="also if a kept model came from it; that stays")
    runs.set_defaults(call=_runs, kept=kept)
    mean = parsers.add_parser("ensemble", help="make one model of several runs: the mean of their predictions")
    members = "a folder, or what `fulmen runs` calls it; one of several seeds stands for all of them"
    mean.add_argument("runs", nargs="+", metavar="RUN", help=members)
    mean.add_argument("-o", "--out", type=Path, help="its run folder (default: outputs/runs/<experiment>/ensemble_...)")
    mean.add_argument("--outputs", default="outputs", help="folder that holds runs/ (default: outputs)")
    mean.set_defaults(call=_ensemble)
    clean = parsers.add_parser("clean", help="list what is of little use by age and size, and remove it once confirmed")
    clean.add_argument("--outputs", default="outputs", help="folder that holds runs/ (default: outputs)")
    clean.add_argument("--older", metavar="AGE", help="only what was not changed for so long: 12h, 30d, 8w")
    what = "; ".join(f"{kind}: {meaning}" for kind, meaning in KINDS.items())
    clean.add_argument("--kind", default=",".join(USUAL), help=f"{what} (default: {','.join(USUAL)})")
    clean.add_argument("--yes", action="store_true", help="remove it without asking")
    clean.add_argument("--json", action="store_true", help="print the list as JSON, and remove nothing")
    clean.set_defaults(call=_clean, kept=kept)


def _runs(arguments: argparse.Namespace) -> int:
    from fulmen.runs.verbs import runs

    return runs(arguments)


def _ensemble(arguments: argparse.Namespace) -> int:
    from fulmen.runs.ensemble import ensemble_of

    ensemble_of(arguments.runs, Path(arguments.outputs), arguments.out)
    return 0


def _clean(arguments: argparse.Namespace) -> int:
    from fulmen.runs.verbs import clean

    return clean(arguments)
