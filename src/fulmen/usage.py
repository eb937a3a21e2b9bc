"""The help text of train.py: which experiments there are, what one can choose and change."""

import re
import textwrap
from pathlib import Path

from fulmen.schema import choices, groups, project_root

EXAMPLES = {
    "trainer.max_epochs=100": "train longer",
    "trainer.accelerator=gpu": "where to train: cpu, gpu, auto",
    "seed=7": "another seed",
    "data.dose_mg=50": "any argument of the data, the model, the trainer: <node>.<argument>=<value>",
    "model.optimizer.lr=3e-4": "",
    "callbacks.early_stopping=null": "switch a callback or a logger off",
    "debug=fast_dev_run": "one batch of everything: does it run?",
    "resume=outputs/runs/<experiment>/<stamp>": "go on where a run stopped",
    "-m seed=1,2,3": "one run for each value, one after the other",
    "--cfg job": "show the config instead of running it",
}


def help_text() -> str:
    """Experiments, groups with their choices, and the changes made every day."""
    table = {f"  {group}=": ", ".join(choices(group)) for group in groups() if group != "experiment" and choices(group)}
    return "\n".join([
        "usage: python train.py experiment=<name> [changes]",
        "",
        experiments_text(),
        "",
        "choices:",
        *_aligned(table),
        "",
        "changes, for example:",
        *_aligned({f"  {change}": meaning for change, meaning in EXAMPLES.items()}),
        "",
        "Hydra's own options: python train.py --hydra-help",
    ])  # fmt: skip


def experiments_text() -> str:
    """Every experiment with the comment that stands first in its file."""
    folder = project_root() / "conf" / "experiment"
    table = {f"  experiment={name}": first_comment(folder / f"{name}.yaml") for name in choices("experiment")}
    return "\n".join(["experiments:", *_aligned(table)])


def first_comment(path: Path) -> str:
    """The text of the first comment in a YAML file that is not `# @package`."""
    comments = re.findall(r"^#(?!\s*@package)\s*(.+?)\s*$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return comments[0] if comments else ""


def _aligned(table: dict[str, str]) -> list[str]:
    width = max(map(len, table), default=0)
    return [
        line
        for left, right in table.items()
        for line in textwrap.wrap(right, 120, initial_indent=f"{left:{width}}  ",
                                  subsequent_indent=" " * (width + 2)) or [left]
    ]  # fmt: skip
