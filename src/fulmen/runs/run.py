"""One run: data, model, trainer, fit, test the best checkpoint, write down what came of it."""

import inspect
import time
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path
from types import MappingProxyType
from typing import Any

from lightning.pytorch import Callback, LightningDataModule, LightningModule, Trainer, seed_everything
from lightning.pytorch.accelerators import CUDAAccelerator, MPSAccelerator
from lightning.pytorch.callbacks import EarlyStopping, ModelCheckpoint, ModelSummary, ProgressBar
from lightning.pytorch.loggers import Logger
from lightning.pytorch.utilities import rank_zero_warn
from omegaconf import DictConfig, ListConfig, OmegaConf
from torch import zeros
from torch.nn import Parameter
from torch.optim import Optimizer

from fulmen.callbacks.fitting import completed, refusals_in_words
from fulmen.callbacks.outputs import SampleOutputs
from fulmen.callbacks.resume import AtomicCheckpoints, ExactResume, reached, read_checkpoint
from fulmen.config.check import build
from fulmen.config.mistakes import key_of
from fulmen.config.resume_table import KEPT
from fulmen.config.stored import clear_failed_start, refuse_if_used
from fulmen.distributed.ranks import exact_means, is_first
from fulmen.errors import FulmenError
from fulmen.report.figures import training_curve
from fulmen.report.summary import Summary, of_untrained, print_table, write_report
from fulmen.report.test_predictions import write_items
from fulmen.runs.contract import refuse_unless_kept
from fulmen.runs.loggers import log_hyperparameters
from fulmen.runs.ownership import owned
from fulmen.runs.peers import together
from fulmen.runs.restore import rules_of, take_up, tell_changes
from fulmen.runs.result import Result, write_fingerprint, write_provenance
from fulmen.runs.status import recorded
from fulmen.runs.surroundings import kept_surroundings, speak
from fulmen.runs.weights import StartFrom
from fulmen.utils.precision import AUTO, best_precision
from fulmen.utils.threads import set_threads
from fulmen.workload import Workload, WorkloadData

ACCELERATORS = {"gpu": (CUDAAccelerator, MPSAccelerator), "cuda": (CUDAAccelerator,), "mps": (MPSAccelerator,)}
NOTHING: Mapping[str, Callback] = MappingProxyType({})
SHOWN = 15  # rows of a further table on the console


