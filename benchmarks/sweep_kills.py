"""A real search whose controller or a worker is killed at random moments, then the same command: is every trial there?

    python benchmarks/sweep_kills.py [kills, 20] [trials, 60]

Every kill is a SIGKILL, of the controller or of one of its two workers in turn, at a random moment after a trial has
started. A command whose worker was killed goes on by itself; one whose controller was killed is typed again.
"""

import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

os.environ.update(OMP_NUM_THREADS="1", OMP_WAIT_POLICY="PASSIVE")

import optuna

from fulmen.config.schema import project_root
from fulmen.search import trial_states
from fulmen.search.plans import plans
from fulmen.search.study import Study


def children(pid: int) -> list[int]:
    """Processes that `pid` has started: the workers."""
    listed = [path.read_text().split() for path in Path(f"/proc/{pid}/task").glob("*/children")]
    return [int(child) for some in listed for child in some]


def main(kills: int = 20, trials: int = 60) -> None:
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    chance, killed = random.Random(0), Counter()
    with tempfile.TemporaryDirectory() as folder:
        typed = [
            "experiment=pbpk_mlp", "search=random", f"search.trials={trials}", "search.workers=2", "search.retries=99",
            "search.pruner=none", f"search.folder={folder}/study", "search.champion_seeds=0", "trainer.max_epochs=2",
            "trainer.accelerator=cpu", "data.compounds=60", "data.validation_compounds=10", "data.test_compounds=10",
        ]  # fmt: skip
        command, study, controller = [sys.executable, "sweep.py", *typed], Study(plans(typed)[0]), None
        while sum(killed.values()) < kills:
            if controller is None or controller.poll() is not None:
                if len(study.finished) >= trials:
                    break
                controller = subprocess.Popen(command, cwd=project_root(), stdout=subprocess.DEVNULL)
            seen = len(study.trials)
            while len(study.trials) == seen and controller.poll() is None:
                time.sleep(0.02)
            time.sleep(chance.uniform(0, 1.5))
            who = ("controller", "worker")[sum(killed.values()) % 2]
            try:
                os.kill(
                    controller.pid if who == "controller" else chance.choice(children(controller.pid)), signal.SIGKILL
                )
            except (ProcessLookupError, IndexError, FileNotFoundError):
                continue
            killed[who] += 1
            if who == "controller":
                controller.wait()
        if controller.poll() is None:
            controller.wait()
        if len(study.finished) < trials:
            subprocess.run(command, cwd=project_root(), stdout=subprocess.DEVNULL, check=True)
        numbers = [trial.number for trial in study.trials]
        points = [tuple(trial.params.values()) for trial in study.finished]
        print(f"killed {dict(killed)}: {len(study.finished)} of {trials} trials finished, "
              f"{sum(map(trial_states.is_lost, study.trials))} lost in a kill and tried again, "
              f"{len(points) - len(set(points))} points twice, "
              f"numbers contiguous: {numbers == list(range(len(numbers)))}, "
              f"still owed: {len(trial_states.owed(study.trials, study.search.retries))}")  # fmt: skip


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
