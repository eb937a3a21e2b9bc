# ruff: noqa: E501 (a shape a line)
"""Two curves, written as many tools write them, are read to the last digit."""

import json
from pathlib import Path

import numpy as np
import pandas
import pytest

from fulmen.io.logs import read_log
from tests.io.logs import two_curves as w
from tests.io.logs.two_curves import PAIRS, TRAIN, VAL, N, frame, json_lines, lines, records, table

BOTH = ("train_loss", "val_loss")
STEPS = range(0, 100 * N, 100)


def _csv(**options):
    return lambda: frame().to_csv(**options)


def _json(orient, **columns):
    return lambda: frame(**columns).to_json(orient=orient, **({"lines": True} if orient == "lines" else {}), double_precision=15) if orient != "lines" else frame(**columns).to_json(orient="records", lines=True)  # fmt: skip


TEXTS = {  # name of the file -> its text
    "plain.csv": _csv(index=False),
    "with_index.csv": _csv(),
    "semicolon.csv": _csv(index=False, sep=";"),
    "tab.tsv": _csv(index=False, sep="\t"),
    "bar.txt": _csv(index=False, sep="|"),
    "german.csv": _csv(index=False, sep=";", decimal=","),
    "german_tab.tsv": _csv(index=False, sep="\t", decimal=","),
    "quoted_decimal_comma.csv": lambda: frame().to_csv(index=False, decimal=",", quoting=1),
    "scientific.csv": lambda: table("epoch,train_loss,val_loss", lambda i, t, v: (i + 1, f"{t:.12e}", f"{v:.12E}")),
    "space_after_comma.csv": lambda: table("epoch, train_loss, val_loss", lambda i, t, v: (i + 1, f" {t}", f" {v}")),
    "printed_frame.txt": lambda: frame().to_string(),
    "printed_frame_no_index.txt": lambda: frame().to_string(index=False),
    "savetxt.txt": lambda: "# epoch train_loss val_loss\n" + lines("{e} {t} {v}\n"),
    "savetxt_plain.txt": lambda: lines("{t:.18e} {v:.18e}\n"),
    "no_header.csv": lambda: lines("{e},{t},{v}\n"),
    "no_header_tab.txt": lambda: lines("{t}\t{v}\n"),
    "spaced_names.txt": lambda: "Epoch  Train Loss  Test Loss\n" + lines("{e:<7}{t:<12}{v}\n"),
    "training_and_validation_words.csv": lambda: table("Epoch,Training Loss,Validation Loss", lambda i, t, v: (i + 1, t, v)),
    "camel.csv": lambda: table("epoch,trainLoss,valLoss", lambda i, t, v: (i, t, v)),
    "markdown.md": w.markdown,
    "markdown_aligned.md": lambda: w.markdown("|:---|---:|:---:|"),
    "ascii_box.txt": w.box,
    "rich_box.txt": w.rich_box,
    "title_above.csv": lambda: "Training log of run 5\n" + frame().to_csv(index=False),
    "comment_above.csv": lambda: "# seed 3\n" + frame().to_csv(index=False),
    "keras_csvlogger.csv": lambda: table("epoch,accuracy,loss,val_accuracy,val_loss", lambda i, t, v: (i, 0.5, t, 0.4, v)),
    "keras_csvlogger_lr.csv": lambda: table("epoch,lr,loss,val_loss", lambda i, t, v: (i, 0.001, t, v)),
    "keras_history.json": lambda: json.dumps({"loss": TRAIN, "accuracy": w.ACCURACY, "val_loss": VAL, "val_accuracy": w.ACCURACY}),
    "keras_history_printed.txt": lambda: str({"loss": TRAIN, "val_loss": VAL}),
    "keras_history_twice.json": lambda: json.dumps({"history": {"loss": TRAIN, "val_loss": VAL}, "params": {"epochs": N}}),
    "keras_bars.log": w.keras_bars,
    "keras_3_bars.log": w.keras_notebook_bars,
    "keras_verbose_2.log": lambda: lines("Epoch {e}/{n}\n782/782 - 5s - 6ms/step - accuracy: 0.5 - loss: {t} - val_accuracy: 0.4 - val_loss: {v}\n"),
    "keras_epoch_line.log": lambda: lines("Epoch {e}/{n} - loss: {t} - val_loss: {v}\n"),
    "keras_checkpoint_messages.log": lambda: lines("Epoch {e}/{n}\n10/10 - 1s - loss: {t} - val_loss: {v}\n\nEpoch {e:05d}: val_loss improved from 9.9 to {v}, saving model to m.h5\n"),
    "pandas_columns.json": _json("columns"),
    "pandas_index.json": _json("index"),
    "pandas_split.json": _json("split"),
    "pandas_records.json": _json("records"),
    "pandas_values.json": _json("values"),
    "pandas_table.json": _json("table"),
    "pandas_lines.json": _json("lines"),
    "pandas_columns_of_history.json": _json("columns", loss=TRAIN, val_loss=VAL),
    "pandas_index_of_history.json": _json("index", loss=TRAIN, val_loss=VAL),
    "pandas_values_of_history.json": _json("values", loss=TRAIN, val_loss=VAL),
    "pandas_in_a_text.json": lambda: json.dumps(frame().to_json()),
    "trainer_state.json": lambda: json.dumps(w.hugging_face(), indent=1),
    "trainer_state_running.json": lambda: json.dumps(w.hugging_face(closed=False)),
    "log_history.json": lambda: json.dumps(w.hugging_face()["log_history"]),
    "hugging_face_printed.log": lambda: "".join(f"{each}\n" for each in w.hugging_face()["log_history"]),
    "hugging_face_bars.log": lambda: lines(" {e}%|#  | {e}/{n} [00:10<01:00]{{'loss': {t}, 'learning_rate': 1e-05, 'epoch': {e}.0}}\n{{'eval_loss': {v}, 'eval_runtime': 2.0, 'epoch': {e}.0}}\n"),
    "hugging_face_notebook.tsv": lambda: "Epoch\tTraining Loss\tValidation Loss\tAccuracy\n" + lines("{e}\t{t}\t{v}\t0.5\n"),
    "hugging_face_notebook_steps.tsv": lambda: "Step\tTraining Loss\tValidation Loss\n" + lines("{e}00\t{t}\t{v}\n"),
    "lightning_metrics.csv": lambda: "epoch,step,train_loss,val_loss\n" + "".join(",".join(map(str, row)) + "\n" for i, (t, v) in enumerate(PAIRS) for row in w.lightning_rows(i, t, v)),
    "lightning_step_and_epoch.csv": lambda: "epoch,step,train_loss_step,train_loss_epoch,val_loss\n" + lines("{i},{i}9,7.0,,\n{i},{i}9,,,{v}\n{i},{i}9,,{t},\n"),
    "lightning_slashes.csv": lambda: "epoch,step,train/loss,val/loss\n" + lines("{i},{i}9,,{v}\n{i},{i}9,{t},\n"),
    "lightning_bar.log": lambda: lines("Epoch {i}: 100%|##########| 10/10 [00:00<00:00, 30.1it/s, v_num=0, train_loss={t}, val_loss={v}]\n"),
    "fastai.csv": lambda: table("epoch,train_loss,valid_loss,accuracy,time", lambda i, t, v: (i, t, v, 0.5, "00:03")),
    "fastai_printed.txt": lambda: "epoch     train_loss  valid_loss  accuracy  time    \n" + lines("{i:<10}{t:<12}{v:<12}0.5       00:03     \n"),
    "timm_summary.csv": lambda: table("epoch,train_loss,eval_loss,eval_top1,eval_top5,lr", lambda i, t, v: (i, t, v, 50.1, 80.2, 0.1)),
    "xgboost.json": lambda: json.dumps({"train": {"logloss": TRAIN}, "eval": {"logloss": VAL}}),
    "xgboost_two_metrics.json": lambda: json.dumps({"train": {"logloss": TRAIN, "auc": w.ACCURACY}, "val": {"logloss": VAL, "auc": w.ACCURACY}}),
    "xgboost.log": lambda: lines("[{i}]\ttrain-logloss:{t}\tval-logloss:{v}\n"),
    "xgboost_stamped.log": lambda: lines("[12:00:{e:02d}] INFO: x\n[{i}]\ttrain-rmse:{t}\teval-rmse:{v}\n"),
    "xgboost_frame.csv": lambda: table("train-rmse-mean,train-rmse-std,test-rmse-mean,test-rmse-std", lambda i, t, v: (t, 0.1, v, 0.2)),
    "lightgbm.json": lambda: json.dumps({"training": {"l2": TRAIN}, "valid_1": {"l2": VAL}}),
    "lightgbm.log": w.lightgbm_text,
    "lightgbm_logger.log": lambda: lines("[LightGBM] [Info] [{e}]\ttraining's binary_logloss: {t}\tvalid_1's binary_logloss: {v}\n"),
    "catboost.log": lambda: lines("{i}:\tlearn: {t}\ttest: {v}\tbest: 0.7 ({i})\ttotal: 55ms\tremaining: 1s\n"),
    "catboost_training.json": lambda: json.dumps(w.catboost_json()),
    "mlflow_rest.json": lambda: json.dumps({"metrics": records(*(lambda i, t, v, k=k: {"key": k, "value": (t, v)[k == "val_loss"], "timestamp": 1650000000000 + i, "step": i} for k in ("loss", "val_loss")))}),
    "mlflow_table.csv": lambda: "key,value,timestamp,step,is_nan,run_uuid\n" + lines("train_loss,{t},165000000{e:04d},{i},0,abc\n") + lines("val_loss,{v},165000000{e:04d},{i},0,abc\n"),
    "wandb_export.csv": w.wandb,
    "wandb_run_called_train.csv": lambda: w.wandb("train-bert-7"),
    "wandb_history.jsonl": lambda: json_lines(records(lambda i, t, v: {"_step": i, "_runtime": 3.5 * i, "_timestamp": 1.65e9 + i, "epoch": i, "train/loss": t, "val/loss": v})),
    "wandb_history_apart.jsonl": lambda: json_lines(records(lambda i, t, v: {"_step": 2 * i, "train/loss": t}, lambda i, t, v: {"_step": 2 * i + 1, "val/loss": v})),
    "yolo_results.csv": w.yolo,
    "mmcv.log.json": lambda: json_lines([{"env_info": "linux", "seed": 0}, *records(lambda i, t, v: {"mode": "train", "epoch": i + 1, "iter": 50, "lr": 0.01, "loss": t}, lambda i, t, v: {"mode": "train", "epoch": i + 1, "iter": 100, "lr": 0.01, "loss": t}, lambda i, t, v: {"mode": "val", "epoch": i + 1, "iter": 30, "lr": 0.01, "loss": v})]),
    "phase_column.csv": lambda: "epoch,phase,loss,acc\n" + lines("{e},train,{t},0.5\n{e},val,{v},0.4\n"),
    "split_column_blocks.csv": lambda: "split,epoch,loss\n" + lines("Training,{e},{t}\n") + lines("Validation,{e},{v}\n"),
    "long_table.csv": lambda: "epoch,metric,value\n" + lines("{e},train_loss,{t}\n{e},val_loss,{v}\n"),
    "melted.csv": lambda: frame().melt(id_vars="epoch").to_csv(index=False),
    "comet.json": lambda: json.dumps(records(lambda i, t, v: {"metricName": "train_loss", "metricValue": str(t), "step": i, "timestamp": 1.65e12}, lambda i, t, v: {"metricName": "val_loss", "metricValue": str(v), "step": i, "timestamp": 1.65e12})),
    "nanogpt.log": lambda: "number of parameters: 10.65M\n" + lines("step {i}50: train loss {t}, val loss {v}\niter {i}50: loss 9.9, time 1000.00ms, mfu 1.2%\n"),
    "pytorch_printed.log": lambda: lines("Epoch: {e}, Train Loss: {t}, Val Loss: {v}\n"),
    "pytorch_bars.log": lambda: lines("Epoch {e} | train {t} | val {v}\n"),
    "pytorch_brackets.log": lambda: lines("Epoch [{e}/{n}], Train Loss: {t}, Valid Loss: {v}, Time: 3.2s\n"),
    "pytorch_equals.log": lambda: lines("2024-01-01 12:00:00,123 INFO trainer: epoch={e} train_loss={t} val_loss={v}\n"),
    "pytorch_two_lines.log": lambda: lines("Epoch {e}\nTraining loss: {t}\nValidation loss: {v}\n"),
    "pytorch_at_epoch.log": lambda: lines("Train loss at epoch {e}: {t}\nVal loss at epoch {e}: {v}\n"),
    "coloured.log": lambda: lines("\x1b[32mEpoch {e}\x1b[0m loss: \x1b[1m{t}\x1b[0m val_loss: \x1b[1m{v}\x1b[0m\n"),
    "notebook_page.ipynb": w.notebook_page,
    "table.html": w.html,
    "openings.tsv": lambda: "EPOCH\tTIMESTAMP\tLEARNING_RATE\tTRAIN_LOSS\tDEV_LOSS\n" + lines("{e}\t10:00:{e:02d}\t0.1\t{t}\t{v}\n"),
    "mxnet.log": lambda: lines("INFO:root:Epoch[{i}] Train-cross-entropy={t}\nINFO:root:Epoch[{i}] Time cost=1.2\nINFO:root:Epoch[{i}] Validation-cross-entropy={v}\n"),
    "constant_rate.csv": lambda: lines("{e},{t},{v},0.001\n"),
    "pytorch_arrows.log": lambda: lines("Epoch {e} => train loss -> {t}, val loss -> {v}\n"),
    "torchvision.log": lambda: lines("Epoch: [{i}]  [ 0/10]  eta: 0:00:10  lr: 0.1  loss: {t} ({t})  acc1: 10.0 (10.0)\nTest:  [ 0/2]  eta: 0:00:01  loss: {v} ({v})  acc1: 10 (10)\nTest:  Acc@1 50.0 Acc@5 80.0\n"),
    "timm.log": lambda: lines("Train: {i} [   0/100 (  0%)]  Loss: {t} ({t})  Time: 1.0s\nTest: [   0/2]  Time: 0.5 (0.5)  Loss: {v} ({v})  Acc@1: 50.0\n"),
    "tqdm.log": lambda: lines("Epoch {e}:  50%|#####     | 5/10 [00:01<00:01, 4.1it/s, loss=9.9]\nEpoch {e}: 100%|##########| 10/10 [00:02<00:00, 4.1it/s, loss={t}, val_loss={v}]\n"),
    "r_keras.csv": lambda: "epoch,value,metric,data\n" + lines("{e},{t},loss,training\n{e},{v},loss,validation\n{e},0.5,accuracy,training\n{e},0.4,accuracy,validation\n"),
    "german_names.csv": lambda: "Epoche;Trainingsverlust;Validierungsverlust\n" + table("", lambda i, t, v: (i, t, v), ";").replace(".", ","),
    "french_names.csv": lambda: "Époque;Perte d'entraînement;Perte de validation\n" + table("", lambda i, t, v: (i, t, v), ";").replace(".", ","),
    "german_steps.csv": lambda: "step;train_loss;val_loss\n" + "".join(f"{500 * (i + 1):,}".replace(",", ".") + f";{t};{v}\n".replace(".", ",") for i, (t, v) in enumerate(PAIRS)),
    "steps_with_commas.csv": lambda: table("step,train_loss,val_loss", lambda i, t, v: (f'"{500 * (i + 1):,}"', t, v)),
    "on_its_side.csv": lambda: "epoch," + ",".join(map(str, range(N))) + "\ntrain_loss," + ",".join(map(str, TRAIN)) + "\nval_loss," + ",".join(map(str, VAL)) + "\n",
    "columns_without_names.json": lambda: pandas.DataFrame([[i, t, v] for i, (t, v) in enumerate(PAIRS)]).to_json(double_precision=15),
    "rows_by_number.json": lambda: json.dumps({str(i): [i, t, v] for i, (t, v) in enumerate(PAIRS)}),
    "two_lines_of_names.csv": lambda: "epoch,train,val,train,val\n,loss,loss,acc,acc\n" + lines("{e},{t},{v},0.5,0.4\n"),
    "units_below_names.csv": lambda: "epoch,train_loss,val_loss\n[-],[nats],[nats]\n" + lines("{e},{t},{v}\n"),
    "excel_sep.csv": lambda: "sep=;\nepoch;train_loss;val_loss\n" + lines("{e};{t};{v}\n"),
    "tuples.log": lambda: lines("({e}, {t}, {v})\n"),
    "yolo_segmentation.csv": lambda: table("epoch,time,train/box_loss,train/seg_loss,val/box_loss,val/seg_loss,lr/pg0", lambda i, t, v: (i + 1, 1.0, t / 2, t / 2, v / 2, v / 2, 0.1)),
    "detectron.json": lambda: json_lines(records(lambda i, t, v: {"iteration": 20 * i, "total_loss": t, "loss_cls": 0.1, "loss_box_reg": 0.2, "validation_loss": v})),
    "pytorch_decimal_comma.log": lambda: "".join(f"Epoch {i + 1}; Train Loss: {str(t).replace('.', ',')}; Val Loss: {str(v).replace('.', ',')}\n" for i, (t, v) in enumerate(PAIRS)),
    "pytorch_mnist_example.log": w.mnist_example,
    "pytorch_transfer_tutorial.log": w.transfer_tutorial,
    "fairseq.log": w.fairseq,
    "fairseq_json.log": lambda: json_lines(records(lambda i, t, v: {"epoch": i + 1, "train_loss": str(t), "train_wall": "10"}, lambda i, t, v: {"epoch": i + 1, "valid_loss": str(v), "valid_wps": "9"})),
    "records_in_parts.json": lambda: json.dumps(records(lambda i, t, v: {"epoch": i, "train": {"loss": t, "acc": 0.5}, "val": {"loss": v, "acc": 0.4}})),
    "by_epoch.json": lambda: json.dumps({str(i + 1): {"train_loss": t, "val_loss": v} for i, (t, v) in enumerate(PAIRS)}),
    "two_lists.json": lambda: json.dumps([TRAIN, VAL]),
    "three_lists.json": lambda: json.dumps([list(range(1, N + 1)), TRAIN, VAL]),
    "pairs.json": lambda: json.dumps([list(pair) for pair in PAIRS]),
    "lists_in_parts.json": lambda: json.dumps({"train": {"loss": TRAIN}, "test": {"loss": VAL}}),
    "lists_in_cells.csv": lambda: f'train_loss,val_loss\n"{TRAIN}","{VAL}"\n',
    "tensors.csv": lambda: table("epoch,train_loss,val_loss", lambda i, t, v: (i, f'"tensor({t}, device=\'cuda:0\')"', f"np.float64({v})")),
    "notebook.ipynb": lambda: w.notebook(lines("Epoch {e}/{n} - loss: {t} - val_loss: {v}\n")),
    "detail_columns.csv": lambda: table("epoch,train_loss,val_loss,best_val_loss,lr,grad_norm,time", lambda i, t, v: (i, t, v, 0.1, 1e-3, 1.0, 99.5)),
}  # fmt: skip


