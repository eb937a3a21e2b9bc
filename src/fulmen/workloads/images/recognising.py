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
LOOSE = 5  # files of other kinds that may lie beside the folders of the classes, or as many as there are folders
LAYOUT = "the pictures have no classes; move them into a folder for each class, such as {folder}/cats and {folder}/dogs"


def recognised(content: Content, arguments: Mapping[str, Any]) -> Recognised | None:
    """As `fulmen.WorkloadData.recognises`: named arrays, or pictures in folders of their classes."""
    if content.kind == "folder" and "folder" in arguments and holds_pictures(content.path):
        return Recognised("pictures in folders of their classes", 2, argument="folder")
    if content.kind == "folder" and "folder" in arguments and pictures_in(content.path, "*"):
        return Recognised("pictures", 1, argument="folder", ask=LAYOUT.format(folder=content.path))
    if content.kind == "arrays" and "arrays" in arguments and any(NAMED.match(name.lower()) for name in content.names):
        return Recognised("arrays of images", 2)
    return None


def holds_pictures(folder: Path) -> bool:
    """Whether most files in the folders below `folder`, or in those of `train` and `test`, are pictures.

    Beside the folders there are no more than a few files.
    """
    there = [path for path in islice(folder.iterdir(), LOOKED_AT) if not path.name.startswith(".")]
    folders = sum(path.is_dir() for path in there)
    return len(there) - folders <= max(LOOSE, folders) and pictures_in(folder, "*/*", "*/*/*")


def pictures_in(folder: Path, *patterns: str) -> bool:
    """Whether most files that patterns lead to are pictures."""
    paths = [path for pattern in patterns for path in islice(folder.glob(pattern), LOOKED_AT)]
    files = [path.suffix.lower() in ENDINGS for path in paths if path.is_file()]
    return sum(files) > len(files) / 2
