"""One saved model: where it lies, and what is known of it once it has been verified."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from fulmen.errors import FulmenError
from fulmen.migrations.columns import with_columns_of_today
from fulmen.registry.manifest import Damaged, Manifest
from fulmen.registry.verification import read_manifest, verified


class NotFound(FulmenError):
    """There is no such model, version or alias."""


@dataclass(frozen=True)
class Version:
    """One saved model.

    Attributes:
        folder: its bundle.
    """

    name: str
    number: int
    folder: Path

    def __str__(self) -> str:
        return f"{self.name}:{self.number}"

    @cached_property
    def manifest(self) -> Manifest:
        """`manifest.json`, its own checksum verified; see `fulmen.registry.verify` for the files it vouches for."""
        with present(self):
            return read_manifest(self.folder, self.name, self.number)

    def verify(self) -> dict[str, bytes]:
        """The content of every file of the bundle, exactly as it was saved.

        Raises:
            Damaged: it is not; the message names the file.
            NotFound: it was deleted in the meantime.
        """
        with present(self):
            return verified(self.folder, self.manifest)


@contextmanager
def present(version: Version) -> Iterator[None]:
    """What goes missing in this block because the version was deleted is not found, rather than damaged."""
    try:
        yield
    except Damaged:
        if not version.folder.exists():
            raise NotFound(f"{version} was deleted in the meantime") from None
        raise


def input_schema(version: Version) -> dict[str, Any]:
    """As `explain`, of a version that was found."""
    schema = version.manifest.get("input_schema")
    if not isinstance(schema, dict):
        workload = version.manifest.get("workload")
        raise FulmenError(
            f"{version}: the workload {workload} describes no input file (its Workload has no input_schema and "
            f"predict_file); use fulmen.load_model({str(version)!r}) instead"
        )
    return with_columns_of_today(schema)
