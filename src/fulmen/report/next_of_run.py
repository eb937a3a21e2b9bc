"""What to type after a run: what its finding asks for, and only if it asks for nothing a repetition with more seeds."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from fulmen.config.mistakes import key_of
from fulmen.config.outside import resume_command
from fulmen.config.own_project import shown
from fulmen.config.stored import read_stored
from fulmen.errors import FulmenError
from fulmen.optim.rates import lower
from fulmen.report.known import is_known, of_test
from fulmen.report.leaks import REMOVED, cure_of, leaks_in
from fulmen.report.next_step import REPEATS, diagnose, fulmen, keep, train_again
from fulmen.report.words import counted

LAST = "checkpoints/last.ckpt"
RATE, EPOCHS = "model.optimizer.lr", "trainer.max_epochs"
CUT_OFF = ("running", "interrupted", "killed")
BEST = "better_than_baselines"
FEW, ENOUGH = 6, 20  # epochs before curves mean anything, and that are trained instead


def next_of(
    folder: Path, result: Mapping[str, Any], overrides: Sequence[str], asked: tuple[str, str] = ("", "")
) -> tuple[str, str]:
    """Why, and what to type next.

    Args:
        asked: what the workload would have instead of a repetition: why, and an override.
    """
    return _of_unfinished(folder, result, overrides) or _of_finished(folder, result, overrides, asked)


def _of_unfinished(folder: Path, result: Mapping[str, Any], overrides: Sequence[str]) -> tuple[str, str] | None:
    """Of a run that did not come to its end, went wrong or was not tested; None of all others."""
    experiment, status = str(result.get("experiment") or folder.parent.name), str(result.get("status"))
    verdicts = _verdicts(result)
    if status in CUT_OFF or status == "stopped":
        if result.get("runs") or (folder / LAST).is_file():
            return "The training did not come to its end. This goes on with it:", resume_command(folder)
        return "Nothing of it was saved. This starts it again:", train_again(experiment, overrides)
    if status == "diverged" and (rate := learning_rate(folder)):
        again = train_again(experiment, overrides, f"{RATE}={lower(rate):.1g}")
        return "This trains it again with a lower learning rate:", again
    if status == "failed" and not (verdicts or (folder / "metrics.csv").is_file()):
        return "When what went wrong is mended, this starts it again:", train_again(experiment, overrides)
    if status in ("diverged", "failed") or any(each.get("severity") == "error" for each in verdicts):
        return "Something is wrong with the training. This says what, and what to try:", diagnose(folder)
    if status == "completed" and not of_test(result.get("metrics") or {}) and (folder / LAST).is_file():
        return "It was not tested. This tests its best checkpoint:", f"{resume_command(folder)} test=true"
    return None


def _of_finished(
    folder: Path, result: Mapping[str, Any], overrides: Sequence[str], asked: tuple[str, str]
) -> tuple[str, str]:
    experiment, epochs = str(result.get("experiment") or folder.parent.name), int(result.get("epochs") or 0)
    if cure := cure_of(leaks_in(result)):
        return REMOVED, train_again(experiment, overrides, *cure)
    if result.get("members"):
        return "This keeps it as a model:", keep(folder, experiment)
    if any(each.get("code") == "still_improving" for each in _verdicts(result)):
        longer = train_again(experiment, overrides, f"{EPOCHS}={2 * max(epochs, 1)}")
        return "Validation loss was still falling. This trains twice as long:", longer
    if asked[1].startswith("data."):  # of other data: nothing else is worth a training before
        return asked[0], train_again(experiment, overrides, asked[1])
    if repeated := [key_of(override) for override in overrides if key_of(override) in REPEATS]:
        whole = folder.parent.parent if "folds" in repeated else folder.parent
        return "This is one of several runs. This shows what they say together:", fulmen("runs", "show", shown(whole))
    verdict = result.get("shown") or {}
    lost, steps = _lost(verdict), int(result.get("steps", 2))  # what is fitted, not trained, has taken one
    if verdict and verdict.get("code") != BEST and 0 < epochs < FEW and steps > 1 and _all_epochs(folder, epochs):
        only = f"{counted(epochs, 'epoch')} alone"
        after = f"The network is worse than {lost} after {only}." if lost else f"It was trained for {only}."
        return f"{after} This trains longer:", train_again(experiment, overrides, f"{EPOCHS}={ENOUGH}")
    if lost and not asked[1]:
        return f"The network is worse than {lost}. This says what its training shows:", diagnose(folder)
    if asked[1]:
        return asked[0], train_again(experiment, overrides, asked[1])
    again = train_again(experiment, overrides, "seeds=3")
    return "One training says little of another. This repeats it with three seeds:", again


def _verdicts(result: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [each for each in result.get("verdicts") or [] if isinstance(each, dict)]


def _lost(verdict: Mapping[str, Any]) -> str:
    """What the network is shown to be worse than, of what `result.json` says the test split shows; "" of nothing."""
    if verdict.get("code") == "worse_than_constant":
        return "a constant prediction"
    simple = verdict.get("simple") or {}
    high = simple.get("high")
    return f"the best simple model ({simple.get('name')})" if is_known(high) and high < 0 else ""


def _all_epochs(folder: Path, epochs: int) -> bool:
    """Whether a training had all the epochs that it was allowed."""
    try:
        return int(read_stored(folder)["trainer"]["max_epochs"]) <= epochs
    except (FulmenError, KeyError, TypeError, ValueError):
        return True


def learning_rate(folder: Path) -> float | None:
    """That of the optimizer in the config of a run folder; None where that has none, or cannot be read."""
    try:
        rate = read_stored(folder)["model"]["optimizer"]["lr"]
    except (FulmenError, KeyError, TypeError):
        return None
    return float(rate) if is_known(rate) and rate > 0 else None
