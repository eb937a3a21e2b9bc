"""What a report says of a scan for leaks: a section with the evidence, and a sentence beside the scores."""

import shlex
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from fulmen.report.document import Column, Rows, Section, TableOf, number
from fulmen.report.markdown import as_text
from fulmen.report.words import counted

PROVES_NOTHING = "finding nothing proves nothing: a leak that shows in no copy, column, group or time is not seen"
SCANNED = "leak_scan_seconds"  # in the cost of a run whose data were scanned
UNFIT = "FUL-T"  # what is no leak and makes data unfit to be judged by
REMOVED = "The data have a leak that can be removed. This trains without it:"
OFF = "No leak was looked for, as asked by leaks=off"
NO_END = "The scan for leaks came to no end"
DOUBTED = ("error", "warning")
GRAVEST_FIRST = ("error", "warning", "note")
PAIRS, NAMED = "pairs", 3  # of rows, and how many of them are named
UNTOLD = ("beyond_target",)  # what the finding was decided by, and no words
WORDS = {PAIRS: "rows that go together", "by_chance": "expected by chance"}
LONGEST = 160  # signs of the evidence in a cell

Plain = Mapping[str, Any]  # a leak as `fulmen.data.leaks.Leak.as_dict` has it


def leaks_in(result: Mapping[str, Any]) -> list[Plain]:
    """Those that `result.json` has; what is no leak there is passed over."""
    found = result.get("leaks") or []
    return [each for each in found if isinstance(each, dict) and isinstance(each.get("finding"), str)]


def distinct(leaks: Iterable[Plain]) -> list[dict[str, Any]]:
    """Of leaks of several runs the first of each kind, column and splits, the gravest first."""
    found = {same(each): dict(each) for each in reversed(list(leaks))}
    return sorted(found.values(), key=lambda each: (GRAVEST_FIRST.index(str(each["severity"])), str(each["id"])))


def same(leak: Plain) -> tuple[str, ...]:
    """What two findings of the same leak share, whatever their numbers are."""
    known = leak.get("evidence") or {}
    where = known.get("splits", known.get("split", ""))
    return (str(leak.get("id")), *map(str, leak.get("columns") or ()), str(where))


def heading(leak: Plain) -> str:
    """`FUL-L06 target copy`."""
    return f"{leak.get('id', '')} {str(leak.get('code', '')).replace('_', ' ')}".strip()


def line(leak: Plain) -> str:
    """`error: FUL-L06 target copy: the feature status is the target; try: data.forbidden=[status]`."""
    cures = " ".join(map(str, leak.get("cures") or ()))
    return f"{leak.get('severity', 'note')}: {heading(leak)}: {leak['finding']}{f'; try: {cures}' if cures else ''}"


def caution(leaks: Iterable[Plain], scores: str = "the scores of the test split") -> str:
    """What leaks mean for scores, in a sentence; where there are none what unfit data mean; "" where neither is more
    than a note."""
    found = [each for each in leaks if each.get("severity") in DOUBTED]
    unfit = [each for each in found if str(each.get("id")).startswith(UNFIT)]
    for severity, means in (("error", "cannot be believed"), ("warning", "may be too good")):
        names = dict.fromkeys(heading(each) for each in found if each.get("severity") == severity and each not in unfit)
        if names:
            return f"The data have {counted(len(names), 'leak')} ({', '.join(names)}): {scores} {means}."
    names = dict.fromkeys(map(heading, unfit))
    return f"The data are hardly fit to be judged by ({', '.join(names)}): {scores} say little." if names else ""


def cautioned(
    leaks: Sequence[Plain], answer: str, sure: str, scores: str = "the scores of the test split"
) -> tuple[str, str]:
    """Answer and how sure it is, in Markdown, with a caution before the former of an error, of a warning the latter."""
    said = as_text(caution(leaks, scores))
    if has_error(leaks):
        return f"{said} {answer}".strip(), sure
    return answer, f"{said} {sure}".strip()


def has_error(leaks: Iterable[Plain] | None) -> bool:
    """Whether scores cannot be believed."""
    return any(each.get("severity") == "error" for each in leaks or ())


def cure_of(leaks: Iterable[Plain]) -> list[str]:
    """The overrides that remove the first leak for which scores cannot be believed; [] where none do."""
    found = (as_words(each.get("cures") or ()) for each in leaks if each.get("severity") == "error")
    return next(filter(None, found), [])


def as_words(cures: Iterable[str]) -> list[str]:
    """Overrides that are quoted for a shell, as a program gets them from it."""
    return [word for cure in cures for word in shlex.split(str(cure))]


def leak_sections(
    leaks: Sequence[Plain], scanned: bool, unscanned: str = "", ignored: Iterable[Plain] = ()
) -> list[Section]:
    """What was found, the gravest first, and what the scan cannot show; no section where nothing can be scanned.

    Args:
        unscanned: why nothing is known of leaks: `OFF`, or that the scan came to no end.
        ignored: findings that are not reported.
    """
    if not leaks and not scanned:
        unknown = f"{as_text(unscanned)}: whether the data have leaks is not known."
        return [Section("Leaks", [unknown], listed=True)] if unscanned else []
    said = [f"**{as_text(heading(each))}** ({each.get('severity')}): {as_text(each['finding'])}.{_cures(each)}"
            for each in leaks]  # fmt: skip
    other = "other " * any(str(each.get("id")).startswith("FUL-L") for each in ignored)
    nothing = f"A scan of the samples of all splits found no {other}leak; " if not leaks else "Of other leaks, "
    said.append(f"{nothing}{PROVES_NOTHING}.")
    return [Section("Leaks", said, listed=True, tables=[evidence(leaks)] if leaks else [])]


def evidence(leaks: Sequence[Plain]) -> TableOf:
    """A row for each leak: what stands behind it, and its score with and without what is suspected."""
    rows: Rows = []
    for each in leaks:
        known = dict(each.get("evidence") or {})
        scores = {name: known.pop(name) for name in ("with", "without") if name in known}
        rows.append(
            {"": heading(each), "severity": str(each.get("severity"))} | scores | {"evidence": _in_words(known)}
        )
    return TableOf("What stands behind them", rows, {"": Column("leak"), "with": Column("score with it"),
                                                     "without": Column("score without it")})  # fmt: skip


def _cures(leak: Plain) -> str:
    cures = [f"`{cure}`" for cure in leak.get("cures") or ()]
    return f" Try: {', '.join(cures)}." if cures else ""


def _in_words(values: Mapping[str, Any]) -> str:
    """`splits: train, test; count: 31; expected by chance: 0.2`, cut where it grows long."""
    told = {name: value for name, value in values.items() if name not in UNTOLD}
    said = "; ".join(f"{WORDS.get(name, name.replace('_', ' '))}: {_pairs(value) if name == PAIRS else _value(value)}"
                     for name, value in told.items())  # fmt: skip
    return said if len(said) <= LONGEST else f"{said[: LONGEST - 2]} …"


def _pairs(value: Any) -> str:
    """`0 with 600, 1 with 601 and 8 more`"""
    if not isinstance(value, list | tuple) or not all(isinstance(each, list | tuple) for each in value):
        return _value(value)
    said = ", ".join(" with ".join(map(_value, pair)) for pair in value[:NAMED])
    return said + f" and {len(value) - NAMED} more" * (len(value) > NAMED)


def _value(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {_value(each)}" for name, each in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(_value, value))
    return number(value)
