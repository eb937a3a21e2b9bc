"""One run: data, model, trainer, fit, test the best checkpoint, write down what came of it."""

import time
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer, seed_everything
from lightning.pytorch.utilities import rank_zero_warn
from omegaconf import DictConfig, OmegaConf

from fulmen.callbacks.divergence import advice
from fulmen.callbacks.fitting import refusals_in_words
from fulmen.callbacks.reached import reached
from fulmen.callbacks.resume import ExactResume
from fulmen.config.compose import to_plain
from fulmen.config.mistakes import key_of
from fulmen.config.named_files import files_in_words
from fulmen.config.overrides import in_multirun
from fulmen.config.resume_table import KEPT
from fulmen.config.stored import clear_failed_start, refuse_if_used
from fulmen.distributed.devices import takes_several_processes
from fulmen.distributed.ranks import is_first
from fulmen.errors import Diverged
from fulmen.lightning_private import callbacks_of, is_dry_run
from fulmen.report.known import is_known
from fulmen.report.words import counted
from fulmen.runs.assembly import NOTHING, assemble
from fulmen.runs.evaluation import data_in_words, evaluate, keep_leaks, sizes
from fulmen.runs.loggers import log_settings
from fulmen.runs.named_by import compared_by
from fulmen.runs.ownership import owned
from fulmen.runs.peers import together
from fulmen.runs.process_group import train_in_group
from fulmen.runs.restore import rules_of, take_up, tell_changes
from fulmen.runs.result import Result, typed_for, write_fingerprint, write_provenance
from fulmen.runs.status import is_trial, recorded
from fulmen.runs.surroundings import kept_surroundings
from fulmen.runs.weights import StartFrom
from fulmen.utils.threads import set_threads
from fulmen.workload import hooks, taken_of


@kept_surroundings()
def run(cfg: DictConfig, overrides: Sequence[str] = (), ready: Mapping[str, Callback] = NOTHING) -> Result:
    """Train, evaluate and report what `cfg` (checked and resolved) describes, in the folder `cfg.output_dir`.

    A run that was trained to its end is not trained again by a bare `resume=<folder>`, only evaluated. With `folds` or
    `seeds` it is several runs, see `fulmen.runs.repeat`; in a multirun one of several processes is a group of its own.

    Args:
        overrides: what was typed, for the record.
        ready: callbacks that are made already, by their names in `cfg.callbacks`: the trial of a search hands over what
            reports to its study. The config describes them too, for further processes of the run.

    Raises:
        Interrupted: it was asked to stop; what was reached is saved, the message says how to go on.
        Diverged: training has left all bounds.
        FulmenError: something the user can mend.
    """
    folder = Path(cfg.output_dir)
    repeated = cfg.get("folds") or cfg.get("seeds", 1) > 1
    if in_multirun() and not repeated and takes_several_processes(cfg.trainer):
        return train_in_group(cfg, overrides)
    with owned(folder) if is_first() else nullcontext():
        if is_first() and not cfg.resume:
            refuse_if_used(folder)
            clear_failed_start(folder)
        if repeated:
            from fulmen.runs.repeat import repeat

            return repeat(cfg, overrides, run)
        return run_once(cfg, overrides, folder, ready)


