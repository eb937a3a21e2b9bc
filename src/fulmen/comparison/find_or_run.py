"""Runs by name: a run folder, or an experiment that has been run as asked for, or is run now."""

import shlex
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf

from fulmen.comparison.labels import labels_of
from fulmen.config.check import check_overrides
from fulmen.config.mistakes import as_text
from fulmen.config.outside import said_of
from fulmen.config.schema import choices
from fulmen.config.stored import moved, read_stored, without_display
from fulmen.errors import FulmenError
from fulmen.registry.start_from import resolved
from fulmen.report.test_predictions import read_items
from fulmen.runs.named import is_run, run_named
from fulmen.runs.reading import now, read_result
from fulmen.runs.result import other_code
from fulmen.runs.run_folder import Run
from fulmen.runs.training_code import code_of
from fulmen.utils.progress import ProgressFile


def find_or_run(
    names: Sequence[str], overrides: Iterable[str] = (), outputs: Path = Path("outputs"),
    progress: ProgressFile | None = None,
) -> dict[str, Run]:  # fmt: skip
    """A run for each of `names`, by a label: what tells it from the others.

    Args:
        names: of runs as `run_named` takes them, or experiments with or without overrides ("images_plain loss=focal").
        overrides: for all experiments.
        progress: to tell of runs that are there.

    Raises:
        FulmenError: neither a run nor an experiment, or its training fails.
    """
    plans: dict[str, list[str]] = {}
    folders: dict[str, Path] = {}
    for name in names:
        experiment, *own = shlex.split(name)
        if is_run(folder := run_named(name, outputs)):
            folders[name] = folder
        elif experiment in choices("experiment"):
            plans[name] = resolved([f"experiment={experiment}", *own, *overrides])
        else:
            raise FulmenError(
                f"{name} is neither a run folder nor an experiment; there is {', '.join(choices('experiment'))}"
            )
    for folder in folders.values():
        read_items(folder)  # before anything is trained for the sake of it
    checked = {name: check_overrides(plan) for name, plan in plans.items()}
    found = {name: Run(folder) for name, folder in folders.items()}
    configs = {name: found[name].config for name in found if found[name].has_config} | checked
    data = {name: configs[name].data["_target_"] for name in names if name in configs}
    if len(set(data.values())) > 1:
        kinds = ", ".join(f"{name} has {target.rpartition('.')[2]}" for name, target in data.items())
        raise FulmenError(f"runs of different data share no test items: {kinds}")
    for name, plan in plans.items():
        if progress:
            progress.update(len(found), what=name)
        found[name] = Run(completed_run(checked[name], outputs) or trained(name, checked[name], plan, outputs))
    runs = [found[name] for name in names]
    labelled = dict(zip(labels_of(runs), runs, strict=True))
    print("\n".join(f"{label}: {run.folder}" for label, run in labelled.items()))
    return labelled


def trained(name: str, cfg: Any, overrides: Sequence[str], outputs: Path) -> Path:
    """The folder of a run that is trained now, or goes on where it was interrupted."""
    from fulmen.runs.run import run

    begun, _ = run_like(cfg, outputs, "interrupted", "killed")
    if begun is None or not ((begun / "checkpoints" / "last.ckpt").is_file() or read_result(begun).get("runs")):
        print(f"{name}: not run yet; training it", flush=True)
        return run(cfg, overrides).folder
    print(f"{name}: going on with {begun}", flush=True)
    typed = [f"resume={as_text(str(begun))}", *said_of(begun, overrides)]
    return run(check_overrides(typed), typed[:1]).folder


def completed_run(cfg: Any, outputs: Path) -> Path | None:
    """The newest completed run with this config, made by the code of now, whatever folder it is in.

    One that other code has made is no such run; a line says so.
    """
    found, refused = run_like(cfg, outputs, "completed")
    if found is None and refused:
        print(f"{refused}; training again", flush=True)
    return found


def run_like(cfg: Any, outputs: Path, *statuses: str) -> tuple[Path | None, str]:
    """The newest run with this config and one of these statuses that the code of now has made.

    Returns:
        The folder, or None, and what was wrong with the newest one that other code has made, or "".
    """
    asked: Any = OmegaConf.to_container(cfg)
    code, refused = code_of(cfg), ""
    for path in sorted(outputs.glob(f"runs/{cfg.experiment}/*/config.yaml"), reverse=True):
        folder = path.parent
        try:
            there = without_display(read_stored(folder))
            same = there == without_display(moved(asked, asked["output_dir"], str(folder)))
            if not same or now(folder, read_result(folder))["status"] not in statuses:
                continue
        except (FulmenError, KeyError):
            continue
        why = other_code(folder, code)
        if not why:
            return folder, ""
        refused = refused or why
    return None, refused
