"""`fulmen.check` and `fulmen.diagnose`: a file of a person's own, from Python."""

import math
import numbers
from collections.abc import Sequence
from pathlib import Path

from fulmen.config.overrides import listed
from fulmen.diagnosis import verdicts
from fulmen.diagnosis.verdicts import Verdicts
from fulmen.errors import FulmenError
from fulmen.runs.check_file import Checked, taken_from
from fulmen.runs.diagnose import diagnose_path


def check(path: str | Path, experiment: str | None = None, *overrides: str) -> Checked:
    """What an experiment takes from a file, as `fulmen check` says it; nothing is trained.

    Args:
        experiment: its name; None: told by what is in the file.
        overrides: as behind the command: `"data.decimal=comma"`.

    Returns:
        `.taken` (rows, columns, decisions, doubts of each file), `.splits`, `.warnings`, `.lines()`.

    Raises:
        FulmenError: there is no such file, or it does not fit; the message says what to do.
    """
    from fulmen.runs.recognising import Answer, recognised

    path, typed, argument = Path(path), listed(overrides, "check"), ""
    if not path.exists():
        raise FulmenError(f"check: there is no file {path}")
    if experiment is None:
        found = recognised(path, typed, quiet=True)
        if isinstance(found, Answer):
            raise FulmenError(f"{found.what}; this is for it: fulmen.diagnose({str(path)!r})")
        experiment, argument, typed = found.experiment, found.argument, [*found.overrides, *typed]
    return taken_from([path], experiment, typed, argument)


def diagnose(
    train: str | Path | Sequence[float | None],
    val: Sequence[float | None] = (),
    base: float | None = None,
    epochs: Sequence[int] | None = None,
    frozen: str = "",
    expected_gain: float = 0.4,
    val_scale: float = 1.0,
) -> Verdicts:
    """What two loss curves say: errors and warnings first, then a good fit, then notes; there is always a verdict.

        verdicts = fulmen.diagnose(train=[2.3, 1.1, ...], val=[2.2, 1.4, ...])
        "overfitting" in verdicts, "FUL-D03" in verdicts, verdicts[0].cures
        fulmen.diagnose("history.json")

    Args:
        train: one loss per check, as `fulmen.diagnosis.diagnose` takes them; or a log, or the folder of a run.
        val: likewise; empty where there is none.
        base, epochs, frozen, expected_gain, val_scale: of losses, as `fulmen.diagnosis.diagnose` takes them.

    Raises:
        FulmenError: a loss is no number, there are not as many of each as of checks, another argument is beyond what
            it may be, or a file tells of no training.
    """
    for name, value, fits, range_ in (
        ("base", base, lambda x: 0 < x < math.inf, "above 0, or None where it is not known"),
        ("expected_gain", expected_gain, lambda x: 0 <= x <= 1, "a share from 0 to 1"),
        ("val_scale", val_scale, lambda x: 0 < x < math.inf, "above 0; 1 where both losses compare"),
    ):
        known = isinstance(value, numbers.Real) or getattr(value, "shape", None) == ()
        if not (value is None and name == "base") and not (known and fits(value)):
            raise FulmenError(f"diagnose: {name} is {value}; it is {range_}")
    if isinstance(train, str | Path):
        return Verdicts(diagnose_path(Path(train))[0])
    return verdicts.diagnose(train, val, base, epochs, frozen, expected_gain, val_scale)
