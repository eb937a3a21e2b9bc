"""The verbs `fulmen models ...` and `fulmen predict`."""

import argparse
import json
import sys
import warnings
from typing import Any

from fulmen.errors import FulmenError
from fulmen.registry import models
from fulmen.registry.names import parse_number
from fulmen.registry.store import Store

REFERENCE = "NAME, NAME:VERSION or NAME@ALIAS; NAME alone is its newest version"


def add_verbs(verbs: Any) -> None:
    """Add `models` and `predict` to the command line."""
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--registry", metavar="FOLDER", help="default: $FULMEN_REGISTRY, or outputs/models")
    group = verbs.add_parser("models", help="keep models: save, list, show, promote, delete, gc, verify, export, push")
    group.set_defaults(call=lambda arguments: group.print_help() or 2)
    below = group.add_subparsers(dest="model_verb")

    def verb(name: str, call: Any, text: str, reference: str | None = None) -> argparse.ArgumentParser:
        parser = below.add_parser(name, help=text, description=f"{text}.", parents=[shared])
        if reference:
            parser.add_argument("model", metavar=reference, help=REFERENCE)
        parser.set_defaults(call=call)
        return parser

    save = verb("save", _save, "keep the best model of a run, or a row of a ranking, which is trained again as a run")
    save.add_argument(
        "run", metavar="RUN|RANKING", help="folder of a run, as `fulmen runs` lists them, or of a ranking"
    )
    save.add_argument(
        "overrides",
        metavar="KEY=VALUE",
        nargs="*",
        default=[],
        type=key_value,
        help="what the run names outside itself",
    )
    save.add_argument("--row", type=int, metavar="N", help="of a ranking: its place, from 1")
    save.add_argument("--name", required=True)
    save.add_argument("--note", default="", help="for people")
    save.add_argument("--exist", choices=("version", "error"), default="version", help="if the name is in use")
    verb("list", _list, "all versions, or those of one model").add_argument("name", metavar="NAME", nargs="?")
    verb("show", _show, "what is known of a version", "MODEL").add_argument("--json", action="store_true")
    promote = verb("promote", _promote, "let an alias point to a version", "MODEL")
    promote.add_argument("version", nargs="?", metavar="VERSION", help="as in: promote pump 3 --as champion")
    promote.add_argument("--as", dest="alias", required=True, metavar="ALIAS")
    promote.add_argument("--expect", metavar="VERSION", help="only if it points there now (none: nowhere)")
    promote.add_argument("--note", default="", help="why, for the history")
    delete = verb("delete", _delete, "take a version away for good", "MODEL")
    delete.add_argument("version", nargs="?", metavar="VERSION")
    delete.add_argument("--force", action="store_true", help="even if an alias points to it")
    verb("gc", _gc, "take away what died processes left half-written")
    verb("verify", _verify, "check every file and predict the kept examples again").add_argument(
        "model", metavar="MODEL", nargs="?", help=f"{REFERENCE} (here: all of them)"
    )
    export = verb("export", _export, "write a version as a torch.export (.pt2) or ONNX (.onnx) program", "MODEL")
    export.add_argument("--to", required=True, metavar="FILE")
    push = verb("push", _push, "copy a version to an MLflow server (extra: mlflow)", "MODEL")
    push.add_argument("--to", required=True, metavar="URI", help="tracking server, for example http://localhost:5000")

    predict = verbs.add_parser("predict", help="use a kept model on a file", parents=[shared])
    predict.add_argument("model", metavar="MODEL", help=REFERENCE)
    predict.add_argument("input", metavar="INPUT", nargs="?", help="file in the format that --explain describes")
    predict.add_argument(
        "overrides", metavar="KEY=VALUE", nargs="*", default=[], type=key_value,
        help="how INPUT is read, as in data.delimiter=tab",
    )  # fmt: skip
    predict.add_argument("-o", "--output", metavar="FILE", help="CSV to write; the terminal by default")
    predict.add_argument("--explain", action="store_true", help="print how INPUT has to look, and stop")
    predict.set_defaults(call=_predict)


def key_value(text: str) -> str:
    """`text`, if it is an override."""
    if "=" not in text:
        raise argparse.ArgumentTypeError(f"{text!r} is none")
    return text


def _save(arguments: argparse.Namespace) -> int:
    from fulmen.registry.save import save_run

    a = arguments
    if a.row is not None:
        from fulmen.registry.rows import keep_row

        version = keep_row(a.run, a.row, a.name, a.note, a.exist, a.registry, a.overrides)
    else:
        version = save_run(a.run, a.name, a.note, a.exist, a.registry, a.overrides)
    print(f"saved {version} in {version.folder}")
    return 0


def _list(arguments: argparse.Namespace) -> int:
    from fulmen.report.summary import print_table

    rows = models.list_models(arguments.name, arguments.registry)
    if not rows:
        print(f"no models in {Store(arguments.registry).root} yet; keep one: fulmen models save RUN --name NAME")
        return 0
    problems = [row["state"] for row in rows if row["state"]]
    for row in rows:
        row["note"] = row["note"] if row.pop("state") else printable(row["note"])[:40]
    print_table("Models", rows)
    return _complain(problems)


