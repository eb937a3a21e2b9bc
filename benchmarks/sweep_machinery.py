"""What a search costs per trial over the training itself, beside `python train.py -m` on the same trials.

    python benchmarks/sweep_machinery.py [trials]

Every way trains the same PBPK perceptrons (60 subjects, 2 epochs). The training itself is what `result.json` records
as fit_seconds; all the rest is the machinery's: composing, checking, asking, building, writing down. The first trial
of each process is left out of the search's figure: it pays imports that all later ones share.
"""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import mean, median

from fulmen.config.schema import project_root
from fulmen.search.plans import plans
from fulmen.search.study import Study
from fulmen.search.training import train_here
from fulmen.search.workers import work

SMALL = [
    "experiment=pbpk_mlp",
    "data.compounds=60",
    "data.validation_compounds=10",
    "data.test_compounds=10",
    "trainer.max_epochs=2",
    "trainer.accelerator=cpu",
]


def search(folder: Path, rates: list[float]) -> list[float]:
    """Seconds over the training itself of each trial of a grid over `rates`, searched in this process."""
    space = ["search=grid", "search/space=null", f"search.space.model.optimizer.lr={{choices:{rates}}}"]
    study = Study(plans([*SMALL, *space, f"search.folder={folder}", "search.pruner=none"])[0])
    ends = [time.perf_counter()]
    work([study], train_here, lambda: ends.append(time.perf_counter()))
    spent = [trial.user_attrs["run"]["seconds"] for trial in study.finished]
    return [end - begin - fit for begin, end, fit in zip(ends[:-1], ends[1:], spent, strict=False)]


def multirun(folder: Path, rates: list[float]) -> list[float]:
    """The same for `train.py -m`: mean over all runs, since it says nothing about a single one."""
    quiet = ["callbacks.progress=null", "callbacks.summary=null", "logger.tensorboard=null", "test=false"]
    varied = f"model.optimizer.lr={','.join(map(str, rates))}"
    began = time.perf_counter()
    subprocess.run(
        [sys.executable, "train.py", "-m", *SMALL, *quiet, varied, f"hydra.sweep.dir={folder}"],
        cwd=project_root(),
        check=True,
        stdout=subprocess.DEVNULL,
    )
    whole = time.perf_counter() - began
    spent = [json.loads(path.read_text())["cost"]["fit_seconds"] for path in folder.rglob("result.json")]
    return [(whole - sum(spent)) / len(rates)]


def main(trials: int = 20) -> None:
    rates = [round(1e-4 * 1.2**i, 8) for i in range(trials)]
    with tempfile.TemporaryDirectory() as folder:
        ours = search(Path(folder, "search"), rates)[1:]
        theirs = multirun(Path(folder, "multirun"), rates)
    print(f"search, in process: {median(ours):.3f} s per trial over the training (median of {len(ours)})")
    print(f"train.py -m:        {mean(theirs):.3f} s per trial over the training (its imports shared by {trials})")
    print(f"ratio {median(ours) / mean(theirs):.2f}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
