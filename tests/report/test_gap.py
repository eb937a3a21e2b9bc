"""The gap between training and validation loss is told as a share, and only where both losses mean the same."""

import pytest

from fulmen.report.gap import gap_of
from fulmen.report.of_run import write_report
from fulmen.report.summary import Summary


def logged(folder, pairs, header="epoch,step,train/loss,val/loss"):
    rows = [f"{epoch},{epoch + 1},{train},{val}" for epoch, (train, val) in enumerate(pairs)]
    (folder / "metrics.csv").write_text("\n".join([header, *rows]))
    return gap_of(folder)


SAID = [
    ([(2, 3), (1, 1.5), (0.5, 0.56), (0.3, 0.9)],
     "12 % above the training loss where it is lowest, after epoch 3 (0.56 and 0.5)"),
    ([(2, 2), (1.25, 1.0)], "20 % below the training loss where it is lowest, after epoch 2 (1 and 1.25)"),
    ([(2, 2), (1, 1.001)], "as high as the training loss where it is lowest, after epoch 2"),
    ([(2, 2), (0.1, 0.7)], "7 times the training loss where it is lowest, after epoch 2"),
    ([(2, 2), (1.5, ""), ("", 0.9), (1.0, 1.5)], "50 % above the training loss where it is lowest, after epoch 4"),
    ([(2, 2), (1, 1.1), ("nan", "nan")], "10 % above the training loss where it is lowest, after epoch 2"),
]  # fmt: skip


@pytest.mark.parametrize(("pairs", "words"), SAID, ids=[words[:9] for _, words in SAID])
def test_the_gap_is_told_where_validation_loss_is_lowest(pairs, words, tmp_path):
    assert f"validation loss is {words}" in logged(tmp_path, pairs)


def test_there_is_no_gap_where_a_loss_is_missing_negative_or_of_another_kind(tmp_path):
    assert gap_of(tmp_path) == ""
    assert logged(tmp_path, []) == ""
    assert logged(tmp_path, [(1, 2)], "epoch,step,train/loss,val/accuracy") == ""
    assert logged(tmp_path, [(1, ""), (2, "")]) == ""
    assert logged(tmp_path, [(1, 0.5), (0.5, -0.5)]) == "", "a share of a log density says nothing"
    assert logged(tmp_path, [(0.01, 640), (0.009, 600), (0.008, 500)]) == "", "one is summed, the other averaged"
    assert logged(tmp_path, [("damaged", 1)]) == ""


def test_the_report_of_a_run_tells_the_gap(tmp_path):
    logged(tmp_path, [(2, 3), (1, 1.5)])
    text = write_report(tmp_path, "any", Summary({"r2": 1.0}), {"status": "completed", "epochs": 2}, []).read_text()
    assert "- **gap**: validation loss is 50 % above the training loss" in text


def test_no_gap_is_told_of_losses_that_are_not_the_same_quantity(tmp_path):
    logged(tmp_path, [(2, 3), (1, 1.5)])
    said = gap_of(tmp_path, "training loss counts every image the same, validation loss every class")
    assert "do not compare as logged: training loss counts every image the same" in said
    assert "%" not in said
