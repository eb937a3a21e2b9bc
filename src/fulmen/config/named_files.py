"""A file that the data or the model cannot read, told by the argument that names it."""

from collections.abc import Iterator
from contextlib import contextmanager
from os.path import abspath
from typing import Any

from fulmen.config.schema import leaves
from fulmen.errors import FulmenError
from fulmen.utils.files import obstruction


@contextmanager
def files_in_words(part: Any, path: str, owner: object) -> Iterator[None]:
    """What the operating system says of a file that `owner` works with, as what the user can mend.

    Args:
        part: the plain config that `owner` is made of.
        path: where that stands in the whole config, such as data.

    Raises:
        FulmenError: `data.csv: nosuch.csv: No such file or directory`. An error of the machine, such as a full disk,
            and one that neither a file of `part` nor a method of `owner` is to blame for come out as they are.
    """
    try:
        yield
    except OSError as error:
        where = argument_of(error, part, path) or (path if _went_through(error, owner) else None)
        if where is None or obstruction(error):
            raise
        raise refused(error, where) from error


def argument_of(error: OSError, part: Any, path: str) -> str | None:
    """Where in the config the file stands that `error` is about; None if it does not."""
    file = error.filename if isinstance(error.filename, str) else str(error.filename or "")
    named = ((place, value) for place, value in leaves(part, path) if isinstance(value, str) and value)
    return next((place for place, value in named if file and abspath(value) == abspath(file)), None)


def refused(error: OSError, where: str) -> FulmenError:
    """`error`, told where the file is named."""
    said = f"{error.filename}: {error.strerror}" if error.filename and error.strerror else error.strerror or error
    return FulmenError(f"{where}: {said}")


def _went_through(error: BaseException, owner: object) -> bool:
    step = error.__traceback__
    while step is not None and step.tb_frame.f_locals.get("self") is not owner:
        step = step.tb_next
    return step is not None
