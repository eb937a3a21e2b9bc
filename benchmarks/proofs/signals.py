"""A signal at any moment of any command: one line, the right exit code, and the same or the named command ends well.

The child is this file itself: it runs the command with one function replaced by one that first lets signals be sent.
Moments of loading modules have no function: the signal is sent after a time.
"""

import json
import os
import re
import runpy
import shlex
import signal
import subprocess
import sys
import tempfile
import threading
import time
from importlib import import_module
from pathlib import Path

from benchmarks.proofs import ROOT, Proof

PATTERNS = {  # signals, and the seconds between them
    "SIGINT": ((signal.SIGINT,), 0.0),
    "SIGINT twice": ((signal.SIGINT, signal.SIGINT), 0.0),
    "SIGINT twice in 20 ms": ((signal.SIGINT, signal.SIGINT), 0.02),
    "SIGINT twice in 100 ms": ((signal.SIGINT, signal.SIGINT), 0.1),
    "SIGINT and, a second later, again": ((signal.SIGINT, signal.SIGINT), 1.0),
    "SIGTERM": ((signal.SIGTERM,), 0.0),
}
PARTS = "data.compounds=24 data.validation_compounds=4 data.test_compounds=4"
TINY = f"{PARTS} data.batch_size=4 trainer.max_epochs=3 threads=1"
QUIET = "callbacks.summary=null callbacks.progress=null"
MODULE = "fulmen.workloads.pbpk.module:PBPKSurrogate"
PLANT = "data.machines=8 data.days=15 trainer.max_epochs=2 threads=1"
COMMANDS = {
    "train": (
        f"train.py experiment=pbpk_mlp {TINY} {QUIET} output_dir={{folder}}/run",
        {
            "imports 0.2 s": 0.2, "imports 0.6 s": 0.6, "imports 1.5 s": 1.5, "imports 3 s": 3.0,
            "data": ("fulmen.workloads.pbpk.data:PBPKData.prepare_data", 1),
            "setup": (f"{MODULE}.setup", 1),
            "first step": (f"{MODULE}.training_step", 1),
            "training": (f"{MODULE}.training_step", 6),
            "validation": (f"{MODULE}.validation_step", 2),
            "end of training": ("fulmen.callbacks.resume:reached", 4),
            "between training and test": ("fulmen.runs.run:evaluate", 1),
            "test": (f"{MODULE}.test_step", 1),
            "summary": (f"{MODULE}.summarize", 1),
            "report": ("fulmen.runs.run:write_report", 1),
        },
    ),
    "sweep": (
        f"sweep.py experiment=pbpk_mlp {PARTS} trainer.max_epochs=3 {QUIET} search=random search.trials=3 "
        "search.champion_seeds=1 search.name=s search.folder={folder}",
        {
            "imports 1 s": 1.0,
            "first trial": (f"{MODULE}.training_step", 2),
            "second trial": (f"{MODULE}.training_step", 5),
            "between trials": ("fulmen.search.study:Study.claim", 2),
            "champion": ("fulmen.search.champion:crown", 1),
            "report": ("fulmen.search.controller:write_report", 1),
        },
    ),
    "rank": (
        f"-m fulmen.cli rank sensors network=logistic,mlp {PLANT} --folds 2 --outputs {{folder}}",
        {
            "imports 1 s": 1.0,
            "data": ("fulmen.workloads.sensors.data:SensorData.prepare_data", 1),
            "first model": ("fulmen.workloads.sensors.networks.batched_fit:_fit_stack", 1),
            "second model": ("fulmen.workloads.sensors.networks.batched_fit:_fit_stack", 2),
            "baseline": ("fulmen.workloads.sensors.baselines:fit", 3),
            "report": ("fulmen.comparison.benchmark:report", 1),
        },
    ),
    "compare": (
        f"-m fulmen.cli compare 'pbpk_mlp model.network.hidden=8' 'pbpk_mlp model.network.hidden=16' {TINY} {QUIET} "
        "-o {folder}/comparison",
        {
            "imports 1 s": 1.0,
            "first training": (f"{MODULE}.training_step", 2),
            "second training": (f"{MODULE}.training_step", 14),
            "comparison": ("fulmen.comparison.compare:overview", 1),
        },
    ),
    "predict": (
        "-m fulmen.cli predict stocks {folder}/prices.csv -o {folder}/out.csv --registry "
        f"{ROOT}/tests/frozen/4332109/models",
        {
            "imports 0.5 s": 0.5,
            "model": ("fulmen.registry.bundle:Bundle.model", 1),
            "prediction": ("fulmen.workloads.stocks.predict:inputs", 1),
        },
    ),
}  # fmt: skip


