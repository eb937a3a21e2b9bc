"""Ctrl-C, SIGTERM and SIGUSR1: the first asks, a later one ends the process at once; what is then told is true.

Programs, verbs and runs all listen through here. Who listens says in `last_words` how things stand, whatever the
moment, and writes it down where it belongs. Nothing heavy is imported: the programs listen before they import the rest.
"""

import atexit
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType

from fulmen.errors import FulmenError, Interrupted

NUMBERS = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1)
ONE_PRESS_SECONDS = 0.5  # shells and launchers hand one Ctrl-C on several times


class Listener:
    """What a process makes of signals.

    Attributes:
        last_words: how things stand, for the person who ends the process; called at most once at its end.
        patient: whether somebody looks at `asked` in good time; else KeyboardInterrupt is raised on the spot.
        asked: the first signal, or None.
        broken: whether KeyboardInterrupt was raised; any exception that follows is its consequence.
        program: whether the process is a program of ours; a signal while it loads modules then ends it at once, since
            code in C may not bear a KeyboardInterrupt.
        lasting: whether it listens until the process ends, also while Python takes itself apart.
        exit_code: of the process, once a KeyboardInterrupt has ended its program.
    """

    def __init__(self, last_words: Callable[[], str]):
        self.last_words = last_words
        self.patient = self.broken = self.program = self.lasting = False
        self.asked: int | None = None
        self.exit_code: int | None = None
        self._when = 0.0

    def __call__(self, number: int, frame: FrameType | None) -> None:
        now = time.monotonic()
        if self.asked is None:
            self.asked, self._when = number, now
            if not self.patient:
                if self.program and _loads_modules(frame):
                    self.end(number)
                self.broken = True
                raise KeyboardInterrupt(number)
        elif now - self._when > ONE_PRESS_SECONDS:
            self.end(number)

    def end(self, number: int) -> None:
        """The last words, and the end; nothing else of the process is run."""
        try:
            text = self.last_words()
        except BaseException as error:
            text = f"interrupted ({error})"
        with suppress(Exception):
            sys.stdout.flush()
        if not is_relaunched():
            os.write(2, f"\nerror: {text}\n".encode())  # print may have been what the signal came into
        os._exit(128 + number)


def is_relaunched() -> bool:
    """Whether another process of ours started this one as its peer; that one says how things stand."""
    return os.environ.get("LOCAL_RANK", "0") != "0"


def tell_interruption(last_words: str) -> None:
    """On stderr, by one process of a run."""
    if not is_relaunched():
        print(f"\nerror: {last_words}", file=sys.stderr, flush=True)


def _loads_modules(frame: FrameType | None) -> bool:
    while frame and frame.f_code.co_filename != "<frozen importlib._bootstrap>":
        frame = frame.f_back
    return frame is not None


_listener: Listener | None = None


def listener() -> Listener | None:
    """Who listens now."""
    return _listener


@contextmanager
def listening(last_words: Callable[[], str] | None = None, patient: bool | None = None) -> Iterator[Listener]:
    """Listen in this block; a block within another one shares its listener, with words and patience of its own.

    Only the main thread can listen; elsewhere the block has a listener that hears nothing.

    Raises:
        KeyboardInterrupt: it was asked before, in a place that has lost the exception.
    """
    global _listener
    outer, in_main_thread = _listener, threading.current_thread() is threading.main_thread()
    own = outer if outer and in_main_thread else Listener(lambda: "interrupted")
    words, patience = own.last_words, own.patient
    own.last_words, own.patient = last_words or words, patience if patient is None else patient
    handlers, shown = {}, sys.unraisablehook
    if in_main_thread:
        _listener = own
        handlers = {number: signal.signal(number, own) for number in NUMBERS}
        sys.unraisablehook = lambda lost: None if own.broken and lost.exc_type is KeyboardInterrupt else shown(lost)
    try:
        if own.broken:
            raise KeyboardInterrupt(own.asked)
        yield own
    finally:
        own.last_words, own.patient = words, patience or own.lasting
        if in_main_thread:
            _listener = outer
            if not own.lasting:
                sys.unraisablehook = shown
            for number, handler in handlers.items() if not own.lasting else ():
                signal.signal(number, signal.SIG_DFL if handler is None else handler)


def number_of(error: BaseException) -> int:
    """The signal behind a KeyboardInterrupt, however it was raised."""
    if isinstance(error, KeyboardInterrupt) and error.args and error.args[0] in NUMBERS:
        return int(error.args[0])
    return int(_listener.asked if _listener and _listener.asked else signal.SIGINT)


@contextmanager
def interruptible(last_words: Callable[[], str]) -> Iterator[None]:
    """For work of which parts are kept: a signal ends it with `last_words`, which say how to go on.

    Raises:
        Interrupted: asked to stop.
    """
    with listening(last_words) as own:
        try:
            yield
        except FulmenError:
            raise
        except BaseException as error:
            if not (own.broken or isinstance(error, KeyboardInterrupt)):
                raise
            raise Interrupted(last_words(), 128 + number_of(error)) from error


@contextmanager
def answering(last_words: str = "interrupted", program: bool = True) -> Iterator[Listener]:
    """For programs and verbs: a signal ends them with one line on stderr and exit code 130 (SIGINT) or 143 (SIGTERM).

    Args:
        program: whether the process ends after the block; a signal then changes nothing any more.

    Raises:
        SystemExit: asked to stop.
    """
    with listening(lambda: last_words) as own:
        if program:
            own.program = True
            atexit.register(_end, own)  # the first that is registered runs last
        try:
            yield own
        except FulmenError:  # it says itself how things stand
            raise
        except BaseException as error:
            number = number_of(error)
            told = isinstance(error, SystemExit) and error.code == 128 + number
            if own.broken:
                own.exit_code = 128 + number
            if told or not (own.broken or isinstance(error, KeyboardInterrupt)):
                raise
            tell_interruption(last_words)
            sys.exit(128 + number)
        finally:
            if program:
                own.patient = own.lasting = True


def _end(own: Listener) -> None:
    """The last of all: deaf to signals; Python's own end could give the exit code of a Ctrl-C for any of them."""
    for number in NUMBERS:
        signal.signal(number, signal.SIG_IGN)
    if own.exit_code is not None:
        for stream in (sys.stdout, sys.stderr):
            with suppress(Exception):
                stream.flush()
        os._exit(own.exit_code)


def output_closed() -> int:
    """Print to nowhere from here on: who reads what is printed has left. The exit code that says so."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 128 + signal.SIGPIPE
