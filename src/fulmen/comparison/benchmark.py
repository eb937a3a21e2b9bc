"""`fulmen rank EXPERIMENT`: variants of an experiment and its baselines on the same folds, fairly compared.

A workload that trains all folds faster than by a run for each does so in its hook `cross_validate`; of any other,
every fold is a run (`by_runs.py`). What a workload may be ranked by its hook `ranking_metrics` says.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

import torch
from omegaconf import DictConfig, OmegaConf

from fulmen.callbacks.taken import tell, told_once
from fulmen.comparison.by_runs import ByRuns
from fulmen.comparison.choosing import Choice, by_inner_folds, by_other_folds, by_validation
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
NOTHING: Mapping[str, Any] = MappingProxyType({})


@told_once()
def rank(
    experiment: str, overrides: Sequence[str] = (), metric: str | None = None, folds: int = 5, seeds: int = 1,
    outputs: str | Path = "outputs", save_top: int = 0, out: str | Path | None = None, nested: int = 0,
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
        nested: so many folds within each choose the best, which the fold then judges: what choosing is worth; 0: none.
            Where every fold is a run its validation split chooses.

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
        held = _held(asked, folds, seeds, Path(outputs), True, progress, nested)
        contest = held.contest
        metrics = rankable(contest, list(asked.chosen_by), metrics)
        _refuse_metric(metric, metrics)
        metric = metric or next(iter(metrics))
        contest = with_metric(contest, metric)
        write(folder, asked, contest, metric, metrics, _choice(contest, held.inner, metric, metrics[metric], nested))
        for each in held.unfinished:
            each.forget()
        keep_best(folder, save_top)
    return folder


@told_once()
def hold(
    experiment: str, overrides: Sequence[str] = (), folds: int = 5, seeds: int = 1, outputs: str | Path = "outputs"
) -> Contest:
    """The scores alone: no table, and nothing kept but the runs that were trained; arguments and errors as `rank`."""
    with ProgressFile(None, "models") as progress:
        return _held(entrants(experiment, overrides), folds, seeds, Path(outputs), False, progress).contest


@dataclass(frozen=True)
class Held:
    """A ranking that was held.

    Attributes:
        contest: the scores on all folds.
        unfinished: what lies in a folder so that an interrupted ranking goes on with it.
        inner: the scores on folds within each fold, where these were asked for.
    """

    contest: Contest
    unfinished: list[Unfinished] = field(default_factory=list)
    inner: list[Contest] = field(default_factory=list)


def _held(
    asked: Entrants, folds: int, seeds: int, outputs: Path, kept: bool, progress: ProgressFile, nested: int = 0
) -> Held:
    """The scores on all folds."""
    if folds < 2 or seeds < 1:
        raise FulmenError(f"a ranking in {folds} folds with {seeds} seeds: take 2 folds or more, 1 seed or more")
    if nested == 1 or nested < 0:
        raise FulmenError(f"--nested {nested}: take 2 inner folds or more")
    if is_fast(asked.contender):
        place = outputs / "rankings" / ".unfinished" if kept else None
        return _Together(asked, folds, seeds, place, progress).held(nested)
    if nested and len(asked.chosen_by) < 2:
        raise FulmenError("--nested judges a choice, and there is one variant: name several, such as network=a,b")
    runs = ByRuns(asked, folds, seeds, outputs)
    print(f"{asked.experiment}: {runs.cost()}", flush=True)
    return Held(runs.contest(progress))


class _Together:
    """All folds by the workload's own way.

    Args:
        kept: folder of what is finished of it; None: nothing is kept.
    """

    def __init__(self, asked: Entrants, folds: int, seeds: int, kept: Path | None, progress: ProgressFile):
        self.asked, self.folds, self.kept, self.progress = asked, folds, kept, progress
        self.base = checked(asked.experiment, [*asked.shared, f"data.folds={folds}"])
        self.seeds = [self.base.seed + i for i in range(seeds)]
        self.variants = {name: Variant(_maker(cfg), cfg.trainer.max_epochs) for name, cfg in asked.configs.items()}
        self.code: dict[str, str] = {}
        for cfg in asked.configs.values():
            self.code |= code_of(cfg)
        self.unfinished: list[Unfinished] = []

    @kept_surroundings()
    def held(self, nested: int) -> Held:
        """The scores on all folds and, where `nested` inner folds are asked for, on those."""
        set_threads(self.base.threads)
        data = [build(OmegaConf.merge(self.base.data, {"fold": fold}), "data") for fold in range(self.folds)]
        inner = [_inner(each, nested) for each in data] if nested else []
        for each in data:
            self._set_up(each)
            tell(taken_of(each), getattr(each, "warnings", ()))
        leaks, data_of = leaks_of(data, self.base), tuple(dict.fromkeys(map(fingerprint_of, data)))
        contest = replace(self._scores(data), seeds=len(self.seeds), leaks=leaks, data=data_of)
        found = []
        for fold, each in enumerate(inner):
            print(f"choosing for fold {fold + 1} of {self.folds} by {nested} folds of the others", flush=True)
            for one in each:
                self._set_up(one)
            found.append(self._scores(each, {"inner": [fold, nested]}))
        return Held(contest, self.unfinished, found)

    def _set_up(self, data: Any) -> None:
        with files_in_words(to_plain(self.base.data), "data", data):
            data.prepare_data()
            data.setup()

    def _scores(self, data: list[Any], more: Mapping[str, Any] = NOTHING) -> Contest:
        """Of all variants and baselines on some folds; `more` tells these from others of the same ranking."""
        shared = {
            "data": OmegaConf.to_container(self.base.data),
            "fingerprints": [fingerprint_of(each) for each in data],
            "seeds": [self.base.seed, len(self.seeds)],
            "code": self.code,
            **more,
        }
        unfinished = Unfinished(self.kept, shared, {name: _plain(cfg) for name, cfg in self.asked.configs.items()})
        self.unfinished.append(unfinished)

        def once(name: str, make: Callable[[], Any]) -> Any:
            done, total = min(len(unfinished.done), len(self.variants)), len(self.variants) + 1
            self.progress.update(done, total=total, what=name)
            return unfinished.once(name, make)

        with interruptible(lambda: f"interrupted; {unfinished}"):
            contest = self.asked.contender.cross_validate(data, self.variants, self.seeds, once)
        if contest is None:
            name = self.asked.contender.__name__
            raise FulmenError(f"{name}.cross_validate gave nothing; leave the hook out to rank by runs")
        return contest


def _inner(data: Any, folds: int) -> list[Any]:
    """The folds of the rows that do not test."""
    found = [data.inner(fold, folds) for fold in range(folds)]
    if any(each is None for each in found):
        raise FulmenError(f"--nested: {type(data).__name__} has no folds within a fold; its method `inner` gives them")
    return found


def _choice(contest: Contest, inner: list[Contest], metric: str, larger: bool, nested: int) -> Choice | None:
    """What choosing the best is worth; None where there is nothing to choose, or nothing to judge it by."""
    if len(contest.scores) < 2 or len(next(iter(contest.scores.values()))[metric]) < 2:
        return None
    if inner:
        return by_inner_folds(contest, inner, metric, larger)
    if nested and len([name for name in contest.validation if name in contest.scores]) < 2:
        raise FulmenError("--nested: fewer than two variants have a score of their validation split on every fold")
    return by_validation(contest, metric, larger) if nested else by_other_folds(contest, metric, larger)


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
