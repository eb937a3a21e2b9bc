"""Several finished runs as one model: the mean of their predictions, in a run folder of its own.

It is tested, compared, kept, served and used to predict as any run is; it only cannot be trained.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import torch
from omegaconf import DictConfig, OmegaConf

from fulmen.config.own_project import shown
from fulmen.config.stored import as_stored
from fulmen.data.batches import Batch
from fulmen.data.duplicates import copies
from fulmen.errors import FulmenError
from fulmen.report.known import is_known
from fulmen.runs.assembly import assemble
from fulmen.runs.evaluation import data_in_words, evaluate, sizes
from fulmen.runs.named import is_run, run_named
from fulmen.runs.ownership import owned
from fulmen.runs.result import Result, write_environment, write_fingerprint
from fulmen.runs.run_folder import Run
from fulmen.runs.surroundings import kept_surroundings
from fulmen.utils.files import atomic_write
from fulmen.workload import Split, Workload, WorkloadData, splits_of

NAME = "ensemble"
NOT_OF_MEMBERS = ("optimizer", "scheduler")  # of a model's config: a member is not trained any more
MEMBERS = "members.txt"
UNTESTED = "Not tested: {}. Runs that share a test split give a test: seeds=5 ensemble=true."
UNSURE = "Its validation scores, its threshold and its intervals are too good: {}."


def ensemble_of(names: Sequence[str | Path], outputs: Path = Path("outputs"), folder: Path | None = None) -> Result:
    """As `ensemble`, of runs as `fulmen runs` calls them; one that repeats over folds and seeds stands for all of its.

    Args:
        outputs: folder that holds runs/.
        folder: by default outputs/runs/<experiment>/ensemble_<stamp>.
    """
    found = [run_named(name, outputs) for name in names]
    for name, place in zip(names, found, strict=True):
        if not is_run(place):
            raise FulmenError(f"{name} is no run; `fulmen runs` lists them")
    members = [member for place in found for member in Run(place).runs]
    stamp = f"{NAME}_{datetime.now():%Y-%m-%d_%H-%M-%S-%f}"
    return ensemble(members, folder or outputs / "runs" / str(Run(found[0]).config.experiment) / stamp)


@kept_surroundings()
def ensemble(folders: Sequence[str | Path], folder: Path) -> Result:
    """Make one model of the runs in `folders`, calibrate it on the validation split and test it, in `folder`.

    Thresholds and intervals are those of the mean: they are chosen on the validation split of the first run's data.

    Returns:
        What `result.json` in `folder` holds. Without test scores where a member has trained on test samples of the
        first, as folds do; a line says so.

    Raises:
        FulmenError: fewer than two runs, runs of other workloads or data, models that cannot be averaged, or a folder
            that is in use.
    """
    runs = [Run(each) for each in folders]
    cfg = config_of(runs, folder)
    if (folder / "config.yaml").exists():
        raise FulmenError(f"{folder} is a run already; name another folder")
    seen, judged = trained_on(runs, "test"), trained_on(runs, "validation")
    with owned(folder):
        result = Result(str(cfg.experiment), folder, status="running")
        for part in ("epochs", "steps"):
            setattr(result, part, sum(int(run.known.get(part) or 0) for run in runs))
        quiet: DictConfig = OmegaConf.create(_plain(cfg) | {"callbacks": None, "logger": None})
        data, model, trainer = assemble(quiet)
        adopt(model, runs)
        with atomic_write(folder / "config.yaml") as file:
            file.write(as_stored(cfg))
        with atomic_write(folder / "overrides.txt") as file:
            file.write("")
        with atomic_write(folder / MEMBERS) as file:
            file.writelines(f"{run.folder}\n" for run in runs)
        write_environment(folder, cfg)
        trainer.validate(model, datamodule=data, verbose=False)
        result.metrics = {name: float(value) for name, value in trainer.callback_metrics.items()}
        if cfg.monitor in result.metrics:
            result.metrics[f"best/{cfg.monitor}"] = result.metrics[cfg.monitor]
        trainer.save_checkpoint(folder / "checkpoints" / "best.ckpt")
        write_fingerprint(folder, data)
        result.sizes, result.trained, result.data_set = sizes(data), True, data_in_words(data)
        result.members = [{"run": shown(run.folder), "metrics": scores_of(run)} for run in runs]
        result.cost = {"parameters": sum(each.numel() for each in model.parameters()), "fit_seconds": 0.0,
                       "device": str(trainer.strategy.root_device), "precision": trainer.precision}  # fmt: skip
        print(f"{NAME} of {len(runs)} runs: {folder}", flush=True)
        result.message = " ".join([*[UNTESTED.format(seen)] * bool(seen), *[UNSURE.format(judged)] * bool(judged)])
        print(result.message, end="\n" * bool(result.message))
        evaluate(trainer, model, data, OmegaConf.create(_plain(quiet) | {"test": bool(cfg.test) and not seen}), result)
        result.status = "completed"
        result.write()
    return result


def scores_of(run: Run) -> dict[str, float]:
    """The scores of its test split, and those of its best epoch; what has no value is left out."""
    metrics = (run.known.get("metrics") or {}).items()
    return {name: float(value) for name, value in metrics if name.startswith(("test/", "best/")) and is_known(value)}


def config_of(runs: Sequence[Run], folder: Path) -> DictConfig:
    """That of the first run, with the mean of all in the place of its model.

    Raises:
        FulmenError: they cannot be averaged.
    """
    if len(runs) < 2:
        raise FulmenError(f"an ensemble takes two runs or more, not {len(runs)}")
    kinds = {type(run.model) for run in runs}
    if len(kinds) > 1:
        raise FulmenError(f"runs of different models cannot be averaged: {', '.join(k.__name__ for k in kinds)}")
    kind = kinds.pop()
    target = kind.ensemble if issubclass(kind, Workload) else ""
    if not target:
        raise FulmenError(f"runs of {kind.__name__} cannot be averaged: its class has no `ensemble`")
    nodes: list[Mapping[str, Any]] = [_plain(run.config.model) for run in runs]
    members = [{name: value for name, value in node.items() if name not in NOT_OF_MEMBERS} for node in nodes]
    model: dict[str, Any] = {"_target_": target, "members": members}
    if "figures" in nodes[0]:
        model["figures"] = nodes[0]["figures"]
    return OmegaConf.create(_plain(runs[0].config) | {"model": model, "output_dir": str(folder), "resume": None})


def adopt(model: Any, runs: Sequence[Run]) -> None:
    """Give each member of an ensemble the weights of its run."""
    for member, run in zip(model.network.models, runs, strict=True):
        member.load_state_dict(run.model.state_dict())
    with torch.no_grad():
        model.take_over()
    model.eval()


def trained_on(runs: Sequence[Run], split: Split) -> str:
    """Which member has trained on samples of a split of the first run's data, and on how many; "" if none has."""
    first = runs[0].data
    for run in runs[1:]:
        if not isinstance(run.data, WorkloadData) or type(run.data) is not type(first):
            raise FulmenError(f"{run.folder} is of other data than {runs[0].folder}: they share no test samples")
        mine, theirs = splits_of(first), splits_of(run.data)
        if same(mine.get(split), theirs.get(split)):
            continue
        shared = copies(mine[split], theirs["train"]) if split in mine and "train" in theirs else None
        if shared:
            return f"{run.folder} has trained on {shared:,} of the {split} samples of {runs[0].folder}"
    return ""


def same(one: Batch | None, other: Batch | None) -> bool:
    """Whether both are there and hold the same samples, number for number."""
    if one is None or other is None or one.keys() != other.keys():
        return False
    pairs = [(value, other[name]) for name, value in one.items()]
    return all(a.shape == b.shape and torch.equal(a.nan_to_num(), b.nan_to_num()) for a, b in pairs)


def _plain(cfg: Any) -> dict[str, Any]:
    plain: Any = OmegaConf.to_container(cfg)
    return dict(plain)
