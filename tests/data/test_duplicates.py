"""Rows that are equal have equal hashes, whatever columns a table lacks."""

import numpy as np
import torch

from fulmen.data.duplicates import copies, hashes


def test_a_part_without_columns_tells_nothing():
    rows = torch.tensor([[1.0], [2.0], [1.0]])
    none = torch.empty(3, 0, dtype=torch.int64)
    found = hashes({"x": rows, "category": none})
    assert found.tolist() == hashes({"x": rows}).tolist()
    assert found[0] == found[2] != found[1]


def test_a_column_of_a_vector_is_compared_however_it_lies_in_memory():
    rows = np.random.default_rng(1).normal(size=50)
    column = torch.tensor(rows[:, None], dtype=torch.float32)
    odd = torch.as_strided(column, (50, 1), (1, 0))  # as numpy makes it of `values[:, None]`
    assert copies({"y": odd}, {"y": column}) == 50
