"""What becomes of a run is written down, whatever ends it."""

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from lightning.pytorch import Trainer

from fulmen.errors import FulmenError, Interrupted
from fulmen.outside import resume_command
from fulmen.result import Result


@contextmanager
def recorded(result: Result, trainer: Trainer) -> Iterator[None]:
    """Write how a run stands when it starts and how it ended, whatever ends it: an error, Ctrl-C, SIGTERM or SIGUSR1.

    While batches are trained `ExactResume` takes the signals; here are those that come before, between and after.
    """
    started, before = time.monotonic(), {}
    received = [signal.SIGINT]  # what Python turns into a KeyboardInterrupt by itself

    def stop(number: int, frame: FrameType | None) -> None:
        received.append(number)
        raise KeyboardInterrupt(number)

    def write() -> None:
        result.cost["seconds"] = time.monotonic() - started
        if trainer.is_global_zero:
            result.write()

    in_main_thread = threading.current_thread() is threading.main_thread()
    for number in (signal.SIGTERM, signal.SIGUSR1) if in_main_thread else ():
        before[number] = signal.signal(number, stop)
    result.status, result.message = "running", ""
    try:
        write()
        yield
        if result.status == "running":
            result.status = "completed"
    except FulmenError as error:
        result.status, result.message = error.status, str(error)
        raise
    except (KeyboardInterrupt, SystemExit) as error:  # Lightning makes the one the other
        result.status = "interrupted"
        result.message = f"interrupted {'while it was evaluated' if result.trained else 'before the first step'}"
        on = f"go on with: {resume_command(result.folder)}" if result.trained else "start it again"
        asked = error.args[0] if isinstance(error, KeyboardInterrupt) and error.args else received[-1]
        raise Interrupted(f"{result.message}; {on}", exit_code=128 + asked) from error
    except BaseException as error:
        result.status, result.message = "failed", f"{type(error).__name__}: {error}"
        raise
    finally:
        write()
        for number, handler in before.items():
            signal.signal(number, handler)
