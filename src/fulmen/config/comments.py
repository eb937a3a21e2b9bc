"""Files in conf/ as their author wrote them: the comment that stands first, and what they hold."""

import re
from pathlib import Path
from typing import Any

import yaml


def first_comment(path: Path) -> str:
    """The text of the first comment in a YAML file that is not `# @package`."""
    text = path.read_text(encoding="utf-8", errors="replace")
    comments = re.findall(r"^#(?!\s*@package)\s*(.+?)\s*$", text, re.MULTILINE)
    return comments[0] if comments else ""


def read_yaml(path: Path) -> dict[str, Any]:
    """What a file holds, its `defaults` included; {} of one that is not there, or holds no mapping."""
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    content = yaml.load(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    return content if isinstance(content, dict) else {}
