"""How far apart training and validation loss are, as a share, by the curves that a run has logged."""

from contextlib import suppress
from pathlib import Path

from fulmen.errors import FulmenError
from fulmen.report.document import number

TRAIN, VAL = "train/loss", "val/loss"
TWICE = 2.0  # from there on a factor says more than a share


def gap_of(folder: Path, differ: str = "") -> str:
    """A line of Markdown on the gap where validation loss is lowest, by `metrics.csv` in a run folder.

    "" where one of the losses is missing, is not above 0, or has another unit than the other by the diagnosis.

    Args:
        differ: why the two are not the same quantity, if they are not: there is no gap to tell then.
    """
    if differ:
        return f"**gap**: the two losses do not compare as logged: {differ}. The diagnosis takes both alike."
    from fulmen.diagnosis.curves import Curves  # numpy: not for those who show a table
    from fulmen.diagnosis.measured import measure
    from fulmen.io.logs import read_log

    with suppress(FulmenError):
        log = read_log(folder / "metrics.csv", TRAIN, VAL)
        curves = Curves.of(log.train, log.val, log.epochs)
        if curves.missing or not len(curves.val) or min(curves.train.min(), curves.val.min()) <= 0:
            return ""
        if measure(curves.train, curves.val, None).foreign:
            return ""
        best = int(curves.val.argmin())
        return said(float(curves.train[best]), float(curves.val[best]), int(curves.epochs[best]))
    return ""


def said(train: float, val: float, epoch: int) -> str:
    """The line for two losses above 0 after an epoch, counted from 1."""
    times, share = val / train, round(100 * abs(val / train - 1))
    how = f"{share} % {'above' if times > 1 else 'below'}"
    if times >= TWICE or not share:
        how = f"{times:.3g} times" if share else "as high as"
    return (
        f"**gap**: validation loss is {how} the training loss where it is lowest, after epoch {epoch} ({number(val)} "
        f"and {number(train)}), as logged: training losses are of weights on their way, with dropout and augmentation "
        "where there are any."
    )
