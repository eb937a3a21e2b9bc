"""`fulmen diagnose`: the verdict on a run that is over, or on the log of another tool."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from fulmen.diagnosis.ignored import Ignored, as_plain
from fulmen.diagnosis.verdicts import Verdict, diagnose
from fulmen.errors import FulmenError
from fulmen.io.logs import LogOptions, read_log
from fulmen.runs.reading import read_result

COLUMN = "another column, by --train or --val"


class Diagnosed(NamedTuple):
    """The verdicts, those that warn first; what they rest on, in words; what was left out, as `result.json` has it."""

    verdicts: list[Verdict]
    source: str
    ignored: list[dict[str, Any]]


def diagnose_path(
    path: Path,
    train: str | None = None,
    val: str | None = None,
    options: LogOptions | None = None,
    ignore: Sequence[str] = (),
) -> Diagnosed:
    """The verdicts on a run folder or a log of losses.

    A run's own verdicts, which know more than its curves, go first; naming columns asks for the curves.

    Args:
        train: column of the training loss.
        val: column of the validation loss.
        options: what else is said of the log.
        ignore: findings to leave out, by code or name.

    Raises:
        FulmenError: there is nothing to judge, something is open, or `ignore` names no finding.
    """
    path, ignored = Path(path), Ignored.of(ignore)
    if not path.exists():
        raise FulmenError(f"there is no {path}; give a run folder (outputs/runs/...) or a log with training losses")
    stored = {} if train or val or options else _stored(path)
    if stored:
        found, source = [Verdict.from_dict(plain) for plain in stored.get("verdicts") or []], "what the run itself saw"
    else:
        table = path / "metrics.csv" if path.is_dir() and (path / "metrics.csv").exists() else path
        log = read_log(table, train, val, options)
        found = [_by_columns(verdict) for verdict in diagnose(log.train, log.val, epochs=log.epochs)]
        source = "\n".join(log.said)
    kept, left_out = ignored.split(found)
    return Diagnosed(kept, source, [*stored.get("ignored", []), *as_plain(left_out)])


def _by_columns(verdict: Verdict) -> Verdict:
    """The verdict with what can be done about a column of a log."""
    return replace(verdict, cures=(COLUMN, *verdict.cures)) if verdict.code == "constant_curve" else verdict


def _stored(path: Path) -> dict[str, Any]:
    """What the result of a run says, if it holds verdicts; {} of a damaged one: the curves say what they can."""
    if path.is_dir():
        with suppress(FulmenError):
            result = read_result(path)
            return result if result.get("verdicts") or result.get("ignored") else {}
    return {}
