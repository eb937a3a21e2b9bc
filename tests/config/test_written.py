"""What is wrong in a file of a project is told with the file and the line."""

import pytest

from fulmen.config.check import check_overrides
from fulmen.config.mistakes import ConfigError

RIGHT = """\
# @package _global_
# Her own
defaults:
  - synthetic_mlp
  - override /scheduler: cosine
trainer:
  max_epochs: 3
model:
  optimizer:
    weight_decay: 0.1
    lr: 0.01
"""
HERE = "conf/experiment/mine.yaml"
SLIPS = {
    "a key": ("max_epochs", "max_epoch", f"{HERE}, line 7: trainer.max_epoch: "),
    "a value": ("0.01", "quick", f"{HERE}, line 11: model.optimizer.lr: must be a number, got quick"),
    "a colon": ("lr: 0.01", "lr:0.01", f"{HERE}, line 11: a key without a colon, or no space"),
    "a choice": ("cosine", "cosin", f"{HERE}, line 5: scheduler: there is no cosin; did you mean cosine?"),
    "a folder": (
        "/scheduler: cosine",
        "/network: sensors/tabmm",
        "line 5: network/sensors: there is no tabmm; did you",
    ),
    "a slash": ("/scheduler: cosine", "scheduler: cosine", "a slash is missing: write `override /scheduler: <choice>`"),
    "a mark": ("# @package", "\ufeff# @package", f"{HERE}, line 1: begins with an invisible mark"),
}


def refusal(text: str, typed: str = "seed=7") -> ConfigError:
    with open(HERE, "w", encoding="utf-8") as file:
        file.write(text)
    with pytest.raises(ConfigError) as refused:
        check_overrides(["experiment=mine", typed])
    return refused.value


@pytest.fixture(autouse=True)
def project(tmp_path, monkeypatch):
    (tmp_path / "conf" / "experiment").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("slip", SLIPS)
def test_a_slip_in_a_file_is_told_with_its_file_and_line(slip):
    before, after, says = SLIPS[slip]
    assert says in str(refusal(RIGHT.replace(before, after)))


def test_what_was_typed_is_not_told_as_written_in_a_file():
    assert str(refusal(RIGHT, "trainer.max_epochs=three")).startswith("trainer.max_epochs: ")


def test_data_that_the_experiment_says_itself_are_chosen_by_nobody():
    text = RIGHT + "data:\n  _target_: mylab.data.MylabData\n"
    refused = refusal(text, "data=digits")
    assert "data=digits belongs to images; mine says itself what its data is" in str(refused)


def test_a_module_that_cannot_be_imported_is_one_mistake(tmp_path, monkeypatch):
    name = f"broken_{tmp_path.name}"
    (tmp_path / name).mkdir()
    (tmp_path / name / "module.py").write_text("x = (\n")
    node = f"{{_target_: {name}.module.Thing}}"
    text = f"# @package _global_\ndata: {node}\nmodel:\n  _target_: {name}.module.Model\n  network: {node}\n"
    assert [str(each) for each in refusal(text).mistakes] == [f"data: {name}/module.py, line 1: '(' was never closed"]
