"""Files that are either whole or absent."""

import errno
import json
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from fulmen.errors import Obstructed

OF_THE_MACHINE = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.ENFILE, errno.EMFILE, errno.ESTALE}


@contextmanager
def atomic_write(path: str | Path, mode: str = "w") -> Iterator[IO[Any]]:
    """Open a temporary neighbour of `path`; it takes that name, synced to disk, if the block ends without an error.

    Raises:
        Obstructed: no space left or the folder is not writable. What stood at `path` before is untouched.
    """
    path = Path(path)
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(descriptor, mode) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
        temporary = None
    except OSError as error:
        raise cannot_write(path, error) from error
    finally:
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)


def cannot_write(path: Path, error: OSError) -> Obstructed:
    """What the file system refused, in the user's terms."""
    kept = "nothing already written is lost"
    reasons = {
        errno.ENOSPC: f"no space left on the device; free some and start again, {kept}",
        errno.EDQUOT: f"the disk quota is used up; free some space and start again, {kept}",
        errno.EFBIG: f"the file would be larger than is allowed here; {kept}",
        errno.EACCES: "permission denied; choose a folder you may write to",
        errno.EROFS: "the file system is read-only; choose a folder you may write to",
    }
    return Obstructed(f"cannot write {path}: {reasons.get(error.errno or 0, error.strerror or str(error))}")


def obstruction(error: BaseException) -> Obstructed | None:
    """The machine's refusal that `error` is, or comes of; None if it is a matter of what was tried."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, Obstructed):
            return seen
        if isinstance(seen, OSError) and seen.errno in OF_THE_MACHINE:
            return cannot_write(Path(seen.filename or "a file"), seen)
        seen = seen.__cause__ or (None if seen.__suppress_context__ else seen.__context__)
    return None


def set_aside(path: Path, error: Exception) -> None:
    """Rename a damaged file to `<name>.damaged`, so that work goes on and nothing is lost."""
    path.replace(path.with_name(f"{path.name}.damaged"))
    print(f"warning: {path} is damaged ({error}); kept as {path.name}.damaged", file=sys.stderr)


def write_json(path: str | Path, content: Any) -> None:
    """Write `content` as indented JSON, atomically; NaN and infinities become null."""
    with atomic_write(path) as file:
        file.write(as_json(content))


def as_json(content: Any) -> str:
    """`content` as indented JSON with a line end; NaN and infinities become null."""
    return json.dumps(_plain(content), indent=2, allow_nan=False) + "\n"


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, Path):
        return str(value)
    value = as_scalar(value)
    if isinstance(value, float) and (value != value or abs(value) == float("inf")):
        return None
    return value


def as_scalar(value: Any) -> Any:
    """A scalar of numpy or torch, neither of which is imported here, as a plain number; anything else as it is."""
    return value.item() if hasattr(value, "item") else value
