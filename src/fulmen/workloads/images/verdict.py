"""What the test split shows of a classifier of images: by the balanced accuracy, which no class dominates."""

from collections.abc import Mapping

import numpy as np
from torch import Tensor

from fulmen.report.estimates import Estimate, balanced_accuracy, difference
from fulmen.report.evidence import Evidence, Measure, judge, too_few
from fulmen.report.shown import Shown

CONSTANT = "majority class"


def verdict(forecasts: Mapping[str, Tensor], label: Tensor, margin: float) -> Shown:
    """The network beside chance, the constant and the other baselines.

    The constant is right for one class of those that are there, as chance is: its log loss is told by the table, and
    is no measure where the classes of the training are not those of the test split.

    Args:
        forecasts: probabilities [N, C] of "network", `CONSTANT` and the other baselines.
        label: [N]
        margin: how far above chance a balanced accuracy is a signal.
    """
    truth = label.numpy()

    def accuracy(probability: Tensor) -> Estimate:
        predicted = probability.argmax(1).numpy()
        return balanced_accuracy(truth, predicted == truth, predicted)

    score = accuracy(forecasts["network"])
    others = {name: accuracy(p) for name, p in forecasts.items() if name not in ("network", CONSTANT)}
    counts = np.bincount(truth)
    chance = 1 / max(int((counts > 0).sum()), 1)
    measure = Measure("balanced accuracy", chance, chance + margin, percent=True)
    ahead = {name: difference(score, other) for name, other in others.items()}
    evidence = Evidence(measure, score, len(truth), "image", others, ahead, measure.name)
    return judge(evidence, too_few(len(truth), "image", classes=counts.tolist()))
