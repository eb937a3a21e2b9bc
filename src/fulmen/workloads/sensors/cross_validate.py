"""All networks and all baselines on the same folds: the table of `fulmen rank`."""

import math
import time
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from fulmen.report.contest import Contest, Once, Variant
from fulmen.workloads.sensors import baselines, evaluate
from fulmen.workloads.sensors.metrics import LARGER_IS_BETTER, choose_threshold, scores
from fulmen.workloads.sensors.networks.batched_fit import Fit, Part, fit_all, predict
from fulmen.workloads.sensors.networks.tabular import TableNet, probability


def cross_validate(folds: Sequence[Any], variants: Mapping[str, Variant], seeds: Sequence[int], once: Once) -> Contest:
    """Scores of each fold, mean over the seeds; the networks of a variant are trained together.

    Args:
        folds: data modules, set up.
        variants: name -> what to train.
        seeds: of initial weights, order and dropout.
        once: `once(name, make)` gives what `make()` gives or, if that was made before, gave.
    """
    made = {name: once(name, partial(_train, name, variant, folds, seeds)) for name, variant in variants.items()}
    settings = list(variants.values())[-1].make(seeds[0])
    made |= {name: once(name, partial(_fit_baseline, name, folds, settings)) for name in baselines.BASELINES}
    found = {name: each["scores"] for name, each in made.items()}
    seconds = {name: each["seconds"] for name, each in made.items()}
    ceiling = {}
    if all(
        data.bayes is not None and not data.features.windows for data in folds
    ):  # windows may pass that of single rows
        best = [
            scores(data.splits["test"]["target"].numpy(), np.stack([1 - data.bayes, data.bayes], 1)) for data in folds
        ]
        ceiling = {metric: float(np.mean([each[metric] for each in best])) for metric in ("roc_auc", "pr_auc")}
    warned = dict.fromkeys(warning for data in folds for warning in data.warnings)
    chance = {}
    if len(folds[0].labels) == 2:
        shares = [float(data.splits["test"]["target"].double().mean()) for data in folds]
        chance = {"roc_auc": 0.5, "pr_auc": float(np.mean(shares))}
    return Contest(
        {name: {metric: np.array([each[metric] for each in of_folds]) for metric in of_folds[0]}
         for name, of_folds in found.items()},
        seconds,
        train_rows=float(np.mean([len(data.splits["train"]["target"]) for data in folds])),
        test_rows=float(np.mean([len(data.splits["test"]["target"]) for data in folds])),
        ceiling=ceiling,
        notes=[*warned, *evaluate.NOTES[:2], *([evaluate.CEILING] if ceiling else [])],
        chance=chance,
        bounds={name: (0.0, math.inf if "loss" in name else 1.0) for name in LARGER_IS_BETTER},
        in_time=folds[0].splitting.kind == "time",
        counted="rows",
    )  # fmt: skip


def _train(name: str, variant: Variant, folds: Sequence[Any], seeds: Sequence[int]) -> dict[str, Any]:
    """Scores of each fold, and CPU seconds per seed, of the networks of one variant."""
    entries = [(data, seed, variant.make(seed)) for data in folds for seed in seeds]
    jobs = [Fit(module.network, d.splits["train"], seed, d.splits["validation"]) for d, seed, module in entries]
    settings = entries[0][2]
    started = time.process_time()
    fit_all(jobs, settings.optimizer, settings.scheduler, variant.epochs, folds[0].batch_size)
    seconds = time.process_time() - started
    each = [_judge(partial(_probability, module.network), data, module) for data, _, module in entries]
    print(f"{name}: {len(entries)} trainings, {seconds:.0f} CPU s", flush=True)
    scores_of_folds = [_mean(each[i : i + len(seeds)]) for i in range(0, len(each), len(seeds))]
    return {"scores": scores_of_folds, "seconds": seconds / len(seeds)}


def _fit_baseline(name: str, folds: Sequence[Any], settings: Any) -> dict[str, Any]:
    """As `_train`, of one baseline; `settings` is a module whose costs and levels it shares."""
    levels, started = settings.network.inputs.levels, time.process_time()
    fitted = [baselines.fit(name, data.splits["train"], levels, len(data.labels)) for data in folds]
    seconds = time.process_time() - started
    judged = [_judge(predict_, data, settings) for predict_, data in zip(fitted, folds, strict=True)]
    return {"scores": judged, "seconds": seconds}


def _probability(network: TableNet, part: Part) -> np.ndarray:
    return probability(predict(network, part)).numpy()


def _judge(predict_: Any, data: Any, module: Any) -> dict[str, float]:
    """Scores on the test split, the threshold chosen on the validation split (or, if that is empty, by cost alone)."""
    held, test = data.splits["validation"], data.splits["test"]
    p = predict_(held)[:, 1] if len(held["target"]) else np.empty(0)
    threshold = choose_threshold(held["target"].numpy(), p, module.by, module.cost_ratio)
    return scores(test["target"].numpy(), predict_(test), threshold)


def _mean(each: Sequence[dict[str, float]]) -> dict[str, float]:
    return {name: float(np.mean([one[name] for one in each])) for name in each[0]}
