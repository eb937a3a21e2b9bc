"""What a training has printed: names and numbers in lines, `Epoch 1/14 - loss: 2.05 - val_loss: 2.45`."""

import ast
import re
from typing import Any

from fulmen.io.logs.table import LogTable, of_records
from fulmen.io.logs.words import AXES, HIGHER, LOSSES, PARTS, words

NUMBER = r"[-+]?(?:\d[\d.,]*(?:e[-+]?\d+)?|\.\d+(?:e[-+]?\d+)?|(?:nan|inf(?:inity)?)\b)%?"
WORD = r"[^\W\d_][\w'’/@.\-]*"
PAIR = re.compile(
    rf"(?P<name>{WORD}(?:[ ]{WORD}){{0,4}}(?:[ ]?\([A-Za-z ]+\))?)(?:[\"'’])?"
    rf"\s*(?:[:=#]|[-=]>|\s|(?=\[))\s*[\[(#]?\s*(?P<value>{NUMBER})(?![A-Za-z_\d])"
    rf"|(?P<alone>{WORD})",
    re.IGNORECASE,
)  # a name with its number; or a word alone, which may be the part that follows
DICT = re.compile(r"\{[^{}]*'[^{}]*\}")
SKIPPED = re.compile(r"improve|saving|saved|early.?stop|restor|best iteration|patience|did not meet", re.IGNORECASE)
COUNTED = re.compile(r"^\s*\[(\d+)\]|^\s*(\d+):\s")  # XGBoost, LightGBM; CatBoost
PAIRED = re.compile(r"^\s*\[(\d+),\s*(\d+)\]")  # epoch and batch, as PyTorch's first tutorial prints them
UNFINISHED = re.compile(r"^\s*(\d+)/(\d+)\s*[\[━.]|(\d+)%\|")  # bars of progress: 100/782 [==>.....], 50%|#####
AVERAGED = re.compile(rf"^\s*(\d+):\s*{NUMBER},?\s*({NUMBER}) avg loss\b", re.IGNORECASE)  # Darknet
STAMP = re.compile(
    r"^\[?\d{1,2}/[A-Z][a-z]{2}/\d{4}[ :][\d:.,]+(?:\s+[A-Z]+\s+\d+)?\]?"
)  # [01/Mar/2024 12:00:01 INFO 7]
LABEL = re.compile(r"<\w+>(?=\s*=)")  # SageMaker: train loss <loss>=1.2
SECOND = re.compile(r"\s*/\s*(\d*[.,]\d+)")
RUNS = {"fold", "seed", "run", "trial"}
AXIS = set(AXES)
KNOWN = {*LOSSES, *HIGHER}


def is_printed(lines: list[str]) -> bool:
    """Whether most lines that hold numbers name them."""
    if _has_header([line for line in lines if line.strip()][:2]):
        return False
    sample = [line for line in lines[:200] if any(sign.isdigit() for sign in line)][:60]
    named = [line for line in sample if DICT.search(line) or _names_a_loss(line) or COUNTED.match(line)]
    return bool(sample) and 2 * len(named) >= len(sample) and any(map(_names_a_loss, sample))


def _has_header(first: list[str]) -> bool:
    """Whether names of columns stand above cells."""
    if len(first) < 2:
        return False
    cells = [line.split() for line in first]
    spaced = len(cells[0]) == len(cells[1]) > 1 and cells[1][0].replace(".", "", 1).isdigit()
    return (
        (spaced or any(sign in first[0] and first[0].count(sign) == first[1].count(sign) for sign in ",;\t|"))
        and not any(map(str.isdigit, re.sub(r"[A-Za-z_@][\w@]*", "", first[0])))
        and _is_of_interest(first[0])
    )


def _names_a_loss(line: str) -> bool:
    return any(_is_of_interest(found["name"]) for found in PAIR.finditer(line) if found["name"])


def _is_of_interest(name: str) -> bool:
    each = words(name)
    return any(word in KNOWN or word in PARTS for word in each) or each[-1:] == ("epoch",)