@pytest.mark.parametrize("name", TEXTS)
def test_both_curves_of_a_text_are_read_to_the_last_digit(tmp_path, name):
    path = tmp_path / name
    path.write_text(TEXTS[name](), encoding="utf-8")
    log = read_log(path)
    check(log, path)


def check(log, path, train=TRAIN, val=VAL):
    kept = [(t, v) for t, v in zip(log.train, log.val, strict=True) if t is not None or v is not None]
    assert w.close([t for t, _ in kept if t is not None], train), log.said
    assert w.close([v for _, v in kept if v is not None], val), log.said
    assert log.epochs is None or log.epochs == list(range(1, N + 1)), log.epochs
    assert len(log.said) <= 5
    assert log.said[0].startswith(f"{N} checks of {path}"), log.said[0]
    assert not log.errors


FILES = {}


def file(write):
    FILES[write.__name__] = write
    return write


@file
def parquet(folder):
    pytest.importorskip("pyarrow")
    frame().to_parquet(folder / "log.parquet")
    return folder / "log.parquet"


@file
def workbook(folder):
    pytest.importorskip("openpyxl")
    frame().to_excel(folder / "log.xlsx", index=False)
    return folder / "log.xlsx"


@file
def gzipped(folder):
    frame().to_csv(folder / "log.csv.gz", index=False)
    return folder / "log.csv.gz"


