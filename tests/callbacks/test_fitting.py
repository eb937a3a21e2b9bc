"""What Lightning refuses is told in words; what else goes wrong comes out as it is."""

import pytest
from lightning.pytorch import Trainer
from lightning.pytorch.callbacks import EarlyStopping

from fulmen.callbacks.fitting import raised_by, refusals_in_words
from fulmen.errors import FulmenError


@pytest.fixture
def trainer():
    stopping = EarlyStopping("val/loss")
    return Trainer(accelerator="cpu", logger=False, enable_checkpointing=False, callbacks=[stopping])


def test_a_metric_that_early_stopping_misses_is_named(trainer):
    stopping = next(each for each in trainer.callbacks if isinstance(each, EarlyStopping))
    trainer.fit_loop.epoch_loop.val_loop._has_run = True
    with pytest.raises(FulmenError, match="the model logs no val/loss"), refusals_in_words(trainer):
        stopping._run_early_stopping_check(trainer)


def test_another_error_stays_one_though_early_stopping_waits_for_its_metric(trainer):
    with pytest.raises(RuntimeError, match="out of memory"), refusals_in_words(trainer):
        raise RuntimeError("out of memory")
    with pytest.raises(ValueError, match="no number"), refusals_in_words(trainer):
        raise ValueError("no number")


def test_the_object_that_raised_is_found_below_the_calls_that_led_to_it():
    class Raises:
        def method(self):
            raise KeyError

    class Calls:
        def method(self):
            one.method()

    one = Raises()
    with pytest.raises(KeyError) as caught:
        Calls().method()
    assert raised_by(caught.value) is one
