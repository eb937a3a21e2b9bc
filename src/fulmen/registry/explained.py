"""What an input of a kept model has to look like, as tables for people: `fulmen predict MODEL --explain`."""

import sys
from collections.abc import Iterator, Mapping
from typing import Any

from rich.console import Console

from fulmen.registry.json_schema import Facts, described
from fulmen.report.summary import Rows, print_table

WIDE = 160  # columns of text where nobody reads at a terminal
FEW = 6  # numbers that are told one by one
KNOWN = ("format", "columns", "arrays", "features", "output", "routes")  # told in tables or beside names


def show(model: str, schema: Facts) -> None:
    """Print what the model reads, what it gives, and what else is fixed by its training."""
    console = Console(width=None if sys.stdout.isatty() else WIDE)
    left = ("unit", "seen in training")
    print_table(f"What {model} reads: {schema.get('format', 'a file')}", inputs(schema), console, left, ("note",))
    if features := schema.get("features"):
        rows = [{name: value for name, value in _row(each).items() if name != "note"} for each in features]
        print_table("What it makes of that", rows, console, left)
    if output := schema.get("output"):
        rows = [{"name": name, "what": meaning} for name, meaning in output.items()]
        print_table("What it gives", rows, console, wrapped=("what",))
    for line in others(schema):
        print(line)
    print(f"an example to start from: fulmen predict {model} --example FILE; all of this as JSON: --explain --json")


def inputs(schema: Facts) -> Rows:
    """A row per column or array: name, unit, range seen in training, note; organs stand in one row."""
    return [_row(facts) for facts in described(schema)]


def others(schema: Facts) -> Iterator[str]:
    """A line for each further fact that is plain: `lookback_days: 60`."""
    lists = {facts["name"]: facts["values"] for facts in schema.get("arrays") or () if _has_values(facts)}
    for name, value in {**lists, **schema}.items():
        if name in KNOWN or isinstance(value, Mapping) or value in (None, [], ""):
            continue
        if isinstance(value, list):
            if any(isinstance(each, Mapping) for each in value):
                continue
            value = _listed(value)
        yield f"{name}: {f'{value:.4g}' if isinstance(value, float) else value}"


def _has_values(facts: Any) -> bool:
    return isinstance(facts, Mapping) and "values" in facts


def _row(facts: Facts) -> dict[str, Any]:
    unit = facts.get("unit")
    seen = f"{_listed(levels)}" if (levels := facts.get("levels")) else _range(facts)
    return {"name": facts["name"], "unit": "" if unit in (None, "1") else unit, "seen in training": seen,
            "note": "; ".join(_notes(facts))}  # fmt: skip


def _range(facts: Facts) -> str:
    by_organ = facts.get("range_by_organ")
    ends: list[Any] = list(by_organ.values()) if by_organ else [facts.get("range") or facts.get("seen") or ()]
    if not ends[0]:
        return ""
    low, high = min(low for low, _ in ends), max(high for _, high in ends)
    return f"{low:.4g}" if low == high else f"{low:.4g} to {high:.4g}"


def _notes(facts: Facts) -> Iterator[str]:
    dtype = str(facts.get("dtype", ""))
    if by_organ := facts.get("range_by_organ"):
        yield f"one for each of {len(by_organ)} organs, whose ranges differ"
    if facts.get("note"):
        yield str(facts["note"])
    if dtype and dtype != "number":
        size = f" {' x '.join(map(str, facts['shape']))}" if len(facts.get("shape", ())) > 1 else ""
        yield f"{dtype}{size}"
    if facts.get("also"):
        yield f"also {facts['also']}"
    if facts.get("missing"):
        yield "may be missing"
    if facts.get("optional"):
        yield "may be left out"


def _listed(values: list[Any]) -> str:
    if len(values) > FEW and all(isinstance(value, int | float) for value in values):
        return f"{len(values)} values, {min(values):.4g} to {max(values):.4g}"
    return ", ".join(f"{value:.4g}" if isinstance(value, float) else str(value) for value in values)