def _show(arguments: argparse.Namespace) -> int:
    from fulmen.report.summary import print_table

    facts = models.show(arguments.model, arguments.registry)
    if arguments.json:
        print(json.dumps(facts, indent=2))
        return 0
    run, made = facts.get("run") or {}, facts.get("architecture") or {}
    commit = (run.get("git") or {}).get("commit") or "unknown commit"
    lines = {
        "model": f"{facts['name']}:{facts['version']}" + "".join(f" @{alias}" for alias in facts["aliases"]),
        "note": facts.get("note"),
        "workload": f"{facts.get('workload')}, experiment {facts.get('experiment')}, seed {facts.get('seed')}",
        "network": f"{made.get('network')}, {made.get('parameters', 0):,} parameters",
        "data": f"{facts.get('data_fingerprint')}, {(facts.get('split') or {}).get('samples')}",
        "run": f"{run.get('folder')} ({run.get('status')}, {run.get('epochs')} epochs)",
        "code": f"{commit[:12]}{' with changes' if (run.get('git') or {}).get('dirty') else ''}",
        "created": facts["created"],
        "folder": facts["folder"],
    }
    for key, value in lines.items():
        if value:
            print(f"{key:>9}  {printable(value)}")
    print_scores(facts, print_table)
    for entry in facts["history"]:
        print("  ".join(f"{key}={value}" for key, value in entry.items() if value is not None))
    return 0


def printable(text: str) -> str:
    """`text` without what a terminal or a table would take for a command."""
    return "".join(c if c.isprintable() else " " for c in text).replace("[", "(").replace("]", ")")


def print_scores(facts: dict[str, Any], print_table: Any) -> None:
    """The metrics of a version, those of the baselines beside them."""
    metrics, baselines = facts.get("metrics") or {}, facts.get("baselines") or {}
    rows = [
        {"metric": name, "model": value}
        | {who: scores.get(name.removeprefix("test/")) for who, scores in baselines.items()}
        for name, value in metrics.items()
        if name.startswith(("test/", "best/"))
    ]
    if rows:
        print_table("Scores", sorted(rows, key=lambda row: not row["metric"].startswith("test/")))


def _promote(arguments: argparse.Namespace) -> int:
    expected: Any = ...
    if arguments.expect is not None:
        expected = None if arguments.expect == "none" else parse_number(arguments.expect, arguments.expect)
    asked = _with_version(arguments)
    models.promote(asked, arguments.alias, expected, arguments.note, arguments.registry)
    print(f"{Store(arguments.registry).find(asked)} is now {arguments.alias}")
    return 0


def _delete(arguments: argparse.Namespace) -> int:
    print(f"deleted {models.delete(_with_version(arguments), arguments.force, arguments.registry)}")
    return 0


def _with_version(arguments: argparse.Namespace) -> str:
    """`pump 3` as `pump:3`."""
    if arguments.version is None:
        return arguments.model
    return f"{arguments.model}:{parse_number(arguments.version, arguments.version)}"


def _gc(arguments: argparse.Namespace) -> int:
    gone = models.gc(arguments.registry)
    print(f"{len(gone)} leftovers of died processes taken away")
    return 0


def _verify(arguments: argparse.Namespace) -> int:
    from fulmen.report.summary import print_table

    rows = models.verify(arguments.model, arguments.registry)
    if not rows:
        print(f"no models in {Store(arguments.registry).root}")
        return 0
    print_table("Models", [{name: value for name, value in row.items() if name != "state"} for row in rows])
    return _complain([row["state"] for row in rows if row["state"]])


def _complain(problems: list[str]) -> int:
    """Say what is wrong; the exit code."""
    sys.stdout.flush()
    for problem in problems:
        print(f"error: {problem}", file=sys.stderr)
    return FulmenError.exit_code if problems else 0


def _export(arguments: argparse.Namespace) -> int:
    from fulmen.registry.exporting import export

    print(f"wrote {export(arguments.model, arguments.to, arguments.registry)}; it reproduces the kept predictions")
    return 0


def _push(arguments: argparse.Namespace) -> int:
    from fulmen.registry.pushing import push

    print(push(arguments.model, arguments.to, arguments.registry))
    return 0


def _predict(arguments: argparse.Namespace) -> int:
    if arguments.explain:
        print(json.dumps(models.explain(arguments.model, arguments.registry), indent=2, ensure_ascii=False))
        return 0
    if arguments.input is None:
        raise FulmenError(
            f"predict what? fulmen predict {arguments.model} INPUT -o out.csv; --explain shows the format"
        )
    Store(arguments.registry).find(arguments.model)  # a wrong name is found before torch is imported
    from fulmen.registry.using import predict
    from fulmen.utils.files import atomic_write

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UserWarning)
        table = predict(arguments.model, arguments.input, arguments.registry, arguments.overrides)
    for text in dict.fromkeys(str(warning.message) for warning in caught if warning.category is UserWarning):
        print(f"warning: {text}", file=sys.stderr)
    if arguments.output is None:
        table.to_csv(sys.stdout, index=False)
        return 0
    with atomic_write(arguments.output) as file:
        table.to_csv(file, index=False)
    print(f"{len(table):,} predictions in {arguments.output}")
    return 0
