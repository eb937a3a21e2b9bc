"""The command lines of `fulmen models ...` and `fulmen predict`; what they do stands in `verbs.py`."""

import argparse
from collections.abc import Callable
from typing import Any

from fulmen.registry import predict_verb, verbs

REFERENCE = "NAME, NAME:VERSION or NAME@ALIAS; NAME alone is its newest version"

Call = Callable[[argparse.Namespace], int]


def add_verbs(parsers: "argparse._SubParsersAction[Any]") -> None:
    """Add `models` and `predict` to the command line."""
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--registry", metavar="FOLDER", help="default: $FULMEN_REGISTRY, or outputs/models")
    group: argparse.ArgumentParser = parsers.add_parser(
        "models", help="keep models: save, list, show, promote, delete, gc, verify, export, push"
    )

    def show_help(arguments: argparse.Namespace) -> int:
        group.print_help()
        return 2

    group.set_defaults(call=show_help)
    below = group.add_subparsers(dest="model_verb")

    def verb(name: str, call: Call, text: str, reference: bool = False) -> argparse.ArgumentParser:
        parser = below.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.", parents=[shared])
        if reference:
            parser.add_argument("model", metavar="MODEL", help=REFERENCE)
        parser.set_defaults(call=call)
        return parser

    about_run = "keep the best model of a run, or of a row of a ranking, which is trained again for that"
    _of_save(verb("save", verbs.save, about_run))
    listed = verb("list", verbs.list_versions, "list all versions, or those of one model")
    listed.add_argument("name", metavar="NAME", nargs="?", help="of the model (default: all models)")
    shown = verb("show", verbs.show, "show all that is known about a version", reference=True)
    shown.add_argument("--json", action="store_true", help="print it as JSON")
    _of_promote(verb("promote", verbs.promote, "make an alias point to a version", reference=True))
    delete = verb("delete", verbs.delete, "delete a version for good", reference=True)
    delete.add_argument("version", nargs="?", metavar="VERSION", help="its number, as in: delete pump 3")
    delete.add_argument("--force", action="store_true", help="delete it even if an alias points to it")
    verb("gc", verbs.collect_garbage, "delete the incomplete files of saves that were killed")
    verb("verify", verbs.verify, "check every file, and predict the kept examples again").add_argument(
        "model", metavar="MODEL", nargs="?", help=f"{REFERENCE} (default: every version of every model)"
    )
    export = verb("export", verbs.export, "write a version as a torch.export (.pt2) or ONNX (.onnx) program", True)
    export.add_argument("--to", required=True, metavar="FILE", help="file to write, for example pump.onnx")
    push = verb("push", verbs.push, "copy a version to an MLflow server (extra: mlflow)", reference=True)
    push.add_argument(
        "--to", required=True, metavar="URI", help="address of the server, for example http://localhost:5000"
    )
    _of_predict(parsers.add_parser("predict", help="predict with a kept model for what a file holds", parents=[shared]))


def _of_save(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "run", metavar="RUN|RANKING", help="folder of a run, as `fulmen runs` lists it, or of a ranking"
    )
    _take_overrides(parser, "value of a setting that names something outside the run's folder, such as a database")
    parser.add_argument("--row", type=int, metavar="N", help="which row of the ranking, from 1")
    parser.add_argument("--name", required=True, help="of the model; a name in use gets a new version")
    parser.add_argument("--note", default="", help="a remark that is shown in lists")
    parser.add_argument(
        "--exist",
        choices=("version", "error"),
        default="version",
        help="what to do if the name is in use: add a version (default), or stop",
    )


def _of_promote(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("version", nargs="?", metavar="VERSION", help="its number, as in: promote pump 3 --as champion")
    parser.add_argument("--as", dest="alias", required=True, metavar="ALIAS", help="for example champion")
    parser.add_argument(
        "--expect", metavar="VERSION", help="only if the alias points to VERSION now (none: to no version)"
    )
    parser.add_argument("--note", default="", help="the reason, kept in the history of the alias")


def _of_predict(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL", help=REFERENCE)
    parser.add_argument("input", metavar="INPUT", nargs="?", help="file in the format that --explain prints")
    _take_overrides(parser, "how to read INPUT, for example data.delimiter=tab")
    parser.add_argument("-o", "--output", metavar="FILE", help="CSV file to write (default: the terminal)")
    parser.add_argument("--table", metavar="NAME", help="which of the model's tables to make, for example pk")
    parser.add_argument(
        "--fallback", metavar="NAME", help="what answers for what is unlike the training, for example solver"
    )
    parser.add_argument("--explain", action="store_true", help="print what INPUT has to look like, and stop")
    parser.add_argument("--json", action="store_true", help="with --explain: print it as JSON")
    parser.add_argument("--example", metavar="FILE", help="write an INPUT to start from, and stop")
    parser.add_argument(
        "--set", metavar="NAME=VALUE", nargs="+", action="extend", default=[], type=key_value,
        help="predict for the example with these values in it, for example dose_mg=100 route=oral; INPUT is left out",
    )  # fmt: skip
    parser.set_defaults(call=predict_verb.predict)


def _take_overrides(parser: argparse.ArgumentParser, text: str) -> None:
    parser.add_argument("overrides", metavar="KEY=VALUE", nargs="*", default=[], type=key_value, help=text)


def key_value(text: str) -> str:
    """`text`, if it is an override."""
    if "=" not in text:
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form KEY=VALUE")
    return text
