"""Which kept models came from which run folder."""

from pathlib import Path

from fulmen.errors import FulmenError
from fulmen.registry.catalogue import Catalogue


def origins(registry: str | Path | None = None) -> dict[Path, list[str]]:
    """The folder of a run, as it was called when its model was saved -> the versions that came from it."""
    found: dict[Path, list[str]] = {}
    try:
        versions = Catalogue(registry).versions()
    except FulmenError:
        return {}
    for version in versions:
        try:
            folder = version.manifest.get("run", {}).get("folder")
        except FulmenError:  # damaged; it says nothing of where it came from
            continue
        if folder:
            found.setdefault(Path(folder), []).append(str(version))
    return found
