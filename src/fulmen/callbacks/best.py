"""`checkpoints/best.ckpt` is the best checkpoint of a run, whatever its ModelCheckpoint calls its files."""

import os
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Any

from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import Checkpoint, ModelCheckpoint

from fulmen.distributed.ranks import wait_for_all
from fulmen.lightning_private import saves_within_epochs


class BestInPlace(Checkpoint):
    """Keeps `best.ckpt` the file that the first ModelCheckpoint holds for the best, as a hard link or a copy.

    So a run folder alone tells the best weights, also after it was moved. A ModelCheckpoint that keeps several files
    under one name would overwrite the best with the latest: those get the epoch and the step in their names.

    Args:
        folder: of `best.ckpt`.
        watched: the ModelCheckpoint whose best it is.

    Attributes:
        metrics: all that was logged when the best was saved.
    """

    def __init__(self, folder: str | Path, watched: ModelCheckpoint):
        self.path, self.watched = Path(folder) / "best.ckpt", watched
        self.metrics: dict[str, float] = {}
        self._score: float | None = None
        several = watched.save_top_k not in (0, 1) or watched.save_on_exception
        if several and watched.filename and "{" not in watched.filename:
            watched.filename += "-{epoch}-{step}"

    def on_validation_end(self, trainer: Trainer, module: LightningModule) -> None:
        self._update(trainer)

    def on_train_epoch_end(self, trainer: Trainer, module: LightningModule) -> None:
        self._update(trainer)

    def on_train_batch_end(self, trainer: Trainer, module: LightningModule, *_: Any) -> None:
        if saves_within_epochs(self.watched):
            self._update(trainer)

    def scores(self, monitor: str) -> dict[str, float]:
        """`best/<metric>` of what the best was chosen by, and of `monitor` at the same moment."""
        score = self.watched.best_model_score
        if score is None:
            return {}
        beside = {f"best/{monitor}": self.metrics[monitor]} if monitor in self.metrics else {}
        return beside | {f"best/{self.watched.monitor}": float(score)}

    def state_dict(self) -> dict[str, Any]:
        return {"metrics": self.metrics, "score": self._score}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.metrics, self._score = state["metrics"], state["score"]

    def _update(self, trainer: Trainer) -> None:
        best, score = self.watched.best_model_path, self.watched.best_model_score
        if trainer.state.fn != "fit" or trainer.sanity_checking or not best:
            return
        if score is not None and float(score) != self._score:
            self._score = float(score)
            self.metrics = {name: float(value) for name, value in trainer.callback_metrics.items()}
        if Path(best) == self.path.parent.resolve() / self.path.name:
            return
        if trainer.is_global_zero:
            place(Path(best), self.path)
        wait_for_all()


def place(source: Path, path: Path) -> None:
    """Make `path` the content of `source`, by a hard link where the file system has them; nothing half done is seen."""
    if not source.is_file() or (path.exists() and _same(source, path)):
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f".{path.name}.new")
    new.unlink(missing_ok=True)
    try:
        os.link(source, new)
    except OSError:
        shutil.copy2(source, new)
    os.replace(new, path)


def _same(one: Path, other: Path) -> bool:
    with suppress(OSError):
        a, b = one.stat(), other.stat()
        return os.path.samestat(a, b) or (a.st_size, a.st_mtime_ns) == (b.st_size, b.st_mtime_ns)
    return False
