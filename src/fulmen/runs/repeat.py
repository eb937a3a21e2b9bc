"""One experiment over several folds and seeds: a run for each pair, and one result of them all."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from omegaconf import DictConfig

from fulmen.callbacks.taken import told_once
from fulmen.config.allow_list import locate
from fulmen.config.check import check_overrides, load_config
from fulmen.config.mistakes import as_text, key_of
from fulmen.config.outside import resume_command, said_of
from fulmen.config.signatures import parameters
from fulmen.config.stored import as_stored
from fulmen.distributed.devices import refuse_unless_here, takes_several_processes
from fulmen.errors import FulmenError, Interrupted
from fulmen.report.document import Rows
from fulmen.report.known import deviation, has_mean, is_known, mean
from fulmen.report.leaks import caution, distinct, leaks_in
from fulmen.report.next_step import first_start
from fulmen.report.summary import print_table
from fulmen.report.test_predictions import ITEMS, read_items, write_items
from fulmen.runs import repeat_report
from fulmen.runs.ensemble import NAME as ENSEMBLE
from fulmen.runs.ensemble import ensemble
from fulmen.runs.partial_report import write_partial
from fulmen.runs.process_group import train_in_group
from fulmen.runs.reading import read_result
from fulmen.runs.result import Result, typed_for, write_provenance
from fulmen.runs.status import is_trial
from fulmen.utils.files import atomic_write
from fulmen.utils.progress import Best, ProgressFile

OURS = (
    "folds", "seeds", "ensemble", "resume", "output_dir", "seed", "hydra.run.dir", "hydra.sweep.dir",
    "hydra.sweep.subdir",
)  # fmt: skip
SHOWN = 6  # metrics in the table


@told_once()
def repeat(cfg: DictConfig, overrides: Sequence[str], run: Callable[..., Result]) -> Result:
    """Train `cfg.folds` folds times `cfg.seeds` seeds, `seed_<s>/fold_<k>` below the run folder, and sum them up.

    Started again with `resume=<folder>` it leaves out runs that are complete and goes on with one that was interrupted.

    Args:
        run: what trains a checked config; `fulmen.runs.run.run`. One of several processes is a group of its own.

    Raises:
        FulmenError: the data cannot be split into folds, or the training runs on several machines.
        Interrupted: asked to stop; the message says how to go on.
    """
    folder = Path(cfg.output_dir)
    refuse(cfg)
    train = train_in_group if takes_several_processes(cfg.trainer) else run
    seeds, folds = range(cfg.seed, cfg.seed + cfg.get("seeds", 1)), range(cfg.folds) if cfg.folds else [None]
    plan = {child_folder(folder, seed, fold): (seed, fold) for seed in seeds for fold in folds}
    children, configs = list(plan), {}
    if not cfg.resume:  # all are checked before one is trained
        configs = {child: one_of(cfg, overrides, child, *which) for child, which in plan.items()}
        for config in list(configs.values())[1:]:
            if config.get("callbacks"):
                config.callbacks.pop("summary", None)  # one table of layers is enough
        for child, config in configs.items():
            with atomic_write(child / "config.yaml") as file:
                file.write(as_stored(config))
    write_provenance(folder, cfg, overrides, resumed=bool(cfg.resume))
    result = Result(cfg.experiment, folder, runs=[child.relative_to(folder).as_posix() for child in children])
    result.write()
    try:
        with ProgressFile(folder, "runs", len(children), sum(map(is_over, children))) as progress:
            for number, child in enumerate(children, 1):
                said = f"run {number} of {len(children)}"
                progress.update(number - 1, best=best_of(folder, children[: number - 1], cfg), what=said)
                if is_over(child):
                    continue
                print(f"{said}: {child.relative_to(folder)}", flush=True)
                if (child / "checkpoints" / "last.ckpt").is_file():
                    typed = [f"resume={as_text(str(child))}", *said_of(child, overrides)]
                    train(check_overrides(typed), typed[:1])
                else:
                    train(configs[child] if configs else load_config(child, overrides), overrides)
            progress.update(len(children), best=best_of(folder, children, cfg))
    except Interrupted as error:
        on = f"interrupted in {child.relative_to(folder)}; go on with: {resume_command(folder)}"
        result.status, result.message = error.status, on
        raise Interrupted(on, error.exit_code) from error
    except FulmenError as error:
        result.status, result.message = error.status, f"{child.relative_to(folder)}: {error}"
        raise
    finally:
        result.write()
        if result.status != "running" and not is_trial(cfg):
            write_partial(folder)
    if cfg.get("ensemble") and not (folder / ENSEMBLE / "result.json").exists():
        ensemble(children, folder / ENSEMBLE)
    sum_up(result, children, [seed for seed, _ in plan.values()], cfg.monitor)
    return result


def child_folder(folder: Path, seed: int, fold: int | None) -> Path:
    """Where one run lies below the folder of them all."""
    return folder / f"seed_{seed}" / ("" if fold is None else f"fold_{fold}")


def is_over(child: Path) -> bool:
    """Whether a run is not trained again."""
    return read_result(child).get("status") in ("completed", "diverged")


def best_of(folder: Path, children: Sequence[Path], cfg: DictConfig) -> Best | None:
    """The best of the runs that are over, by the metric that is watched; None if none has a value."""
    values = {child: read_result(child).get("metrics", {}).get(f"best/{cfg.monitor}") for child in children}
    known = {child: float(value) for child, value in values.items() if is_known(value)}
    if not known:
        return None
    first = (max if cfg.mode == "max" else min)(known, key=lambda child: known[child])
    return Best(name=first.relative_to(folder).as_posix(), metric=cfg.monitor, value=known[first])


def refuse(cfg: DictConfig) -> None:
    """Pass if this config can be repeated."""
    if cfg.folds and not {"fold", "folds"} <= set(parameters(locate(cfg.data["_target_"])) or ()):
        target = cfg.data["_target_"]
        raise FulmenError(f"folds={cfg.folds}: {target} cannot be split into folds; seeds={cfg.folds} repeats it")
    if cfg.folds and cfg.data.get("fold") is not None:
        raise FulmenError(f"folds={cfg.folds} trains all folds, data.fold={cfg.data.fold} one of them: choose one")
    refuse_unless_here(cfg.trainer, "folds and seeds")


def one_of(cfg: DictConfig, overrides: Sequence[str], child: Path, seed: int, fold: int | None) -> DictConfig:
    """The config of one fold and seed: what was typed, with these."""
    typed = [override for override in overrides if key_of(override) not in OURS]
    own = [] if fold is None else [f"data.fold={fold}", f"data.folds={cfg.folds}"]
    if cfg.get("ensemble") and "seed" in (parameters(locate(cfg.data["_target_"])) or ()):
        own.append(f"data.seed={cfg.data.seed}")  # one test split for all
    config = check_overrides([*typed, *own, f"seed={seed}", f"output_dir={as_text(str(child))}"])
    if config.get("callbacks"):
        config.callbacks.pop("pruning", None)  # a trial of a search is judged by all its folds
    return config


def sum_up(result: Result, children: Sequence[Path], seeds: Sequence[int], monitor: str) -> None:
    """Means and deviations into result.json, a table and a report, the test items of all runs into one file."""
    results = [read_result(child) for child in children]
    whole = [one for one in results if one.get("status") == "completed"]
    if len(whole) < len(results):
        lost = [name for name, one in zip(result.runs, results, strict=True) if one not in whole]
        raise FulmenError(f"{result.folder}: {', '.join(lost)} did not complete; nothing can be said of the mean")
    result.metrics = over(mean, [one["metrics"] for one in results])
    result.sd = over(deviation, [one["metrics"] for one in results]) if len(results) > 1 else {}
    result.baselines = {
        name: over(mean, [one["baselines"][name] for one in results])
        for name in results[0]["baselines"]
        if all(name in one["baselines"] for one in results)
    }
    result.better, result.counted = results[0].get("better", {}), results[0].get("counted", "")
    result.taken = results[0].get("taken", [])
    result.unscanned = next(filter(None, (one.get("unscanned", "") for one in results)), "")
    result.leaks = distinct(leak for one in results for leak in leaks_in(one))
    result.ignored = list({each["id"]: each for one in results for each in one.get("ignored", [])}.values())
    result.sizes = {
        name: round(number) for name, number in over(mean, [one.get("sizes", {}) for one in results]).items()
    }
    result.epochs, result.steps = (sum(one[name] for one in results) for name in ("epochs", "steps"))
    seconds = sum(one["cost"]["fit_seconds"] for one in results)
    result.cost = results[0]["cost"] | {
        "fit_seconds": seconds,
        "seconds": sum(one["cost"]["seconds"] for one in results),
    }
    result.status, result.trained, result.message = "completed", True, ""
    there = all((child / ITEMS).exists() for child in children)
    tested = [read_items(child) for child in children] if there else []
    if tested:
        write_items(result.folder, merged(tested, seeds))
    rows = table(result, results, monitor)
    title = f"{len(results)} runs of {result.experiment}"
    print_table(title, rows)
    typed = typed_for(result.folder)
    path = repeat_report.write_report(result, results, rows, first_start(typed), read_result(result.folder / ENSEMBLE))
    result.write()
    if said := caution(result.leaks):
        print(said)
    print(f"report: {path.with_suffix('.html')}, the same in report.md")


def over(statistic: Callable[[list[float]], float], scores: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """`statistic` of each metric that all runs have as a number and that has a mean."""
    numbers = (name for name in scores[0] if all(is_known(one.get(name)) for one in scores))
    shared = [name for name in numbers if has_mean(name)]
    return {name: float(statistic([float(one[name]) for one in scores])) for name in shared}


def table(result: Result, results: Sequence[Mapping[str, Any]], monitor: str) -> Rows:
    """A row for each run, their mean and deviation, and the means of the baselines."""
    in_test = [name for name in result.metrics if name.startswith("test/") and name != "test/loss"]
    columns = [name for name in (f"best/{monitor}", *in_test[:SHOWN]) if name in result.metrics]

    def row(name: str, scores: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
        return {"": name} | {column: scores.get(column.removeprefix(prefix)) for column in columns}

    rows = [row(name, one["metrics"]) for name, one in zip(result.runs, results, strict=True)]
    rows += [row("mean", result.metrics), row("sd", result.sd)]
    if mean_of_all := read_result(result.folder / ENSEMBLE).get("metrics"):
        rows.append(row("ensemble of all", mean_of_all))
    return rows + [row(f"{name} (mean)", scores, "test/") for name, scores in result.baselines.items()]


def merged(items: Sequence[dict[str, np.ndarray]], seeds: Sequence[int]) -> dict[str, np.ndarray]:
    """The test items of all runs one after the other, and `run` [N].

    That is the seed where the folds of a seed test different items, which together are the test of one model; else each
    fold is a run of its own.
    """
    shared = set.intersection(*(set(one) for one in items)) - {"train_count"}
    together = {name: np.concatenate([one[name] for one in items]) for name in sorted(shared)}
    if all("train_count" in one for one in items):
        together["train_count"] = np.mean([one["train_count"] for one in items], axis=0)
    lengths = [len(one["item"]) for one in items]
    run = np.repeat(seeds, lengths)
    if len(set(zip(run.tolist(), together["item"].tolist(), strict=True))) < len(run):
        run = np.repeat(np.arange(len(items)), lengths)
    return together | {"run": run}