@file
def numpy_rows(folder):
    np.save(folder / "log.npy", np.array(PAIRS))
    return folder / "log.npy"


@file
def numpy_two_rows(folder):
    np.save(folder / "log.npy", np.array([TRAIN, VAL]))
    return folder / "log.npy"


@file
def numpy_named(folder):
    np.savez(folder / "log.npz", train_loss=TRAIN, val_loss=VAL)
    return folder / "log.npz"


@file
def numpy_records(folder):
    kind = [("epoch", int), ("train_loss", float), ("val_loss", float)]
    np.save(folder / "log.npy", np.array([(i, t, v) for i, (t, v) in enumerate(PAIRS)], dtype=kind))
    return folder / "log.npy"


@file
def events_of_several_curves(folder):
    events(folder / "losses_Loss_train", {"losses": TRAIN})
    events(folder / "losses_Loss_val", {"losses": VAL})
    return folder


@file
def catboost_folder(folder):
    for name, values in (("learn", TRAIN), ("test", VAL)):
        (folder / f"{name}_error.tsv").write_text(
            "iter\tLogloss\n" + "".join(f"{i}\t{x}\n" for i, x in enumerate(values))
        )
    return folder


@file
def catboost_file(folder):
    return catboost_folder(folder) / "learn_error.tsv"