def run_once(cfg: DictConfig, overrides: Sequence[str], folder: Path, ready: Mapping[str, Callback]) -> Result:
    """As `run`, in a folder that this process owns."""
    threads = set_threads(cfg.threads)
    seed_everything(cfg.seed, workers=True, verbose=False)
    resume = folder / "checkpoints" / "last.ckpt" if cfg.resume else None
    data, model, trainer = assemble(cfg, ready)
    start = StartFrom(cfg.weights, model) if cfg.get("weights") and not resume else None
    result = take_up(resume, model, trainer) if resume else Result(cfg.experiment, folder)
    if resume:
        tell_changes(overrides, folder)
    if start:
        callbacks_of(trainer).append(start)
    before = result.cost.get("precision", trainer.precision)
    if before != trainer.precision:
        rank_zero_warn(
            f"{folder} was trained in {before} so far; give trainer.precision={before} to go on in it, not in "
            f"{trainer.precision}"
        )
    result.cost |= {
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "device": str(trainer.strategy.root_device),
        "threads": threads,
        "precision": trainer.precision,
    }
    if trainer.is_global_zero:
        write_provenance(folder, cfg, overrides, bool(resume), {"weights": start.facts} if start else {})
        if not is_dry_run(trainer):
            log_settings(trainer.loggers, compared_by(cfg, typed_for(folder), data))

    only_evaluate = result.trained and all(
        key_of(o).partition(".")[0] in ("resume", "test", "leaks", *KEPT) for o in overrides
    )
    with (
        recorded(result, trainer, overrides, report=not (is_dry_run(trainer) or is_trial(cfg))),
        together(trainer, cfg, overrides),
        files_in_words(to_plain(cfg.model), "model", model),
        files_in_words(to_plain(cfg.data), "data", data),
    ):
        if trainer.is_global_zero:
            how = f"{result.cost['device']}, {counted(threads, 'thread')}, {trainer.precision}"
            size = f"{result.cost['parameters']:,} parameters"
            print(f"{cfg.experiment}: {size} on {how}; run folder {folder}", flush=True)
            print(start.line, flush=True) if start else None
        if only_evaluate:
            print("the training had ended already; evaluating it again")
        else:
            fit(trainer, model, data, resume, cfg, result)
        if not is_dry_run(trainer):
            refuse_diverged(result, cfg)
        evaluate(trainer, model, data, cfg, result)
    return result


def refuse_diverged(result: Result, cfg: DictConfig) -> None:
    """Pass if the training has ended with a finite value of what is monitored: other weights are worth no evaluation.

    Raises:
        Diverged: it has not.
    """
    if cfg.monitor in result.metrics and not is_known(result.metrics[cfg.monitor]):
        lower = advice(OmegaConf.select(cfg, "model.optimizer.lr")) if "loss" in cfg.monitor else ""
        after = counted(result.epochs, "epoch")
        raise Diverged(f"diverged: {cfg.monitor} is not finite after {after}{lower}", cfg.monitor)


def fit(
    trainer: Trainer, model: LightningModule, data: Any, resume: Path | None, cfg: DictConfig, result: Result
) -> None:
    """Train; what was reached goes into the result, however it ends."""
    started, seconds_before = time.monotonic(), result.cost.get("fit_seconds", 0.0)
    result.trained = False
    exact = next((callback for callback in callbacks_of(trainer) if isinstance(callback, ExactResume)), None)
    if exact:
        exact.monitor, exact.rules = cfg.monitor, rules_of(cfg)
        exact.fit_seconds = lambda: seconds_before + time.monotonic() - started
    try:
        with refusals_in_words(trainer):
            trainer.fit(model, datamodule=data, ckpt_path=resume, weights_only=True)
        result.trained = True
        if exact and exact.asked:  # too late for a batch to stop at
            raise KeyboardInterrupt(exact.asked)
    finally:
        found = (exact and exact.before) or reached(trainer, cfg.monitor)
        result.metrics, result.verdicts = found["metrics"], found["verdicts"]
        result.ignored = found.get("ignored", [])  # none in checkpoints of before
        result.epochs, result.steps = found["epochs"], found["steps"]
        if result.trained and found["endings"]:  # a callback's word for how it went, such as pruned
            result.status, result.message = found["endings"][0]
        scan = keep_leaks(trainer, result)
        result.cost["fit_seconds"] = seconds_before + time.monotonic() - started - scan
        if trainer.is_global_zero:
            write_fingerprint(result.folder, data)
            result.sizes = sizes(data) or result.sizes
            result.data_set = data_in_words(data) or result.data_set
            result.taken = [each.to_plain() for each in taken_of(data)] or result.taken
            result.losses_differ = hooks(model).losses_differ
    if trainer.is_global_zero:
        result.write()  # whatever becomes of the evaluation