@kept_surroundings()
def run(cfg: DictConfig, overrides: Sequence[str] = (), ready: Mapping[str, Callback] = NOTHING) -> Result:
    """Train, evaluate and report what `cfg` (checked and resolved) describes, in the folder `cfg.output_dir`.

    A run that was trained to its end is not trained again by a bare `resume=<folder>`, only evaluated. With `folds` or
    `seeds` it is several runs, see `fulmen.runs.repeat`.

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
    with owned(folder) if is_first() else nullcontext():
        if is_first() and not cfg.resume:
            refuse_if_used(folder)
            clear_failed_start(folder)
        if cfg.get("folds") or cfg.get("seeds", 1) > 1:
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
        trainer.callbacks.append(start)
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

    only_evaluate = result.trained and all(key_of(o).partition(".")[0] in ("resume", *KEPT) for o in overrides)
    with recorded(result, trainer, overrides), together(trainer, cfg, overrides):
        if trainer.is_global_zero:
            how = f"{result.cost['device']}, {threads} threads, {trainer.precision}"
            size = f"{result.cost['parameters']:,} parameters"
            print(f"{cfg.experiment}: {size} on {how}; run folder {folder}", flush=True)
            print(start.line, flush=True) if start else None
        if only_evaluate:
            print("trained to its end before; evaluating it again")
        else:
            fit(trainer, model, data, resume, cfg, result)
        evaluate(trainer, model, data, cfg, overrides, result)
    return result


def assemble(
    cfg: DictConfig, ready: Mapping[str, Callback] = NOTHING
) -> tuple[LightningDataModule, LightningModule, Trainer]:
    """Data, model and trainer as configured.

    Raises:
        FulmenError: one of them refuses its arguments.
    """
    data, model = build(cfg.data, "data"), build(cfg.model, "model")
    refuse_unless_kept(type(data), WorkloadData)
    refuse_unless_kept(type(model), Workload)
    try_optimizers(cfg.model, "model")
    logging_to = loggers(cfg)
    watching = completed(callbacks(cfg, ready), logging_to, cfg.trainer, Path(cfg.output_dir, "checkpoints"))
    watching.append(SampleOutputs())
    parts = {
        "callbacks": watching,
        "enable_progress_bar": any(isinstance(callback, ProgressBar) for callback in watching),
        "enable_model_summary": any(isinstance(callback, ModelSummary) for callback in watching),
        "enable_checkpointing": any(isinstance(callback, ModelCheckpoint) for callback in watching),
        "logger": logging_to or False,
        "plugins": [AtomicCheckpoints(), *plugins(cfg)],
        "default_root_dir": cfg.output_dir,
    }
    if cfg.trainer.get("precision") == AUTO:
        parts["precision"] = best_precision(str(cfg.trainer.get("accelerator", "auto")))
    speak(*[module for module, asked in {
        "callbacks.early_stopping": any(isinstance(each, EarlyStopping) and each.verbose for each in watching),
        "utilities.rank_zero": any(isinstance(each, ModelCheckpoint) and each.verbose for each in watching),
        "profilers.profiler": cfg.trainer.get("profiler")}.items() if asked])  # fmt: skip
    try:
        trainer = build(cfg.trainer, "trainer", **parts)
        exact_means(trainer)
        return data, model, trainer
    except FulmenError as error:
        kinds = ACCELERATORS.get(cfg.trainer.get("accelerator"), ())
        if not kinds or any(kind.is_available() for kind in kinds):
            raise
        raise FulmenError(
            f"trainer.accelerator={cfg.trainer.accelerator}: none here; auto takes what there is"
        ) from error


def try_optimizers(node: DictConfig, path: str) -> None:
    """Make every partial optimizer below `node` once, for a dummy parameter: `lr=-1` is found before work starts."""
    for name, child in node.items():
        if isinstance(child, DictConfig):
            if child.get("_partial_") and str(child.get("_target_", "")).startswith("torch.optim."):
                make = build(child, f"{path}.{name}")
                if inspect.isclass(make.func) and issubclass(make.func, Optimizer):
                    build(OmegaConf.merge(child, {"_partial_": False}), f"{path}.{name}", params=[Parameter(zeros(1))])
            else:
                try_optimizers(child, f"{path}.{name}")


def callbacks(cfg: DictConfig, ready: Mapping[str, Callback] = NOTHING) -> list[Callback]:
    """The callbacks of `cfg.callbacks`: an entry that is null is switched off, one that is `ready` not made again."""
    nodes = {name: node for name, node in (cfg.get("callbacks") or {}).items() if node}
    return [ready[name] if name in ready else build(node, f"callbacks.{name}") for name, node in nodes.items()]


def loggers(cfg: DictConfig) -> list[Logger]:
    """The loggers of `cfg.logger`; an entry that is null is switched off."""
    return [build(node, f"logger.{name}") for name, node in (cfg.get("logger") or {}).items() if node]


def plugins(cfg: DictConfig) -> list[Any]:
    """What `trainer.plugins` asks for besides ours, one or a list."""
    asked = cfg.trainer.get("plugins")
    asked = list(asked) if isinstance(asked, ListConfig) else [asked] if asked else []
    return [build(node, "trainer.plugins") if isinstance(node, DictConfig) else node for node in asked]


def fit(
    trainer: Trainer, model: LightningModule, data: Any, resume: Path | None, cfg: DictConfig, result: Result
) -> None:
    """Train; what was reached goes into the result, however it ends."""
    started, seconds_before = time.monotonic(), result.cost.get("fit_seconds", 0.0)
    result.trained = False
    exact = next((callback for callback in trainer.callbacks if isinstance(callback, ExactResume)), None)
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
        result.epochs, result.steps = found["epochs"], found["steps"]
        if result.trained and found["endings"]:  # a callback's word for how it went, such as pruned
            result.status, result.message = found["endings"][0]
        result.cost["fit_seconds"] = seconds_before + time.monotonic() - started
        if trainer.is_global_zero:
            write_fingerprint(result.folder, data)
    if trainer.is_global_zero:
        result.write()  # whatever becomes of the evaluation


def evaluate(
    trainer: Trainer, model: LightningModule, data: Any, cfg: DictConfig, overrides: Sequence[str], result: Result
) -> None:
    """Test the best checkpoint, write the report, show its first table."""
    if trainer.fast_dev_run:
        return
    best = result.folder / "checkpoints" / "best.ckpt"
    if best.exists():
        checkpoint = read_checkpoint(best)
        model.load_state_dict(checkpoint["state_dict"])
        model.on_load_checkpoint(checkpoint)
    summary = Summary({})
    if cfg.test:
        trainer.test(model, datamodule=data, verbose=False)
        result.metrics |= {name: float(value) for name, value in trainer.callback_metrics.items()}
        summary = summarized(trainer, model, data, result.folder / "figures")
    if not trainer.is_global_zero or not cfg.test:
        return
    result.metrics |= {f"test/{name}": float(value) for name, value in summary.metrics.items()}
    result.baselines = summary.baselines
    if summary.items:
        write_items(result.folder, summary.items)
    curve = training_curve(result.folder, cfg.monitor, cfg.mode)
    if curve:
        summary.figures["Training"] = curve.name
    if not summary.tables:
        summary.tables["Result"] = [{"metric": name, "value": value} for name, value in sorted(result.metrics.items())]
    if not result.steps:
        result.message, result.verdicts = untrained(cfg), []
        summary = of_untrained(summary, result.message)
        print(result.message)
    status = "completed" if result.status == "running" else result.status  # nothing is left to be done
    typed = (result.folder / "overrides.txt").read_text().splitlines()  # at the start and at every resume
    path = write_report(result.folder, result.experiment, summary, asdict(result) | {"status": status}, typed)
    print_table(*next(iter(summary.tables.items())))
    for title in summary.shown:
        print_table(title, summary.tables[title][:SHOWN])
        if len(summary.tables[title]) > SHOWN:
            print(f"  and {len(summary.tables[title]) - SHOWN} more in the report")
    log_hyperparameters(trainer.loggers, cfg, result.metrics, result.steps)
    print(f"report: {path}")


def summarized(trainer: Trainer, model: LightningModule, data: LightningDataModule, figures: Path) -> Summary:
    """What the workload says of the test split, on the first process; all have to ask."""
    if not isinstance(model, Workload) or not isinstance(data, WorkloadData):
        return Summary({})
    outputs = next(each for each in trainer.callbacks if isinstance(each, SampleOutputs))
    predicted = outputs.of_whole_split(trainer, model, data)
    return model.summarize(predicted, data, figures) if trainer.is_global_zero else Summary({})


def untrained(cfg: DictConfig) -> str:
    """What to say of a network that took no optimizer step."""
    zero = [name for name in ("max_epochs", "max_steps", "limit_train_batches") if cfg.trainer.get(name) == 0]
    why = f" ({', '.join(f'trainer.{name}=0' for name in zero)})" if zero else ""
    return f"untrained network: no optimizer step was taken{why}"
