"""`manifest.json`: what a bundle holds, where it comes from, and a checksum over itself.

The first line after the brace holds the SHA-256 of the file as it is with that checksum replaced by zeros, so that a
single changed bit anywhere in the bundle is found: the manifest vouches for the other files, and for itself.
"""

import hashlib
import json
import math
import re
from collections.abc import Mapping
from typing import Any, TypedDict, cast

from fulmen.errors import FulmenError, Newer

SCHEMA = 1  # raised when a reader of today could misread a bundle of tomorrow
MANIFEST = "manifest.json"
LARGEST_JSON = 16 << 20  # bytes; a manifest has a few thousand
SEAL = re.compile(rb'\A\{\n  "sha256": "([0-9a-f]{64})",\n')
ZEROS = "0" * 64
REQUIRED = {"schema": int, "name": str, "version": int, "created": str, "files": dict}
OPTIONAL: dict[str, type] = {
    **dict.fromkeys(("main_metric", "metrics", "baselines", "split", "architecture", "input_schema", "run"), dict),
    "note": str,
    "workload": str,
    "shared_weights": dict,
    "probe": dict,
    "leaks": list,
}

Scores = dict[str, float | None]  # metric -> its value, None where it has none


class FileFacts(TypedDict):
    """What is known of a file of a bundle."""

    bytes: int
    sha256: str


class Probe(TypedDict):
    """The examples that are kept with a model; `per_sample`: those of its inputs that have a row a sample."""

    samples: int
    rtol: float
    atol: float
    inputs: list[str]
    per_sample: list[str]
    outputs: list[str]


class MainMetric(TypedDict):
    """The number a list shows, beside that of the baselines."""

    name: str | None
    value: float | None
    baselines: Scores


class Architecture(TypedDict):
    """Module and network by their dotted names."""

    module: str
    network: str | None
    parameters: int


class Origin(TypedDict):
    """The run that a model is from; `cost`, `git` and `packages` as in its result.json and environment.json."""

    folder: str
    status: str | None
    epochs: int | None
    steps: int | None
    cost: dict[str, Any] | None
    started: str | None
    git: dict[str, Any] | None
    packages: dict[str, str] | None


class Facts(TypedDict, total=False):
    """What whoever saves a model says of it; earlier releases said less."""

    note: str
    workload: str
    experiment: str | None
    main_metric: MainMetric
    metrics: Scores
    baselines: dict[str, Scores]
    split: dict[str, Any]
    data_fingerprint: str | None
    seed: int | None
    threshold: float | None
    leaks: list[str]
    architecture: Architecture
    input_schema: dict[str, Any] | None
    run: Origin
    saved_with: dict[str, Any]
    shared_weights: dict[str, str]
    probe: Probe


class Manifest(Facts):
    """Everything that is known of a version."""

    name: str
    version: int
    created: str
    files: dict[str, FileFacts]


class Damaged(FulmenError):
    """A bundle is not what was saved; the message names the file."""


def seal(content: Mapping[str, Any]) -> bytes:
    """The bytes of a manifest with `content`, its checksum filled in."""
    text = json.dumps({"sha256": ZEROS, "schema": SCHEMA, **content}, indent=2, ensure_ascii=False, allow_nan=False)
    blank = f"{text}\n".encode()
    return blank.replace(ZEROS.encode(), hashlib.sha256(blank).hexdigest().encode(), 1)


def unseal(raw: bytes, path: object) -> Manifest:
    """The content of a manifest.

    Raises:
        Damaged: it is not what was written, or no manifest at all.
        Newer: a later fulmen wrote it.
    """
    found = SEAL.match(raw)
    if not found:
        raise Damaged(f"{path} is damaged or no manifest: it does not begin with its checksum")
    blank = raw[: found.start(1)] + ZEROS.encode() + raw[found.end(1) :]
    if hashlib.sha256(blank).hexdigest().encode() != found[1]:
        raise Damaged(f"{path} is damaged: it does not match its own checksum")
    content = read_json(raw, path)
    schema = content.get("schema") if isinstance(content, dict) else None
    if isinstance(schema, int) and schema > SCHEMA:
        raise Newer(f"{path} has schema {schema}, this fulmen reads up to {SCHEMA}; update fulmen to use this version")
    for key, kind in REQUIRED.items():
        if not isinstance(content, dict) or not isinstance(content.get(key), kind):
            raise Damaged(f"{path} is no manifest: {key} is missing or no {kind.__name__}")
    for key, kind in OPTIONAL.items():
        if not isinstance(content.get(key), kind | None):
            raise Damaged(f"{path} is no manifest: {key} is no {kind.__name__}")
    return cast(Manifest, content)


def read_json(raw: bytes, path: object) -> Any:
    """JSON of limited size and depth.

    Raises:
        Damaged: it is none, or more than anyone has written in good faith.
    """
    if len(raw) > LARGEST_JSON:
        raise Damaged(f"{path} has {len(raw):,} bytes; refused beyond {LARGEST_JSON:,}")
    try:
        return json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise Damaged(f"{path} is no readable JSON: {str(error)[:200]}") from None


def plain(value: Any) -> Any:
    """Plain JSON values: tensors and arrays as lists, NaN and infinities as null, what JSON does not know as text."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if value is None or isinstance(value, str | int | float | bool) else str(value)
