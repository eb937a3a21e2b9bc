"""The command lines of `fulmen models ...` and `fulmen predict`; what they do stands in `verbs.py`."""

import argparse
from collections.abc import Callable
from typing import Any

from fulmen.registry import verbs

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
        parser = below.add_parser(name, help=text, description=f"{text}.", parents=[shared])
        if reference:
            parser.add_argument("model", metavar="MODEL", help=REFERENCE)
        parser.set_defaults(call=call)
        return parser

    about_run = "keep the best model of a run, or a row of a ranking, which is trained again as a run"
    _of_save(verb("save", verbs.save, about_run))
    verb("list", verbs.list_versions, "all versions, or those of one model").add_argument(
        "name", metavar="NAME", nargs="?"
    )
    verb("show", verbs.show, "what is known of a version", reference=True).add_argument("--json", action="store_true")
    _of_promote(verb("promote", verbs.promote, "let an alias point to a version", reference=True))
    delete = verb("delete", verbs.delete, "take a version away for good", reference=True)
    delete.add_argument("version", nargs="?", metavar="VERSION")
    delete.add_argument("--force", action="store_true", help="even if an alias points to it")
    verb("gc", verbs.collect_garbage, "take away what died processes left half-written")
    verb("verify", verbs.verify, "check every file and predict the kept examples again").add_argument(
        "model", metavar="MODEL", nargs="?", help=f"{REFERENCE} (here: all of them)"
    )
    export = verb("export", verbs.export, "write a version as a torch.export (.pt2) or ONNX (.onnx) program", True)
    export.add_argument("--to", required=True, metavar="FILE")
    push = verb("push", verbs.push, "copy a version to an MLflow server (extra: mlflow)", reference=True)
    push.add_argument("--to", required=True, metavar="URI", help="tracking server, for example http://localhost:5000")
    _of_predict(parsers.add_parser("predict", help="use a kept model on a file", parents=[shared]))


def _of_save(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "run", metavar="RUN|RANKING", help="folder of a run, as `fulmen runs` lists them, or of a ranking"
    )
    _take_overrides(parser, "what the run names outside itself")
    parser.add_argument("--row", type=int, metavar="N", help="of a ranking: its place, from 1")
    parser.add_argument("--name", required=True)
    parser.add_argument("--note", default="", help="for people")
    parser.add_argument("--exist", choices=("version", "error"), default="version", help="if the name is in use")


def _of_promote(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("version", nargs="?", metavar="VERSION", help="as in: promote pump 3 --as champion")
    parser.add_argument("--as", dest="alias", required=True, metavar="ALIAS")
    parser.add_argument("--expect", metavar="VERSION", help="only if it points there now (none: nowhere)")
    parser.add_argument("--note", default="", help="why, for the history")


def _of_predict(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL", help=REFERENCE)
    parser.add_argument("input", metavar="INPUT", nargs="?", help="file in the format that --explain describes")
    _take_overrides(parser, "how INPUT is read, as in data.delimiter=tab")
    parser.add_argument("-o", "--output", metavar="FILE", help="CSV to write; the terminal by default")
    parser.add_argument("--explain", action="store_true", help="print how INPUT has to look, and stop")
    parser.set_defaults(call=verbs.predict)


def _take_overrides(parser: argparse.ArgumentParser, text: str) -> None:
    parser.add_argument("overrides", metavar="KEY=VALUE", nargs="*", default=[], type=key_value, help=text)


def key_value(text: str) -> str:
    """`text`, if it is an override."""
    if "=" not in text:
        raise argparse.ArgumentTypeError(f"{text!r} is none")
    return text
