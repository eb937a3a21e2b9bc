"""How the search beside this file was made: `python tests/frozen/make_search.py <folder>`.

As with `make.py`: run it with `PYTHONPATH=<a checkout of the commit>/src`, and never make a search that is there anew.
It has two trials; the same command with `search.trials=3` goes on with it.
"""

import os
import platform
import shutil
import socket
import sys
from pathlib import Path

PLACE = Path("/tmp/frozen")
SEARCH = [
    "experiment=pbpk_mlp", "search=random", "search.name=begun", "search.trials=2", "search.champion_seeds=0",
    "search.keep_checkpoints=1", "search.space=null", "search.space.model.optimizer.lr={low: 0.001, high: 0.01}",
    "data.compounds=30", "data.validation_compounds=6", "data.test_compounds=6", "data.batch_size=6",
    "model.network.hidden=8", "model.network.layers=1", "trainer.max_epochs=2", "trainer.limit_train_batches=2",
    "trainer.accelerator=cpu", "trainer.precision=32-true", "callbacks.early_stopping=null", "threads=1",
]  # fmt: skip


def main(target: Path) -> None:
    shutil.rmtree(PLACE, ignore_errors=True)
    PLACE.mkdir()
    os.chdir(PLACE)  # what is kept names no folder and no machine
    sys.argv, platform.platform, socket.gethostname = ["make_search.py"], lambda: "Linux-x86_64", lambda: "vm"
    os.environ |= {"FULMEN_CACHE": f"{PLACE}/cache", "FULMEN_REGISTRY": f"{PLACE}/models"}
    from fulmen.commandline import before_search
    from fulmen.sweep.controller import sweep

    sweep(before_search(SEARCH))
    left_out = shutil.ignore_patterns(".*", "*.lock", "report.*", "*.csv", "log.txt", "events.*", "last.ckpt")
    shutil.copytree(PLACE / "outputs" / "sweeps" / "begun", target / "searches" / "begun", ignore=left_out)
    shutil.rmtree(PLACE)


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
