# ruff: noqa: E501 (a kind a line)
"""What is wrong or unusual in logs, in every shape it can be in: read rightly, or asked with a command that works.

Each kind of fault changes the rows of two known curves; each shape writes them. What is read has to be the curves; what is
refused has to be refused in one line, and the command in it has to give the curves when it is typed.
"""

import gzip
import json
import math
import re
import shlex

import pytest

from fulmen.cli import main, parser
from fulmen.errors import FulmenError
from fulmen.io.logs import LogOptions, read_log
from tests.io.logs.two_curves import TRAIN, VAL, N, close

ROWS = [{"epoch": i + 1, "train_loss": t, "val_loss": v} for i, (t, v) in enumerate(zip(TRAIN, VAL, strict=True))]
OTHER = [
    {**row, "train_loss": row["train_loss"] * 3 + i % 3, "val_loss": row["val_loss"] * 2} for i, row in enumerate(ROWS)
]


def names(rows):
    return list(dict.fromkeys(name for row in rows for name in row))


def delimited(sign):
    def write(rows):
        lines = [sign.join(names(rows))]
        for row in rows:
            cells = ["" if row.get(name) is None else str(row[name]) for name in names(rows)]
            lines.append(sign.join(f'"{cell}"' if sign in cell else cell for cell in cells))
        return "\n".join(lines) + "\n"

    return write


def markdown(rows):
    lines = [names(rows), ["---"] * len(names(rows)), *([row.get(name, "") for name in names(rows)] for row in rows)]
    return "".join("| " + " | ".join("" if cell is None else str(cell) for cell in line) + " |\n" for line in lines)


def aligned(rows):
    lines = [names(rows), *(["-" if row.get(name) is None else row[name] for name in names(rows)] for row in rows)]
    return "".join("  ".join(f"{cell!s:<24}" for cell in line).rstrip() + "\n" for line in lines)


def json_lines(rows):
    return "".join(json.dumps(row) + "\n" for row in rows)


def printed(rows):
    def shown(row):
        return ", ".join(
            f"{name.replace('_', ' ').capitalize()}: {value}" for name, value in row.items() if value is not None
        )

    return "".join(
        shown(row).replace(",", ";") if any("," in str(x) for x in row.values()) else shown(row) + "\n" for row in rows
    )


SHAPES = {
    "comma.csv": delimited(","),
    "semicolon.csv": delimited(";"),
    "tab.tsv": delimited("\t"),
    "table.md": markdown,
    "aligned.txt": aligned,
    "lines.jsonl": json_lines,
    "records.json": lambda rows: json.dumps(rows),
    "lists.json": lambda rows: json.dumps({name: [row.get(name) for row in rows] for name in names(rows)}),
    "history.json": lambda rows: json.dumps({"log_history": rows}),
    "printed.log": lambda rows: "".join(
        "; ".join(f"{name.replace('_', ' ')}: {value}" for name, value in row.items() if value is not None) + "\n"
        for row in rows
    ),
}


def changed(**change):
    """Every row with further or other cells; a function gets the row."""
    return [{**row, **{k: v(row) if callable(v) else v for k, v in change.items()}} for row in ROWS]


def texts(form):
    return changed(train_loss=lambda row: form(row["train_loss"]), val_loss=lambda row: form(row["val_loss"]))


def phases(name, words):
    return [
        {"epoch": row["epoch"], name: word, "loss": row[f"{part}_loss"]}
        for row in ROWS for part, word in zip(("train", "val"), words, strict=True)
    ]  # fmt: skip


def thousandfold(row, name):
    return f"{row[name] * 1000:,.1f}"


def called(form):
    """Curves under other names, or of other values."""
    return [{"epoch": row["epoch"], **form(row["train_loss"], row["val_loss"])} for row in ROWS]


def blocks(*columns):
    """All of the training, then all of the validation, then a curve of no use, with what counts them."""
    curves = (("train_loss", TRAIN), ("val_loss", VAL), ("lr", [0.1] * N))
    return [
        {"id": i, "tag": tag, "value": value} if columns else {"tag": tag, "value": value}
        for tag, values in curves for i, value in enumerate(values)
    ]  # fmt: skip


