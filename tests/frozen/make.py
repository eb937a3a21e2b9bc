"""How the run folders and kept models beside this file were made: `python tests/frozen/make.py <folder>`.

They are what an earlier commit has written, and stay as they are: `tests/test_frozen.py` holds that today's code loads,
predicts, verifies and resumes them. Where what is stored changes, make new ones beside these; never these again.
Run it with `PYTHONPATH=<a checkout of that commit>/src`. Paths inside begin with /tmp/frozen, which is no one's folder.
"""

import os
import platform
import shutil
import signal
import sys
from contextlib import suppress
from pathlib import Path

from lightning.pytorch import Callback

import fulmen
import fulmen.run
from fulmen.config import check_overrides
from fulmen.errors import Interrupted
from fulmen.registry import save_run

PLACE = Path("/tmp/frozen")
SHARED = [
    "trainer.accelerator=cpu", "trainer.precision=32-true", "trainer.max_epochs=3", "trainer.log_every_n_steps=1",
    "trainer.limit_train_batches=4", "callbacks.early_stopping=null", "threads=1", "seed=3",
]  # fmt: skip
RUNS = {
    "pbpk": [
        "experiment=pbpk_gnn", "data.compounds=40", "data.validation_compounds=8", "data.test_compounds=8",
        "data.time_points=20", "data.batch_size=6", "model.network.hidden=8", "model.network.layers=1",
        "model.network.recurrent=8", "model.network.rank=8",
    ],
    "stocks": [
        "experiment=stocks", "zoo=04_lstm_narrow_deep", "data.days=500", "data.batch_size=16",
        "model.network.stages=[{rnn: lstm, units: 8, last: true}, {dense: 4}]",
    ],
    "images": [
        "experiment=images_balanced", "network=resnet9", "data.batch_size=8", "model.network.width=2",
        "trainer.accumulate_grad_batches=1",
    ],
    "sensors": [
        "experiment=sensors", "data.machines=8", "data.days=6", "data.windows=[mean_24h,rise_24h]",
        "data.batch_size=64", "model.network.width=8", "model.network.members=2",
    ],
}  # fmt: skip
WHOLE = "stocks"  # the other finished runs come without figures and the page that holds them, for their size


class StopAt(Callback):
    """SIGTERM at the start of the batch of an optimizer step."""

    def __init__(self, step: int):
        self.step = step

    def on_train_batch_start(self, trainer: object, *_: object) -> None:
        if trainer.global_step == self.step:
            self.step = -1
            os.kill(os.getpid(), signal.SIGTERM)


def start(folder: Path, *typed: str) -> fulmen.run.Result:
    typed = [*typed, *SHARED, f"output_dir={folder}"]
    return fulmen.run.run(check_overrides(typed), typed)


def make(name: str) -> None:
    """A finished run and one stopped in mid-epoch, of the same settings; the finished one is kept as a model."""
    start(PLACE / "runs" / name, *RUNS[name])
    save_run(PLACE / "runs" / name, name, note="frozen")
    made = fulmen.run.callbacks
    fulmen.run.callbacks = lambda cfg: [StopAt(6), *made(cfg)]
    with suppress(Interrupted):
        start(PLACE / "interrupted" / name, *RUNS[name])
    fulmen.run.callbacks = made


def main(target: Path) -> None:
    shutil.rmtree(PLACE, ignore_errors=True)
    sys.argv, platform.platform = ["make.py"], lambda: "Linux-x86_64"  # what is kept names no folder and no machine
    os.environ |= {"FULMEN_CACHE": f"{PLACE}/cache", "FULMEN_REGISTRY": f"{PLACE}/models"}
    for name in RUNS:
        make(name)
    shutil.rmtree(PLACE / "models" / ".locks")
    for name in RUNS:
        left_out = () if name == WHOLE else ("figures", "report.html")
        shutil.copytree(PLACE / "runs" / name, target / "runs" / name, ignore=shutil.ignore_patterns(*left_out))
    for kind in ("interrupted", "models"):
        shutil.copytree(PLACE / kind, target / kind, ignore=shutil.ignore_patterns(".tmp"))
    shutil.rmtree(PLACE)
    print(f"{sum(path.stat().st_size for path in target.rglob('*') if path.is_file()):,} bytes")


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
