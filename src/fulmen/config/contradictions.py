"""Arguments that the rest of a config contradicts, found before work starts.

A rule takes the plain config and yields mistakes, each with a cure that works and takes back nothing else that was
asked for. What is refused whatever the rest says stands in `fulmen.config.argument_table`.
"""

import os
from collections.abc import Callable, Iterator, Mapping
from functools import reduce
from pathlib import Path
from typing import Any

from fulmen.config.allow_list import TargetError, locate
from fulmen.config.argument_table import CHECKPOINT, TRAINER, Refused
from fulmen.config.directions import contradicted
from fulmen.config.mistakes import Mend, Mistake, as_text, drop, put, rename
from fulmen.config.signatures import parameters
from fulmen.errors import FulmenError

Plain = Mapping[str, Any]
STRATEGIES = ("auto", "ddp", "ddp_find_unused_parameters_false", "ddp_find_unused_parameters_true")
LAUNCHED = ("MASTER_ADDR", "SLURM_NTASKS", "TORCHELASTIC_RUN_ID", "LSB_JOBID", "OMPI_COMM_WORLD_SIZE")


def contradictions(plain: Plain) -> list[Mistake]:
    """Every contradiction in a config that is right key by key."""
    return [mistake for rule in RULES for mistake in rule(plain)]


def settings(changes: Mapping[str, Any]) -> Mend:
    """Write all of `changes`, path -> value."""
    return lambda overrides: reduce(lambda typed, change: put(*change)(typed), changes.items(), overrides)


def watchers(plain: Plain) -> Iterator[tuple[str, str, str]]:
    """What cannot do without a metric: (what, the metric, how to switch it off)."""
    for path, node in nodes(plain, "EarlyStopping"):
        if node.get("strict", True) and isinstance(node.get("monitor"), str):
            yield path, node["monitor"], path
    scheduler = (plain.get("model") or {}).get("scheduler")
    if isinstance(scheduler, Mapping) and str(scheduler.get("_target_")).endswith(".ReduceLROnPlateau"):
        best = next((node.get("monitor") for _, node in nodes(plain, "ModelCheckpoint")), None)
        yield "model.scheduler", best or "val/loss", "scheduler"


def nodes(plain: Plain, kind: str) -> Iterator[tuple[str, Plain]]:
    """The callbacks of a class of Lightning's, by path."""
    for name, node in (plain.get("callbacks") or {}).items():
        if isinstance(node, Mapping) and str(node.get("_target_")).endswith(f".{kind}"):
            yield f"callbacks.{name}", node


def is_validated(metric: str) -> bool:
    """Whether a metric, by its name, is one of the validation."""
    return metric.startswith(("val/", "scores/"))


def _refused(plain: Plain) -> Iterator[Mistake]:
    """What cannot be given at all."""
    trainer, callbacks = plain["trainer"], plain.get("callbacks") or {}
    shown = {"enable_progress_bar": callbacks.get("progress"), "enable_model_summary": callbacks.get("summary"),
             "enable_checkpointing": callbacks.get("best")}  # fmt: skip
    neutral = {**{name: (None, bool(node)) for name, node in shown.items()}, "barebones": (None, False)}
    yield from _given("trainer", trainer, TRAINER, neutral)
    exact = any(True for _ in nodes(plain, "ExactResume"))
    for path, node in nodes(plain, "ModelCheckpoint"):
        own = Path(str(node.get("dirpath"))) == Path(str(plain.get("output_dir")), "checkpoints")
        last = (None, False) if exact and own else (node.get("save_last"),)
        yield from _given(path, node, CHECKPOINT, {"save_last": last})


def _given(path: str, node: Plain, table: Plain, neutral: Mapping[str, tuple[Any, ...]]) -> Iterator[Mistake]:
    """What is refused of a node and is given another value than null or those of `neutral`."""
    for name, how in table.items():
        value = node.get(name)
        if isinstance(how, Refused) and value not in neutral.get(name, (None,)):
            changes = how.instead if not value else {how.renamed: value} if how.renamed else {}
            hint = "".join(f"; {key}={as_text(new)} is the way" for key, new in changes.items())
            yield Mistake(f"{path}.{name}", how.reason + hint, _replace(f"{path}.{name}", changes))


def _replace(path: str, changes: Mapping[str, Any]) -> Mend:
    """Leave out what was typed at `path`, and write `changes`."""
    return lambda overrides: settings(changes)(drop(path)(overrides))


