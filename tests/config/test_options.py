"""Words that begin with `-` and are no option: one line, and a command of what was meant."""

import pytest

from fulmen.config.places import SWEEP, TRAIN
from fulmen.entrypoints import before_search, before_work
from fulmen.errors import FulmenError

RULE = "options begin with -, settings are written name=value"
TYPED = {
    "--experiment sensors": f"--experiment: {RULE}\n  this works: {TRAIN} experiment=sensors",
    "experiment=sensors --max_epochs 3": f"--max_epochs: {RULE}\n  this works: {TRAIN} experiment=sensors "
    "trainer.max_epochs=3",
    "--trainer.max_epochs=3 experiment=sensors": f"--trainer.max_epochs=3: {RULE}\n  this works: {TRAIN} "
    "trainer.max_epochs=3 experiment=sensors",
    "experiment=sensors --folds 3": f"--folds: {RULE}\n  this works: {TRAIN} experiment=sensors folds=3",
    "-m experiment=sensors --epochs 3 seed=1,2": f"--epochs: {RULE}\n  this works: {TRAIN} -m experiment=sensors "
    "trainer.max_epochs=3 seed=1,2",
    "--hlp": f"--hlp: there is no such option\n  this works: {TRAIN} --help",
    "-n": f"there is no option -n; `{TRAIN} --help` lists what can be changed",
    "--config-name=foo": "--config-name foo: there is no conf/foo.yaml; there is sweep, train",
    "--config-name": f"argument --config-name/-cn: expected one argument; `{TRAIN} --help` says more",
    "--experimental-rerun nosuch": "--experimental-rerun nosuch: there is no such file",
}


@pytest.mark.parametrize("line", TYPED)
def test_what_is_no_option_of_a_training_is_told_with_what_was_meant(line):
    with pytest.raises(FulmenError) as refused:
        before_work(["train.py", *line.split()])
    assert str(refused.value) == TYPED[line]


def test_a_setting_that_there_is_not_is_not_left_out():
    with pytest.raises(FulmenError, match="--nonsense: settings are written name=value; nonsense: ") as refused:
        before_work(["train.py", "experiment=sensors", "--nonsense", "3"])
    assert "this works" not in str(refused.value)


def test_an_option_of_a_search_is_read_as_its_setting():
    with pytest.raises(FulmenError, match=f"this works: {SWEEP} experiment=pbpk_mlp search.trials=3$"):
        before_search(["experiment=pbpk_mlp", "--trials", "3"])
