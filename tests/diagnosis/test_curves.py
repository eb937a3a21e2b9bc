"""What can stand in a table of losses, good and bad."""

import math

import numpy as np
import pandas
import pytest
import torch

import fulmen
from fulmen.cli import main
from fulmen.diagnosis import diagnose, health
from fulmen.errors import FulmenError
from fulmen.io.logs import read_log
from fulmen.runs.diagnose import diagnose_path

NAN = math.nan


def codes(*curves, **options):
    return [verdict.code for verdict in diagnose(*curves, **options)]


@pytest.mark.parametrize(
    ("header", "rows"),
    [
        ("epoch,loss,val_loss", "0,1.0,2.0\n1,0.5,1.5"),  # Keras
        ("epoch,step,train_loss,val_loss", "0,9,,2.0\n0,9,1.0,\n1,19,,1.5\n1,19,0.5,"),  # Lightning
        ("epoch,train_loss,valid_loss,accuracy,time", "0,1.0,2.0,0.1,00:01\n1,0.5,1.5,0.2,00:01"),  # fastai
        ("epoch;trainLoss;testLoss", "1;1.0;2.0\n2;0.5;1.5"),
        ("Training loss\tValidation loss\tlr", "1.0\t2.0\t0.1\n0.5\t1.5\t0.1"),
        ("train-mlogloss,validation-mlogloss", "1.0,2.0\n0.5,1.5"),  # XGBoost
        ("loss,eval_loss,train_runtime", "1.0,2.0,3\n0.5,1.5,3"),
        ("1.0,2.0", "0.5,1.5"),  # no header
        ("1,1.0,2.0", "2,0.5,1.5"),  # no header, epochs first
        ("# of a script\n# epoch train_loss val_loss", "1 1.0 2.0\n2 0.5 1.5"),  # numpy.savetxt
        ("Epoch \t Train Time \t \t Train Loss \t Test Loss", "0 \t 9 \t\t 1.0 \t 2.0\n1 \t 9 \t\t 0.5 \t 1.5"),
        ("Epoch  Train Loss  Test Loss", "1/2    1.0         2.0\n2/2    0.5         1.5"),
        (",lr,step,train_loss,val_loss", ",,5,1.0,\n,,9,,2.0\n,,15,0.5,\n,,19,,1.5"),  # one kind a row, no epoch
        ("epoch,train_losses,test_losses", "1,tensor(1.0),2.0\n2,tensor(0.5),1.5"),
        ("epoch,train,test", "1,1.0,2.0\n2,0.5,1.5"),
        ("train_loss,train_cross_entropy,val_cross_entropy,val_acc", "7,1.0,2.0,7\n7,0.5,1.5,7"),  # a pair goes first
        ("train_loss,val_loss", '"[1.0, 0.5]","[2.0, 1.5]"'),
        ('{"loss": [1.0, 0.5],', '"val_loss": [2.0, 1.5], "lr": 0.1}'),  # Keras' History
        ('{"train": {"loss": [1.0, 0.5]},', '"test": {"loss": [2.0, 1.5]}}'),
        ('[{"epoch": 1, "train_loss": 1.0, "val_loss": 2.0},', '{"epoch": 2, "train_loss": 0.5, "val_loss": 1.5}]'),
        ('{"train_loss": 1.0, "val_loss": 2.0}', '{"train_loss": 0.5, "val_loss": 1.5}'),  # JSON lines
        (
            '{"log_history": [{"epoch": 0.9, "loss": 1.0}, {"epoch": 1.0, "eval_loss": 2.0},',
            '{"epoch": 1.9, "loss": 0.5}, {"epoch": 2.0, "eval_loss": 1.5}]}',
        ),  # Hugging Face
        ("[[1.0, 0.5],", "[2.0, 1.5]]"),
    ],
)
def test_columns_of_other_tools_are_found(tmp_path, header, rows):
    path = tmp_path / "curves.csv"
    path.write_text(f"{header}\n{rows}\n")
    train, val, epochs, *_ = read_log(path)
    assert (train, val) == ([1.0, 0.5], [2.0, 1.5])
    assert epochs in (None, [1, 2])


@pytest.mark.parametrize("whole", [1, 100])
def test_accuracies_are_judged_by_what_they_leave(tmp_path, whole):
    path = tmp_path / "curves.csv"
    path.write_text(f"epoch,accuracy,val_accuracy\n0,{0.25 * whole},{0.5 * whole}\n1,{0.75 * whole},{0.5 * whole}\n")
    assert read_log(path)[:4] == ([0.75 * whole, 0.25 * whole], [0.5 * whole, 0.5 * whole], [1, 2], True)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("epoch,lr\n1,2\n", "no column of a loss among epoch, lr"),
        ('{"lr": 0.1}', "holds no list of numbers; there is lr"),
        ('{"loss": [1.0', "neither JSON nor a table"),
        ("train_loss,val_loss\n1,2\n1,two\n", "line 3, column val_loss: 'two' is no number"),
        ("epoch,train_loss\n", "no row"),
    ],
)
def test_what_is_no_table_of_losses_is_said_in_a_line(tmp_path, capsys, text, message):
    path = tmp_path / "curves.csv"
    path.write_text(text)
    assert main(["diagnose", str(path)]) == 2
    assert message in capsys.readouterr().err


def test_a_folder_without_metrics_is_said_in_a_line(tmp_path, capsys):
    assert main(["diagnose", str(tmp_path)]) == 2
    assert "no metrics.csv" in capsys.readouterr().err
    (tmp_path / "a.csv").write_text("loss,val_loss\n1,1\n")
    with pytest.raises(FulmenError, match="no column nothing"):
        read_log(tmp_path / "a.csv", train="nothing")


