"""`fulmen diagnose`: the verdict on a run that is over, or on the log of another tool."""

from contextlib import suppress
from pathlib import Path

from fulmen.diagnosis.verdicts import Verdict, diagnose
from fulmen.errors import FulmenError
from fulmen.io.logs import LogOptions, read_log
from fulmen.runs.reading import read_result


def diagnose_path(
    path: Path, train: str | None = None, val: str | None = None, options: LogOptions | None = None
) -> tuple[list[Verdict], str]:
    """The verdicts on a run folder or a log of losses, and what they rest on, in one to five lines.

    A run's own verdicts, which know more than its curves, go first; naming columns asks for the curves.

    Args:
        train: column of the training loss.
        val: column of the validation loss.
        options: what else is said of the log.

    Raises:
        FulmenError: there is nothing to judge, or something is open.
    """
    path = Path(path)
    if not path.exists():
        raise FulmenError(f"there is no {path}; give a run folder (outputs/runs/...) or a log with training losses")
    table = path
    if path.is_dir() and (path / "metrics.csv").exists():
        table = path / "metrics.csv"
    if path.is_dir():
        stored = None
        with suppress(FulmenError):  # damaged: the curves say what they can
            stored = read_result(path).get("verdicts")
        if stored and not (train or val or options):
            return [Verdict.from_dict(plain) for plain in stored], "what the run itself saw"
    log = read_log(table, train, val, options)
    return diagnose(log.train, log.val, epochs=log.epochs), "\n".join(log.said)
