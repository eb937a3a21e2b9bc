"""A class too rare for the folds is told with what would work."""

import numpy as np
import pytest

from fulmen.errors import FulmenError
from fulmen.workloads.sensors.splits import Splitting


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        (1, r"the rarest class has 1 row \(FUL-T03 too few rows\), and no number of folds .* 3 rows of each class"),
        (4, r"folds is 5, but the rarest class has 4 rows \(FUL-T03 too few rows\); take 3 folds at most"),
    ],
)
def test_fewer_folds_are_advised_only_where_they_help(rows, says):
    target = np.r_[np.zeros(100, int), np.ones(rows, int)]
    with pytest.raises(FulmenError, match=says):
        Splitting("random", folds=5).rows(target, None, None)
    if rows > 1:
        Splitting("random", folds=rows - 1).rows(target, None, None)