@file
def mlflow_run(folder):
    (folder / "metrics").mkdir()
    for name, values in (("loss", TRAIN), ("val_loss", VAL), ("accuracy", w.ACCURACY)):
        text = "".join(f"{1650000000000 + i} {x} {i}\n" for i, x in enumerate(values))
        (folder / "metrics" / name).write_text(text)
    return folder


@file
def events_by_tag(folder):
    events(folder, {"train_loss": TRAIN, "val_loss": VAL})
    return folder


@file
def events_file(folder):
    events(folder, {"Loss/train": TRAIN, "Loss/validation": VAL})
    return next(folder.iterdir())


@file
def events_by_folder(folder):
    events(folder / "train", {"epoch_loss": TRAIN})
    events(folder / "validation", {"epoch_loss": VAL})
    return folder


def events(folder, curves):
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.proto.summary_pb2 import Summary
    from tensorboard.compat.proto.tensor_pb2 import TensorProto
    from tensorboard.summary.writer.event_file_writer import EventFileWriter

    writer = EventFileWriter(str(folder))
    for tag, values in curves.items():
        for step, value in enumerate(values):
            tensor = TensorProto(dtype=2, double_val=[value])  # as of Keras, in full precision
            one = Summary.Value(tag=tag, tensor=tensor)
            one.metadata.plugin_data.plugin_name = "scalars"
            writer.add_event(Event(wall_time=1.65e9 + step, step=step, summary=Summary(value=[one])))
    writer.close()


