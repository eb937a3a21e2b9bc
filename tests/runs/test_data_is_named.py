"""A report says which data a run was trained on, and how many samples each split has."""

from pathlib import Path

import pytest
import torch

from fulmen.io.taken import Taken, files_in_words
from fulmen.report.of_run import sections
from fulmen.report.summary import Summary
from fulmen.runs.evaluation import data_in_words
from fulmen.workload import WorkloadData
from fulmen.workloads.images.data import ImagesData
from fulmen.workloads.pbpk.data import PBPKData
from fulmen.workloads.sensors.data import SensorData
from fulmen.workloads.stocks.data import StocksData


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (SensorData(machines=8, days=6), "the simulated plant, 8 machines, 6 days, seed 42"),
        (ImagesData(), "the handwritten digits of scikit-learn"),
        (ImagesData(cifar10=True), "CIFAR-10"),
        (StocksData(days=500), "simulated prices, 1 ticker, 500 days, seed 42"),
        (PBPKData(), "simulated subjects, seed 42"),
    ],
)
def test_data_that_come_with_fulmen_have_a_name(data, said):
    assert data.described == said


def test_files_are_named_from_the_working_directory_on(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert files_in_words([tmp_path / "a.csv", "b.csv", Path("/elsewhere/c.csv"), "d.csv"]) == "a.csv, b.csv and 2 more"
    own = WorkloadData()
    own.taken = [Taken(str(tmp_path / "mine.csv"), "3 rows")]
    assert own.described == "mine.csv"


def test_the_samples_of_each_split_stand_beside_the_name_and_all_of_it_in_the_report():
    own = WorkloadData()
    rows = {"train": 1200, "validation": 100, "test": 300}
    own.splits = {name: {"x": torch.zeros(count, 2)} for name, count in rows.items()}
    assert data_in_words(own) == "1,200 samples to train on, 100 to validate and 300 to test"
    (section, *_) = sections(Summary({}), {"data_set": "digits: 3 samples to train on"})
    assert (section.heading, section.text) == ("Data", ["digits: 3 samples to train on"])
