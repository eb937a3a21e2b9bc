"""The verbs after training; each a few lines over the rooms that do the work."""

import argparse
import os
import signal
import sys

from fulmen.errors import FulmenError
from fulmen.registry.cli import add_verbs as add_registry


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="fulmen", description="What to do with finished runs.")
    verbs = parser.add_subparsers(dest="verb", required=True)
    runs = verbs.add_parser("runs", help="list the runs: status, cost and main metrics")
    runs.add_argument("--outputs", default="outputs", help="folder that holds runs/ (default: outputs)")
    runs.set_defaults(call=show_runs)
    add_registry(verbs)
    arguments = parser.parse_args(argv)
    try:
        return arguments.call(arguments)
    except FulmenError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    except BrokenPipeError:  # `| head` has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE


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


if __name__ == "__main__":
    sys.exit(main())
