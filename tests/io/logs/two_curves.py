# ruff: noqa: E501 (lines as tools print them)
"""The two curves that every log of these tests holds, and writers of logs after the formats of other tools."""

import json
import math

import numpy as np
import pandas

TRAIN = [2.05, 1.655, 1.3381, 1.0837, 0.8796, 0.7157, 0.5843, 0.4788, 0.3941, 0.3261, 0.2716, 0.2278, 0.1927, 0.1645]
VAL = [2.45, 1.7615, 1.3225, 1.0426, 0.8641, 0.7953, 0.7677, 0.7664, 0.7819, 0.8081, 0.8411, 0.8785, 0.9186, 0.9605]
PAIRS = list(zip(TRAIN, VAL, strict=True))
N = len(TRAIN)
ACCURACY = [0.3 + 0.04 * i for i in range(N)]


def table(header, row, delimiter=","):
    """Text of `header` and one row per check, of what `row(i, t, v)` gives."""
    lines = [header] if header else []
    return "\n".join([*lines, *(delimiter.join(map(str, row(i, t, v))) for i, (t, v) in enumerate(PAIRS))]) + "\n"


def lines(form, **more):
    """One text per check, `{i}` from 0, `{e}` from 1, `{t}` and `{v}`."""
    return "".join(
        form.format(i=i, e=i + 1, t=t, v=v, a=round(ACCURACY[i], 4), n=N, **more) for i, (t, v) in enumerate(PAIRS)
    )


def frame(**columns):
    return pandas.DataFrame(columns or {"epoch": range(1, N + 1), "train_loss": TRAIN, "val_loss": VAL})


def records(*rows):
    """The records that functions of (i, t, v) give, check after check."""
    return [row(i, t, v) for i, (t, v) in enumerate(PAIRS) for row in rows]


def json_lines(found):
    return "".join(json.dumps(each) + "\n" for each in found)


def hugging_face(closed=True):
    """trainer_state.json with two training losses a check."""
    history = []
    for i, (t, v) in enumerate(PAIRS):
        step = {"learning_rate": 1e-5, "grad_norm": 1.0}
        history += [{"epoch": i + part, "loss": t, **step, "step": 100 * i + int(100 * part)} for part in (0.5, 1.0)]
        checked = {"eval_loss": v, "eval_accuracy": ACCURACY[i], "eval_runtime": 9.1}
        history += [{"epoch": i + 1.0, **checked, "step": 100 * (i + 1)}]
    if closed:
        history.append(
            {"epoch": float(N), "step": 100 * N, "total_flos": 1e15, "train_loss": 0.73, "train_runtime": 99.0}
        )
    return {"best_metric": None, "epoch": float(N), "global_step": 100 * N, "log_history": history}


def catboost_json():
    meta = {"learn_metrics": [{"name": "Logloss", "best_value": "Min"}], "test_metrics": [{"name": "Logloss", "best_value": "Min"}],
            "learn_sets": ["learn"], "test_sets": ["test"], "iteration_count": N}  # fmt: skip
    return {
        "meta": meta,
        "iterations": [
            {"learn": [t], "iteration": i, "passed_time": 0.1, "test": [v]} for i, (t, v) in enumerate(PAIRS)
        ],
    }


def markdown(rule="| --- | --- | --- |"):
    return "| epoch | train loss | val loss |\n" + rule + "\n" + lines("| {e} | {t} | {v} |\n")


def box():
    edge = "+-------+------------+----------+\n"
    return edge + "| epoch | train_loss | val_loss |\n" + edge + lines("| {e:5} | {t:10} | {v:8} |\n") + edge


def rich_box():
    return (
        "┏━━━━━━━┳━━━━━━━━━━━━┳━━━━━━━━━━┓\n┃ epoch ┃ train_loss ┃ val_loss ┃\n┡━━━━━━━╇━━━━━━━━━━━━╇━━━━━━━━━━┩\n"
        + lines("│ {e:5} │ {t:10} │ {v:8} │\n")
        + "└───────┴────────────┴──────────┘\n"
    )


def keras_bars():
    """What `fit` prints into a file: a bar that goes on, with its returns."""
    text = ""
    for i, (t, v) in enumerate(PAIRS):
        text += f"Epoch {i + 1}/{N}\n"
        text += "".join(f"\r {k}/782 [=>....] - ETA: 5s - loss: {t + 0.1 * (782 - k) / 782:.4f}" for k in (1, 300, 600))
        text += f"\r782/782 [==============] - 5s 6ms/step - loss: {t} - accuracy: 0.5 - val_loss: {v} - val_accuracy: 0.4\n"
    return text


