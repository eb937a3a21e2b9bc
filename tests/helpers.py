"""What many tests need: a trainer that says nothing, a training that stops at a step, tensors equal to the bit."""

import os
import signal

import torch
from lightning.pytorch import Callback, Trainer

SILENT = {"enable_progress_bar": False, "enable_model_summary": False, "num_sanity_val_steps": 0}
PBPK = ["data.compounds=24", "data.validation_compounds=4", "data.test_compounds=4", "data.hours=6",
        "model.figures=false"]  # fmt: skip  # the least of that workload: trained, tested and reported in a second
QUIET = SILENT | {"accelerator": "cpu", "logger": False, "enable_checkpointing": False}  # and leaves no file


def quiet_trainer(**options):
    """A trainer on the CPU that prints nothing and writes nothing, but for what `options` ask of it."""
    return Trainer(**QUIET | options)


class StopAt(Callback):
    """Sends this process a signal at the given optimizer step, once, as a scheduler or a person would.

    Args:
        step: finished optimizer steps.
        hook: "batch_start" or "validation".
    """

    def __init__(self, step, number=signal.SIGTERM, hook="batch_start"):
        self.step, self.number, self.hook = step, number, hook
        self.sent = False  # a step may take several batches, and a second signal would end the process at once

    def on_train_batch_start(self, trainer, *_):
        self._send(trainer, "batch_start")

    def on_validation_start(self, trainer, *_):
        self._send(trainer, "validation")

    def _send(self, trainer, hook):
        if hook == self.hook and trainer.global_step == self.step and not self.sent:
            self.sent = True
            os.kill(os.getpid(), self.number)


def differing(one, other):
    """Names of tensors that the two mappings do not share, bit for bit."""
    both = one.keys() & other.keys()
    return sorted((one.keys() | other.keys()) - {name for name in both if torch.equal(one[name], other[name])})
