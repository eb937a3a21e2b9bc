"""Files in conf/ as their author wrote them: the comment that stands first."""

import re
from pathlib import Path


def first_comment(path: Path) -> str:
    """The text of the first comment in a YAML file that is not `# @package`."""
    text = path.read_text(encoding="utf-8", errors="replace")
    comments = re.findall(r"^#(?!\s*@package)\s*(.+?)\s*$", text, re.MULTILINE)
    return comments[0] if comments else ""
