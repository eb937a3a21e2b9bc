"""All networks and all baselines on the same folds: the table of `fulmen rank`."""

import time
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from fulmen.evaluation.rank import Contest, Variant
from fulmen.workloads.sensors import baselines, summary
from fulmen.workloads.sensors.metrics import choose_threshold, scores
from fulmen.workloads.sensors.networks import TableNet, probability
from fulmen.workloads.sensors.stacking import Fit, Part, fit_all, predict


def contest(folds: Sequence[Any], variants: Mapping[str, Variant], seeds: Sequence[int]) -> Contest:
    """Scores of each fold, mean over the seeds; the networks of a variant are trained together.

    Args:
        folds: data modules, set up.
        variants: name -> what to train.
        seeds: of initial weights, order and dropout.
    """
    found: dict[str, list[dict[str, float]]] = {}
    seconds: dict[str, float] = {}
    for name, variant in variants.items():
        entries = [(data, seed, variant.make(seed)) for data in folds for seed in seeds]
        jobs = [Fit(module.network, d.parts["train"], seed, d.parts["validation"]) for d, seed, module in entries]
        settings = entries[0][2]
        started = time.process_time()
        fit_all(jobs, settings.optimizer, settings.scheduler, variant.epochs, folds[0].batch_size)
        seconds[name] = (time.process_time() - started) / len(seeds)
        each = [_judge(partial(_probability, module.network), data, module) for data, _, module in entries]
        found[name] = [_mean(each[i : i + len(seeds)]) for i in range(0, len(each), len(seeds))]
        print(f"{name}: {len(entries)} trainings, {seconds[name] * len(seeds):.0f} CPU s", flush=True)
    for name in baselines.BASELINES:
        started = time.process_time()
        fitted = [
            baselines.fit(name, data.parts["train"], settings.network.inputs.levels, len(data.labels)) for data in folds
        ]
        seconds[name] = time.process_time() - started
        found[name] = [_judge(predict_, data, settings) for predict_, data in zip(fitted, folds, strict=True)]
    ceiling = {}
    if all(data.bayes is not None and not data.windows for data in folds):  # windows may pass that of single rows
        best = [
            scores(data.parts["test"]["target"].numpy(), np.stack([1 - data.bayes, data.bayes], 1)) for data in folds
        ]
        ceiling = {metric: float(np.mean([each[metric] for each in best])) for metric in ("roc_auc", "pr_auc")}
    warned = dict.fromkeys(warning for data in folds for warning in data.warnings)
    chance = {}
    if len(folds[0].labels) == 2:
        shares = [float(data.parts["test"]["target"].double().mean()) for data in folds]
        chance = {"roc_auc": 0.5, "pr_auc": float(np.mean(shares))}
    return Contest(
        {name: {metric: np.array([each[metric] for each in of_folds]) for metric in of_folds[0]}
         for name, of_folds in found.items()},
        seconds,
        train_rows=float(np.mean([len(data.parts["train"]["target"]) for data in folds])),
        test_rows=float(np.mean([len(data.parts["test"]["target"]) for data in folds])),
        ceiling=ceiling,
        notes=[*warned, *summary.NOTES[:2], *([summary.CEILING] if ceiling else [])],
        chance=chance,
    )  # fmt: skip


def _probability(network: TableNet, part: Part) -> np.ndarray:
    return probability(predict(network, part)).numpy()


def _judge(predict_: Any, data: Any, module: Any) -> dict[str, float]:
    """Scores on the test part, the threshold chosen on the validation part (or, if that is empty, by cost alone)."""
    held, test = data.parts["validation"], data.parts["test"]
    p = predict_(held)[:, 1] if len(held["target"]) else np.empty(0)
    threshold = choose_threshold(held["target"].numpy(), p, module.by, module.cost_ratio)
    return scores(test["target"].numpy(), predict_(test), threshold)


def _mean(each: Sequence[dict[str, float]]) -> dict[str, float]:
    return {name: float(np.mean([one[name] for one in each])) for name in each[0]}
