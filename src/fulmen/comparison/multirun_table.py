"""The table of the runs of one task, in the order of their validation score, and the words around it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from fulmen.comparison.ended import SEED, Ended, best_score, has_score, saw_other_data, sd
from fulmen.comparison.multirun_report import mean_and_sd
from fulmen.comparison.places import MEDALS
from fulmen.comparison.statistics import holm
from fulmen.config.mistakes import key_of
from fulmen.report import known
from fulmen.report.document import Rows
from fulmen.report.words import spoken

HOLM = "p-values are adjusted for the number of runs (Holm)."
OTHER_DATA = "The runs saw different data, so that their scores do not rank them."
SHOWN = 5  # test metrics in the table


def in_order(runs: Sequence[Ended]) -> list[Ended]:
    """Those that have a score, the best first."""
    scored = [run for run in runs if has_score(run)]
    return sorted(scored, key=lambda run: known.place(best_score(run), run.mode == "max"))


def heading(runs: Sequence[Ended]) -> str:
    """What ran, and what the order is by."""
    monitor, scored = runs[0].monitor, [run for run in runs if has_score(run)]
    of = " and ".join(dict.fromkeys(run.experiment for run in runs))
    if runs[0].scores:
        seeds = len(runs[0].scores)
        return f"{len(runs)} settings of {of}, each with the same {seeds} seeds, best mean {spoken(monitor)} first"
    count = f"{len(runs)} run{'s' * (len(runs) > 1)} of {of}"
    if not scored:
        return f"{count}, without a score (best {spoken(monitor)}): not ranked"
    if only_seeds(runs):
        return f"{count}, which differ in their seed alone"
    return f"{count}, best {spoken(monitor)} first" if len(runs) > 1 else f"{count}: nothing to rank it against"


def table(runs: Sequence[Ended], differ: bool = True) -> Rows:
    """The runs of one task in their order, and below them the baselines if all saw the same data.

    Args:
        differ: whether they are not known to be alike, so that the first have medals.
    """
    names = labels([run.overrides for run in runs]) if len(runs) > 1 else [runs[0].experiment]
    results = [run.result for run in runs]
    alike = only_seeds(runs)
    rows = rank(names, results, runs[0].monitor, runs[0].mode, medals=differ and not alike and not saw_other_data(runs))
    if alike:
        rows += mean_and_sd(rows)
    if runs[0].scores:
        spread = dict(zip(names, map(sd, runs), strict=True))
        rows = [dict([*list(row.items())[:3], ("sd", spread[row["run"]]), *list(row.items())[3:]]) for row in rows]
    return rows + baselines(results, list(rows[0]))


def only_seeds(runs: Sequence[Ended]) -> bool:
    """Whether runs differ in their seed alone: chance, of which none is better than another."""
    own = labels([run.overrides for run in runs]) if len(runs) > 1 else []
    return bool(own) and all(label.partition("=")[0] == "seed" and " " not in label for label in own)


def notes_on(runs: Sequence[Ended]) -> list[str]:
    """Sentences that a reader of the table needs."""
    shown = table(runs)
    adjusted = any(name.endswith("_p") and known.is_known(row[name]) for row in shown for name in row)
    return [HOLM] * adjusted + [OTHER_DATA] * (saw_other_data(runs) and not only_seeds(runs))


def labels(overrides: Sequence[Sequence[str]]) -> list[str]:
    """What tells each run from the others: the overrides that not all share, `parameter=value`."""
    own = [[o.lstrip("+") for o in run if any(o not in other for other in overrides)] for run in overrides]
    return [" ".join(run) for run in own]


def rank(
    names: Sequence[str], results: Sequence[Mapping[str, Any]], monitor: str, mode: str = "min", medals: bool = True
) -> Rows:
    """One row per run, best score first, runs without one last, which have no place.

    A metric `..._p` is a p-value; among n runs it is adjusted for n looks (Holm 1979).
    """
    rows = []
    for name, result in zip(names, results, strict=True):
        metrics = result.get("metrics", {})
        test = {key: value for key, value in metrics.items() if key.startswith("test/") and key != "test/loss"}
        row = {"": "", "run": name, f"best {monitor}": _best(result, monitor)}
        row |= dict(list(test.items())[:SHOWN])
        row |= {"parameters": result.get("cost", {}).get("parameters"), "s": result.get("cost", {}).get("fit_seconds")}
        status = result.get("status", "failed")
        scored = known.is_known(row[f"best {monitor}"])
        rows.append(row | {"": status if status != "completed" else "" if scored else "no score"})
    rows.sort(key=lambda row: (bool(row[""]), known.place(row[f"best {monitor}"], larger=mode == "max")))
    columns = dict.fromkeys(column for row in rows for column in row)
    rows = [{column: row.get(column) for column in columns} for row in rows]
    for column in [column for column in columns if column.endswith("_p")]:
        tested = [row for row in rows if row[column] is not None]
        for row, p in zip(tested, holm([row[column] for row in tested]), strict=True):
            row[column] = p
    placed = [row for row in rows if not row[""]]
    medals = medals and len(placed) > 1
    for place, row in enumerate(placed, 1):
        row[""] = f"{place} {MEDALS[place - 1]}" if medals and place <= len(MEDALS) else str(place)
    return rows


def _best(result: Mapping[str, Any], monitor: str) -> float | None:
    return result.get("metrics", {}).get(f"best/{monitor}")


def baselines(results: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> Rows:
    """One row per baseline, if all runs that have any have the same: they saw the same data."""
    found = [result["baselines"] for result in results if result.get("baselines")]
    if not found or any(each != found[0] for each in found):
        return []
    blank = dict.fromkeys(columns)
    return [
        blank | {"": "", "run": name} | {column: scores.get(column.removeprefix("test/")) for column in columns[3:]}
        for name, scores in found[0].items()
    ]


def folders_of(runs: Sequence[Ended], settings: Sequence[Ended]) -> dict[str, list[Path]]:
    """Row of the table -> the folders of its runs; {} where rows do not compete: seeds alone, or other data."""
    if len(settings) < 2 or only_seeds(settings) or saw_other_data(settings):
        return {}
    found: dict[str, list[Path]] = {}
    for name, setting in zip(labels([run.overrides for run in settings]), settings, strict=True):
        own = [setting] if setting.folder else [run for run in runs if _but_seed(run) == setting.overrides]
        found[name] = [run.folder for run in own if run.folder and has_score(run)]
    return {name: folders for name, folders in found.items() if folders}


def _but_seed(run: Ended) -> list[str]:
    return [override for override in run.overrides if key_of(override) != SEED]
