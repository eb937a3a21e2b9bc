"""What a training prints, in the `log.txt` of its folder."""

import io
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from pathlib import Path

from fulmen.errors import FulmenError


@contextmanager
def log_to(folder: Path) -> Iterator[None]:
    """What is printed in this block goes to `log.txt`, as far as the disk takes it: nothing ends for its log."""
    folder.mkdir(parents=True, exist_ok=True)
    log = Log(open(folder / "log.txt", "ab", buffering=0), encoding="utf-8", write_through=True)  # noqa: SIM115
    with redirect_stdout(log), redirect_stderr(log):
        try:
            yield
        finally:
            log.close()


class Log(io.TextIOWrapper):
    """Text of which the disk may refuse what it will."""

    def write(self, text: str) -> int:
        with suppress(OSError):
            super().write(text)
        return len(text)


def in_words(error: Exception) -> str:
    """An error in one line: a message to the user as it is, a defect with its kind."""
    lines = str(error).strip().splitlines()
    first = lines[0] if lines else ""
    return first if isinstance(error, FulmenError) and first else f"{type(error).__name__}: {first}"
