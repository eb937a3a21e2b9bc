"""Many processes and threads at one registry, and processes killed in the middle: what is lost, what is damaged.

    python benchmarks/registry_faults.py [--repeats 10] [--processes 16] [--saves 25] [--kills 100]

Each repeat starts on a registry that does not exist yet: 16 processes and 8 threads save 25 times each, once under one
name for all, once under names of their own. A save is acknowledged when the call has returned; afterwards every
acknowledged version has to be there and to verify. Then writers are killed (SIGKILL) at random moments.
"""

import os

os.environ.update(OMP_NUM_THREADS="1", OMP_WAIT_POLICY="PASSIVE")

import argparse
import multiprocessing
import random
import signal
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import wait
from multiprocessing.synchronize import Barrier
from pathlib import Path
from statistics import median

from fulmen.registry.store import Store
from fulmen.registry.verification import FILES

THREADS = 8
spawn = multiprocessing.get_context("spawn")


def save(
    root: str, names: list[str], tag: str, size: int = 11_000
) -> tuple[list[tuple[str, str]], list[str], list[float]]:
    """Acknowledged (version, note) pairs, errors, and wall milliseconds of each save."""
    acknowledged, errors, times = [], [], []
    for i, name in enumerate(names):
        note, began = f"{tag}-{i}", time.perf_counter()
        try:
            version = Store(root).publish(name, {file: note.encode() + bytes(size) for file in FILES}, {"note": note})
            acknowledged.append((str(version), note))
        except Exception as error:
            errors.append(f"{type(error).__name__}: {error}")
        times.append(1e3 * (time.perf_counter() - began))
    return acknowledged, errors, times


def process(root: str, names: list[str], tag: str, start: Barrier, answer) -> None:
    start.wait()
    answer.send(save(root, names, tag))


def endless(root: str, acknowledged) -> None:
    """Save until somebody kills this."""
    while True:
        version = Store(root).publish("pump", {file: os.urandom(20_000) for file in FILES}, {})
        acknowledged.send(str(version))


def storm(root: str, same: bool, processes: int, saves: int) -> dict[str, float]:
    """One repeat; counts of what was acknowledged, lost, damaged and refused."""

    def names(who: str) -> list[str]:
        return ["pump"] * saves if same else [f"{who}-{i}" for i in range(saves)]

    start, children, pipes = spawn.Barrier(processes + 1), [], []
    for i in range(processes):
        mine, theirs = spawn.Pipe(duplex=False)
        children.append(spawn.Process(target=process, args=(root, names(f"p{i}"), f"p{i}", start, theirs)))
        children[-1].start()
        pipes.append(mine)
    start.wait()
    with ThreadPoolExecutor(THREADS) as pool:
        outcomes = list(pool.map(lambda i: save(root, names(f"t{i}"), f"t{i}"), range(THREADS)))
    outcomes += [pipe.recv() for pipe in pipes]
    for child in children:
        child.join()
    acknowledged = [pair for outcome in outcomes for pair in outcome[0]]
    store, lost, damaged = Store(root), 0, 0
    there = {str(version): version for version in store.versions()}
    for name, note in acknowledged:
        lost += name not in there or there[name].manifest["note"] != note
    for version in there.values():
        try:
            version.verify()
        except Exception:
            damaged += 1
    times = sorted(x for outcome in outcomes for x in outcome[2])
    return {
        "acknowledged": len({name for name, _ in acknowledged}),
        "lost": lost,
        "damaged": damaged,
        "errors": sum(len(outcome[1]) for outcome in outcomes),
        "median ms": median(times),
        "p99 ms": times[int(0.99 * len(times))],
    }


def kills(root: str, times: int) -> dict[str, float]:
    """Writers killed at random moments, then garbage collected while another one goes on."""
    rng, acknowledged = random.Random(0), set()
    for _ in range(times):
        mine, theirs = spawn.Pipe(duplex=False)
        child = spawn.Process(target=endless, args=(root, theirs))
        child.start()
        theirs.close()
        acknowledged.add(mine.recv())  # it has begun
        time.sleep(rng.uniform(0, 0.06))
        os.kill(child.pid, signal.SIGKILL)
        child.join()
        while wait([mine], 0):
            try:
                acknowledged.add(mine.recv())
            except EOFError:
                break
    store = Store(root)
    listed, damaged = store.versions(), 0
    for version in listed:
        try:
            version.verify()
        except Exception:
            damaged += 1
    orphans = len(list(Path(root, ".tmp").iterdir()))
    store.gc()
    left = len(list(Path(root, ".tmp").iterdir()))
    lost = len(acknowledged - {str(version) for version in listed})
    return {"killed": times, "acknowledged": len(acknowledged), "listed": len(listed), "lost": lost, "damaged": damaged,
            "leftovers": orphans, "after gc": left}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=10)
    parser.add_argument("--processes", type=int, default=16)
    parser.add_argument("--saves", type=int, default=25)
    parser.add_argument("--kills", type=int, default=100)
    asked = parser.parse_args()
    for same in (True, False):
        totals: dict[str, list[float]] = {}
        for _ in range(asked.repeats):
            with tempfile.TemporaryDirectory() as folder:
                for key, value in storm(f"{folder}/models", same, asked.processes, asked.saves).items():
                    totals.setdefault(key, []).append(value)
        expected = (asked.processes + THREADS) * asked.saves * asked.repeats
        counts = ", ".join(f"{sum(totals[key])} {key}" for key in ("acknowledged", "lost", "damaged", "errors"))
        speed = ", ".join(f"{key} {median(totals[key]):.1f}" for key in ("median ms", "p99 ms"))
        print(f"{'one name' if same else 'own names'}: of {expected} saves {counts}; per save {speed}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        print(", ".join(f"{value} {key}" for key, value in kills(f"{folder}/models", asked.kills).items()))


if __name__ == "__main__":
    main()
