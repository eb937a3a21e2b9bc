"""Who uses a queue is killed with SIGKILL, at a chosen one of its writes or at any moment; what must hold afterwards.

    python queue_kills.py OUTPUTS SCENARIO KILL_AT SEED

goes through a scenario in a process of its own. `KILL_AT` is the number of the file operation it dies in (0: none; the
random scenario goes on until it is killed). What it was promised stands in `OUTPUTS/../journal.txt`, a line each; the
work of each job keeps its own account in `ran.txt`. `verified` holds the queue against both.
"""

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

from fulmen.launch.queue import SUPERVISOR, NoSuchJob, Queue, WrongState

OPERATIONS = {"open", "os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.chmod", "os.truncate", "subprocess.Popen"}
WORK = """
import json, os, signal, sys, time
words = dict(word.split("=", 1) for word in sys.argv[1:] if "=" in word)
folder = words.get("output_dir") or words["resume"]
attempt = json.load(open(os.path.join(folder, "attempt.json")))["attempt"]
def tell(what):
    with open(os.path.join(folder, "ran.txt"), "a") as file:
        file.write(f"{what} {attempt}\\n")
def stop(*_):
    tell("stopped")
    os._exit(143)
signal.signal(signal.SIGTERM, stop)
tell("began")
time.sleep(float(words.get("seconds", 0)))
tell("ended")
with open(os.path.join(folder, "result.json"), "w") as file:
    json.dump({"status": "completed"}, file)
"""
PROGRAM = (sys.executable, "-I", "-S", "-c", WORK)


def die_at(number: int, place: str) -> None:
    """Let this process be killed when it begins its file operation of this number below `place`."""
    count = 0

    def hook(event: str, arguments: tuple) -> None:
        nonlocal count
        if event not in OPERATIONS:
            return
        reads = event == "open" and not (isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR))
        if reads or (event != "subprocess.Popen" and not str(arguments[0]).startswith(place)):
            return
        count += 1
        if count == number:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)


class Promised:
    """The queue, and a line for whatever it has promised, or is about to be asked for where that takes away."""

    def __init__(self, outputs: Path, slots: int = 2):
        self.queue, self.journal = Queue(outputs, slots, program=PROGRAM), outputs.parent / "journal.txt"

    def say(self, *words: str) -> None:
        with open(self.journal, "a") as file:
            file.write(" ".join(words) + "\n")

    def submit(self, seconds: float) -> str:
        id = self.queue.submit("train", "sensors", [f"seconds={seconds}"]).job.id
        self.say("has", id)
        return id

    def retry(self, id: str) -> None:
        self.say("has", self.queue.retry(id).job.id)

    def cancel(self, id: str) -> None:
        self.say("cancels", id)
        self.queue.cancel(id)

    def delete(self, id: str, folder: bool) -> None:
        self.say("deletes", id)
        self.queue.delete(id, folder)


def every_write(outputs: Path) -> None:
    """Each thing that a queue can be asked for, with jobs that wait, run and have ended."""
    asked = Promised(outputs)
    queue, ids = asked.queue, [asked.submit(seconds) for seconds in (0.0, 0.3, 0.0, 0.0, 0.0)]
    queue.prioritize(ids[1], 3)
    queue.tick()
    wait_for(lambda: queue.job(ids[0]).state == "completed")
    asked.cancel(ids[4])
    asked.cancel(ids[1])
    queue.pause()
    wait_for(lambda: queue.job(ids[1]).state != "cancelling")
    if queue.job(ids[1]).state == "cancelled":
        queue.resume(ids[1])
    asked.retry(ids[0])
    asked.delete(ids[0], folder=False)
    asked.delete(ids[4], folder=True)
    queue.unpause()
    queue.tick()


def at_random(outputs: Path, seed: int) -> None:
    """Ask for one thing after the other, until killed."""
    asked, choice = Promised(outputs), random.Random(seed)
    while True:
        asked.queue.tick()
        time.sleep(choice.random() * 0.02)
        jobs = asked.queue.jobs()
        entry, dice = choice.choice(jobs) if jobs else None, choice.random()
        waiting = sum(each.is_open for each in jobs)
        try:
            if entry is None or (dice < 0.5 and waiting < 6):
                asked.submit(choice.choice([0.0, 0.0, 0.1, 0.4]))
            elif dice < 0.6 and entry.state in ("queued", "running"):
                asked.cancel(entry.job.id)
            elif dice < 0.75 and entry.state == "cancelled":
                asked.queue.resume(entry.job.id)
            elif dice < 0.8 and waiting < 6:
                asked.retry(entry.job.id)
            elif dice < 0.85 and not entry.is_open and len(jobs) > 10:
                asked.delete(entry.job.id, folder=choice.random() < 0.5)
            elif dice < 0.95:
                asked.queue.prioritize(entry.job.id, choice.randrange(5))
            else:
                asked.queue.pause(choice.random() < 0.3)
        except (WrongState, NoSuchJob):
            continue