def main(commands: tuple[str, ...] = tuple(COMMANDS)) -> bool:
    proof = Proof(__name__, __doc__)
    cells = [
        f"{name}, {moment}, {pattern}" for name in commands for moment in COMMANDS[name][1] for pattern in PATTERNS
    ]
    for cell in proof.missing(cells):
        found = tried(*cell.split(", ", 2))
        proof.keep(cell, ok=not found["wrong"], **found)
    return proof.holds()


def tried(command: str, moment: str, pattern: str) -> dict:
    """What came of one interruption and of the command that goes on; `wrong` says what is not as it has to be."""
    line, moments = COMMANDS[command]
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        write_prices(folder / "prices.csv")
        typed = shlex.split(line.format(folder=folder))
        code, error = interrupted(typed, moments[moment], *PATTERNS[pattern], folder)
        steps = trained(folder)
        done, last = go_on(typed, error, folder)
        again = trained(folder)
    wrong = []
    expected = 128 + PATTERNS[pattern][0][0]
    said = [each for each in error.strip().splitlines() if not each.startswith(("warning", "epoch"))]
    if code == 0:  # it was over before the signal came
        return {"wrong": [], "code": code, "said": "", "missed": True}
    if code != expected:
        wrong.append(f"exit code {code}")
    if len(said) != 1 or "Traceback" in error:
        wrong.append(f"{len(said)} lines on stderr")
    if done != 0:
        wrong.append(f"going on ends with {done}: {last[-300:]}")
    if any(again.get(run, 0) < count for run, count in steps.items()):
        wrong.append("something finished is lost")
    return {"wrong": wrong, "code": code, "said": said[-1][-200:] if said else ""}


def interrupted(typed: list[str], moment: float | tuple[str, int], numbers: tuple, gap: float, folder: Path):
    """Exit code and stderr of a command that is sent signals at a moment of its."""
    program = typed if isinstance(moment, float) else [__file__, json.dumps([*moment, list(numbers), gap]), *typed]
    process = subprocess.Popen(
        [sys.executable, *program], cwd=ROOT if typed[0] != "-m" else folder, env=environment(),
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    if isinstance(moment, float):
        time.sleep(moment)
        for number in numbers:
            process.send_signal(number)
            time.sleep(gap)
    error = process.communicate(timeout=300)[1]
    return process.returncode, error


def go_on(typed: list[str], error: str, folder: Path) -> tuple[int, str]:
    """Exit code and stderr of the command that the message names, or of the same command."""
    named = re.search(r"(?:go on with|start it again): python (train\.py .*)$", error, re.MULTILINE | re.IGNORECASE)
    program = shlex.split(named[1]) if named and typed[0] == "train.py" else typed
    found = subprocess.run(
        [sys.executable, *program], cwd=ROOT if typed[0] != "-m" else folder, env=environment(),
        capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    return found.returncode, found.stderr


def environment() -> dict[str, str]:
    paths = [str(ROOT / "src"), str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    return os.environ | {"PYTHONPATH": os.pathsep.join(paths), "OMP_NUM_THREADS": "1"}


def trained(folder: Path) -> dict[str, int]:
    """Optimizer steps of every run below `folder`."""
    found = {}
    for path in folder.rglob("result.json"):
        result = json.loads(path.read_text())
        found[str(path.parent)] = result.get("steps", 0) if result.get("status") == "completed" else 0
    return found


def write_prices(path: Path) -> None:
    lines = [
        f"2020-{1 + i // 28:02}-{1 + i % 28:02},{p},{p + 1},{p - 1},{p},1000" for i, p in enumerate(range(100, 220))
    ]
    path.write_text("Date,Open,High,Low,Close,Volume\n" + "\n".join(lines) + "\n")


def child() -> None:
    """Run a command with one of its functions letting signals be sent, on a given call of it."""
    where, call, numbers, gap = json.loads(sys.argv[1])
    sys.argv = sys.argv[2:]
    home, _, path = where.partition(":")
    owner = import_module(home)
    *above, name = path.split(".")
    for each in above:
        owner = getattr(owner, each)
    original, calls = getattr(owner, name), []

    def send() -> None:
        for number in numbers:
            os.kill(os.getpid(), number)
            time.sleep(gap)

    def interrupted_in(*arguments, **named):
        calls.append(1)
        if len(calls) == call:
            threading.Thread(target=send, daemon=True).start()
            time.sleep(0.05)
        return original(*arguments, **named)

    setattr(owner, name, interrupted_in)
    if sys.argv[0] == "-m":
        del sys.argv[0]
        runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
    else:
        sys.path.insert(0, str(ROOT))
        runpy.run_path(sys.argv[0], run_name="__main__")


if __name__ == "__main__":
    child()