@file
def lightning_folder(folder):
    (folder / "metrics.csv").write_text(TEXTS["lightning_metrics.csv"]())
    (folder / "hparams.yaml").write_text("lr: 0.1\n")
    return folder


@pytest.mark.parametrize("name", FILES)
def test_both_curves_of_files_and_folders_are_read_to_the_last_digit(tmp_path, name):
    path = FILES[name](tmp_path)
    check(read_log(path), path.parent if name == "catboost_file" else path)


def test_scalars_of_torch_are_read_to_the_last_digit_that_events_hold(tmp_path):
    from torch.utils.tensorboard import SummaryWriter

    with SummaryWriter(str(tmp_path)) as writer:
        for epoch, (t, v) in enumerate(PAIRS):
            writer.add_scalar("Loss/train", t, epoch)
            writer.add_scalar("Loss/valid", v, epoch)
    log = read_log(tmp_path)
    assert (log.train, log.val) == tuple([float(np.float32(x)) for x in each] for each in (TRAIN, VAL))


ALONE = {
    "loss_curve.json": lambda: json.dumps(TRAIN),
    "one_column.txt": lambda: lines("{t}\n"),
    "one_column_named.csv": lambda: "loss\n" + lines("{t}\n"),
    "keras_without_validation.json": lambda: json.dumps({"loss": TRAIN, "accuracy": w.ACCURACY}),
    "tensorboard.csv": lambda: "Wall time,Step,Value\n" + lines("16500000{e:02d}.5,{i},{t}\n"),
    "tensorboard.json": lambda: json.dumps([[1.65e9 + 9 * i, i, t] for i, t in enumerate(TRAIN)]),
    "mlflow_metric": lambda: lines("16500000{e:02d}000 {t} {i}\n"),
    "mlflow_metric_of_one_step": lambda: lines("16500000{e:02d}000 {t} 0\n"),
    "mlflow_metric_taken_up": lambda: "".join(f"16500000{i:02d}000 {t} {i % 7}\n" for i, t in enumerate(TRAIN)),
    "neptune.csv": lambda: lines("{i},16500000{e:02d}000,{t}\n"),
    "epoch_and_loss.csv": lambda: lines("{e},{t}\n"),
    "wandb_one.csv": lambda: '"Step","run-1 - loss","run-1 - loss__MIN","run-1 - loss__MAX"\n' + lines('"{i}","{t}","{t}","{t}"\n'),
    "empty_val_loss.csv": lambda: "epoch,train_loss,val_loss\n" + lines("{e},{t},\n"),
    "nan_val_loss.csv": lambda: "epoch,train_loss,val_loss\n" + lines("{e},{t},nan\n"),
    "pytorch_tutorial.log": lambda: lines("[{e},  2000] loss: {t}\n"),
    "torchvision.log": lambda: lines("Epoch: [{e}]  [  0/100]  eta: 0:01:00  lr: 0.1  loss: {t} ({t})  time: 0.5\n"),
    "sklearn_verbose.log": lambda: lines("Iteration {e}, loss = {t}\n"),
}  # fmt: skip


