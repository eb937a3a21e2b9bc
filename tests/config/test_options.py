"""Words that begin with `-` and are no option: one line, and a command of what was meant."""

import pytest

import fulmen
from fulmen.cli import main, parser
from fulmen.config.places import SWEEP, TRAIN
from fulmen.config.workload_verbs import with_verbs
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


@pytest.mark.parametrize("overrides", [("experiment=sensors", "seed=3"), (["experiment=sensors", "seed=3"],)])
def test_a_function_takes_overrides_one_by_one_or_in_a_list(overrides):
    assert fulmen.compose(*overrides).seed == 3


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: fulmen.train("-m", "seed=1,2"), "train() is of one run and takes no options such as -m"),
        (lambda: fulmen.train(["experiment=sensor"]), "did you mean sensors?"),
        (lambda: fulmen.train(3), 'train() takes texts such as "trainer.max_epochs=3", not 3'),
        (lambda: fulmen.load_run("nosuch"), "there is no run folder nosuch"),
        (lambda: fulmen.rank("sensors", folds=1), "a ranking in 1 folds with 1 seeds: take 2 folds or more"),
    ],
)
def test_a_wrong_call_is_told_in_a_sentence(call, said):
    with pytest.raises(FulmenError) as refused:
        call()
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("trian", "fulmen has no command trian; did you mean train?"),
        ("stocks", "stocks has no commands of its own"),
        ("runs sensor", "there is no experiment sensor; did you mean sensors?"),
    ],
)
def test_a_command_that_there_is_not_is_told_with_the_nearest(line, said, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(line.split()) == 2
    assert said in capsys.readouterr().err


def test_workloads_without_commands_are_no_commands():
    assert with_verbs() == ["pbpk"]
    assert "stocks" not in parser().get_default("verbs")


def test_a_project_without_runs_is_told_of_its_own_experiment(tmp_path, monkeypatch, capsys):
    (tmp_path / "conf" / "experiment").mkdir(parents=True)
    (tmp_path / "conf" / "experiment" / "zebra.yaml").write_text("# @package _global_\n# Stripes\n")
    (tmp_path / "pyproject.toml").write_text("[tool.fulmen]\npackages = []\n")
    monkeypatch.chdir(tmp_path)
    assert main(["runs"]) == 0
    assert "experiment=zebra" in capsys.readouterr().out