def keras_notebook_bars():
    """As saved from a notebook, with steps back."""
    text = ""
    for i, (t, v) in enumerate(PAIRS):
        text += f"Epoch {i + 1}/{N}\n"
        text += f"\x1b[1m782/782\x1b[0m \x1b[32m━━━━━━━━━━━━\x1b[0m\x1b[37m\x1b[0m \x1b[1m5s\x1b[0m 6ms/step - accuracy: 0.5 - loss: {t} - val_accuracy: 0.4 - val_loss: {v}\n"
    return text


def mnist_example():
    text = ""
    for i, (t, v) in enumerate(PAIRS):
        for k in (0, 640):
            text += f"Train Epoch: {i + 1} [{k}/60000 ({k / 600:.0f}%)]\tLoss: {t}\n"
        text += f"\nTest set: Average loss: {v}, Accuracy: 9{i:02d}0/10000 (9{i % 10}%)\n\n"
    return text


def transfer_tutorial():
    return (
        "".join(
            f"Epoch {i}/{N - 1}\n----------\ntrain Loss: {t} Acc: 0.5{i:02d}\nval Loss: {v} Acc: 0.4{i:02d}\n\n"
            for i, (t, v) in enumerate(PAIRS)
        )
        + "Training complete in 1m 5s\nBest val Acc: 0.941176\n"
    )


def fairseq():
    return "".join(
        f"2024-01-01 10:00:{i:02d} | INFO | train | epoch {i + 1:03d} | loss {t} | ppl 8.1 | wps 900 | lr 1e-05 | train_wall 10\n"
        f"2024-01-01 10:01:{i:02d} | INFO | valid | epoch {i + 1:03d} | valid on 'valid' subset | loss {v} | ppl 9 | wps 900\n"
        for i, (t, v) in enumerate(PAIRS)
    )


def lightgbm_text():
    return (
        lines("[{e}]\ttraining's l2: {t}\tvalid_1's l2: {v}\n")
        + f"Early stopping, best iteration is:\n[8]\ttraining's l2: {TRAIN[7]}\tvalid_1's l2: {VAL[7]}\n"
    )


def wandb(run="swift-bird-3"):
    names = [f"{run} - {name}{end}" for name in ("train_loss", "val_loss") for end in ("", "__MIN", "__MAX")]
    header = ",".join(f'"{name}"' for name in ("Step", *names))
    return table(header, lambda i, t, v: [f'"{x}"' for x in (i, t, t, t, v, v, v)])


def yolo():
    header = "                  epoch,         train/box_loss,         train/cls_loss,       metrics/precision(B),           val/box_loss,           val/cls_loss,                 lr/pg0"
    rows = [f"{i:23},{t / 2:23},{t / 2:23},{0.5:23},{v / 2:23},{v / 2:23},{0.01:23}" for i, (t, v) in enumerate(PAIRS)]
    return "\n".join([header, *rows]) + "\n"


def notebook(text):
    cell = {"cell_type": "code", "source": [], "metadata": {}, "execution_count": 1,
            "outputs": [{"output_type": "stream", "name": "stdout", "text": text.splitlines(keepends=True)}]}  # fmt: skip
    return json.dumps({"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5})


def html():
    """The progress of a training of Hugging Face, as a notebook shows it."""
    rows = lines("<tr><td>{e}</td><td>{t}</td><td>{v}</td></tr>\n")
    head = "<tr><th>Epoch</th><th>Training Loss</th><th>Validation Loss</th></tr>"
    return f"<div><progress value='14'></progress><table><thead>{head}</thead><tbody>{rows}</tbody></table></div>"


def notebook_page():
    output = {"output_type": "display_data", "metadata": {}, "data": {"text/html": [html()], "text/plain": ["<HTML>"]}}
    cell = {"cell_type": "code", "source": [], "metadata": {}, "execution_count": 1, "outputs": [output]}
    return json.dumps({"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5})


def close(found, wanted):
    """Equal to the last digit, but for sums, of which the last digit may differ."""
    return len(found) == len(wanted) and all(
        a is not None and math.isclose(a, b, rel_tol=1e-12) for a, b in zip(found, wanted, strict=True)
    )


def lightning_rows(i, t, v):
    return [[i, 2 * i + 1, t, ""], [i, 2 * i + 1, "", v]]


ARRAY = np.array(PAIRS)
