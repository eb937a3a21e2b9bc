"""A scan names what it finds by a code, and says nothing of data without leaks."""

import numpy as np
import torch

from fulmen.data.leaks import Leak, Samples, scan
from fulmen.data.leaks.samples import from_splits
from fulmen.data.leaks.scan import most_specific


def plain(rows=600, columns=6, seed=0):
    """Honest samples: independent rows, dealt at random."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, columns))
    target = (x[:, 0] + rng.normal(size=rows) > 0).astype(int)
    named = {f"c{i}": x[:, i] for i in range(columns)}
    return Samples(target, "classes", rng.choice(3, rows, p=[0.6, 0.2, 0.2]), named, sample="row", splitting="random")


def test_nothing_is_found_in_independent_rows():
    assert scan(plain()) == []


def test_rows_of_the_training_split_that_stand_in_the_test_split_are_counted_and_named():
    honest = plain()
    train, test = honest.rows(0), honest.rows(2)
    for column in honest.columns.values():
        column[test[:7]] = column[train[:7]]
    (leak,) = scan(honest)
    assert (leak.id, leak.severity, leak.evidence["count"]) == ("FUL-L01", "error", 7)
    assert leak.evidence["pairs"][0] == [int(train[0]), int(test[0])]
    assert leak.finding.startswith(f"7 rows of the {len(test)} of the test split stand in the train split too")


def test_a_leak_is_read_back_as_it_was_written():
    leak = Leak(
        "target_copy", "error", "status is the target", ("status",), {"score": 1.0}, ("data.forbidden=[status]",)
    )
    assert Leak.from_dict(leak.as_dict()) == leak
    assert str(leak) == "FUL-L06 target copy: status is the target; try: data.forbidden=[status]"


def test_samples_of_data_that_say_no_more_come_from_their_tensors():
    rng = torch.Generator().manual_seed(0)
    splits = {
        name: {"x": torch.rand(size, 3, generator=rng), "target": torch.arange(size) % 2, "row": torch.arange(size)}
        for name, size in (("train", 8), ("validation", 4), ("test", 5))
    }
    samples = from_splits(splits)
    assert (len(samples), samples.kind, list(samples.columns)) == (17, "classes", ["input 0", "input 1", "input 2"])
    assert np.bincount(samples.split).tolist() == [8, 4, 5]
    assert from_splits({"train": {"x": torch.rand(3, 2)}}) is None


def test_groups_that_no_column_holds_are_told_beside_near_copies():
    copies, drugs = (Leak(code, "error", "so it is") for code in ("near_copies", "group_in_several_splits"))
    assert most_specific([copies, drugs]) == [copies, drugs]
    assert most_specific([copies, Leak(drugs.code, "error", "so it is", evidence={"rows_of_each": 2})]) == [copies]
