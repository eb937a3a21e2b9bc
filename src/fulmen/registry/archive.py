"""A version as one .tar file, to carry it to another registry; what arrives is verified before it is published."""

import io
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from fulmen.errors import FulmenError
from fulmen.registry.manifest import LARGEST_JSON, MANIFEST, Damaged, unseal
from fulmen.registry.staging import staging
from fulmen.registry.store import Store
from fulmen.registry.verification import ESTIMATOR, FILES, read_plain
from fulmen.registry.versions import Version

IDENTITY = ("sha256", "schema", "name", "version", "created", "files")  # what every registry writes itself


def pack(version: Version, to: IO[bytes]) -> None:
    """Write a version, every file verified, as an archive; the same version always gives the same bytes.

    Raises:
        Damaged: it is not what was saved.
    """
    files = version.verify()
    manifest = read_plain(version.folder / MANIFEST, LARGEST_JSON)
    with tarfile.open(fileobj=to, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, content in {MANIFEST: manifest, **files}.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))


def unpack(file: Path, registry: str | Path, name: str | None = None, largest: int = 4 << 30) -> Version:
    """Publish the version in an archive that `pack` wrote, as the next version of its name.

    Nothing in it is ever unpickled. Before it is listed, its checksums are compared, its model is built of what a saved
    model may name, and its kept examples are predicted again.

    Args:
        name: of the model here; that in the archive by default.
        largest: bytes of all files together.

    Raises:
        FulmenError: it is no such archive, holds anything else, or is not what was saved.
    """
    from fulmen.registry.using import verify_version

    store = Store(registry)
    with staging(store.root / ".tmp") as folder:
        for member, content in _contents(file, largest):
            (folder / member).write_bytes(content)
        manifest = unseal(read_plain(folder / MANIFEST, LARGEST_JSON), MANIFEST)
        here = Version(manifest["name"], manifest["version"], folder)
        try:
            verify_version(here)
            files = here.verify()
        except FulmenError as error:
            raise Damaged(f"the archive cannot be kept: {str(error).replace(f'{folder}/', '')}") from None
    facts = {key: value for key, value in manifest.items() if key not in IDENTITY}
    return store.publish(name or manifest["name"], files, facts)


def _contents(file: Path, largest: int) -> Iterator[tuple[str, bytes]]:
    """The files of an archive, each with a name that a bundle has."""
    known, seen = (MANIFEST, *FILES, ESTIMATOR), set()
    try:
        with tarfile.open(file, "r:") as archive:
            for entry in archive:
                if entry.name not in known or entry.name in seen:
                    raise Damaged(f"the archive holds {entry.name[:100]!r}; a model has {', '.join(known)}, once each")
                if not entry.isreg() or entry.issparse():
                    raise Damaged(f"{entry.name} in the archive is no plain file; links and devices are refused")
                largest -= entry.size
                if largest < 0:
                    raise Damaged("the files in the archive are larger than is allowed here")
                content = archive.extractfile(entry)
                if content is None:
                    raise Damaged(f"{entry.name} in the archive cannot be read")
                seen.add(entry.name)
                yield entry.name, content.read()
    except (tarfile.TarError, EOFError, ValueError, OverflowError) as error:
        raise Damaged(f"it is no .tar archive of a kept model ({str(error)[:200]})") from None
    if MANIFEST not in seen:
        raise Damaged(f"the archive holds no {MANIFEST}; `GET /api/models/NAME/export` writes one that does")
