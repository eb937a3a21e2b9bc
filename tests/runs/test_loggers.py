import csv
import time
from types import SimpleNamespace

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData

from fulmen.runs.loggers import EpochTable, TensorBoard
from fulmen.runs.named_by import LONGEST
from fulmen.utils.event_files import SETTINGS, event_folder, is_of_events


def rows(folder):
    with (folder / "metrics.csv").open() as file:
        return list(csv.DictReader(file))


def log_epochs(logger, epochs):
    for epoch in epochs:
        logger.log_metrics({"lr-Adam": 0.1}, step=epoch * 10)
        logger.log_metrics({"val/loss": epoch + 0.5, "epoch": epoch}, step=epoch * 10 + 9)
        logger.log_metrics({"train/loss": float(epoch), "epoch": epoch}, step=epoch * 10 + 9)


def test_metrics_csv_has_one_row_an_epoch(tmp_path):
    log_epochs(EpochTable(tmp_path), range(3))
    assert rows(tmp_path)[2] == {"epoch": "2", "step": "30", "lr-Adam": "0.1", "train/loss": "2.0", "val/loss": "2.5"}
    assert len(rows(tmp_path)) == 3


def test_a_metric_that_comes_late_gets_a_column(tmp_path):
    table = EpochTable(tmp_path)
    log_epochs(table, range(2))
    table.log_metrics({"val/f1": 7.0, "epoch": 2}, step=29)
    table.log_metrics({"test/loss": 7.0, "epoch": 3}, step=29)
    assert [row["val/f1"] for row in rows(tmp_path)] == ["", "", "7.0"]


def test_resumed_table_keeps_what_the_checkpoint_had_seen(tmp_path):
    log_epochs(EpochTable(tmp_path), range(4))
    before = (tmp_path / "metrics.csv").read_text()
    table = EpochTable(tmp_path)
    table.resume(step=25)
    log_epochs(table, range(2, 4))
    assert (tmp_path / "metrics.csv").read_text() == before


def test_learning_rate_of_an_interrupted_epoch_is_kept(tmp_path):
    table = EpochTable(tmp_path)
    log_epochs(table, range(2))
    table.log_metrics({"lr-Adam": 0.05}, step=20)  # the third epoch begins and is interrupted
    again = EpochTable(tmp_path)
    again.resume(step=25)
    again.log_metrics({"train/loss": 2.0, "epoch": 2}, step=29)
    assert rows(tmp_path)[2] == {"epoch": "2", "step": "30", "lr-Adam": "0.05", "train/loss": "2.0", "val/loss": ""}


def test_tensorboard_has_one_file_one_of_settings_shared_charts_and_one_hparams_line(tmp_path):
    logger = TensorBoard(str(tmp_path))
    log_epochs(logger, range(3))
    logger.finalize("success")
    logger.log_metrics({"test/loss": 1.0}, step=30)
    logger.finalize("success")
    logger.log_settings({"model.lr": 0.1, "command": "x"})
    logger.log_result({"model.lr": 0.1, "command": "x"}, {"test/loss": 1.0}, step=30)
    assert sorted(path.name for path in tmp_path.glob("events.*"))[0] == SETTINGS
    assert len(list(tmp_path.glob("events.*"))) == 2
    events = EventAccumulator(str(tmp_path)).Reload()
    assert {"train/loss", "val/loss", "train/lr-Adam", "main/test/loss"} == set(events.Tags()["scalars"])
    assert [event.step for event in events.Scalars("val/loss")] == [9, 19, 29]
    layout = events.Tensors("custom_scalars__config__")[-1].tensor_proto.string_val[0].decode()
    assert "train/loss" in layout
    assert "val/loss" in layout
    assert events.summary_metadata["_hparams_/session_start_info"].plugin_data.plugin_name == "hparams"
    assert "_hparams_/experiment" not in events.summary_metadata, "one list of columns would hide those of other runs"