def wait_for(condition, seconds: float = 30.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it has not come true"
        time.sleep(0.01)


def verified(outputs: Path, killed: tuple[str, ...] = ()) -> Counter[str]:
    """How the jobs stand, held against what was promised and what their work has done.

    Args:
        killed: states of jobs whose supervisor was killed too.

    Raises:
        AssertionError: a job is lost, was run twice, or its state is wrong.
    """
    lines = [line.split() for line in (outputs.parent / "journal.txt").read_text().splitlines()]
    told = {what: {id for said, id in lines if said == what} for what in ("has", "cancels", "deletes")}
    found = {entry.job.id: entry for entry in Queue(outputs, program=PROGRAM).jobs()}
    lost = told["has"] - told["deletes"] - found.keys()
    assert not lost, f"lost: {lost}"
    for id, entry in found.items():
        account = (entry.folder / "ran.txt").read_text().splitlines() if (entry.folder / "ran.txt").exists() else []
        times, now = Counter(account), entry.job.attempt
        assert not times or max(times.values()) == 1, f"{id} was run twice: {account}"
        began, ended, stopped = (f"{what} {now}" in times for what in ("began", "ended", "stopped"))
        right = {
            "queued": not began, "running": True, "cancelling": id in told["cancels"], "completed": ended,
            "cancelled": id in told["cancels"] and not ended and (stopped or not began or entry.attempt is not None),
        }  # fmt: skip
        assert entry.state in killed or right.get(entry.state), f"{id} is {entry.state}: {account} {entry.attempt}"
    return Counter(entry.state for entry in found.values())


def finish(outputs: Path) -> Counter[str]:
    """Let a queue that nobody kills do what is left, and verify it."""
    queue = Queue(outputs, 4, program=PROGRAM)
    queue.unpause()
    wait_for(lambda: (queue.tick(), not queue.open_jobs())[1], 120)
    assert not any((outputs / ".fulmen" / name).exists() for name in ("staging", "deleted")), "something is left over"
    return verified(outputs)


def killed_at(step: int, folder: Path) -> bool:
    """Kill the user of a queue in one of its file operations, verify, and finish; False where it came to its end."""
    outputs = folder / f"{step}" / "outputs"
    outputs.mkdir(parents=True)
    (outputs.parent / "journal.txt").touch()
    code = run("every_write", outputs, step)
    assert code in (0, -signal.SIGKILL), f"step {step}: exit code {code}"
    verified(outputs)
    states = finish(outputs)
    assert set(states) <= {"completed", "cancelled"}, states
    return code != 0


def supervisor_killed_at(step: int, folder: Path) -> bool:
    """Kill the process that runs a job in one of its file operations; its work is run once at most, and undisturbed."""
    outputs = folder / f"supervisor_{step}" / "outputs"
    outputs.mkdir(parents=True)
    asked = Promised(outputs, slots=1)
    code = f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r}); import queue_kills, runpy; "
    code += f"sys.argv = ['supervisor', *sys.argv[1:]]; queue_kills.die_at({step}, '')\n"
    code += "runpy.run_module('fulmen.launch.supervisor', run_name='__main__')"
    asked.queue.supervisor = (sys.executable, "-P", "-c", code)
    id = asked.submit(0.2)
    asked.queue.tick()
    (starting,) = asked.queue.slots._starting.values()
    died = starting.process.wait() == -signal.SIGKILL
    asked.queue.supervisor = SUPERVISOR
    wait_for(lambda: (asked.queue.tick(), not asked.queue.open_jobs())[1], 60)
    states = verified(outputs, killed=("killed",))
    account = asked.queue.job(id).folder / "ran.txt"
    if states["killed"]:
        time.sleep(0.5)  # work that nobody knows of would have begun by now
    assert set(states) == {"completed"} or (states["killed"] and not account.exists()), (step, states)
    return died


def run(scenario: str, outputs: Path, step: int = 0, seed: int = 0, seconds: float | None = None) -> int:
    """Go through a scenario in a process of its own, killed after so many seconds; its exit code."""
    words = [sys.executable, __file__, str(outputs), scenario, str(step), str(seed)]
    process = subprocess.Popen(words)
    try:
        return process.wait(seconds if seconds is not None else 120)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()


def main(outputs: str, scenario: str, step: str, seed: str) -> None:
    die_at(int(step), outputs)
    if scenario == "every_write":
        every_write(Path(outputs))
    else:
        at_random(Path(outputs), int(seed))


if __name__ == "__main__":
    main(*sys.argv[1:])
