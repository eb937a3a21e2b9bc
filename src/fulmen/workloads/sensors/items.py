"""What a classifier says of each row, kept for comparisons of many."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from torch import Tensor

from fulmen.report.test_predictions import BASELINE
from fulmen.workloads.sensors.metrics import CONSTANT
from fulmen.workloads.sensors.verdict import losses


def items_of(part: Mapping[str, Tensor], p: np.ndarray, share: np.ndarray) -> dict[str, Any]:
    """As `Summary.items`; losses are the cross-entropy.

    Args:
        part: a split of the data.
        p: probabilities [N, L].
        share: of each class in training [L].
    """
    target = part["target"].numpy()
    return {
        "item": part["row"].numpy(),
        "loss": losses(p, target),
        "target": target,
        "probability": p.astype(np.float32),
        "group": part["group"].numpy(),
        f"{BASELINE}{CONSTANT}": losses(np.tile(share, (len(target), 1)), target),
    }
