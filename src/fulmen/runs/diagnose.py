"""`fulmen diagnose`: the verdict on a run that is over, or on the log of another tool."""

from contextlib import suppress
from pathlib import Path

from fulmen.diagnosis.curves import Curves
from fulmen.diagnosis.logs import read_log
from fulmen.diagnosis.verdicts import Verdict, diagnose
from fulmen.errors import FulmenError
from fulmen.runs.reading import read_result


def diagnose_path(path: Path, train: str | None = None, val: str | None = None) -> tuple[list[Verdict], str]:
    """The verdicts on a run folder or a log of losses, and what they rest on.

    A run's own verdicts, which know more than its curves, go first; naming columns asks for the curves.

    Raises:
        FulmenError: there is nothing to judge.
    """
    path = Path(path)
    if not path.exists():
        raise FulmenError(f"there is no {path}; give a run folder (outputs/runs/...) or a CSV or JSON of losses")
    table = path
    if path.is_dir():
        stored = None
        with suppress(FulmenError):  # damaged: the curves say what they can
            stored = read_result(path).get("verdicts")
        if stored and not (train or val):
            return [Verdict.from_dict(plain) for plain in stored], "what the run itself saw"
        table = path / "metrics.csv"
        if not table.exists():
            raise FulmenError(f"{path} has no metrics.csv: no run folder, or a run that was stopped in its first epoch")
    log = read_log(table, train, val)
    checks = len(Curves.of(*log[:3]).train)
    what = "; losses are error rates here, what the accuracies leave" if log.errors else ""
    what += "; epochs are counted from 1, in the file from 0" if log.from_zero and table == path else ""
    return diagnose(log.train, log.val, epochs=log.epochs), f"{checks} check{'s' * (checks != 1)} of {table}{what}"