@pytest.mark.parametrize("name", ALONE)
def test_one_curve_alone_is_read_and_told(tmp_path, name):
    path = tmp_path / name
    path.write_text(ALONE[name](), encoding="utf-8")
    log = read_log(path)
    assert w.close(log.train, TRAIN), log.said
    assert all(value is None for value in log.val)
    assert log.said[0].startswith(f"{N} checks of {path}")
    assert "one curve alone is judged" in log.said[1]


def test_a_loss_curve_of_scikit_learn_is_the_training_loss(tmp_path):
    from sklearn.neural_network import MLPRegressor

    rows = np.random.default_rng(0).normal(size=(60, 2))
    model = MLPRegressor(hidden_layer_sizes=(4,), max_iter=200, random_state=0).fit(rows, rows.sum(1))
    for name, write in (
        ("curve.json", lambda path: path.write_text(json.dumps(model.loss_curve_))),
        ("curve.csv", lambda path: pandas.Series(model.loss_curve_, name="loss").to_csv(path, index=False)),
        ("curve.npy", lambda path: np.save(path, model.loss_curve_)),
        ("curve.txt", lambda path: np.savetxt(path, model.loss_curve_)),
    ):
        write(tmp_path / name)
        assert read_log(tmp_path / name).train == model.loss_curve_, name


