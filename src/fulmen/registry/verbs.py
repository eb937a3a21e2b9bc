"""What the verbs `fulmen models ...` and `fulmen predict` do, and what they print."""

import argparse
import json
import sys
from typing import TYPE_CHECKING, Any

from fulmen.errors import FulmenError
from fulmen.registry import models
from fulmen.registry.aliases import Expected
from fulmen.registry.models import Shown
from fulmen.registry.names import parse_number
from fulmen.registry.store import Store

if TYPE_CHECKING:
    from fulmen.report.summary import Rows

UNSHOWN = ("state", "baselines")  # of a list: told below it, or too wide


def save(arguments: argparse.Namespace) -> int:
    from fulmen.registry.save import save_run

    a = arguments
    if a.row is not None:
        from fulmen.registry.rows import keep_row

        version = keep_row(a.run, a.row, a.name, a.note, a.exist, a.registry, a.overrides)
    else:
        version = save_run(a.run, a.name, a.note, a.exist, a.registry, a.overrides)
    print(f"saved {version} in {version.folder}")
    return 0


def list_versions(arguments: argparse.Namespace) -> int:
    from fulmen.report.summary import print_table

    rows = models.list_models(arguments.name, arguments.registry)
    if not rows:
        print(f"no models in {Store(arguments.registry).root} yet; keep one: fulmen models save RUN --name NAME")
        return 0
    problems = [row["state"] for row in rows if row["state"]]
    shown = [
        {**row, "created": (row["created"] or "")[:16].replace("T", " "), "note": printable(row["note"])[:40]}
        for row in rows
    ]
    print_table("Models", [{name: value for name, value in row.items() if name not in UNSHOWN} for row in shown])
    return _complain(problems)


def show(arguments: argparse.Namespace) -> int:
    from fulmen.report.summary import print_table

    facts = models.show(arguments.model, arguments.registry)
    if arguments.json:
        print(json.dumps(facts, indent=2))
        return 0
    for key, value in described(facts).items():
        if value:
            print(f"{key:>9}  {printable(value)}")
    if rows := scores(facts):
        print_table("Scores", rows)
    for entry in facts["history"]:
        print("  ".join(f"{key}={value}" for key, value in entry.items() if value is not None))
    return 0


def printable(text: str) -> str:
    """`text` without what a terminal or a table would take for a command."""
    return "".join(c if c.isprintable() else " " for c in text).replace("[", "(").replace("]", ")")


def described(facts: Shown) -> dict[str, str | None]:
    """What is known of a version, a line each."""
    run, made, split = facts.get("run"), facts.get("architecture"), facts.get("split")
    git = (run and run["git"]) or {}
    commit = str(git.get("commit") or "unknown commit")
    return {
        "model": f"{facts['name']}:{facts['version']}" + "".join(f" @{alias}" for alias in facts["aliases"]),
        "note": facts.get("note"),
        "workload": f"{facts.get('workload')}, experiment {facts.get('experiment')}, seed {facts.get('seed')}",
        "network": made and f"{made['network'] or 'an ensemble of several'}, {made['parameters']:,} parameters",
        "data": ", ".join([str(facts.get("data_fingerprint")), *samples_of(split)]),
        "run": run and f"{run['folder']} ({run['status']}, {run['epochs']} epochs)",
        "code": f"{commit[:12]}{' with changes' if git.get('dirty') else ''}",
        "created": facts["created"],
        "folder": facts["folder"],
    }


def samples_of(split: Any) -> list[str]:
    """`384 train`, `96 validation`: how many samples each split has, as far as that is known."""
    samples = (split or {}).get("samples")
    return [f"{count:,} {name}" for name, count in samples.items()] if isinstance(samples, dict) else []


def scores(facts: Shown) -> "Rows":
    """The metrics of a version, those of the baselines beside them; of the test split first."""
    baselines = facts.get("baselines") or {}
    rows: Rows = [
        {"metric": name, "model": value}
        | {who: scores.get(name.removeprefix("test/")) for who, scores in baselines.items()}
        for name, value in (facts.get("metrics") or {}).items()
        if name.startswith(("test/", "best/"))
    ]
    return sorted(rows, key=lambda row: not row["metric"].startswith("test/"))


def promote(arguments: argparse.Namespace) -> int:
    expected: Expected = ...
    if arguments.expect is not None:
        expected = None if arguments.expect == "none" else parse_number(arguments.expect, arguments.expect)
    reference = _with_version(arguments)
    models.promote(reference, arguments.alias, expected, arguments.note, arguments.registry)
    print(f"{Store(arguments.registry).find(reference)} is now {arguments.alias}")
    return 0


def delete(arguments: argparse.Namespace) -> int:
    print(f"deleted {models.delete(_with_version(arguments), arguments.force, arguments.registry)}")
    return 0


def _with_version(arguments: argparse.Namespace) -> str:
    """`pump 3` as `pump:3`."""
    if arguments.version is None:
        return str(arguments.model)
    return f"{arguments.model}:{parse_number(arguments.version, arguments.version)}"


def collect_garbage(arguments: argparse.Namespace) -> int:
    gone = models.gc(arguments.registry)
    print(f"{len(gone)} incomplete folders and files of killed processes deleted")
    return 0


def verify(arguments: argparse.Namespace) -> int:
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


def export(arguments: argparse.Namespace) -> int:
    from fulmen.registry import exporting

    written = exporting.export(arguments.model, arguments.to, arguments.registry)
    print(f"wrote {written}; it reproduces the kept predictions")
    return 0


def push(arguments: argparse.Namespace) -> int:
    from fulmen.registry import pushing

    print(pushing.push(arguments.model, arguments.to, arguments.registry))
    return 0
