"""All networks and all baselines on the same folds: the table of `fulmen rank`."""

import time
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from fulmen.report.contest import Contest, Once, Variant
from fulmen.workloads.sensors import baselines, evaluate
from fulmen.workloads.sensors.metrics import AREAS, BOUNDS, CONSTANT, area_by_chance, choose_threshold, scores
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
    made[CONSTANT] = once(CONSTANT, partial(_judge_constant, folds, settings))
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
    nothing = found[CONSTANT]
    return Contest(
        {name: {metric: np.array([each[metric] for each in of_folds]) for metric in of_folds[0]}
         for name, of_folds in found.items()},
        seconds,
        train_rows=float(np.mean([len(data.splits["train"]["target"]) for data in folds])),
        test_rows=float(np.mean([len(data.splits["test"]["target"]) for data in folds])),
        ceiling=ceiling,
        notes=[*warned, *evaluate.NOTES[:2], *([evaluate.CEILING] if ceiling else [])],
        chance={metric: float(np.mean([each[metric] for each in nothing])) for metric in nothing[0]},
        bounds=dict(BOUNDS),
        constant=CONSTANT,
        by_chance=_by_chance(folds),
        units=units([(data.splits["test"]["target"].numpy(), _unit(data)) for data in folds]),
        in_time=folds[0].splitting.kind == "time",
        counted="rows",
    )  # fmt: skip


def units(folds: Sequence[tuple[np.ndarray, np.ndarray]]) -> dict[str, float]:
    """Metric -> how many independent units are behind it in all folds together.

    Of areas and scores of a class so many as there are pairs, one with a row of the class and one with another, none of
    which is in two pairs; of several classes those of the class that has fewest.

    Args:
        folds: label numbers [N], and the machine or row that each belongs to [N].
    """
    whole = sum(len(np.unique(unit)) for _, unit in folds)
    labels = np.unique(np.concatenate([target for target, _ in folds]))
    pairs = [sum(min(len(np.unique(unit[target == label])), len(np.unique(unit[target != label])))
                 for target, unit in folds) for label in labels]  # fmt: skip
    return {name: float(min(pairs) if name in AREAS else whole) for name in BOUNDS}


def _by_chance(folds: Sequence[Any]) -> dict[str, np.ndarray]:
    """The spread of the area of chance on each fold, where rows are independent."""
    if folds[0].splitting.kind != "random":
        return {}
    return {"roc_auc": np.array([area_by_chance(data.splits["test"]["target"].numpy()) for data in folds])}


def _unit(data: Any) -> np.ndarray:
    """What each test row belongs to [N]: rows of a machine are not independent."""
    test = data.splits["test"]
    return np.asarray(test["group" if data.features.columns.group else "row"])


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


def _judge_constant(folds: Sequence[Any], settings: Any) -> dict[str, Any]:
    """As `_fit_baseline`, of how frequent the classes are in training, for every row."""
    judged = []
    for data in folds:
        share = np.bincount(data.splits["train"]["target"].numpy(), minlength=len(data.labels))
        p = share / share.sum()
        judged.append(_judge(lambda part, p=p: np.tile(p, (len(part["target"]), 1)), data, settings))
    return {"scores": judged, "seconds": 0.0}


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
