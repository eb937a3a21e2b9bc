"""What a pruned search over the 30 stock architectures costs, beside the same trials trained whole.

    python benchmarks/sweep_zoo.py [--trials 600] [--csv prices.csv] [--folder FOLDER] [--sample 20]

One search with two workers, then a random sample of its points trained again without pruning, in CPU seconds. With
--folder the search is kept there, and goes on where an earlier one stopped (its cost is then not known as a whole).
"""

import os

os.environ.update(OMP_NUM_THREADS="1", OMP_WAIT_POLICY="PASSIVE")

import argparse
import random
import resource
import subprocess
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path
from statistics import mean, stdev

from optuna.trial import TrialState

from fulmen.config.schema import project_root
from fulmen.runs.surroundings import quiet_libraries
from fulmen.search.opening import open_study
from fulmen.search.plans import plans
from fulmen.search.study import Study
from fulmen.search.training import train_here
from fulmen.search.workers import work


def search(typed: list[str]) -> None:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.monotonic()
    subprocess.run([sys.executable, str(project_root() / "sweep.py"), *typed, "search.workers=2"], check=True)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = used.ru_utime + used.ru_stime - before.ru_utime - before.ru_stime
    wall = time.monotonic() - began
    print(f"search: {cpu / 60:.1f} CPU minutes, champion and report included; {wall / 60:.1f} minutes")


def whole(typed: list[str], points: list[dict]) -> list[float]:
    """CPU seconds of each of `points` without pruning."""
    with tempfile.TemporaryDirectory() as folder:
        asked = [*typed, f"search.folder={folder}", "search.pruner=none", f"search.trials={len(points)}"]
        study = Study(plans(asked)[0])
        for point in points:
            study.optuna.enqueue_trial(point)
        ends = [time.process_time()]
        work([study], train_here, lambda: ends.append(time.process_time()))
    return [end - begin for begin, end in pairwise(ends)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=600)
    parser.add_argument("--csv", type=Path)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--sample", type=int, default=20)
    args = parser.parse_args()
    quiet_libraries()
    typed = ["experiment=stocks", "search=tpe", "search.joint=network=*"]
    typed += [f"data.csv={args.csv.resolve()}"] if args.csv else []
    with tempfile.TemporaryDirectory() as scratch:
        asked = [*typed, f"search.trials={args.trials}", f"search.folder={(args.folder or Path(scratch)).resolve()}"]
        search(asked)
        trials = open_study(plans(asked)[0].folder)[1].get_trials(deepcopy=False)
    done = [trial for trial in trials if trial.state in (TrialState.COMPLETE, TrialState.PRUNED)]
    pruned = sum(trial.state == TrialState.PRUNED for trial in done)
    epochs = sum(trial.user_attrs["run"]["epochs"] for trial in done)
    print(f"  {len(done)} trials, {pruned} pruned, {epochs} epochs")
    points = [trial.params for trial in random.Random(0).sample(done, min(args.sample, len(done)))]
    seconds = whole(typed, points)
    print(
        f"without pruning: {mean(seconds):.1f} CPU s a trial (sample of {len(seconds)}, sd {stdev(seconds):.1f}), "
        f"{mean(seconds) * len(done) / 60:.0f} CPU minutes for all {len(done)}"
    )


if __name__ == "__main__":
    main()
