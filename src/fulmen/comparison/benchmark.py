"""`fulmen rank EXPERIMENT`: variants of an experiment and its baselines on the same folds, fairly compared.

A workload that trains all folds faster than by a run for each does so in its hook `cross_validate`; of any other,
every fold is a run (`by_runs.py`). What a workload may be ranked by its hook `ranking_metrics` says.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import torch
from omegaconf import DictConfig, OmegaConf

from fulmen.callbacks.taken import tell, told_once
from fulmen.comparison.by_runs import ByRuns
from fulmen.comparison.entrants import Entrants, checked, entrants, is_fast
from fulmen.comparison.fold_leaks import leaks_of
from fulmen.comparison.ranking_files import write
from fulmen.comparison.run_scores import rankable, with_metric
from fulmen.comparison.unfinished import Unfinished
from fulmen.config.check import build
from fulmen.config.compose import to_plain
from fulmen.config.named_files import files_in_words
from fulmen.config.stored import moved
from fulmen.errors import FulmenError
from fulmen.registry.rows import keep_best
from fulmen.report.contest import Contest, Variant
from fulmen.runs.surroundings import kept_surroundings
from fulmen.runs.training_code import code_of
from fulmen.signals import interruptible
from fulmen.utils.progress import ProgressFile
from fulmen.utils.threads import set_threads
from fulmen.workload import fingerprint_of, taken_of

LOSS = {"loss": False}  # what any workload can be ranked by


@told_once()
def rank(
    experiment: str, overrides: Sequence[str] = (), metric: str | None = None, folds: int = 5, seeds: int = 1,
    outputs: str | Path = "outputs", save_top: int = 0, out: str | Path | None = None,
) -> Path:  # fmt: skip
    """Train every variant on every fold, print the first places and write the report and ranking.json.

    Args:
        overrides: as train.py takes them; a sweep over the choices of one group, say `network=mlp,tabm`, gives the
            variants.
        metric: to rank by.
        folds: of the cross-validation.
        seeds: networks for each fold, from the config's seed on.
        save_top: so many of the best rows are trained as runs and kept in the registry.
        out: folder of the files; by default outputs/rankings/<experiment>_<stamp>.

    Returns:
        The folder of the files.

    Raises:
        FulmenError: the experiment cannot be ranked, or a mistake in the config.
        Interrupted: asked to stop; the same command goes on.
    """
    asked = entrants(experiment, overrides)
    metrics = dict(asked.contender.ranking_metrics) or LOSS
    _refuse_metric(metric, metrics)
    if save_top < 0:
        raise FulmenError(f"{save_top} of the best cannot be kept: it must be 0 or more")
    folder = Path(out or Path(outputs, "rankings", f"{experiment}_{datetime.now():%Y-%m-%d_%H-%M-%S}"))
    with ProgressFile(folder, "models") as progress:
        contest, unfinished = _held(asked, folds, seeds, Path(outputs), True, progress)
        metrics = rankable(contest, list(asked.chosen_by), metrics)
        _refuse_metric(metric, metrics)
        metric = metric or next(iter(metrics))
        write(folder, asked, with_metric(contest, metric), metric, metrics)
        if unfinished:
            unfinished.forget()
        keep_best(folder, save_top)
    return folder


@told_once()
def hold(
    experiment: str, overrides: Sequence[str] = (), folds: int = 5, seeds: int = 1, outputs: str | Path = "outputs"
) -> Contest:
    """The scores alone: no table, and nothing kept but the runs that were trained; arguments and errors as `rank`."""
    with ProgressFile(None, "models") as progress:
        return _held(entrants(experiment, overrides), folds, seeds, Path(outputs), False, progress)[0]


def _held(
    asked: Entrants, folds: int, seeds: int, outputs: Path, kept: bool, progress: ProgressFile
) -> tuple[Contest, Unfinished | None]:
    """The scores on all folds, and what lies in a folder so that an interrupted ranking goes on with it."""
    if folds < 2 or seeds < 1:
        raise FulmenError(f"a ranking in {folds} folds with {seeds} seeds: take 2 folds or more, 1 seed or more")
    if is_fast(asked.contender):
        return _together(asked, folds, seeds, outputs / "rankings" / ".unfinished" if kept else None, progress)
    runs = ByRuns(asked, folds, seeds, outputs)
    print(f"{asked.experiment}: {runs.cost()}", flush=True)
    return runs.contest(progress), None


@kept_surroundings()
def _together(
    asked: Entrants, folds: int, seeds: int, kept: Path | None, progress: ProgressFile
) -> tuple[Contest, Unfinished | None]:
    """All folds by the workload's own way.

    Args:
        kept: folder of what is finished of it; None: nothing is kept.
    """
    base = checked(asked.experiment, [*asked.shared, f"data.folds={folds}"])
    set_threads(base.threads)
    data = [build(OmegaConf.merge(base.data, {"fold": fold}), "data") for fold in range(folds)]
    for each in data:
        with files_in_words(to_plain(base.data), "data", each):
            each.prepare_data()
            each.setup()
        tell(taken_of(each), getattr(each, "warnings", ()))
    leaks = leaks_of(data, base)
    variants = {name: Variant(_maker(cfg), cfg.trainer.max_epochs) for name, cfg in asked.configs.items()}
    code: dict[str, str] = {}
    for cfg in asked.configs.values():
        code |= code_of(cfg)
    shared = {
        "data": OmegaConf.to_container(base.data),
        "fingerprints": [fingerprint_of(each) for each in data],
        "seeds": [base.seed, seeds],
        "code": code,
    }
    unfinished = Unfinished(kept, shared, {name: _plain(cfg) for name, cfg in asked.configs.items()})

    def once(name: str, make: Callable[[], Any]) -> Any:
        progress.update(min(len(unfinished.done), len(variants)), total=len(variants) + 1, what=name)
        return unfinished.once(name, make)

    with interruptible(lambda: f"interrupted; {unfinished}"):
        numbers = [base.seed + i for i in range(seeds)]
        contest = asked.contender.cross_validate(data, variants, numbers, once)  # the last part are the baselines
    if contest is None:
        raise FulmenError(f"{asked.contender.__name__}.cross_validate gave nothing; leave the hook out to rank by runs")
    data_of = tuple(dict.fromkeys(map(fingerprint_of, data)))
    return replace(contest, seeds=seeds, leaks=leaks, data=data_of), unfinished


def _refuse_metric(metric: str | None, metrics: Any) -> None:
    if not metrics:
        raise FulmenError("there is no metric that all models have on all folds: nothing to rank by")
    if metric is not None and metric not in metrics:
        raise FulmenError(f"--metric {metric}: there is {', '.join(metrics)}")


def _plain(cfg: DictConfig) -> dict[str, Any]:
    """What a variant is, whatever folder its config was composed for."""
    plain: Any = OmegaConf.to_container(cfg)
    return moved({name: plain[name] for name in ("model", "trainer", "data")}, str(plain["output_dir"]), "folder")


def _maker(cfg: DictConfig) -> Callable[[int], Any]:
    def make(seed: int) -> Any:
        torch.manual_seed(seed)
        return build(cfg.model, "model")

    return make
