"""best.ckpt is the best checkpoint, whatever is asked of ModelCheckpoint, and who reads a folder takes it."""

import shutil

import pytest
from curves import CURVE
from lightning.pytorch.callbacks import ModelCheckpoint

import fulmen
from fulmen.callbacks.best import place
from fulmen.callbacks.resume import read_checkpoint

BEST = CURVE.index(min(CURVE))  # epoch, from 0
LAST = len(CURVE) - 1
KEPT = [  # what is typed after callbacks.best., the same for Lightning, the epoch that is kept, files beside last.ckpt
    (["save_top_k=1"], {"save_top_k": 1}, BEST, 1),
    (["save_top_k=3"], {"save_top_k": 3}, BEST, 4),
    (["save_top_k=-1"], {"save_top_k": -1}, BEST, 7),
    (["save_top_k=2", "mode=max", "monitor=val/score"], {"save_top_k": 2}, BEST, 3),
    (["every_n_epochs=3"], {"every_n_epochs": 3}, 2, 1),
    (["filename='{epoch}'"], {"filename": "{epoch}"}, BEST, 2),
    (["filename=other"], {"filename": "other"}, BEST, 2),
    (["filename=null", "save_top_k=2"], {"save_top_k": 2}, BEST, 3),
    (["dirpath=elsewhere", "save_top_k=2"], {"save_top_k": 2}, BEST, 1),
    (["monitor=null"], {"monitor": None}, LAST, 1),
    (["monitor=null", "save_top_k=-1"], {"monitor": None, "save_top_k": -1}, LAST, 7),
    (["save_weights_only=true"], {"save_weights_only": True}, BEST, 1),
    (["save_on_exception=true"], {"save_on_exception": True}, BEST, 2),
    (["every_n_train_steps=4", "monitor=null"], {"every_n_train_steps": 4, "monitor": None}, LAST, 1),
    (["enable_version_counter=true", "save_top_k=3"], {"save_top_k": 3}, BEST, 4),
    (["save_on_train_epoch_end=false"], {"save_on_train_epoch_end": False}, BEST, 1),
    (["auto_insert_metric_name=false", "filename='e{epoch}'"], {"filename": "{epoch}"}, BEST, 2),
]  # fmt: skip


@pytest.mark.parametrize(("asked", "arguments", "epoch", "files"), KEPT, ids=[" ".join(row[0]) for row in KEPT])
def test_best_ckpt_is_what_lightning_holds_for_the_best(
    train, plain, tmp_path, monkeypatch, asked, arguments, epoch, files
):
    monkeypatch.chdir(tmp_path)
    result, _ = train(*(f"callbacks.best.{each}" for each in asked))
    checkpoint = ModelCheckpoint(**{"monitor": "val/loss", "dirpath": tmp_path / "plain"} | arguments)
    plain(callbacks=[checkpoint])
    kept = read_checkpoint(result.folder / "checkpoints" / "best.ckpt")
    expected = read_checkpoint(checkpoint.best_model_path)
    assert kept["epoch"] == expected["epoch"] == epoch
    assert kept["state_dict"] == expected["state_dict"]
    beside = [path for path in (result.folder / "checkpoints").rglob("*.ckpt") if path.name != "last.ckpt"]
    assert len(beside) == files
    assert result.metrics.get("best/val/loss") == (None if arguments.get("monitor", "") is None else CURVE[epoch])
    moved = shutil.move(result.folder, tmp_path / "moved")
    assert fulmen.load_run(moved).model.state_dict() == kept["state_dict"]


def test_no_best_checkpoint_leaves_the_last_weights(train):
    result, model = train("callbacks.best=null")
    assert fulmen.load_run(result.folder).model.weight == model.weight
    assert not (result.folder / "checkpoints" / "best.ckpt").exists()


def test_what_the_best_was_chosen_by_and_what_is_monitored_are_told_apart(train):
    result, _ = train("callbacks.best.monitor=val/score", "callbacks.best.mode=max")
    assert (result.metrics["best/val/score"], result.metrics["best/val/loss"]) == (-2.0, 2.0)


def test_what_cannot_be_linked_is_copied(tmp_path, monkeypatch):
    monkeypatch.setattr("os.link", lambda *_: (_ for _ in ()).throw(OSError("cross-device link")))
    source = tmp_path / "a.ckpt"
    for content in ("first", "second"):
        source.write_text(content)
        place(source, tmp_path / "run" / "best.ckpt")
        assert (tmp_path / "run" / "best.ckpt").read_text() == content
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["best.ckpt"]
