"""What a run says of each test item: kept, read back, and missed with a reason."""

import json

import numpy as np
import pytest

from fulmen.errors import FulmenError
from fulmen.report.test_predictions import read_items, write_items


def test_items_come_back_as_they_were(tmp_path):
    write_items(tmp_path, {"item": [3, 1], "loss": np.array([0.5, 0.25])})
    items = read_items(tmp_path)
    assert items["item"].tolist() == [3, 1]
    assert items["loss"].tolist() == [0.5, 0.25]


def test_a_run_that_was_tested_misses_a_hook_and_one_that_was_not_the_test(tmp_path):
    with pytest.raises(FulmenError, match="was it tested"):
        read_items(tmp_path)
    (tmp_path / "result.json").write_text(json.dumps({"metrics": {"val/loss": 1.0}}))
    with pytest.raises(FulmenError, match="was it tested"):
        read_items(tmp_path)
    (tmp_path / "result.json").write_text(json.dumps({"metrics": {"test/loss": 1.0}}))
    with pytest.raises(FulmenError, match=r"summarize gives no Summary\.items, or the file was lost"):
        read_items(tmp_path)