def test_a_fit_of_lightning_is_read_from_its_csv_and_its_events(tmp_path):
    import torch
    from lightning import LightningModule, Trainer
    from lightning.pytorch.loggers import CSVLogger, TensorBoardLogger

    class Line(LightningModule):
        def __init__(self):
            super().__init__()
            self.layer, self.seen = torch.nn.Linear(1, 1), {"train": [], "val": []}

        def training_step(self, batch, _):
            loss = torch.nn.functional.mse_loss(self.layer(batch), 2 * batch)
            self.log("train_loss", loss, on_step=False, on_epoch=True)
            self.seen["train"].append(float(loss))
            return loss

        def validation_step(self, batch, _):
            loss = torch.nn.functional.mse_loss(self.layer(batch), 2 * batch)
            self.log("val_loss", loss)
            if not self.trainer.sanity_checking:
                self.seen["val"].append(float(loss))

        def configure_optimizers(self):
            return torch.optim.SGD(self.parameters(), lr=0.1)

    model, data = Line(), torch.utils.data.DataLoader(torch.linspace(-1, 1, 8)[:, None], batch_size=8)
    loggers = [CSVLogger(str(tmp_path), name="csv"), TensorBoardLogger(str(tmp_path), name="tb")]
    Trainer(max_epochs=6, logger=loggers, accelerator="cpu", enable_checkpointing=False, enable_progress_bar=False,
            enable_model_summary=False, log_every_n_steps=1).fit(model, data, data)  # fmt: skip
    for folder in ("csv", "tb"):
        log = read_log(tmp_path / folder / "version_0")
        assert np.allclose(log.train, model.seen["train"], rtol=1e-6), folder
        assert np.allclose(log.val, model.seen["val"], rtol=1e-6), folder
        assert Path(tmp_path / folder).exists()
