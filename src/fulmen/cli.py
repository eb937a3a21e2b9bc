"""The verbs after training; each a few lines over the rooms that do the work."""

import argparse
import sys

from fulmen.errors import FulmenError


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="fulmen", description="What to do with finished runs.")
    verbs = parser.add_subparsers(dest="verb", required=True)
    runs = verbs.add_parser("runs", help="list the runs: status, cost and main metrics")
    runs.add_argument("--outputs", default="outputs", help="folder that holds runs/ (default: outputs)")
    runs.set_defaults(call=show_runs)
    diagnose = verbs.add_parser("diagnose", help="what is wrong with a training, and what to try")
    diagnose.add_argument("path", help="a run folder, or a CSV with training and validation losses of any tool")
    diagnose.add_argument("--train", metavar="COLUMN", help="column of the training loss")
    diagnose.add_argument("--val", metavar="COLUMN", help="column of the validation loss")
    diagnose.add_argument("--strict", action="store_true", help="exit code 1 if something is wrong")
    diagnose.set_defaults(call=show_diagnosis)
    arguments = parser.parse_args(argv)
    try:
        return arguments.call(arguments)
    except FulmenError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code


def show_runs(arguments: argparse.Namespace) -> int:
    from fulmen.evaluation.report import print_table
    from fulmen.runs import list_runs

    rows = list_runs(arguments.outputs)
    if not rows:
        print(f"no runs in {arguments.outputs}/runs yet; start one: python train.py experiment=pbpk_gnn")
        return 0
    columns = list(dict.fromkeys(column for row in rows for column in row))
    print_table("Runs", [{column: row.get(column) for column in columns} for row in rows])
    return 0


def show_diagnosis(arguments: argparse.Namespace) -> int:
    from pathlib import Path

    from fulmen.evaluation.diagnosis.afterwards import diagnose_path

    verdicts, source = diagnose_path(Path(arguments.path), arguments.train, arguments.val)
    print(f"{source}:")
    for verdict in verdicts:
        print(f"\n{verdict.severity}: {verdict.title}: {verdict.finding}")
        for name, lines in (("causes", verdict.causes), ("try", verdict.cures)):
            if lines:
                print(f"  {name}: {', '.join(lines)}")
    wrong = any(verdict.severity in ("warning", "error") for verdict in verdicts)
    return int(arguments.strict and wrong)


if __name__ == "__main__":
    sys.exit(main())
