"""Started by torchrun: all its processes are ranks of one run, in one folder, or it is refused before work."""

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime

from omegaconf import DictConfig

from fulmen.config.mistakes import command, key_of
from fulmen.config.places import SCRIPTS
from fulmen.errors import FulmenError

WAIT = 5.0  # seconds: torchrun ends all processes as soon as one has ended, and the first one has to speak
FOLDER = "hydra.run.dir"
PROGRAM = "train.py" if SCRIPTS else "-m fulmen train"


def starts_this() -> bool:
    """Whether torchrun has started this process beside others."""
    return "TORCHELASTIC_RUN_ID" in os.environ and int(os.environ.get("WORLD_SIZE", 1)) > 1


@contextmanager
def said_once() -> Iterator[None]:
    """What is refused in this block is refused by all processes and printed by the first one."""
    try:
        yield
    except FulmenError as error:
        if os.environ.get("RANK", "0") != "0" and starts_this():
            time.sleep(WAIT)
            error.told = True
        raise


def refuse_unless_together(trainer: DictConfig, typed: Sequence[str]) -> None:
    """Pass if a Trainer with these arguments takes the processes that torchrun has started as its own.

    Raises:
        FulmenError: each of them would train by itself; the message has the command that works.
    """
    here, nodes = int(os.environ["LOCAL_WORLD_SIZE"]), int(os.environ.get("GROUP_WORLD_SIZE", 1))
    together = {"trainer.strategy": "ddp", "trainer.devices": here} | (
        {"trainer.num_nodes": nodes} if nodes > 1 else {}
    )
    devices = trainer.get("devices", "auto")
    fits = str(devices) in ("auto", "-1", str(here))
    several = str(trainer.get("strategy", "auto")).startswith(("ddp", "fsdp", "deepspeed"))
    if several and fits and trainer.get("num_nodes", 1) == nodes:
        return
    kept = [override for override in typed if key_of(override) not in together]
    cure = [*kept, *(f"{key}={value}" for key, value in together.items())]
    raise FulmenError(
        f"torchrun has started {here * nodes} processes, and the trainer does not take them as its own: "
        f"each would train by itself\n"
        f"  this works: {command(cure, f'torchrun --nproc-per-node {here} {PROGRAM}')}"
    )


def one_folder(typed: Sequence[str]) -> list[str]:
    """The override that gives all processes the run folder of the first one, named after its time as always.

    Raises:
        FulmenError: they have no way to tell each other.
    """
    if any(key_of(override) == FOLDER for override in typed):
        return []
    if os.environ.get("TORCHELASTIC_USE_AGENT_STORE") != "True":
        raise FulmenError(f"torchrun: its processes cannot agree on a run folder; type {FOLDER}=<folder>")
    from fulmen.distributed.ranks import from_first_by_store

    now = f"{datetime.now():%Y-%m-%d_%H-%M-%S-%f}"
    stamp = from_first_by_store(f"fulmen/{os.environ.get('TORCHELASTIC_RESTART_COUNT', 0)}", now)
    return [f"{FOLDER}=outputs/runs/${{hydra:runtime.choices.experiment}}/{stamp}"]