KINDS = {  # kind -> rows, factor of the right values
    "plain": (ROWS, 1),
    "decimal comma": (texts(lambda x: str(x).replace(".", ",")), 1),
    "thousands": (changed(**{n: (lambda row, n=n: thousandfold(row, n)) for n in ("train_loss", "val_loss")}), 1000),
    "newest first": (ROWS[::-1], 1),
    "sorted as text": (sorted(ROWS, key=lambda row: str(row["epoch"])), 1),
    "phase": (phases("phase", ("train", "val")), 1),
    "mode": (phases("mode", ("Training", "Validation")), 1),
    "phase in blocks": (sorted(phases("stage", ("train", "valid")), key=lambda row: row["stage"]), 1),
    "folds": ([{"fold": k, **row} for k, rows in enumerate((ROWS, OTHER)) for row in rows], 1),
    "folds in turn": ([{"fold": k, **row} for pair in zip(ROWS, OTHER, strict=True) for k, row in enumerate(pair)], 1),
    "seeds and folds": ([{"seed": s, "fold": k, **row} for s in (7, 8) for k, rows in enumerate((ROWS, OTHER)) for row in rows], 1),
    "two runs after each other": ([*OTHER, *ROWS], 1),
    "runs side by side": ([row for pair in zip(ROWS, OTHER, strict=True) for row in pair], None),
    "one fit after the other": ([{**row, "epoch": row["epoch"] - 1 - 7 * (row["epoch"] > 7)} for row in ROWS], 1),
    "taken up again": ([*ROWS[:8], *ROWS[5:]], 1),
    "written twice": ([*ROWS, *ROWS], 1),
    "per cent signs": (texts(lambda x: f"{x}%"), 1),
    "a mark for what is missing": ([*changed()[:3], {**ROWS[3], "extra": "x"}, *ROWS[4:]], 1),
    "columns of no use": (changed(lr=1e-3, time="00:03", note="a b", loss_fn="mse", best_val_loss=0.1, epoch_time=3.5), 1),
    "both parts in one name": (called(lambda t, v: {"train-7 - train_loss": t, "train-7 - val_loss": v}), 1),
    "names of accuracies beside": (changed(train_acc=0.5, val_acc=0.4), 1),
    "negative errors": (called(lambda t, v: {"train_neg_mean_squared_error": -t, "val_neg_mean_squared_error": -v}), 1),
    "likelihoods": (called(lambda t, v: {"train_log_likelihood": -t, "val_log_likelihood": -v}), 1),
    "a metric nobody knows": (called(lambda t, v: {"train_foo": t, "val_foo": v}), 1),
    "several losses": (called(lambda t, v: {"train_a_loss": t, "train_b_loss": 1.0, "val_a_loss": v, "val_b_loss": 1.0}), 1),
    "no known names": (called(lambda t, v: {"Alpha": t, "Beta": v}), 1),
    "an epoch of n": (changed(epoch=lambda row: f"{row['epoch']}/{N}"), 1),
    "one curve is empty": (changed(val_loss=None), 1),
    "one curve is NaN": (changed(val_loss=float("nan")), 1),
    "a closing record": ([*ROWS, {"epoch": N, "train_runtime": 9.0, "total_flos": 1e9}], 1),
    "blocks without a step": (blocks(), 1),
    "blocks counted by id": (blocks("id"), 1),
    "short names": (called(lambda t, v: {"tr_loss": t, "va_loss": v}), 1),
    "short names behind": (called(lambda t, v: {"loss_tr": t, "loss_te": v}), 1),
    "counterpart of no known name": (called(lambda t, v: {"tr_loss": t, "q_loss": v}), 1),
    "other tongues": (called(lambda t, v: {"loss_обучение": t, "loss_валидация": v}), 1),
    "Turkish": (called(lambda t, v: {"EĞİTİM_LOSS": t, "DOĞRULAMA_LOSS": v}), 1),
    "Korean": (called(lambda t, v: {"훈련_손실": t, "검증_손실": v}), 1),
    "letters for parts": (called(lambda t, v: {"Loss_T": t, "Loss_V": v}), 1),
    "unknown tongue": (called(lambda t, v: {"loss_abc": t, "loss_xyz": v}), 1),
    "equal curves": (changed(val_loss=lambda row: row["train_loss"]), 1),
}  # fmt: skip
ALONE = {"one curve is empty", "one curve is NaN", "equal curves"}
NOT_IN = {  # what a shape cannot hold
    "printed.log": {"a mark for what is missing", "blocks without a step", "blocks counted by id", "columns of no use", "both parts in one name", "one curve is empty", "a closing record"},
    "lists.json": set(), "aligned.txt": {"columns of no use", "both parts in one name"},
    "comma.csv": set(), "semicolon.csv": set(), "tab.tsv": set(), "table.md": set(), "lines.jsonl": set(),
    "records.json": set(), "history.json": set(),
}  # fmt: skip
CELLS = [(kind, shape) for kind in KINDS for shape in SHAPES if kind not in NOT_IN[shape]]