def _ranges(plain: Plain) -> Iterator[Mistake]:
    """Numbers that Lightning accepts and cannot work with."""
    trainer = plain["trainer"]
    least = {"accumulate_grad_batches": 1, "check_val_every_n_epoch": 1, "gradient_clip_val": 0}
    for name, low in least.items():
        value = trainer.get(name)
        if isinstance(value, int | float) and value < low:
            yield Mistake(f"trainer.{name}", f"must be {low} or more, got {value}", drop(f"trainer.{name}"))
    for unit in ("epochs", "steps"):
        low, high = trainer.get(f"min_{unit}"), trainer.get(f"max_{unit}")
        if low is not None and high not in (None, -1) and low > high:
            raise_to = put(f"trainer.max_{unit}", low)
            yield Mistake(f"trainer.min_{unit}", f"{low} is more than trainer.max_{unit}={high}", raise_to)
    if trainer.get("overfit_batches") and trainer.get("limit_train_batches") is not None:
        what = "overfit_batches says how many training batches there are; leave one of the two out"
        yield Mistake("trainer.limit_train_batches", what, drop("trainer.limit_train_batches"))
    for path, node in nodes(plain, "EarlyStopping"):
        if isinstance(patience := node.get("patience"), int) and patience < 0:
            yield Mistake(f"{path}.patience", f"must be 0 or more, got {patience}", put(f"{path}.patience", 0))


def _endless(plain: Plain) -> Iterator[Mistake]:
    """A schedule over all steps of a training that has no last step."""
    trainer, scheduler = plain["trainer"], (plain.get("model") or {}).get("scheduler")
    if trainer.get("max_epochs") != -1 or trainer.get("max_steps", -1) != -1 or not isinstance(scheduler, Mapping):
        return
    try:
        counts = "total_steps" in (parameters(locate(scheduler["_target_"])) or {})
    except (TargetError, KeyError):
        return
    if counts and not isinstance(scheduler.get("total_steps"), int):
        name = scheduler["_target_"].rpartition(".")[2]
        what = f"-1 trains without end, and {name} spreads over all steps; give trainer.max_epochs or trainer.max_steps"
        yield Mistake("trainer.max_epochs", what, put("trainer.max_epochs", 50))


def _validations(plain: Plain) -> Iterator[Mistake]:
    """Metrics of a validation that never comes, or not where it is watched."""
    trainer = plain["trainer"]
    every, epochs = trainer.get("check_val_every_n_epoch", 1), trainer.get("max_epochs")
    interval = trainer.get("val_check_interval")
    if isinstance(interval, str | Mapping):
        reason = "no run that validates by the clock can be repeated; give batches, or a share of an epoch"
        yield Mistake("trainer.val_check_interval", reason, drop("trainer.val_check_interval"))
    if every is None and not isinstance(interval, int):
        reason = "null counts batches across epochs: trainer.val_check_interval says how many"
        yield Mistake("trainer.check_val_every_n_epoch", reason, put("trainer.val_check_interval", 100))
    if trainer.get("fast_dev_run"):
        return
    never = None
    if trainer.get("limit_val_batches") == 0:
        never = "trainer.limit_val_batches", "0 leaves no validation"
    elif isinstance(every, int) and isinstance(epochs, int) and 0 < epochs < every:
        never = "trainer.check_val_every_n_epoch", f"{every} is more than trainer.max_epochs={epochs}: no validation"
    watching = [(what, metric, off) for what, metric, off in watchers(plain) if is_validated(metric)]
    if never and watching:
        who = " and ".join(f"{what} watches {metric}" for what, metric, _ in watching)
        yield Mistake(never[0], f"{never[1]}, and {who}", settings({off: None for *_, off in watching}))
    for path, node in nodes(plain, "EarlyStopping"):
        if node.get("check_on_train_epoch_end") and every not in (1, None) and is_validated(str(node.get("monitor"))):
            where = f"{path}.check_on_train_epoch_end"
            what = f"one of {every} epochs ends with a validation; null waits for it"
            yield Mistake(where, what, put(where, None))


