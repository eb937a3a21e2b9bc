"""Scores on folds out of the results of runs."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from fulmen.report.contest import Contest
from fulmen.report.known import is_known

Result = Mapping[str, Any]  # `result.json`
Scores = dict[str, float]


def of_variant(seeds: Sequence[Sequence[Result]]) -> dict[str, np.ndarray]:
    """Test metric, as the baselines name it -> mean over the seeds [folds]; NaN where one has no value.

    Args:
        seeds: results of each fold of each seed.
    """
    return over_seeds([[tested(result) for result in folds] for folds in seeds])


def of_baselines(folds: Sequence[Result]) -> dict[str, dict[str, np.ndarray]]:
    """Baseline -> metric -> [folds], of those that all runs have."""
    names = [name for name in folds[0]["baselines"] if all(name in one["baselines"] for one in folds)]
    return {name: over_seeds([[one["baselines"][name] for one in folds]]) for name in names}


def tested(result: Result) -> Scores:
    """The test metrics of a run."""
    return {name.removeprefix("test/"): value for name, value in result["metrics"].items() if name.startswith("test/")}


def watched(results: Mapping[str, Sequence[Sequence[Result]]], monitor: str) -> dict[str, np.ndarray]:
    """Variant -> the best value of what its trainings watched, mean over the seeds [folds]; of those that have all."""
    found = {}
    for name, seeds in results.items():
        values = [[one["metrics"].get(f"best/{monitor}") for one in folds] for folds in seeds]
        if all(is_known(value) for each in values for value in each):
            found[name] = np.mean(np.array(values, dtype=float), axis=0)
    return found


def over_seeds(scores: Sequence[Sequence[Mapping[str, Any]]]) -> dict[str, np.ndarray]:
    """Metric -> mean over the seeds [folds], of metrics of each fold of each seed; a mean of p-values says nothing."""
    found = {}
    for name in scores[0][0]:
        if not name.endswith("_p") and all(name in one for folds in scores for one in folds):
            values = [[one[name] if is_known(one[name]) else np.nan for one in folds] for folds in scores]
            found[name] = np.mean(np.array(values, dtype=float), axis=0)
    return found


def seconds(seeds: Sequence[Sequence[Result]]) -> float:
    """Of training on all folds, mean over the seeds."""
    return float(np.mean([sum(one["cost"]["fit_seconds"] for one in folds) for folds in seeds]))


def rankable(contest: Contest, variants: Sequence[str], wanted: Mapping[str, bool]) -> dict[str, bool]:
    """Those of the wanted metrics that every variant has on every fold, in their order -> whether larger is better."""
    return {name: larger for name, larger in wanted.items() if all(_has(contest, model, name) for model in variants)}


def with_metric(contest: Contest, metric: str) -> Contest:
    """The contest of the models that have a metric on every fold; a note names the others."""
    left_out = [model for model in contest.scores if not _has(contest, model, metric)]
    if not left_out:
        return contest
    scores = {model: each for model, each in contest.scores.items() if model not in left_out}
    note = f"Without a value of {metric} on every fold, and left out: {', '.join(left_out)}."
    return Contest(**{**vars(contest), "scores": scores, "notes": [*contest.notes, note]})


def _has(contest: Contest, model: str, metric: str) -> bool:
    return metric in contest.scores[model] and bool(np.isfinite(contest.scores[model][metric]).all())
