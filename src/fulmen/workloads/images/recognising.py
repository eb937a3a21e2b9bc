"""Whether a file or a folder of a person's own holds images with labels."""

import re
from collections.abc import Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from fulmen.io.content import Content, Recognised
from fulmen.workloads.images.pictures import ENDINGS

NAMED = re.compile(r"(x|y|images?|labels?|targets?|pixels)(?![a-z])")
LOOKED_AT = 200  # files of a folder


def recognised(content: Content, arguments: Mapping[str, Any]) -> Recognised | None:
    """As `fulmen.WorkloadData.recognises`: named arrays, or pictures in folders of their classes."""
    if content.kind == "folder" and "folder" in arguments and holds_pictures(content.path):
        return Recognised("pictures in folders of their classes", 2, argument="folder")
    if content.kind == "arrays" and "arrays" in arguments and any(NAMED.match(name.lower()) for name in content.names):
        return Recognised("arrays of images", 2)
    return None


def holds_pictures(folder: Path) -> bool:
    """Whether most files in the folders below `folder`, or in those of `train` and `test`, are pictures."""
    paths = [path for pattern in ("*/*", "*/*/*") for path in islice(folder.glob(pattern), LOOKED_AT)]
    files = [path.suffix.lower() in ENDINGS for path in paths if path.is_file()]
    return sum(files) > len(files) / 2
