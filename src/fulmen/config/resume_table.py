"""What may be typed beside `resume=<folder>`, and what comes of each key.

The longest entry that a key is, or lies below, says it. What is taken wins over what a checkpoint holds.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from fulmen.config.mistakes import key_of


@dataclass(frozen=True)
class Entry:
    """What comes of a key.

    Attributes:
        kind: taken; told: taken with one line that says what changes; refused.
        why: that line, or why it is refused and what would work; read after `key=value: `.
    """

    kind: Literal["taken", "told", "refused"]
    why: str = ""


KEPT = ("data", "model", "seed", "seeds", "ensemble", "folds", "monitor", "mode", "output_dir")
TAKEN = Entry("taken")


def _kept(name: str) -> Entry:
    return Entry("refused", f"a resumed run keeps its {name}; start a new run to change it")


_GROUP = "a resumed run keeps its {0}; type single keys, such as {1}"
_DIGITS = Entry("told", "sums are made in another order from here on: the last digits will differ from a run without")
_DEALT = Entry("told", "the rest of the epoch is dealt to the processes there are, and a step is of other samples")
_STEPS = Entry("told", "an epoch has another number of steps from here on; schedules stand where that puts them")
_CHECKS = Entry("told", "early stopping and plateau schedules count validations, which now come at another pace")
_COMPARED = Entry("told", "validations from here on are not of the same samples as the best score so far")
_CHOSEN = Entry("refused", "a resumed run keeps how its best checkpoint is chosen; start a new run to change it")
_ANEW = Entry("told", "early stopping counts anew from here on")
_HERE = Entry("refused", "a resumed run stays in its folder; copy the folder and resume the copy to keep both")
_OURS = Entry("refused", "a run writes its own checkpoints; they are what it is resumed from")

TABLE = {
    "resume": TAKEN,
    "weights": Entry("refused", "a resumed run goes on with its own weights; start a new run from others"),
    "experiment": TAKEN,  # the same one, which is looked at elsewhere
    **{name: _kept(name) for name in KEPT},
    "output_dir": _HERE,
    "hydra": TAKEN,
    "hydra.run.dir": _HERE,
    "hydra.sweep": _HERE,
    "threads": _DIGITS,
    "test": TAKEN,
    "findings": Entry(
        "refused", "a resumed run keeps what it ignores; fulmen diagnose FOLDER --ignore leaves out more"
    ),
    "leaks": TAKEN,
    "trainer": TAKEN,
    "trainer.accelerator": _DIGITS,
    "trainer.precision": _DIGITS,
    "trainer.deterministic": _DIGITS,
    "trainer.benchmark": _DIGITS,
    "trainer.strategy": _DEALT,
    "trainer.devices": _DEALT,
    "trainer.num_nodes": _DEALT,
    "trainer.sync_batchnorm": Entry("told", "batch normalisation is over the samples of all processes from here on"),
    "trainer.use_distributed_sampler": _DEALT,
    "trainer.fast_dev_run": Entry("refused", "it would leave the run with one batch of training; try it on a new run"),
    "trainer.overfit_batches": _kept("data"),
    "trainer.limit_train_batches": _STEPS,
    "trainer.accumulate_grad_batches": _STEPS,
    "trainer.limit_val_batches": _COMPARED,
    "trainer.val_check_interval": _CHECKS,
    "trainer.check_val_every_n_epoch": _CHECKS,
    "trainer.gradient_clip_val": Entry("told", "gradients are clipped otherwise from here on"),
    "trainer.gradient_clip_algorithm": Entry("told", "gradients are clipped otherwise from here on"),
    "trainer.barebones": Entry("refused", "it leaves out the checkpoints that a run is resumed from"),
    "trainer.enable_checkpointing": _OURS,
    "trainer.plugins": _OURS,
    "trainer.default_root_dir": _HERE,
    "callbacks": TAKEN,
    "callbacks.exact_resume": _OURS,
    "callbacks.best": _CHOSEN,
    "callbacks.best.verbose": TAKEN,
    "callbacks.early_stopping.monitor": _ANEW,
    "callbacks.early_stopping.mode": _ANEW,
    "logger": TAKEN,
    "logger.tensorboard.folder": _HERE,
    "logger.csv.folder": _HERE,
}


def entry(key: str) -> Entry:
    """What comes of `key`; of one that no entry covers, nothing is known and the rest of the checks say it."""
    parts = key.split(".")
    names = (".".join(parts[:n]) for n in range(len(parts), 0, -1))
    return next((TABLE[name] for name in names if name in TABLE), TAKEN)


def of_group(group: str) -> Entry:
    """What comes of choosing a config group."""
    single = {"trainer": "trainer.devices=2", "callbacks": "callbacks.early_stopping=null", "logger": "logger.csv=null"}
    return Entry("refused", _GROUP.format(group, single[group])) if group in single else _kept(group)


def lines(overrides: Iterable[str]) -> list[str]:
    """What is to be told about `overrides`, one line each."""
    found = [(override, entry(key_of(override))) for override in overrides]
    return [f"{override}: {each.why}" for override, each in found if each.kind == "told"]
