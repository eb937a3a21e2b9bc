"""Callbacks and loggers of ours are asked by their class; any of Lightning's works beside them and is not."""

from lightning.pytorch import Callback, Trainer
from lightning.pytorch.loggers import CSVLogger

from fulmen.callbacks.base import RunLogger, Watcher
from fulmen.callbacks.resume import reached
from fulmen.diagnosis import Verdict
from fulmen.runs.loggers import log_result


class Finds(Watcher):
    verdicts = (Verdict.make("still_improving", fall="10%"),)
    ending = ("stopped", "enough")


class Alike(Callback):
    """Somebody else's, whose names mean something else."""

    verdicts, ending, verbose = 3, "of a story", "yes"


class Told(RunLogger, CSVLogger):
    def log_result(self, hyperparameters, metrics, step):
        self.told = hyperparameters, metrics, step


class AlikeLogger(CSVLogger):
    resume = log_result = state_dict = None


def test_a_result_has_the_words_of_watchers_and_of_no_other_callback():
    quiet = {"accelerator": "cpu", "logger": False, "enable_checkpointing": False}
    found = reached(Trainer(callbacks=[Alike(), Finds(), Watcher()], **quiet), "val/loss")
    assert found["endings"] == [["stopped", "enough"]]
    assert [verdict["code"] for verdict in found["verdicts"]] == ["still_improving"]


def test_loggers_of_a_run_are_told_its_result_and_others_are_left_alone(tmp_path):
    told, metrics = Told(tmp_path), {"train/loss": 4.0, "test/a": 1.0, "test/b": 2.0, "test/c": 3.0, "test/d": 4.0}
    log_result([AlikeLogger(tmp_path), told], {"seed": 2}, {"best/val/loss": 3.0} | metrics, 5)
    assert told.told == ({"seed": 2}, {"best/val/loss": 3.0, "test/a": 1.0, "test/b": 2.0, "test/c": 3.0}, 5)
