"""A finished run as a bundle: weights, config, fitted preprocessing, and everything one would ask about them later."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, cast

from lightning.pytorch import LightningDataModule, LightningModule
from omegaconf import OmegaConf

from fulmen.config.mistakes import did_you_mean
from fulmen.config.stored import as_stored
from fulmen.data.batches import size
from fulmen.errors import FulmenError
from fulmen.registry import examples
from fulmen.registry.bundle import check_model, preprocessing
from fulmen.registry.estimators import taken_out
from fulmen.registry.manifest import Facts, MainMetric, Origin, Scores, plain
from fulmen.registry.names import check_name
from fulmen.registry.store import Store
from fulmen.registry.verification import CONFIG, ESTIMATOR, PREPROCESS, PROBE, WEIGHTS
from fulmen.registry.versions import Version
from fulmen.registry.weights import encode
from fulmen.report.known import is_known
from fulmen.report.leaks import leaks_in
from fulmen.runs.named import is_run, run_named
from fulmen.runs.provenance import environment
from fulmen.runs.reading import read_environment
from fulmen.runs.run_folder import Run
from fulmen.workload import WorkloadData, fingerprint_of, hooks, splits_of


def save_run(
    folder: str | Path,
    name: str,
    note: str = "",
    exist: Literal["version", "error"] = "version",
    registry: str | Path | None = None,
    overrides: Sequence[str] = (),
) -> Version:
    """Keep the best model of a run folder under `name`.

    Args:
        folder: of a run that has a checkpoint; what `fulmen runs` lists (`pbpk_gnn/<stamp>`) will do.
        note: for people.
        exist: if the name is in use, make another "version" of it, or stop with an "error".
        registry: where models lie; `$FULMEN_REGISTRY` or `outputs/models` by default.
        overrides: see `fulmen.load_run`.

    Raises:
        FulmenError: no such run, a name that cannot be or is in use, data that are gone, a full disk. Nothing is
            listed then that was not listed before.
    """
    check_name(name)
    run = Run(run_folder(folder), overrides)
    refuse_diverged(run)
    check_model(OmegaConf.to_container(run.config.model))
    model, data = run.model, run.data
    for clause in run.lost:
        print(f"warning: {folder}/{clause}", file=sys.stderr)
    inputs, outputs, probed = examples.make(model, data)
    tensors, estimator = taken_out(model.state_dict())
    weights, shared = encode(tensors)
    probe, _ = encode(examples.join(inputs, outputs))
    files = {
        WEIGHTS: weights,
        CONFIG: as_stored(run.config).encode(),
        PREPROCESS: preprocessing(model),
        PROBE: probe,
    } | ({ESTIMATOR: estimator} if estimator else {})
    facts: Facts = {"note": note, **describe(run, model, data), "shared_weights": shared, "probe": probed}
    return Store(registry).publish(name, files, plain(facts), exist)


def refuse_diverged(run: Run) -> None:
    """Pass if some weights of a run were worth keeping; a warning where its training has diverged after them.

    Raises:
        FulmenError: what is monitored was never finite.
    """
    metrics, monitor = run.known.get("metrics", {}), run.config.monitor
    diverged, name = run.known.get("status") == "diverged", f"best/{monitor}"
    if is_known(best := metrics.get(name)):
        if diverged:
            said = f"its training has diverged; kept are the best weights of before, {monitor} {best:.4g}"
            print(f"warning: {run.folder}: {said}", file=sys.stderr)
    elif diverged or name in metrics:  # JSON has null for what is not finite
        raise FulmenError(f"{run.folder}: its training has diverged, {monitor} was never finite: nothing to keep")


def run_folder(named: str | Path) -> Path:
    """The folder itself, or the one of that name below outputs or outputs/runs.

    Raises:
        FulmenError: neither holds a run; the message names the nearest that do.
    """
    if is_run(folder := run_named(named)):
        return folder
    if (Path(named) / "ranking.json").is_file() or Path(named).name == "ranking.json":
        raise FulmenError(f"{named} is a ranking: say which row of it, --row 1 is the first")
    runs = [path.parent.relative_to("outputs/runs").as_posix() for path in Path("outputs/runs").glob("*/*/config.yaml")]
    raise FulmenError(f"{named} is no run folder: it has no config.yaml{did_you_mean(str(named), sorted(runs)[::-1])}")


def describe(run: Run, model: LightningModule, data: WorkloadData) -> Facts:
    """What a manifest says of a model: scores beside baselines, data, origin, input schema."""
    config, result = run.config, run.known
    metrics, baselines = result.get("metrics", {}), result.get("baselines", {})
    return {
        "workload": str(config.model["_target_"]).removeprefix("fulmen.workloads.").partition(".")[0],
        "experiment": config.get("experiment"),
        "main_metric": main_metric(metrics, baselines, config.monitor),
        "metrics": metrics,
        "baselines": baselines,
        "split": split(run, data),
        "data_fingerprint": data_fingerprint(run, data),
        "seed": config.get("seed"),
        "threshold": hooks(model).decision_threshold(),
        "architecture": {
            "module": config.model["_target_"],
            "network": (config.model.get("network") or {}).get("_target_"),
            "parameters": sum(parameter.numel() for parameter in model.parameters()),
        },
        "input_schema": hooks(model).input_schema(data),
        "run": origin(run),
        **errors_in(result),
        "saved_with": {key: value for key, value in environment().items() if key in ("git", "python", "packages")},
    }


def errors_in(result: Mapping[str, Any]) -> Facts:
    """Codes of the leaks for which the scores cannot be believed, each once; nothing where there are none."""
    ids = dict.fromkeys(str(leak.get("id")) for leak in leaks_in(result) if leak.get("severity") == "error")
    return {"leaks": list(ids)} if ids else {}


def data_fingerprint(run: Run, data: LightningDataModule) -> str | None:
    """What identifies the data of the training; a warning where those of now are others."""
    then: str | None = read_environment(run.folder).get("data_fingerprint")
    now = fingerprint_of(data) or None
    if then and now and then != now:
        print(
            f"warning: {run.folder}: the data have another fingerprint now ({now}) than in training ({then}); the "
            f"ranges in the input schema are those of now",
            file=sys.stderr,
        )
    return then or now


def split(run: Run, data: LightningDataModule) -> dict[str, Any]:
    """How the data were split, and what metrics are of which split."""
    settings = cast(dict[str, Any], OmegaConf.to_container(run.config.data))
    return {
        "metrics": "test/... of the test split, best/... and val/... of the validation split",
        "samples": {name: size(tensors) for name, tensors in splits_of(data).items() if tensors},
        "settings": {key: value for key, value in settings.items() if not str(key).startswith("_")},
    }


def origin(run: Run) -> Origin:
    """The run a model is from."""
    result, starts = run.known, read_environment(run.folder).get("starts") or [{}]
    return {
        "folder": str(run.folder.resolve()),
        "status": result.get("status"),
        "epochs": result.get("epochs"),
        "steps": result.get("steps"),
        "cost": result.get("cost"),
        "started": starts[0].get("time"),
        "git": starts[-1].get("git"),
        "packages": starts[-1].get("packages"),
    }


def main_metric(metrics: Scores, baselines: Mapping[str, Scores], monitor: str) -> MainMetric:
    """The number a list shows: what the baselines lead with, on the test split; without one what was monitored."""
    first: Scores = next(iter(baselines.values()), {})
    shared = [name for name in first if f"test/{name}" in metrics]
    tested = [f"test/{name}" for name in shared] or [f"test/{monitor.rpartition('/')[2]}", f"best/{monitor}", monitor]
    name = next((name for name in tested if metrics.get(name) is not None), None)
    beside = {who: scores.get(name.removeprefix("test/")) for who, scores in baselines.items()} if name else {}
    return {"name": name, "value": metrics.get(name) if name else None, "baselines": beside}
