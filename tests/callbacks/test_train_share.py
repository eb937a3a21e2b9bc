"""A share of the training samples is drawn so that a larger one holds all of a smaller one."""

import numpy as np
import pandas as pd
import pytest
import torch

from fulmen.callbacks.train_share import PROBE, TrainShare, kept_rows
from fulmen.data.leaks import Samples
from fulmen.data.leaks.samples import TRAIN
from fulmen.errors import FulmenError
from fulmen.workloads.sensors.data import SensorData

from .blobs import Blobs, fit


def samples(**more):
    split = np.repeat([0, 1, 2], [200, 50, 50])
    return Samples(np.arange(300) % 4, "classes", split, **more)


def test_every_class_keeps_the_same_share_and_shares_are_nested():
    some, more = (kept_rows(samples(), share, 0, False) for share in (0.1, 0.4))
    assert (len(some), len(more)) == (20, 80)
    assert set(some) <= set(more)
    assert np.bincount(samples().target[some]).tolist() == [5, 5, 5, 5]
    assert set(kept_rows(samples(), 0.1, 1, False)) != set(some)


def test_groups_stay_whole_and_of_series_the_latest_samples_are_kept():
    group = np.arange(300) // 10
    own = kept_rows(samples(group=group), 0.25, 0, False)
    assert len(own) == 50
    assert (np.bincount(group[own])[np.unique(group[own])] == 10).all()
    time = np.arange(300)[::-1]
    assert kept_rows(samples(time=time), 0.25, 0, True).tolist() == list(range(50))


def test_the_rest_of_the_training_split_is_left_out_and_the_probe_is_of_what_is_kept(tmp_path):
    data = Blobs()
    model, trainer = fit(tmp_path, [TrainShare(0.25, 0)], 2, data=data)
    assert len(data.splits["train"]["target"]) == 40
    assert len(data.splits["validation"]["target"]) == 80
    model.eval()
    rows = data.splits["train"]
    loss = float(model.predict_step({**rows})["probability"].detach().log()[range(40), rows["target"]].mean())
    assert float(trainer.callback_metrics[PROBE]) == pytest.approx(-loss, rel=1e-5)


def test_a_share_of_the_rows_of_a_table_can_be_scanned_for_leaks(tmp_path):
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"a": rng.normal(size=300), "b": rng.normal(size=300), "fail": rng.integers(0, 2, 300)})
    table.to_csv(tmp_path / "table.csv", index=False)
    data = SensorData(csv=str(tmp_path / "table.csv"), numeric=["a", "b"], target="fail", group=None, time=None,
                      split="random")  # fmt: skip
    data.setup()
    whole = (data.all_samples().split == TRAIN).sum()
    data.keep("train", torch.arange(20) * 3)
    found = data.all_samples()
    assert (found.split == TRAIN).sum() == len(data.hours["train"]) == 20 < whole
    assert found.columns["a"][found.split == TRAIN].tolist() == data.splits["train"]["x"][:, 0].tolist()


def test_a_share_of_nothing_is_refused():
    with pytest.raises(FulmenError, match="share is 0"):
        TrainShare(0.0)