def outcome(path):
    """The log, and what was typed to get it: "" where it is read as it stands."""
    try:
        return read_log(path), ""
    except FulmenError as error:
        said = str(error)
        assert "\n" not in said
        found = re.search(r"fulmen diagnose .*$", said)
        assert found, said
        return typed(found[0]), found[0]


def typed(command):
    """The log that a command reads, which the command line takes."""
    words = shlex.split(command)[1:]
    arguments = parser().parse_args(words)
    given = {name: getattr(arguments, name) for name in ("run", "better", "decimal", "epoch", "phase", "missing")}
    options = LogOptions(**{name: value for name, value in given.items() if value})
    return read_log(arguments.path, arguments.train, arguments.val, options)


@pytest.mark.parametrize(("kind", "shape"), CELLS, ids=["-".join(cell).replace(" ", "_") for cell in CELLS])
def test_a_fault_in_any_shape_is_read_rightly_or_asked_with_a_command_that_works(tmp_path, kind, shape):
    rows, factor = KINDS[kind]
    path = tmp_path / shape
    path.write_text(SHAPES[shape](rows), encoding="utf-8")
    log, command = outcome(path)
    train = [value for value in log.train if value is not None]
    val = [value for value in log.val if value is not None]
    if factor is None:  # no option can part them: both rows of an epoch are checks
        assert command.endswith("--epoch none")
        return
    if kind in ALONE:
        assert close(train, TRAIN)
        assert val == []
        assert "one curve alone" in " ".join(log.said)
        return
    assert close(train, [factor * x for x in TRAIN]), (command, log.said)
    assert close(val, [factor * x for x in VAL]), (command, log.said)


@pytest.mark.parametrize("every", [2, 3, 5])
@pytest.mark.parametrize("shape", [shape for shape in SHAPES if shape != "printed.log"])
@pytest.mark.parametrize("first", [0, 1])
def test_nan_between_validations_at_equal_distances_is_no_lost_loss(tmp_path, shape, every, first):
    rows = [{**row, "val_loss": row["val_loss"] if i % every == first else float("nan")} for i, row in enumerate(ROWS)]
    path = tmp_path / shape
    path.write_text(SHAPES[shape](rows))
    log = read_log(path)
    assert close(log.train, TRAIN)
    assert close([x for x in log.val if x is not None], VAL[first::every])
    assert "not evaluated" in " ".join(log.said)


