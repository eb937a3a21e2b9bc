"""After training: the best checkpoint is tested, and what came of it is written down and shown."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from lightning.pytorch import LightningDataModule, LightningModule, Trainer
from omegaconf import DictConfig

from fulmen.callbacks.leaks import FindLeaks
from fulmen.callbacks.outputs import SampleOutputs
from fulmen.callbacks.resume import read_checkpoint
from fulmen.config.compose import to_plain
from fulmen.config.directions import direction
from fulmen.data.batches import size
from fulmen.diagnosis.ignored import Ignored, as_plain
from fulmen.errors import FulmenError
from fulmen.io.taken import points_of_plain
from fulmen.lightning_private import callbacks_of, is_dry_run
from fulmen.report.leaks import SCANNED, caution
from fulmen.report.of_run import write_report
from fulmen.report.summary import Summary, of_untrained, print_table
from fulmen.report.test_predictions import OF_VALIDATION, write_items
from fulmen.report.training_curve import training_curve
from fulmen.runs.loggers import log_result
from fulmen.runs.looks import looked_at
from fulmen.runs.named_by import compared_by
from fulmen.runs.result import Result, typed_for
from fulmen.runs.status import is_trial
from fulmen.workload import Workload, WorkloadData, hooks, splits_of

OF_LEAKS = ("FUL-L", "FUL-T")  # what a scan of the data finds
SHOWN = 15  # rows of a further table on the console


def evaluate(trainer: Trainer, model: LightningModule, data: Any, cfg: DictConfig, result: Result) -> None:
    """Test the best checkpoint, write the report, show its first table."""
    if is_dry_run(trainer):
        return
    load_best(model, result.folder)
    if not cfg.test:
        if is_trial(cfg) and trainer.is_global_zero:
            keep_validation(model, data, result.folder)
        log(trainer, data, cfg, result)
        return
    trainer.test(model, datamodule=data, verbose=False)
    keep_leaks(trainer, result)
    result.metrics |= {name: float(value) for name, value in trainer.callback_metrics.items()}
    summary = summarized(trainer, model, data, result.folder / "figures")
    if trainer.is_global_zero:
        path = tell(summary, cfg, result)
        log(trainer, data, cfg, result)
        print(f"report: {path.with_suffix('.html')}, the same in report.md")


def keep_validation(model: LightningModule, data: Any, folder: Path) -> None:
    """Keep what a trial says of each item of the validation split, for the report that counts all trials."""
    items = hooks(model).validation_items(data) if isinstance(data, WorkloadData) else {}
    if items:
        write_items(folder, items, OF_VALIDATION)


def keep_leaks(trainer: Trainer, result: Result) -> float:
    """Put what a scan of the data found into the result; the seconds that it took."""
    watching = next((each for each in callbacks_of(trainer) if isinstance(each, FindLeaks)), None)
    looked = watching.looked if watching else None
    result.unscanned = watching.unscanned if watching else ""
    if looked is None or not looked.scanned:
        return 0.0
    result.leaks = [leak.as_dict() for leak in looked.leaks]
    others = [each for each in result.ignored if not str(each.get("id")).startswith(OF_LEAKS)]
    result.ignored = [*others, *as_plain(looked.ignored)]
    result.cost[SCANNED] = round(looked.seconds, 3)
    return looked.seconds


def sizes(data: Any) -> dict[str, int]:
    """How many items the validation and the test split have, where the data hold them in memory."""
    splits = splits_of(data)
    return {name: size(splits[split]) for name, split in (("val", "validation"), ("test", "test")) if split in splits}


def data_in_words(data: Any) -> str:
    """`handwritten digits: 1,332 samples to train on, 105 to validate and 360 to test`."""
    named = data.described if isinstance(data, WorkloadData) else ""
    splits = splits_of(data)
    words = {"train": "to train on", "validation": "to validate", "test": "to test"}
    said = [f"{size(splits[name]):,} {word}" for name, word in words.items() if name in splits]
    if not said:
        return named
    first, *rest = said
    first = first.replace(" ", " sample " if first.startswith("1 ") else " samples ", 1)
    counts = ", ".join([first, *rest[:-1]]) + f" and {rest[-1]}" * bool(rest)
    return f"{named}: {counts}" if named else counts


def log(trainer: Trainer, data: Any, cfg: DictConfig, result: Result) -> None:
    """Give the loggers the final metrics; of a run that is not tested those of its best epoch."""
    if trainer.is_global_zero:
        settings = compared_by(cfg, typed_for(result.folder), data)
        log_result(trainer.loggers, settings, result.metrics, result.steps)


def load_best(model: LightningModule, folder: Path) -> None:
    """The weights of the best checkpoint, where the run keeps one."""
    best = folder / "checkpoints" / "best.ckpt"
    if best.exists():
        checkpoint = read_checkpoint(best)
        model.load_state_dict(checkpoint["state_dict"])
        model.on_load_checkpoint(checkpoint)


def tell(summary: Summary, cfg: DictConfig, result: Result) -> Path:
    """Put what the workload says into the result, write the report and show its tables; the report's path."""
    result.metrics |= {f"test/{name}": float(value) for name, value in summary.metrics.items()}
    result.baselines = summary.baselines
    plain = to_plain(cfg)
    ways = {name: direction(f"test/{name}", plain) for name in summary.metrics}
    result.better = {name: way for name, way in ways.items() if way}
    result.counted = summary.counted
    if summary.items:
        write_items(result.folder, summary.items)
        result.sizes["test"] = len(summary.items["item"])
    ignored = Ignored.of((cfg.get("findings") or {}).get("ignore") or [])
    summary = with_shown(summary, result, ignored)
    seen = looked_at(result, ignored)
    curve = training_curve(result.folder, cfg.monitor, cfg.mode, not result.losses_differ)
    if curve:
        summary.figures["Training"] = curve.name
    if not summary.tables and summary.baselines:
        summary.tables["Test split"] = [{"": "network", **summary.metrics}] + [
            {"": name, **scores} for name, scores in summary.baselines.items()]  # fmt: skip
    if not summary.tables:
        summary.tables["Result"] = [{"metric": name, "value": value} for name, value in sorted(result.metrics.items())]
    if not result.steps:
        result.message, result.verdicts = untrained(cfg), []
        summary = of_untrained(summary, result.message)
        print(result.message)
    status = "completed" if result.status == "running" else result.status  # nothing is left to be done
    typed = typed_for(result.folder)
    cost = {name: value for name, value in result.cost.items() if name != "seconds"}  # the run is not over yet
    known = result.to_plain() | {"status": status, "cost": cost} | seen
    path = write_report(result.folder, result.experiment, summary, known, typed, data=points_of_plain(result.taken))
    title, rows = next(iter(summary.tables.items()))
    if summary.verdict and summary.verdict.sentence.removesuffix(".") not in title:
        print(summary.answer or summary.verdict.sentence)
    print_table(title, rows)
    for title in summary.shown:
        if title in summary.said:
            print(f"\n{summary.said[title]}")
        print_table(title, summary.tables[title][:SHOWN])
        if len(summary.tables[title]) > SHOWN:
            print(f"  and {len(summary.tables[title]) - SHOWN} more in the report")
    if said := caution(result.leaks):
        print(said)
    return path


