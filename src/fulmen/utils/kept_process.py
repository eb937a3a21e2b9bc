"""What a function of ours, and what it imports, changes in the process of whoever calls it, and how it is put back."""

import logging
import os
import random
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

Loggers = dict[str, tuple[int, list[logging.Handler], bool]]  # name -> level, handlers, whether it propagates
NEW = (logging.NOTSET, list[logging.Handler](), True)  # how a logger is that nobody has set


@contextmanager
def kept_process() -> Iterator[None]:
    """A block (or, as a decorator, a function) after which all is as before that does not need torch to be put back.

    That is Python's random state, the environment, warning filters, and level and handlers of every logger. Libraries
    change these when they are imported: Lightning draws a random number and writes into the environment.
    """
    state, environment, loggers = random.getstate(), dict(os.environ), _loggers()
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "IProgress not found")  # tqdm, where a notebook has no widgets
            yield
    finally:
        random.setstate(state)
        for name in [name for name in os.environ if name not in environment]:
            del os.environ[name]
        for name, value in environment.items():
            if os.environ.get(name) != value:
                os.environ[name] = value
        for name in _loggers():
            logger = logging.getLogger(name)
            level, handlers, logger.propagate = loggers.get(name, NEW)
            logger.handlers[:] = handlers
            if logger.level != level:
                logger.setLevel(level)


def _loggers() -> Loggers:
    found = {name: each for name, each in logging.root.manager.loggerDict.items() if isinstance(each, logging.Logger)}
    return {name: (each.level, [*each.handlers], each.propagate) for name, each in found.items()}