def _checkpoints(plain: Plain) -> Iterator[Mistake]:
    """Files that would destroy each other, or hold weights that the metric in their name is not of."""
    folder = Path(str(plain.get("output_dir")), "checkpoints")
    for path, node in nodes(plain, "ModelCheckpoint"):
        if node.get("filename") == "last":
            what = "last.ckpt is what a run goes on from; take another name"
            yield Mistake(f"{path}.filename", what, put(f"{path}.filename", "best"))
        if "://" in str(node.get("dirpath")):
            what = "must be a local folder: a run folder holds its own checkpoints"
            yield Mistake(f"{path}.dirpath", what, drop(f"{path}.dirpath"))
        if node.get("every_n_train_steps") and is_validated(str(node.get("monitor"))):
            what = (f"{node['monitor']} is that of earlier weights when steps are counted; {path}.monitor=null "
                    "keeps the last of these checkpoints, save_top_k=-1 besides keeps all")  # fmt: skip
            yield Mistake(f"{path}.every_n_train_steps", what, put(f"{path}.monitor", None))
    for path, node in nodes(plain, "ExactResume"):
        if plain.get("output_dir") and Path(str(node.get("folder"))) != folder:
            what = f"a run goes on from {folder}: output_dir chooses another run folder"
            yield Mistake(f"{path}.folder", what, drop(f"{path}.folder"))


def _processes(plain: Plain) -> Iterator[Mistake]:
    """Devices and strategies that would hang, or end without what training left."""
    trainer = plain["trainer"]
    strategy, devices, on = trainer.get("strategy", "auto"), trainer.get("devices"), trainer.get("accelerator", "auto")
    if isinstance(strategy, Mapping):
        name = str(strategy.get("_target_")).rpartition(".")[2]
        known = name in ("DDPStrategy", "SingleDeviceStrategy") and strategy.get("start_method", "popen") == "popen"
    else:
        name, known = strategy, strategy in STRATEGIES
    if not known:
        what = f"{name} starts processes, or writes checkpoints, that a run cannot take up again; ddp works"
        yield Mistake("trainer.strategy", what, put("trainer.strategy", "ddp"))
    if devices in (-1, "-1") and (on == "cpu" or (on == "auto" and not _has_gpu())):
        yield Mistake("trainer.devices", f"{devices} counts GPUs; of CPUs say how many", put("trainer.devices", 1))
    if trainer.get("num_nodes", 1) > 1 and not any(name in os.environ for name in LAUNCHED):
        what = "would wait for ever for the other nodes: start all of them by torchrun or SLURM, or set MASTER_ADDR"
        yield Mistake("trainer.num_nodes", what, put("trainer.num_nodes", 1))
    if trainer.get("sync_batchnorm") and on == "cpu" and (str(strategy).startswith("ddp") or devices not in (1, "1")):
        what = "torch has it for GPUs only"
        yield Mistake("trainer.sync_batchnorm", what, drop("trainer.sync_batchnorm"))


def _ensemble(plain: Plain) -> Iterator[Mistake]:
    """An ensemble of one."""
    if plain.get("ensemble") and not plain.get("folds") and plain.get("seeds", 1) < 2:
        yield Mistake("ensemble", "it is the mean of several trainings: seeds=2 or more", put("seeds", 5))


def _findings(plain: Plain) -> Iterator[Mistake]:
    """Findings to be ignored that do not exist, or that are to end the training besides."""
    given = plain.get("findings") or {}
    for name in given.keys() - {"ignore"}:
        yield Mistake(
            f"findings.{name}", "findings takes ignore", rename(f"findings.{name}", "findings.ignore", given[name])
        )
    asked = given.get("ignore") or []
    if not asked:
        return
    from fulmen.diagnosis.findings import finding  # numpy: not for those who ignore nothing
    from fulmen.diagnosis.ignored import nearest

    words, names = [str(word) for word in ([asked] if isinstance(asked, str) else asked)], set()
    mended = [near.code if (near := nearest(word)) else None for word in words]
    cure = put("findings.ignore", mended) if None not in mended else None
    for word in words:
        try:
            names.add(finding(word).name)
        except FulmenError as error:
            yield Mistake("findings.ignore", str(error), cure)
    for path, node in nodes(plain, "Diagnosis"):
        both = names & {near.name for word in node.get("stop_on") or () if (near := nearest(str(word)))}
        if both:
            what = f"{', '.join(sorted(both))} cannot end a training that is asked to ignore it by findings.ignore"
            yield Mistake(f"{path}.stop_on", what)


def _has_gpu() -> bool:
    import torch

    return torch.cuda.is_available() or torch.backends.mps.is_available()


RULES: tuple[Callable[[Plain], Iterator[Mistake]], ...] = (
    contradicted, _refused, _ranges, _endless, _validations, _checkpoints, _processes, _ensemble, _findings,
)  # fmt: skip
