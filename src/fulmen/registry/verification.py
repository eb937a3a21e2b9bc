"""Whether a bundle on disk is what was saved: read once, compared with its manifest, never executed."""

import hashlib
import os
import stat
from pathlib import Path

from fulmen.registry.manifest import LARGEST_JSON, MANIFEST, Damaged, Manifest, unseal

WEIGHTS, CONFIG, PREPROCESS, PROBE = "weights.safetensors", "config.yaml", "preprocess.json", "probe.safetensors"
FILES = (WEIGHTS, CONFIG, PREPROCESS, PROBE)
ESTIMATOR = "estimator.skops"  # of a kept baseline of scikit-learn alone; nothing else is ever read


def read_manifest(folder: Path, name: str, number: int) -> Manifest:
    """The manifest of a bundle, which has to be the one of this name and number.

    Raises:
        Damaged: it is not.
        Newer: a later fulmen wrote it.
    """
    path = f"{folder}/{MANIFEST}"
    content = unseal(read_plain(path, LARGEST_JSON), path)
    if (content["name"], content["version"]) != (name, number):
        raise Damaged(
            f"{path} is of {content['name']}:{content['version']}, not of {name}:{number}; was it copied here?"
        )
    return content


def verified(folder: Path, manifest: Manifest) -> dict[str, bytes]:
    """The content of every file of a bundle.

    Raises:
        Damaged: a file is missing, is more than a file, is not listed, or is not what was saved.
    """
    listed = manifest["files"]
    for name in listed:
        if name not in (*FILES, ESTIMATOR):
            raise Damaged(f"{folder / MANIFEST} lists {name[:100]!r}; a bundle holds {', '.join(FILES)}")
    try:
        strange = sorted(set(os.listdir(folder)) - {*listed, MANIFEST})
    except OSError as error:
        raise Damaged(f"{folder} cannot be read: {error.strerror}") from error
    if strange:
        raise Damaged(f"{folder / strange[0]} was not saved with the model; take it away to use the version")
    if missing := [name for name in FILES if name not in listed]:
        raise Damaged(f"{folder / MANIFEST} does not list {missing[0]}")
    return {name: _verified(folder / name, facts) for name, facts in listed.items()}


def check_sizes(folder: Path, manifest: Manifest) -> None:
    """Pass if every file has the size it was saved with: a quick look, which reads none of them.

    Raises:
        Damaged: one has not.
    """
    for name in (*FILES, *({ESTIMATOR} & set(manifest["files"]))):
        try:
            size, saved = os.lstat(f"{folder}/{name}").st_size, manifest["files"][name]["bytes"]
        except FileNotFoundError:
            raise Damaged(f"{folder / name} is missing") from None
        except (OSError, KeyError, TypeError):
            raise Damaged(f"{folder / name} is not what {MANIFEST} lists") from None
        if size != saved:
            raise Damaged(f"{folder / name} is damaged: it has {size:,} bytes, {saved:,} were saved")


def _verified(path: Path, facts: object) -> bytes:
    if not isinstance(facts, dict) or type(facts.get("bytes")) is not int:
        raise Damaged(f"{path.parent / MANIFEST} says nothing of the size of {path.name}")
    content = read_plain(path, facts["bytes"])
    if len(content) != facts["bytes"]:
        raise Damaged(f"{path} is damaged: it has {len(content):,} bytes, {facts['bytes']:,} were saved")
    if hashlib.sha256(content).hexdigest() != facts.get("sha256"):
        raise Damaged(f"{path} is damaged: it does not match its checksum in {MANIFEST}")
    return content


def read_plain(path: str | Path, largest: int) -> bytes:
    """The bytes of a regular file (no link, no device), at most one more than `largest`.

    Raises:
        Damaged: there is none, or it cannot be read.
    """
    try:
        found = os.lstat(path)
        if not stat.S_ISREG(found.st_mode):
            raise Damaged(f"{path} is no plain file; links and devices are refused")
        with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW), "rb", buffering=0) as file:
            return file.read() if found.st_size <= largest else file.read(largest + 1)
    except FileNotFoundError:
        raise Damaged(f"{path} is missing") from None
    except OSError as error:
        raise Damaged(f"{path} cannot be read: {error.strerror}") from error