def test_nan_at_the_end_stays_a_lost_loss(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text(
        SHAPES["comma.csv"]([{**row, "val_loss": float("nan")} if i > 9 else row for i, row in enumerate(ROWS)])
    )
    assert all(math.isnan(x) for x in read_log(path).val[10:])


@pytest.mark.parametrize("first", [0, 1])
def test_nan_where_the_other_loss_stands_is_no_lost_loss(tmp_path, first):
    nan = float("nan")
    pairs = [({**row, "val_loss": nan}, {**row, "train_loss": nan}) for row in ROWS]
    path = tmp_path / "log.csv"
    path.write_text(SHAPES["comma.csv"]([row for pair in pairs for row in (pair if not first else pair[::-1])]))
    log = read_log(path)
    assert (log.train, log.val) == (TRAIN, VAL)


RECORDS = {  # curves as lists of records by their name
    "step and value": lambda values, name: [
        {"step": i, "value": x, "timestamp": 1.7e9 + i} for i, x in enumerate(values)
    ],
    "value alone": lambda values, name: [{"value": x} for x in values],
    "epoch and loss": lambda values, name: [{"epoch": i, "loss": x} for i, x in enumerate(values, 1)],
}


@pytest.mark.parametrize("form", RECORDS)
@pytest.mark.parametrize(("first", "second"), [("train_loss", "val_loss"), ("train", "validation")])
@pytest.mark.parametrize("more", [{}, {"config": [{"lr": 0.1}]}])
def test_lists_of_records_by_name_are_both_read(tmp_path, form, first, second, more):
    path = tmp_path / "metrics.json"
    path.write_text(json.dumps({first: RECORDS[form](TRAIN, first), second: RECORDS[form](VAL, second), **more}))
    log = read_log(path)
    assert (log.train, log.val) == (TRAIN, VAL)


def test_lists_of_records_are_joined_by_their_steps(tmp_path):
    path = tmp_path / "metrics.json"
    few = [{"step": i, "value": x} for i, x in enumerate(VAL)][1::2]
    path.write_text(json.dumps({"train_loss": RECORDS["step and value"](TRAIN, ""), "val_loss": few}))
    log = read_log(path)
    assert [x for x in log.val if x is not None] == VAL[1::2]
    assert log.train[0] == pytest.approx((TRAIN[0] + TRAIN[1]) / 2)


def test_blocks_of_unlike_length_without_a_count_are_refused(tmp_path):
    path = tmp_path / "log.csv"
    rows = [row for row in blocks() if row["tag"] != "val_loss" or row["value"] != VAL[0]]
    path.write_text(SHAPES["comma.csv"](rows))
    with pytest.raises(FulmenError, match=r"14 training losses stand in one block and 13 validation losses.*--epoch"):
        read_log(path)


def test_a_loss_beside_one_curve_alone_is_named(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text(SHAPES["comma.csv"](called(lambda t, v: {"train_loss": t, "my_other_loss": v})))
    assert "my_other_loss" in " ".join(read_log(path).said)


PRINTED = {  # as tools print them -> the training is the loss, and the validation if there is one
    "darknet": ("v3 (iou loss, Normalizer: (iou: 0.07, obj: 1.00) count: 5, iou_loss = 0.1, total_loss = 1.49\n {i}: 9.9, {t} avg loss, 0.0013 rate, 2.1 seconds, 64 images\n", False),
    "sagemaker": ("[01/Mar/2024 12:00:01 INFO 140281] #quality_metric: host=algo-1, epoch={i}, train loss <loss>={t}\n[01/Mar/2024 12:00:01 INFO 140281] #quality_metric: host=algo-1, epoch={i}, validation loss <loss>={v}\n", True),
}  # fmt: skip


@pytest.mark.parametrize("name", PRINTED)
def test_what_darknet_and_sagemaker_print_is_read(tmp_path, name):
    form, both = PRINTED[name]
    path = tmp_path / "out.log"
    path.write_text("".join(form.format(i=i, t=t, v=v) for i, (t, v) in enumerate(zip(TRAIN, VAL, strict=True), 1)))
    log = read_log(path)
    assert log.train == TRAIN
    assert [x for x in log.val if x is not None] == (VAL if both else [])


def test_a_table_of_r_is_read_without_its_types_and_row_numbers(tmp_path):
    path = tmp_path / "log.txt"
    rows = "".join(f"{i:3}: {i:4} {t:10} {v:9}\n" for i, (t, v) in enumerate(zip(TRAIN, VAL, strict=True), 1))
    path.write_text("     iter train_rmse test_rmse\n    <num>      <num>     <num>\n" + rows)
    log = read_log(path)
    assert (log.train, log.val) == (TRAIN, VAL)


NO_PROPOSAL = {  # text -> what the line says, without a command
    "r,l,t\n" + "".join(f"{20 + i}.5,{i},{i}.7\n" for i in range(9)): "no column of a loss among r, l, t",
    "model: resnet\nlr: 0.1\nloss: cross_entropy\nepochs: 50\n": "no column of a loss",
    "Date,Open,High,Low,Close,Volume\n" + "".join(f"2024-01-0{i},{i % 3},4,1,{i % 4},7\n" for i in range(1, 9)): "prices",
    "".join(f" {i}/11  1.2G  {t}  {t}  {v}  {i}  {v}\n" for i, (t, v) in enumerate(zip(TRAIN[:9], VAL, strict=False))): "write the names of the columns",
}  # fmt: skip


@pytest.mark.parametrize("text", NO_PROPOSAL, ids=["monitor", "settings", "prices", "values"])
def test_columns_that_are_no_curves_are_not_proposed(tmp_path, text):
    path = tmp_path / "log.txt"
    path.write_text(text)
    with pytest.raises(FulmenError, match=NO_PROPOSAL[text]) as caught:
        read_log(path)
    assert "fulmen diagnose" not in str(caught.value)


def test_the_whole_loss_is_proposed_before_its_parts(tmp_path):
    path = tmp_path / "log.csv"
    rows = [{"train/value_loss": t, "train/policy_gradient_loss": -0.1, "train/loss": t + 1} for t in TRAIN]
    path.write_text(SHAPES["comma.csv"](rows))
    assert outcome(path)[1].endswith("--train train/loss --val none")


def test_the_sheet_with_the_losses_is_read(tmp_path):
    pytest.importorskip("openpyxl")
    import pandas as pd

    path = tmp_path / "log.xlsx"
    with pd.ExcelWriter(path) as book:
        pd.DataFrame({"note": ["two runs were made"]}).to_excel(book, sheet_name="readme", index=False)
        pd.DataFrame(ROWS).to_excel(book, sheet_name="data", index=False)
    log = read_log(path)
    assert (log.train, log.val) == (TRAIN, VAL)
    assert "sheet data of readme, data" in " ".join(log.said)


def test_a_cell_without_an_end_is_refused_in_one_line(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text("epoch,train_loss,val_loss\n1,2.0," + "1" * 200_000 + "\n2,1.0,2.0\n")
    with pytest.raises(FulmenError, match="a cell of more than"):
        read_log(path)


@pytest.mark.parametrize(("encoding", "epoch", "train", "val"), [
    ("gbk", "轮次", "训练损失", "验证损失"), ("cp949", "단계", "훈련 손실", "검증 손실"),
    ("cp1251", "эпоха", "loss_обучение", "loss_валидация"),
])  # fmt: skip
def test_names_in_an_old_encoding_are_known(tmp_path, encoding, epoch, train, val):
    path = tmp_path / "log.csv"
    rows = [{epoch: row["epoch"], train: row["train_loss"], val: row["val_loss"]} for row in ROWS]
    path.write_bytes(SHAPES["comma.csv"](rows).encode(encoding))
    log = read_log(path)
    assert (log.train, log.val) == (TRAIN, VAL)


PACKED = {
    "gzip": lambda text: gzip.compress(text.encode()),
    "UTF-16": lambda text: text.encode("utf-16"),
    "UTF-8 with its mark": lambda text: b"\xef\xbb\xbf" + text.encode(),
    "lines of Windows": lambda text: text.replace("\n", "\r\n").encode(),
    "blank lines at the end": lambda text: (text + "\n\n \n").encode(),
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("how", PACKED)
def test_a_log_in_another_container_or_encoding_is_the_same(tmp_path, how, shape):
    path = tmp_path / shape
    path.write_bytes(PACKED[how](SHAPES[shape](ROWS)))
    log = read_log(path)
    assert close(log.train, TRAIN)
    assert close(log.val, VAL)


@pytest.mark.parametrize("comment", ["# seed 3\n", "# a\n# b\n\n"])
@pytest.mark.parametrize("shape", ["comma.csv", "semicolon.csv", "tab.tsv", "aligned.txt"])
def test_comments_above_and_within_a_table_are_left_out(tmp_path, comment, shape):
    head, *rows = SHAPES[shape](ROWS).splitlines(keepends=True)
    path = tmp_path / shape
    path.write_text(comment + head + "".join(f"{row}# so far\n" if i % 5 == 0 else row for i, row in enumerate(rows)))
    log = read_log(path)
    assert close(log.train, TRAIN)
    assert close(log.val, VAL)


METRICS = {  # name -> its best value; what is left to that is judged
    "accuracy": 1, "acc": 1, "top1": 100, "auc": 1, "f1": 1, "f1_score": 1, "mAP50": 1, "iou": 1, "dice": 1, "recall": 1,
    "precision": 1, "bleu": 100, "ndcg@10": 1, "r2": 1, "mcc": 1, "kappa": 1, "ssim": 1, "psnr": 0, "elbo": 0, "reward": 0,
}  # fmt: skip


@pytest.mark.parametrize("name", METRICS)
def test_metrics_where_higher_is_better_are_turned_and_that_is_told(tmp_path, name):
    best = METRICS[name]
    train, val = ([best - (x / 3 if best == 1 else x) for x in each] for each in (TRAIN, VAL))
    path = tmp_path / "log.csv"
    path.write_text(
        f"epoch,train_{name},val_{name}\n"
        + "".join(f"{i},{t},{v}\n" for i, (t, v) in enumerate(zip(train, val, strict=True)))
    )
    log = read_log(path)
    scale = 3 if best == 1 else 1
    assert [round(scale * x, 9) for x in log.train] == TRAIN
    assert [round(scale * x, 9) for x in log.val] == VAL
    assert "higher is better" in log.said[0]


def test_a_direction_that_is_typed_goes_before_the_name(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text(
        "epoch,train_loss,val_loss\n"
        + "".join(f"{i},{-t},{-v}\n" for i, (t, v) in enumerate(zip(TRAIN, VAL, strict=True)))
    )
    assert read_log(path, options=LogOptions(better="higher")).train == TRAIN


def test_lists_of_unlike_length_are_not_cut(tmp_path):
    path = tmp_path / "history.json"
    path.write_text(json.dumps({"loss": TRAIN, "val_loss": VAL[1::2]}))  # Keras with validation_freq=2
    log, command = outcome(path)
    assert command.endswith("--train loss --val none")
    assert close(log.train, TRAIN)


def test_a_training_that_goes_on_in_one_curve_alone_is_asked_about(tmp_path):
    """A second run may begin near where the first has ended, in one of the losses."""
    path = tmp_path / "log.csv"
    rows = [*ROWS, *({**row, "train_loss": row["train_loss"] / 12.46} for row in ROWS)]
    path.write_text(SHAPES["comma.csv"](rows))
    assert outcome(path)[1].endswith("--run 2")


def test_a_name_that_a_shell_would_take_apart_is_quoted(tmp_path):
    path = tmp_path / "it's $HOME; a (log).csv"
    path.write_text(SHAPES["comma.csv"](KINDS["folds"][0]))
    log, command = outcome(path)
    assert command.endswith("--run fold=0")
    assert close(log.train, TRAIN)


BAD = {  # text -> what the line says
    "": "is empty",
    "  \n \n": "is empty",
    "epoch,train_loss,val_loss\n": "no row",
    "epoch,train_loss,val_loss\n1,2.0,3.0\n2,1.5\n3,1,2\n4,1,2\n": "line 3: 2 cells",
    "epoch,train_loss,val_loss\n1,2.0,3.0\n2,1.5,2,9\n3,1,2\n4,1,2\n": "line 3: 4 cells",
    "epoch,train_loss,val_loss\n1,2.0,3.0\n2,1.5,two\n": "line 3, column val_loss: 'two' is no number",
    "epoch,train_loss,val_loss\n1,2\x00,3\n": "line 2, character 4: a control character",
    "epoch,train_loss,val_loss\none,2,3\ntwo,1,2\n": "line 2: epoch is 'one', no number",
    "epoch;train_loss;val_loss\n1;2,05;3,1\n2;1.95;2,2\n": "has a decimal point",
    'epoch,train_loss,val_loss\n1,"2,3\n2,3,4\n': "line 2",
    "epoch,train_loss,val_loss\n1,2.0,3%\n2,1.5,2%\n": "val_loss is in per cent and train_loss is not",
    'train_loss,val_loss\n"[1, 2","[3, 4]"\n': "line 2, column train_loss: a list that cannot be read",
    "epoch,train_acc,val_acc\n1,0.5,0.4\n2,0.6,940\n": "no share",
    "hello world\nthis is nothing\n": "no table",
    '{"lr": 0.1}': "no list of numbers; there is lr",
    '{"loss": [1.0': "neither JSON nor a table",
    "<html><table></table></html>": "",
    "epoch,lr\n1,2\n2,3\n": "no column of a loss",
    "epoch,train_loss,val_loss\n" + "".join(f"{(7 * i) % 11},{i},{i}.5\n" for i in range(33)): "",
}


@pytest.mark.parametrize("text", BAD, ids=[repr(text)[:40] for text in BAD])
def test_bad_input_gets_one_line_with_file_and_place(tmp_path, capsys, text):
    path = tmp_path / "log.csv"
    path.write_text(text)
    assert main(["diagnose", str(path)]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert str(path) in said
    assert BAD[text] in said


def test_files_that_are_no_logs_are_named_in_one_line(tmp_path):
    import pickle

    import numpy as np
    import torch

    pickled, tensors, objects = tmp_path / "history.pkl", tmp_path / "model.pt", tmp_path / "history.npy"
    pickled.write_bytes(pickle.dumps({"loss": TRAIN}))
    torch.save({"loss": TRAIN}, tensors)
    np.save(objects, np.array({"loss": TRAIN}), allow_pickle=True)
    noise, picture = tmp_path / "noise.bin", tmp_path / "loss.png"
    noise.write_bytes(bytes(range(256)) * 40)
    picture.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(100))
    (tmp_path / "folder").mkdir()
    for path in (pickled, tensors, objects, noise, picture, tmp_path / "folder"):
        with pytest.raises(FulmenError) as caught:
            read_log(path)
        assert str(path) in str(caught.value)
        assert "\n" not in str(caught.value)


def test_a_line_without_an_end_is_not_read_into_memory(tmp_path):
    path = tmp_path / "log.csv"
    with path.open("wb") as file:
        file.truncate(1 << 33)  # a hole: 8 GB that take no room
        file.seek(0)
        file.write(b"epoch,train_loss")
    with pytest.raises(FulmenError, match="larger than 1 GB"):
        read_log(path)


def test_a_folder_with_several_logs_asks_for_one(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "metrics.csv").write_text(SHAPES["comma.csv"](ROWS))
    log, command = outcome(tmp_path)
    assert command == f"fulmen diagnose {tmp_path / 'a'}"
    assert close(log.train, TRAIN)


def test_a_long_list_of_choices_is_one_line(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text(SHAPES["comma.csv"]([{"run": f"run-{k}", **row} for k in range(40) for row in ROWS]))
    log, command = outcome(path)
    assert command.endswith("--run run=run-0")
    assert close(log.train, TRAIN)


def test_what_a_file_is_called_decides_nothing_where_its_rows_do(tmp_path):
    path = tmp_path / "phase_test.csv"
    path.write_text(
        SHAPES["comma.csv"]([*phases("phase", ("train", "val")), {"epoch": N, "phase": "test", "loss": 5.5}])
    )
    log = read_log(path)
    assert (log.train, log.val) == (TRAIN, VAL)


def test_a_fold_that_is_printed_above_its_epochs_is_a_run(tmp_path):
    path = tmp_path / "folds.log"
    printed = [f"Fold {k}\n{SHAPES['printed.log'](rows)}" for k, rows in enumerate((ROWS, OTHER))]
    path.write_text("".join(printed))
    log, command = outcome(path)
    assert command.endswith("--run Fold=0")
    assert (log.train, log.val) == (TRAIN, VAL)


def test_points_that_may_part_thousands_between_semicolons_are_asked_about(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text("epoch;train_loss;val_loss\n" + "".join(f"{i};4.{900 - i};5.{900 - i}\n" for i in range(9)))
    with pytest.raises(FulmenError, match=r"'4.900' has two readings.*--decimal comma reads 4900"):
        read_log(path)
    assert read_log(path, options=LogOptions(decimal="comma")).train[0] == 4900
    assert read_log(path, options=LogOptions(decimal="point")).train[0] == 4.9
