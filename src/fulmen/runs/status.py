"""What becomes of a run is written down, whatever ends it."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from lightning.pytorch import Trainer
from omegaconf import DictConfig

from fulmen.config.mistakes import command
from fulmen.config.outside import resume_command
from fulmen.errors import FulmenError, Interrupted
from fulmen.runs.partial_report import stamp, write_partial
from fulmen.runs.result import Result
from fulmen.signals import listening, number_of


@contextmanager
def recorded(result: Result, trainer: Trainer, overrides: Sequence[str] = (), report: bool = True) -> Iterator[None]:
    """Write how a run stands when it starts and how it ended, whatever ends it: an error, Ctrl-C, SIGTERM or SIGUSR1.

    While batches are trained `ExactResume` looks for the first signal; before, between and after it acts at once.

    Args:
        overrides: what was typed, for the command that starts again what has saved nothing.
        report: whether a run that came to no whole report leaves one as far as it goes.
    """
    started, steps, written = time.monotonic(), result.steps, stamp(result.folder)

    def write() -> None:
        result.cost["seconds"] = time.monotonic() - started
        if trainer.is_global_zero:
            result.write()

    def interrupted() -> str:
        result.status = "interrupted"
        result.message, on = how_it_stands(result, trainer, overrides)
        write()
        return f"{result.message}; {on}"

    with listening(interrupted) as listener:
        result.status, result.message = "running", ""
        try:
            write()
            yield
            if result.status == "running":
                result.status = "completed"
        except FulmenError as error:
            result.status, result.message = error.status, str(error)
            raise
        except BaseException as error:
            if listener.broken or isinstance(
                error, KeyboardInterrupt | SystemExit
            ):  # Lightning makes the one the other
                number = number_of(error)
                raise Interrupted(interrupted(), exit_code=128 + number) from error
            result.status, result.message = "failed", f"{type(error).__name__}: {error}"
            raise
        finally:
            write()
            told = stamp(result.folder)
            known = told != written or (told and result.steps == steps)  # a whole one is new, or still true
            if report and trainer.is_global_zero and not known and (result.steps or result.status == "diverged"):
                write_partial(result.folder)


def is_trial(cfg: DictConfig) -> bool:
    """Whether a search has started a run; its own report tells of all trials."""
    return bool(cfg.get("callbacks")) and "pruning" in cfg.callbacks


def how_it_stands(result: Result, trainer: Trainer, overrides: Sequence[str] = ()) -> tuple[str, str]:
    """What an interrupted run has reached, and how to go on with it."""
    on = f"go on with: {resume_command(result.folder)}"
    if result.trained:
        return "interrupted while it was evaluated", on
    result.epochs = max(result.epochs, trainer.current_epoch)
    result.steps = max(result.steps, trainer.global_step)
    if (result.folder / "checkpoints" / "last.ckpt").is_file():
        return f"interrupted after {result.steps} steps; last.ckpt holds what was saved of them", on
    again = f"start it again{f': {command(overrides)}' if overrides else ''}"
    if result.steps:
        return f"interrupted after {result.steps} steps, before anything was saved", again
    return "interrupted before the first step", again