def test_strict_makes_the_exit_code_say_that_something_is_wrong(tmp_path, capsys):
    path = tmp_path / "curves.csv"
    good = [(0.9**i + 0.1, 0.9**i + 0.11) for i in range(80)]
    for rows, expected in ((good, 0), ([(1.0, 1.0)] * 20, 1)):
        path.write_text("train_loss,val_loss\n" + "\n".join(f"{t},{v}" for t, v in rows))
        assert main(["diagnose", str(path), "--strict"]) == expected
    assert "no learning" in capsys.readouterr().out


@pytest.mark.parametrize("kind", [list, tuple, iter, np.array, torch.tensor, pandas.Series])
def test_two_lists_get_an_answer(kind):
    train = [1 / (k + 1) for k in range(40)]
    found = fulmen.diagnose(train=kind(train), val=kind([0.5 + t + 0.01 * k for k, t in enumerate(train)]))
    assert "overfitting" in found
    assert "good_fit" not in found
    assert found[0] in found
    assert str(found).startswith("overfitting since epoch 10: ")
    assert "overfitting" not in fulmen.diagnose(train=kind(train), val=kind([t + 0.1 for t in train]))


def test_a_loss_that_is_no_number_is_said_in_a_line():
    with pytest.raises(FulmenError, match="losses must be numbers or None: could not convert string to float: 'two'"):
        fulmen.diagnose(train=[1.0, 2.0], val=[1.0, "two"])


@pytest.mark.parametrize("checks", range(6))
def test_a_few_checks_are_not_enough(checks):
    assert codes([1.0] * checks, [1.0] * checks) == ["not_enough_data"]


def test_gaps_are_left_out_and_a_nan_at_the_end_is_not():
    t, v = [0.8**i for i in range(40)], [0.8**i + 0.1 for i in range(40)]
    whole = codes(t, v)
    with_gaps = [None if i % 7 == 3 else x for i, x in enumerate(v)]
    assert codes(t, with_gaps) == whole
    assert codes(t, [NAN if x is None else x for x in with_gaps]) == whole
    found = diagnose([*t, NAN, NAN], [*v, NAN, NAN])
    assert found[0].code == "non_finite"
    assert found[0].since == 41
    assert diagnose([*t, math.inf], [*v, 0.1])[0].code == "non_finite"


def test_losses_that_end_in_empty_cells_became_nan(tmp_path):
    rows = [f"{i},{0.8**i},{0.8**i + 0.1}" if i < 20 else f"{i},," for i in range(40)]
    (tmp_path / "a.csv").write_text("\n".join(["epoch,loss,val_loss", *rows]))
    log = read_log(tmp_path / "a.csv")
    found = diagnose(log.train, log.val, epochs=log.epochs)
    assert (found[0].code, found[0].since) == ("non_finite", 21)


def test_a_wide_gap_is_no_good_fit():
    t = [0.8**i + 0.01 for i in range(40)]
    assert codes(t, [0.8**i + 0.3 for i in range(40)]) == ["generalization_gap"]


def test_confidence_above_and_below_accuracy_have_different_names():
    found = [health.miscalibrated(confidence, 0.8, 1000) for confidence in (0.99, 0.5, 0.81)]
    assert [verdict and verdict.code for verdict in found] == ["miscalibrated", "underconfident", None]


def test_curves_of_different_lengths_are_refused_with_what_would_work():
    t = [0.8**i for i in range(40)]
    with pytest.raises(FulmenError, match=r"40 training and 30 validation losses: .* None where there is none"):
        diagnose(t, t[:30])
    assert codes(t, [*t[:30], *[None] * 10]) == codes(t[:30], t[:30])
    with pytest.raises(FulmenError, match="epochs has 2 numbers for 40 checks"):
        diagnose(t, t, epochs=[1, 2])


def test_one_curve_alone_and_negative_losses_are_judged():
    falling = [5.0 * 0.8**i - 3 for i in range(40)]
    assert codes(falling, []) == codes([], falling)
    rising = [x + max(0, i - 20) * 0.05 for i, x in enumerate(falling)]
    assert "overfitting" in codes(falling, rising)
    assert "overfitting" not in codes(falling, [x + 0.1 for x in falling])


@pytest.mark.parametrize("none", [[], [None] * 29])
@pytest.mark.parametrize("missing", ["validation", "training"])
def test_one_curve_alone_is_no_good_fit(missing, none):
    falling = [1.0 / k for k in range(1, 30)]
    curves = (falling, none) if missing == "validation" else (none, falling)
    codes = [verdict.code for verdict in diagnose(*curves)]
    assert "good_fit" not in codes
    assert codes[-1] == "one_curve"


def test_a_short_run_that_overfits_is_told():
    assert "overfitting" in diagnose([2.3, 1.1, 0.8, 0.6, 0.4, 0.3, 0.2, 0.1], [2.2, 1.4, 1.3, 1.4, 1.5, 1.7, 1.9, 2.0])


def test_a_file_that_counts_from_zero_is_told_so(tmp_path):
    path = tmp_path / "curves.csv"
    path.write_text("epoch,train_loss,val_loss\n" + "".join(f"{i},{1 / (i + 1)},{1.1 / (i + 1)}\n" for i in range(8)))
    assert "epochs 1 to 8\nepochs are counted from 1, in the file from 0" in diagnose_path(path)[1]


def test_what_is_not_finite_needs_no_further_advice():
    broken = [1.0 / k for k in range(1, 30)] + [float("nan")] * 3
    assert [verdict.code for verdict in diagnose(broken, broken)] == ["non_finite"]