def with_shown(summary: Summary, result: Result, ignored: Ignored) -> Summary:
    """Keep what the test split shows in the result; as ignored where that was asked for: then no headline has it."""
    verdict, result.shown = summary.verdict, {}
    if verdict is None or not result.steps:
        return summary
    if verdict.code not in ignored.names:
        result.shown = verdict.as_dict()
        return summary
    result.ignored = [each for each in result.ignored if each.get("code") != verdict.code]
    result.ignored.append({"id": verdict.id, "code": verdict.code, "finding": verdict.sentence})
    (_, rows), *others = summary.tables.items() or [("", [])]
    tables = {"Test split": rows, **dict(others)} if rows else {}
    return replace(summary, verdict=None, answer="", next_step=("", ""), tables=tables)


def summarized(trainer: Trainer, model: LightningModule, data: LightningDataModule, figures: Path) -> Summary:
    """What the workload says of the test split, on the first process; all have to ask."""
    if not isinstance(model, Workload) or not isinstance(data, WorkloadData):
        return Summary({})
    if type(model).summarize is Workload.summarize and trainer.is_global_zero:
        lost = "the report has no baselines, and `fulmen compare` cannot use the run"
        print(f"{type(model).__name__} has no summarize: {lost}")
    outputs = next(each for each in callbacks_of(trainer) if isinstance(each, SampleOutputs))
    predicted = outputs.of_whole_split(trainer, model, data)
    summary = model.summarize(predicted, data, figures) if trainer.is_global_zero else Summary({})
    if not isinstance(summary, Summary):
        raise FulmenError(
            f"{type(model).__name__}.summarize has to return a fulmen.Summary, not a {type(summary).__name__}"
        )
    return summary


def untrained(cfg: DictConfig) -> str:
    """What to say of a network that took no optimizer step."""
    zero = [name for name in ("max_epochs", "max_steps", "limit_train_batches") if cfg.trainer.get(name) == 0]
    why = f" ({', '.join(f'trainer.{name}=0' for name in zero)})" if zero else ""
    return f"untrained network: no optimizer step was taken{why}"