@pytest.mark.parametrize(
    ("typed", "folder", "name"),
    [
        (["experiment=pbpk_mlp"], "outputs/runs/pbpk_mlp/now", "defaults"),
        (["experiment=pbpk_mlp"], "mine", "pbpk_mlp,defaults"),
        (
            ["experiment=x", "++model.optimizer.lr=0.01", "test=false", "callbacks=monitor"],
            "runs/x/now",
            "lr=0.01,test=false",
        ),
        (["experiment=x", "test=false"], "runs/x/now", "test=false"),
        (["seed=1", "seed=2", "~model.clip", "resume=runs/x/now"], "runs/x/now", "seed=2,clip=null"),
        (["model.a.lr=0.00037422440743860064", "model.b.lr=1"], "runs/x/now", "a.lr=0.0003742,b.lr=1"),
        (["data.csv=/home/me/my table.csv", "model.x='a|b'"], "runs/x/now", "x=_a_b,csv=_home_me_my,table.csv"),
        (["model.words=" + "ä" * 200], "runs/x/now", "words=" + "ä" * 56 + "~"),
        (
            ["data.compounds=40", "trainer.max_epochs=2", "model.network.hidden=16", "data.batch_size=8"],
            "runs/x/now",
            "hidden=16,batch_size=8,max_epochs=2,compounds=40",
        ),
    ],
)
def test_events_lie_in_a_folder_named_by_what_was_typed(tmp_path, typed, folder, name):
    folder = tmp_path / folder
    folder.mkdir(parents=True)
    (folder / "overrides.txt").write_text("\n".join(typed))
    log_epochs(TensorBoard(str(folder)), range(1))
    (found,) = [path for path in folder.iterdir() if path.is_dir()]
    assert found.name == name
    assert is_of_events(found)
    assert event_folder(folder) == found


def name_of(folder, *typed):
    folder.mkdir(parents=True)
    (folder / "overrides.txt").write_text("\n".join(typed))
    return TensorBoard(str(folder)).place.name


def test_a_name_begins_with_what_tells_the_run_from_those_most_like_it(tmp_path):
    few = ["data.compounds=40", "data.validation_compounds=10", "trainer.max_epochs=2"]
    name_of(tmp_path / "other", "experiment=x", "model.a=1", "model.b=2")
    assert name_of(tmp_path / "1", *few).startswith("max_epochs=2,")
    name_of(tmp_path / "2", *few, "seed=1", "data.days=3")
    assert name_of(tmp_path / "3", *few, "seed=1", "data.days=4").startswith("days=4,")
    assert name_of(tmp_path / "4", *few, "seed=2", "data.days=4").startswith("seed=2,")
    assert name_of(tmp_path / "5", *few, "seed=2", "data.days=3").startswith("seed=2,days=3,"), "a grid"


def test_a_name_is_never_cut_within_a_value(tmp_path):
    typed = [f"model.{letter * 10}=0.{letter * 4}" for letter in "abcdefghijkl"]
    name = name_of(tmp_path / "run", *typed)
    *shown, rest = name.split(",")
    assert len(name) <= LONGEST
    assert shown == [each.removeprefix("model.") for each in typed[: len(shown)]]
    assert rest == f"+{len(typed) - len(shown)}"


def test_a_run_begun_by_an_earlier_release_goes_on_where_its_events_lie(tmp_path):
    (tmp_path / "overrides.txt").write_text("seed=1")
    (tmp_path / "events.out.tfevents.0000001060.zoo.1.0").write_bytes(b"")
    assert TensorBoard(str(tmp_path)).place == tmp_path
    assert TensorBoard(str(tmp_path / "new")).place == tmp_path / "new", "nothing was typed"


def test_a_resumed_run_has_the_settings_of_its_last_start(tmp_path):
    for epochs in (2, 4):
        TensorBoard(str(tmp_path)).log_settings({"trainer.max_epochs": epochs})
    assert [path.name for path in tmp_path.iterdir()] == [SETTINGS]
    content = EventAccumulator(str(tmp_path)).Reload().summary_metadata["_hparams_/session_start_info"]
    start = HParamsPluginData.FromString(content.plugin_data.content).session_start_info
    assert start.hparams["trainer.max_epochs"].number_value == 4


def test_events_of_a_run_resumed_within_the_second_are_read_after_those_before(tmp_path):
    first = TensorBoard(str(tmp_path))
    log_epochs(first, range(2))
    state = first.state_dict()
    (before,) = tmp_path.glob("events.*")
    name = ".".join(["events.out.tfevents", f"{int(time.time()):010d}", "zoo.99998.0"])
    before.rename(tmp_path / name)
    again = TensorBoard(str(tmp_path))
    again.resume(20, state | {"sizes": {name: (tmp_path / name).stat().st_size}})
    log_epochs(again, range(2, 4))
    again.finalize("success")
    events = EventAccumulator(str(tmp_path)).Reload()
    assert [event.step for event in events.Scalars("val/loss")] == [9, 19, 29, 39]


def test_a_clock_that_is_behind_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr("fulmen.runs.loggers.time", SimpleNamespace(time=lambda: 1000.0))
    (tmp_path / "events.out.tfevents.0000001060.zoo.1.0").write_bytes(b"x")
    with pytest.warns(UserWarning, match="clock of this machine is 61 s behind"):
        TensorBoard(str(tmp_path)).resume(
            1, {"sizes": {path.name: 1 for path in tmp_path.iterdir()}, "tags": [], "charts": []}
        )
