"""`manifest.json`: what a bundle holds, where it comes from, and a checksum over itself.

The first line after the brace holds the SHA-256 of the file as it is with that checksum replaced by zeros, so that a
single changed bit anywhere in the bundle is found: the manifest vouches for the other files, and for itself.
"""

import hashlib
import json
import math
import re
from collections.abc import Mapping
from typing import Any

from fulmen.errors import FulmenError, Newer

SCHEMA = 1  # raised when a reader of today could misread a bundle of tomorrow
MANIFEST = "manifest.json"
LARGEST_JSON = 16 << 20  # bytes; a manifest has a few thousand
SEAL = re.compile(rb'\A\{\n  "sha256": "([0-9a-f]{64})",\n')
ZEROS = "0" * 64
REQUIRED = {"schema": int, "name": str, "version": int, "created": str, "files": dict}
OPTIONAL = dict.fromkeys(("main_metric", "metrics", "baselines", "split", "architecture", "input_schema", "run"), dict)
OPTIONAL |= {"note": str, "workload": str, "shared_weights": dict, "probe": dict}


class Damaged(FulmenError):
    """A bundle is not what was saved; the message names the file."""


def seal(content: dict[str, Any]) -> bytes:
    """The bytes of a manifest with `content`, its checksum filled in."""
    text = json.dumps({"sha256": ZEROS, "schema": SCHEMA} | content, indent=2, ensure_ascii=False, allow_nan=False)
    blank = f"{text}\n".encode()
    return blank.replace(ZEROS.encode(), hashlib.sha256(blank).hexdigest().encode(), 1)


def unseal(raw: bytes, path: Any) -> dict[str, Any]:
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
    return content


def read_json(raw: bytes, path: Any) -> Any:
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
