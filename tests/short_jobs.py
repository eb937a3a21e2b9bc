"""Jobs of a fraction of a second: the program that stands for fulmen, and waiting for what must come true."""

import sys
import time

WORK = """
import json, os, signal, sys, time
words = dict(word.split("=", 1) for word in sys.argv[1:] if "=" in word)
out = sys.argv[sys.argv.index("--out") + 1] if "--out" in sys.argv else None
folder = words.get("output_dir") or words.get("resume") or out
print("gpu", os.environ.get("CUDA_VISIBLE_DEVICES"), flush=True)
with open(os.path.join(folder, "ran.txt"), "a") as file:
    file.write("ran\\n")
def stop(number, frame):
    print("error: interrupted; it goes on", file=sys.stderr)
    open(os.path.join(folder, "stopped.txt"), "a").write("stopped\\n")
    sys.exit(143)
signal.signal(signal.SIGTERM, signal.SIG_IGN if "deaf" in words else stop)
time.sleep(float(words.get("seconds", 0)))
if words.get("exit"):
    print("error: " + words["exit"] + "\\n  this works: nothing", file=sys.stderr)
    sys.exit(2)
"""
PROGRAM = [sys.executable, "-I", "-S", "-c", WORK]


def until(condition, seconds=30.0):
    """The first true value of `condition()`."""
    end = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < end, "it has not come true"
        time.sleep(0.02)
    return value


def ended(queue):
    """Let the queue work until no job waits or runs."""
    until(lambda: (queue.tick(), not queue.open_jobs())[1])
    return queue.jobs()


def running(queue, *ids):
    """Let the queue work until these jobs run, their work told of."""
    until(lambda: (queue.tick(), all((queue.job(id).folder / "ran.txt").exists() for id in ids))[1])
