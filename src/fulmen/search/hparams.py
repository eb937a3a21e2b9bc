"""The trials of a study in TensorBoard's HPARAMS tab."""

import shutil
from pathlib import Path

from optuna.trial import FrozenTrial

from fulmen.search.live_display import shown
from fulmen.search.study import Study


def write_hparams(study: Study) -> None:
    """One line per trial, a pruned one with the last value it reported; those written before are left alone."""
    for trial in study.finished:
        folder = study.folder / "tensorboard" / f"trial_{trial.number:04d}"
        values = trial.values or list(trial.intermediate_values.values())[-1:]
        if values and not folder.exists():
            named = {f"search/{name}": value for name, value in zip(study.objectives, values, strict=True)}
            _write_line(folder, trial, named)


def _write_line(folder: Path, trial: FrozenTrial, values: dict[str, float]) -> None:
    """One trial, in a folder that is whole or absent."""
    from torch.utils.tensorboard.summary import hparams, scalar  # slow to import, and wanted at the end alone
    from torch.utils.tensorboard.writer import FileWriter

    point = {path: shown(value) for path, value in trial.params.items()}
    unfinished = folder.with_name(f".{folder.name}")
    shutil.rmtree(unfinished, ignore_errors=True)  # of a process that was killed
    writer = FileWriter(str(unfinished))
    for part in hparams(point | {"state": trial.state.name.lower()}, values):
        writer.add_summary(part)
    for name, value in values.items():
        writer.add_summary(scalar(name, value))
    writer.close()
    unfinished.rename(folder)
