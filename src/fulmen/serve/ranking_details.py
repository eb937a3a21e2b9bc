"""A ranking as its folder tells it, row by row."""

import json
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

from pydantic import BaseModel

from fulmen.report.known import is_known
from fulmen.serve.problems import Problem


class Score(BaseModel):
    """A metric over the folds; `mean` and `sd` are null where a fold has no value."""

    mean: float | None
    sd: float | None
    folds: list[float | None]


class Row(BaseModel):
    """A model in a ranking; `row` counts from 1, `override` chooses it, null for a baseline.

    A `rule` is a baseline of which nothing is fitted to data, so that nothing can be kept.
    """

    row: int
    model: str
    baseline: bool
    rule: bool
    override: str | None
    seconds: float | None
    scores: dict[str, Score]


class Ranked(BaseModel):
    """A ranking: the metric it is by, what it says of the first, and its rows in their order."""

    metric: str
    metrics: list[str]
    says: str
    overrides: list[str]
    ceiling: dict[str, float | None]
    chance: dict[str, float | None]
    rows: list[Row]


def ranked(folder: Path) -> Ranked:
    """What `ranking.json` holds.

    Raises:
        Problem: 409, it cannot be read.
    """
    try:
        found = json.loads((folder / "ranking.json").read_bytes())
        scores = {str(name): dict(each) for name, each in found["scores"].items()}
        plain = [{"model": name, "baseline": False, "override": None} for name in scores]
        rows = [_row(number, each, scores, found) for number, each in enumerate(found.get("rows") or plain, 1)]
        return Ranked(
            metric=found["metric"], metrics=list(dict.fromkeys(name for row in rows for name in row.scores)),
            says=found.get("verdict") or "", overrides=found.get("overrides") or [], rows=rows,
            ceiling=found.get("ceiling") or {}, chance=found.get("chance") or {},
        )  # fmt: skip
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise Problem(409, f"ranking.json of {folder.name} is damaged: {type(error).__name__}") from None


def _row(number: int, row: dict[str, Any], scores: dict[str, dict[str, Any]], found: dict[str, Any]) -> Row:
    name = str(row["model"])
    seconds = (found.get("cpu_seconds") or {}).get(name)
    return Row(
        row=number, model=name, baseline=bool(row["baseline"]), rule=bool(row.get("rule")),
        override=row["override"], seconds=seconds,
        scores={metric: _score(values) for metric, values in scores[name].items()},
    )  # fmt: skip


def _score(values: list[Any]) -> Score:
    folds = [float(value) if is_known(value) else None for value in values]
    known = [value for value in folds if value is not None]
    if not known or len(known) < len(folds):
        return Score(mean=None, sd=None, folds=folds)
    return Score(mean=fmean(known), sd=stdev(known) if len(known) > 1 else None, folds=folds)
