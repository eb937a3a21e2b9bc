"""Functions on several ranks at once: forked from the tests' own process, so that nothing is imported again."""

import multiprocessing
import os
import queue
import socket
import traceback

import torch
from lightning.pytorch.utilities import rank_zero_only
from torch import distributed as dist

PATIENCE = 120  # seconds


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
