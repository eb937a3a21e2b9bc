"""Slips in the YAML of a project's own conf/, made from experiments that are right."""

import random
from collections.abc import Callable, Iterator

from wrong_commands import EXPERIMENTS, Case, misspelt

PATH = "conf/experiment/mine.yaml"
RIGHT = """\
# @package _global_
# An experiment of one's own
defaults:
  - {base}
seed: 7
monitor: val/loss
trainer:
  max_epochs: 3
callbacks:
  best:
    save_top_k: 2
model:
  optimizer:
    lr: 0.01
"""
TIMER = "  timer:\n    _target_: lightning.pytorch.callbacks.Timer\n    duration: ???\n  best:"
Slip = Callable[[str, random.Random], str]


def replacing(old: str, new: str) -> Slip:
    return lambda text, rng: text.replace(old, new)


SLIPS: dict[str, tuple[str, Slip, tuple[str, ...]]] = {  # what -> place, how, what the message names
    "tab": ("trainer", replacing("  max_epochs", "\tmax_epochs"), ("mine.yaml, line 8",)),
    "indentation": ("callbacks", replacing("_k: 2", "_k: 2\n   mode: min"), ("mine.yaml, line 12",)),
    "too deep": ("trainer", replacing("  max_epochs: 3", "  max_epochs: 3\n    devices: 1"), ("mine.yaml, line 9",)),
    "unclosed quote": ("top", replacing("val/loss", '"val/loss'), ("mine.yaml, line",)),
    "unclosed bracket": ("top", replacing("seed: 7", "seed: [7"), ("mine.yaml, line",)),
    "duplicate key": ("trainer", replacing("model:", "trainer:\n  devices: 1\nmodel:"), ("mine.yaml, line", "trainer")),
    "duplicate leaf": ("top", replacing("seed: 7", "seed: 7\nseed: 8"), ("mine.yaml, line", "seed")),
    "no first line": ("top", replacing("# @package _global_\n", ""), ("mine.yaml", "# @package _global_")),
    "misspelt first line": ("top", replacing("_global_", "_globl_"), ("mine.yaml", "# @package _global_")),
    "list for a mapping": ("trainer", replacing("  max_epochs", "  - max_epochs"), ("trainer", "mapping")),
    "mapping for a list": ("groups", replacing("  - {base}", "  {base}:"), ("mine.yaml", "defaults")),
    "no space after the colon": ("trainer", replacing("max_epochs: 3", "max_epochs:3"), ("trainer",)),
    "second colon": ("top", replacing("val/loss", "val/loss: best"), ("mine.yaml, line 6",)),
    "misspelt base": ("groups", lambda text, rng: text.replace("{base}", misspelt("{base}", (), rng)), ("mine.yaml",)),
    "no such group": ("groups", replacing("  - {base}", "  - {base}\n  - override /shceduler: cosine"), ("shceduler",)),
    "no such choice": ("groups", replacing("  - {base}", "  - {base}\n  - override /scheduler: cosin"), ("cosin",)),
    "no override": ("groups", replacing("  - {base}", "  - {base}\n  - /scheduler: cosine"), ("scheduler",)),
    "reference to nothing": ("model.optimizer", replacing("0.01", "${{modle.lr}}"), ("model.optimizer.lr", "modle.lr")),
    "misspelt key": ("trainer", replacing("max_epochs", "max_epoch"), ("trainer.max_epoch", "max_epochs=3")),
    "misspelt part": ("callbacks", replacing("callbacks:", "calbacks:"), ("calbacks", "callbacks")),
    "misspelt node": ("callbacks", replacing("best:", "bset:"), ("callbacks.bset", "best")),
    "text for a number": ("trainer", replacing("max_epochs: 3", "max_epochs: three"), ("trainer.max_epochs", "three")),
    "missing value": ("callbacks", replacing("  best:", TIMER), ("callbacks.timer.duration",)),
    "not utf-8": ("top", lambda text, rng: text.replace("An experiment", "Ein schönes Experiment"), ("mine.yaml",)),
    "a list at the top": ("top", lambda text, rng: "# @package _global_\n- seed: 7\n", ("mine.yaml",)),
}  # fmt: skip


def slips_in_files(rng: random.Random) -> Iterator[Case]:
    """Every slip once, the experiments below it in turn."""
    for number, (what, (place, slip, says)) in enumerate(SLIPS.items()):
        base = EXPERIMENTS[number % len(EXPERIMENTS)]
        text = slip(RIGHT, rng)
        text = text.replace("{base}", base).replace("{{", "{").replace("}}", "}")
        if what == "misspelt base":
            text = RIGHT.replace("{base}", misspelt(base, EXPERIMENTS, rng))
        encoded = text.encode("latin-1" if what == "not utf-8" else "utf-8")
        yield Case("YAML slip", place, ("experiment=mine",), None, says, files={PATH: encoded}, slip=what)
