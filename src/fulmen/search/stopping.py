"""Ctrl-C and SIGTERM to a search: the trial is owed another try, and the same command goes on."""

from collections.abc import Iterator
from contextlib import contextmanager

from fulmen.errors import Interrupted
from fulmen.signals import interruptible, listening
from fulmen.utils.files import obstruction

STOPPED = "stopped; the same command goes on with the search"


@contextmanager
def going_on() -> Iterator[None]:
    """Whoever stops the search is told how it goes on; what the machine refuses is one line.

    Raises:
        Interrupted: with the exit code of the signal.
        Obstructed: the machine stood in the way.
    """
    try:
        with interruptible(lambda: STOPPED):
            yield
    except Interrupted as interruption:
        raise Interrupted(STOPPED, interruption.exit_code) from interruption
    except OSError as error:
        if refusal := obstruction(error):
            raise refusal from error
        raise


@contextmanager
def finishing() -> Iterator[None]:
    """A block that no signal tears: one that comes meanwhile takes effect at its end."""
    with listening(patient=True) as listener:
        before = listener.asked
        yield
    if listener.asked is not None and listener.asked != before:
        raise KeyboardInterrupt(listener.asked)
