"""Functions on several ranks at once: forked from the tests' own process, so that nothing is imported again."""

import multiprocessing
import os
import queue
import socket
import traceback

import torch
from lightning.pytorch.utilities import rank_zero_only
from torch import distributed as dist

import fulmen.runs.run
from fulmen.config.check import check_overrides
from fulmen.errors import FulmenError
from fulmen.runs.run import run

PATIENCE = 120  # seconds
FEW = ["trainer=ddp_cpu", "trainer.precision=32-true", "trainer.limit_train_batches=4", "trainer.max_epochs=3",
       "test=false", "callbacks.summary=null"]  # fmt: skip


def on_ranks(world, function, *args, killed=0):
    """What `function(*args)` returns on each rank of a process group over gloo, plain values.

    Args:
        killed: how many ranks die and return nothing: None.
    """
    context = multiprocessing.get_context("fork")
    answers = context.Queue()
    port = free_port()
    started = [
        context.Process(target=_as_rank, args=(rank, world, port, answers, function, args), daemon=True)
        for rank in range(world)
    ]
    for process in started:
        process.start()
    try:
        found = dict(answers.get(timeout=PATIENCE) for _ in started[killed:])
    except queue.Empty:
        raise AssertionError(f"the ranks wait for each other; exit codes {[p.exitcode for p in started]}") from None
    finally:
        for process in started:
            process.join(5)
            process.kill()
    failed = [text for text in found.values() if isinstance(text, _Failed)]
    assert not failed, "\n".join(failed)
    return [found.get(rank) for rank in range(world)]


def trained(experiment, folder, change, *overrides):
    """How a run ends on this rank, after `change(data, model)` on what it is made of."""
    assemble = fulmen.runs.run.assemble

    def changed(*arguments):
        data, model, trainer = assemble(*arguments)
        change(data, model)
        return data, model, trainer

    fulmen.runs.run.assemble = changed  # this process is a fork and ends with its rank
    typed = [f"experiment={experiment}", f"output_dir={folder}", *FEW, *overrides]
    try:
        result = run(check_overrides(typed), typed)
    except FulmenError as error:
        return {"status": error.status, "message": str(error)}
    return {"status": result.status, "message": result.message, "epochs": result.epochs, "verdicts": result.verdicts}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class _Failed(str):
    pass


def _as_rank(rank, world, port, answers, function, args):
    torch.set_num_threads(1)  # the pool of threads of the parent did not survive the fork
    os.environ |= {"RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": str(world), "NODE_RANK": "0"}
    os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    rank_zero_only.rank = rank  # found out when Lightning was imported
    try:
        dist.init_process_group("gloo", rank=rank, world_size=world)
        answers.put((rank, function(*args)))
    except BaseException:
        answers.put((rank, _Failed(f"rank {rank}: {traceback.format_exc()}")))