def table_of_printed(source: str, lines: list[str]) -> LogTable | None:
    """One record a line that has a number with a name; None if there is none of a loss.

    The last epoch counts for the lines after it that say none, and `train` before a name for the names after
    it in its line.
    """
    if averaged := [(number, match) for number, line in enumerate(lines, 1) if (match := AVERAGED.match(line))]:
        rows = [{"iteration": match[1], "avg loss": match[2]} for _, match in averaged]
        return of_records(source, rows, [number for number, _ in averaged], word="line", taken=["Darknet's output"])
    records: list[dict[str, Any]] = []
    places: list[int] = []
    heading: dict[str, Any] = {}
    runs: dict[str, Any] = {}
    unfinished = 0
    for number, raw in enumerate(lines, 1):
        line = raw.rstrip("\r").rsplit("\r", 1)[-1].rsplit("\b", 1)[-1]
        if not line or SKIPPED.search(line):
            continue
        record = _record(line)
        if not record:
            continue
        if all(words(name)[-1:] and words(name)[-1] in RUNS for name in record):  # a heading: Fold 0
            runs, heading = {**runs, **record}, {}
            continue
        record = {**runs, **record}
        axes = {name: value for name, value in record.items() if words(name)[-1:] and words(name)[-1] in AXIS}
        bar = None if "{" in line else UNFINISHED.search(line)
        if bar and (bar[1] != bar[2] or (bar[3] and bar[3] != "100")):
            unfinished += 1
            heading = {**heading, **axes}
            continue
        if len(axes) + len(runs) == len(record):
            heading = axes
            continue
        if "epoch" not in axes and heading:
            record = {**heading, **record}
        elif "epoch" in axes:
            heading = {"epoch": axes["epoch"]}
        records.append(record)
        places.append(number)
    found = {name for record in records for name in record}
    if not found - AXIS or not any(map(_is_of_interest, found)):
        return None
    dropped = [f"{unfinished} lines of unfinished epochs"] if unfinished else []
    return of_records(source, records, places, word="line", dropped=dropped, taken=["printed text"])


def _record(line: str) -> dict[str, Any]:
    """Name -> text of its number."""
    if found := DICT.search(line):
        try:
            plain = ast.literal_eval(re.sub(r"(?<!['\w])(-?(?:nan|inf))\b", r"'\1'", found[0]))
            return {str(name): value for name, value in plain.items()} if isinstance(plain, dict) else {}
        except (ValueError, SyntaxError):
            pass
    line = LABEL.sub("", STAMP.sub("", line))
    record: dict[str, Any] = {}
    if pair := PAIRED.match(line):
        record = {"epoch": pair[1], "step": pair[2]}
        line = line[pair.end() :]
    elif count := COUNTED.match(line):
        record = {"iteration": count[1] or count[2]}
        line = line[count.end() :]
    part = quantity = ""
    for found in PAIR.finditer(line):
        if found["alone"]:
            each = words(found["alone"])
            part = next((word for word in each if word in PARTS), part)
            quantity = next((word for word in each if word in KNOWN), "" if part else quantity)
            continue
        name, value = found["name"].strip(), found["value"].rstrip(".,")
        if second := SECOND.match(line, found.end()):  # loss 2.05 / 2.45
            record |= {f"{name} first": value, f"{name} second": second[1].rstrip(".,")}
            continue
        each = words(name)
        told = next((word for word in each if word in PARTS), "")
        if each and each[-1] in AXIS:
            part = told or part
            behind = re.match(rf"\s*\)?\s*[:=]\s*({NUMBER})", line[found.end() :])
            if behind and any(word in KNOWN for word in each):  # train loss at epoch 1: 2.05
                record[" ".join(word for word in each if word in KNOWN or word in PARTS)] = behind[1].rstrip(".,")
            record["epoch" if each[-1].startswith("ep") else each[-1].removesuffix("s")] = value
        elif told:
            own = any(word in KNOWN for word in each)
            record.setdefault(name if own or not quantity or len(each) > 1 else f"{name} {quantity}", value)
            part = part if own and (" " not in name or found.start() > 1) else told
        elif part and any(word in KNOWN for word in each):
            record.setdefault(f"{part} {name}", value)
        else:
            record.setdefault(name, value)
    return record
