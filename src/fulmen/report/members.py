"""The members of an ensemble beside it: their scores, the mean and the spread of these, and its own."""

from collections.abc import Mapping
from typing import Any

from fulmen.report.document import Column, Rows, Section, TableOf
from fulmen.report.known import deviation, is_known, mean
from fulmen.report.words import spoken

MOST = 5  # scores of each
NOTE = "sd: of the members. Each member is one training; the ensemble predicts the mean of what they predict."


def members_section(result: Mapping[str, Any]) -> list[Section]:
    """A section with a row for each member, of `members` in `result.json`; none where the run is no ensemble."""
    members = [each for each in result.get("members") or [] if isinstance(each, dict) and each.get("metrics")]
    if not members:
        return []
    own: Mapping[str, Any] = result.get("metrics") or {}
    told = [f"test/{name}" for name in result.get("better") or {}]
    shared = [name for name in [*told, *own] if all(is_known(each["metrics"].get(name)) for each in [*members])]
    names = [name for name in dict.fromkeys(shared) if is_known(own.get(name))][:MOST]
    rows: Rows = [{"": str(each.get("run"))} | {name: each["metrics"][name] for name in names} for each in members]
    for title, of in (("mean of the members", mean), ("sd of the members", deviation)):
        rows.append({"": title} | {name: of([each["metrics"][name] for each in members]) for name in names})
    rows.append({"": "the ensemble"} | {name: own[name] for name in names})
    columns = {"": Column("run")} | {name: Column(spoken(name)) for name in names}
    return [Section("Members", tables=[TableOf("Members", rows, columns, note=NOTE)])]
