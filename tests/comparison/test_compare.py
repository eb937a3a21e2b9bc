"""What `fulmen compare` calls runs, what it leads with, and what it returns."""

import shutil

import numpy as np
import pytest
from rich.console import Console

from fulmen.comparison.compare import BALANCED, deciding
from fulmen.comparison.labels import labels_of
from fulmen.comparison.named import compare
from fulmen.comparison.paired import Items
from fulmen.report.summary import print_table
from fulmen.report.test_predictions import write_items
from fulmen.runs.run_folder import load_run
from tests.result_folders import loadable


def run_of(folder, name, *typed, experiment="sensors"):
    """A run of which so much was typed."""
    there = folder.with_name(name)
    shutil.copytree(folder, there)
    (there / "overrides.txt").write_text("\n".join([f"experiment={experiment}", *typed]))
    (there / "result.json").write_text((there / "result.json").read_text().replace("sensors", experiment))
    return load_run(there)


@pytest.fixture
def folder(tmp_path):
    return loadable(tmp_path / "outputs")


FEW = ["data.days=9", "trainer.max_epochs=2"]


@pytest.mark.parametrize(
    ("runs", "labels"),
    [
        ([("sensors", *FEW, "model.network.width=8"), ("sensors", *FEW, "model.network.width=16")],
         ["width=8", "width=16"]),
        ([("images_plain", *FEW), ("images_balanced", *FEW)], ["images_plain", "images_balanced"]),
        ([("images_plain",), ("images_plain", "loss=focal")], ["images_plain", "images_plain loss=focal"]),
        ([("sensors", *FEW), ("sensors", *FEW)], ["sensors/0", "sensors/1"]),
        ([("a", "seed=1"), ("a", "seed=2"), ("b", "seed=2", "resume=outputs/runs/x", "trainer.max_epochs=9")],
         ["a seed=1", "a seed=2", "b seed=2"]),
    ],
)  # fmt: skip
def test_runs_are_called_by_what_not_all_share(folder, runs, labels):
    made = [run_of(folder, str(number), *typed, experiment=experiment)
            for number, (experiment, *typed) in enumerate(runs)]  # fmt: skip
    assert labels_of(made) == labels


def test_a_comparison_shows_itself_and_keeps_its_report(folder, monkeypatch, tmp_path, capsys):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    for number in range(2):
        run = run_of(folder, str(number), f"model.network.width={8 * (number + 1)}")
        write_items(run.folder, {"item": np.arange(40), "loss": rng.random(40) + number})
    found = compare("sensors/0", "sensors/1")
    assert found.answer.startswith("width=16 is worse than width=8: loss +")
    assert list(found.table.index) == ["width=8", "width=16"]
    assert found.report.read_text().startswith("# ")
    shown = found._repr_html_()
    for part in (found.answer, ">width=16<", 'alt="differences"'):
        assert part in shown, part
    printed = capsys.readouterr().out
    assert "width=16: outputs/runs/sensors/1" in printed
    (row,) = [line for line in printed.splitlines() if line.strip().startswith("width=16 - width=8  ")]
    assert "[+" in row, "the difference and its interval"


@pytest.mark.parametrize(("count", "name"), [([100, 90, 80], "accuracy"), ([100, 90, 10], BALANCED)])
def test_where_classes_are_of_unequal_size_each_counts_alike(count, name):
    items = Items(np.arange(3), np.zeros((1, 3)), np.arange(3), np.eye(3)[None], train_count=np.array(count))
    assert deciding(items) == name


def test_a_long_name_never_costs_a_table_its_numbers(capsys):
    rows = [{"": "a very long name of a run " * 6, "p": 0.001, "loss": "+0.142 [+0.103, +0.183]"}]
    assert print_table("Differences", rows, Console(width=80)) == []
    printed = capsys.readouterr().out
    assert "+0.142 [+0.103, +0.183]" in printed
    assert printed.split().count("run") == 6
