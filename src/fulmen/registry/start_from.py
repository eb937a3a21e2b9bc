"""`weights=pump@champion`, as it is typed, led to the file that a run starts from; a kept model is verified first."""

import re
from collections.abc import Iterable
from pathlib import Path

from fulmen.config.mistakes import as_text, key_of
from fulmen.errors import FulmenError
from fulmen.registry.store import Store
from fulmen.registry.verification import ESTIMATOR, WEIGHTS

KEY = "weights"
QUOTES, BETWEEN = "'\"", re.compile(r""",(?=(?:[^'"]|'[^']*'|"[^"]*")*$)""")  # values: a comma within quotes is none


def resolved(overrides: Iterable[str]) -> list[str]:
    """Overrides whose `weights=` names a run folder or a file, for each of several values.

    An alias is led to the version that it now points to, so that what is recorded stays true when it moves.

    Raises:
        FulmenError: neither a run folder, a file, nor a kept model; or a kept model that is damaged.
    """
    return [_resolved(override) if key_of(override) == KEY else override for override in overrides]


def _resolved(override: str) -> str:
    key, _, text = override.partition("=")
    values = [each.strip() for each in BETWEEN.split(text)]
    return f"{key}={','.join(v if v in ('', 'null') else as_text(place(v.strip(QUOTES))) for v in values)}"


def place(source: str) -> str:
    """The run folder or file that `source` stands for."""
    for path in (Path(source), Path("outputs", "runs", source)):
        if path.is_file() or (path / "config.yaml").is_file():
            return str(path)
    if "/" in source:
        raise FulmenError(f"weights={source}: there is no run folder and no file of weights")
    try:
        version = Store().find(source)
        files = version.verify()
    except FulmenError as error:
        raise FulmenError(f"weights={source}: no run folder, and as a kept model: {error}") from error
    if ESTIMATOR in files:
        raise FulmenError(
            f"weights={source}: {version} is an estimator of scikit-learn, which cannot be trained further"
        )
    return str(version.folder / WEIGHTS)
