"""Rows that are equal have equal hashes, whatever columns a table lacks."""

import torch

from fulmen.data.duplicates import hashes


def test_a_part_without_columns_tells_nothing():
    rows = torch.tensor([[1.0], [2.0], [1.0]])
    none = torch.empty(3, 0, dtype=torch.int64)
    found = hashes({"x": rows, "category": none})
    assert found.tolist() == hashes({"x": rows}).tolist()
    assert found[0] == found[2] != found[1]
