"""A queue killed at each of its writes, its supervisor at each of its own, and 100 times at random: no job is lost.

None is run twice, every state is right after the restart, running work is not disturbed. Jobs of a fraction of a second
stand for trainings; each keeps an account of its own, and the user of the queue a journal of what it was promised
(tests/queue_kills.py).
"""

import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from benchmarks.proofs import ROOT, Proof

sys.path.insert(0, str(ROOT / "tests"))
import queue_kills

RANDOM = 100  # kills
SEED = 7


def every_one(kill, folder: Path) -> tuple[int, str]:
    """Kill at the first operation, the second, ... until it comes to its end: how many kills, and what went wrong."""
    step = 1
    try:
        while kill(step, folder):
            step += 1
    except AssertionError as error:
        return step, str(error)
    return step - 1, ""


def at_random(folder: Path) -> tuple[int, Counter[str], str]:
    """One user of a queue after the other, each killed within a second and a half; what they found, all together."""
    outputs, seen = folder / "outputs", Counter()
    outputs.mkdir()
    (folder / "journal.txt").touch()
    choice = queue_kills.random.Random(SEED)
    number = 0
    try:
        for number in range(1, RANDOM + 1):
            queue_kills.run("at_random", outputs, seed=SEED * 1000 + number, seconds=0.3 + 1.2 * choice.random())
            seen += queue_kills.verified(outputs)
        seen_at_end = queue_kills.finish(outputs)
    except AssertionError as error:
        return number, seen, str(error)
    return number, seen, "" if set(seen_at_end) <= {"completed", "cancelled"} else str(seen_at_end)


def main() -> bool:
    proof = Proof(__name__, __doc__, seeds=[SEED])
    for cell in proof.missing(["the queue at each write", "the supervisor at each write", "at random"]):
        with tempfile.TemporaryDirectory() as scratch:
            began = time.monotonic()
            if cell == "at random":
                kills, seen, wrong = at_random(Path(scratch))
                more = {"states_after_kills": dict(seen)}
            else:
                kill = queue_kills.killed_at if "queue" in cell else queue_kills.supervisor_killed_at
                kills, wrong = every_one(kill, Path(scratch))
                more = {}
            seconds = round(time.monotonic() - began, 1)
            proof.keep(cell, ok=not wrong, kills=kills, seconds=seconds, wrong=wrong.replace(scratch, ""), **more)
    return proof.holds()
