"""A tab completes what one types: choices without the folder of their workload, keys, arguments that no file names."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from test_own_conf import project as project

from fulmen.cli import main, parser
from fulmen.config.completion import answer, completions
from fulmen.config.schema import choices
from fulmen.errors import FulmenError

VERBS = ["rank", "runs", "sweep", "train"]
REPOSITORY = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("python train.py experiment=stocks network=28_", ["network=28_cnn_lstm"]),
        ("fulmen train experiment=stocks network=28_", ["network=28_cnn_lstm"]),
        ("python -m fulmen train experiment=stocks network=28_", ["network=28_cnn_lstm"]),
        (".venv/bin/python3 /elsewhere/train.py network=28_", ["network=28_cnn_lstm"]),
        ("python train.py experiment=sensors network=28_", []),
        ("python train.py -m experiment=stocks network=01_lstm_classic,28_", ["network=01_lstm_classic,28_cnn_lstm"]),
        ("python train.py exp", ["experiment="]),
        (
            "python train.py experiment=pbpk_",
            [f"experiment=pbpk_{name}" for name in ("gnn", "mlp", "pod", "published")],
        ),
        ("python train.py experiment=pbpk_mlp trainer.max_ep", ["trainer.max_epochs="]),
        ("python train.py experiment=pbpk_mlp ++trainer.max_ep", ["++trainer.max_epochs="]),
        ("python train.py experiment=pbpk_mlp callbacks.early", ["callbacks.early_stopping."]),
        ("python train.py experiment=pbpk_mlp test=", ["test=false", "test=true"]),
        ("python train.py experiment=pbpk_mlp leaks=de", ["leaks=deep", "leaks=deep_strict"]),
        ("python train.py 'experiment=pbpk_mlp' tes", ["test="]),
        ("python train.py --hel", ["--help"]),
        ("python sweep.py experiment=stocks search=t", ["search=tpe"]),
        ("fulmen sweep experiment=stocks sear", ["search.", "search/space=", "search="]),
        ("fulmen sweep experiment=stocks search.tri", ["search.trials="]),
        ("fulmen r", ["rank", "runs"]),
        ("fulmen rank pbpk_g", ["pbpk_gnn"]),
        ("fulmen diagnose ou", []),
        ("fulmen pbpk ex", ["export"]),
        ("fulmen pbpk sim", ["simulate"]),
        ("fulmen pbpk export ex", []),
        ("python train.py data.csv=Makef", ["data.csv=Makefile"]),
        ("python train.py data.csv='no end", []),
        ("python train.py experiment=no_such trainer.", []),
    ],
)
def test_a_word_is_completed(line, found, monkeypatch):
    monkeypatch.chdir(REPOSITORY)
    assert sorted(completions(line, VERBS)) == sorted(found)


def test_an_empty_word_offers_all_experiments_and_groups():
    assert completions("python train.py experiment=") == [f"experiment={name}" for name in choices("experiment")]
    offered = completions("python train.py experiment=images_plain ")
    assert {"network=", "loss=", "sampler=", "trainer.", "seed="} <= set(offered)
    assert {"loss=", "sampler="}.isdisjoint(completions("python train.py experiment=stocks "))


def test_experiments_of_a_project_are_completed(project):
    assert completions("fulmen train experiment=her") == ["experiment=hers"]


def test_verbs_are_those_of_the_program(monkeypatch, capsys):
    monkeypatch.setenv("COMP_LINE", "fulmen ")
    assert main(["-sc", "query=fish"]) == 0
    assert set(capsys.readouterr().out.split()) == set(parser().get_default("verbs")) >= set(VERBS)


@pytest.mark.parametrize("asked", [[], ["install"], ["install=tcsh"], ["query=../x"], ["remove=bash"]])
def test_what_is_no_request_of_a_shell_is_refused(asked):
    with pytest.raises(FulmenError, match="bash, zsh or fish"):
        answer(asked)


def test_installing_and_undoing_are_two_scripts():
    for shell in ("bash", "zsh", "fish"):
        assert "_fulmen_complete" in answer([f"install={shell}"])
        assert "-sc" not in answer([f"uninstall={shell}"])
        assert "# " not in answer([f"uninstall={shell}"])


BASH = """
eval "$(fulmen -sc install=bash)"
press() {
    COMP_LINE=$1 COMP_POINT=${#1} COMPREPLY=()
    compopt() { :; }
    _fulmen_complete
    echo "${COMPREPLY[@]}"
}
"""
FISH = """
fulmen -sc install=fish | source
function press; complete -C $argv[1] | string split -f1 \\t | string join ' '; end
"""
ZSH = """
zmodload zsh/zpty
zpty shell 'PS1=: zsh -f -i'
drain() { local text; sleep $1; while zpty -r -t shell text; do print -rn -- $text; done }
zpty -w shell 'autoload -Uz compinit; compinit -u -D; eval "$(fulmen -sc install=zsh)"'
drain 3 > /dev/null
press() { zpty -w -n shell "$1"$'\\t'; drain 4; zpty -w -n shell $'\\x15' }
"""


@pytest.fixture
def shell(tmp_path):
    """Runs lines in a shell for which `fulmen` and `python` are those of this environment."""
    for name, command in {"fulmen": f"{sys.executable} -m fulmen", "python": sys.executable}.items():
        (tmp_path / name).write_text(f'#!/bin/sh\nexec {command} "$@"\n')
        (tmp_path / name).chmod(0o755)
    environment = os.environ | {"PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}", "HOME": str(tmp_path)}
    environment |= {"PYTHONPATH": os.pathsep.join([str(REPOSITORY / "src"), os.environ.get("PYTHONPATH", "")])}

    def run(name, setup, *lines):
        if shutil.which(name) is None:
            pytest.skip(f"there is no {name} on this machine")
        program = setup + "".join(f"press '{line}'\n" for line in lines)
        command = [name, *{"bash": ["--norc"], "zsh": ["-f"], "fish": ["--no-config"]}[name], "-c", program]
        done = subprocess.run(command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, timeout=100)
        return done.stdout + done.stderr

    return run


LINES = ("fulmen train experiment=stocks network=28_", "python train.py experiment=pbpk_m", "python setup.py exp")


@pytest.mark.slow
def test_bash_completes(shell):
    """Bash replaces what follows the last `=`, so that is all it is given."""
    assert shell("bash", BASH, *LINES).splitlines() == ["28_cnn_lstm", "pbpk_mlp", ""]


@pytest.mark.slow
def test_fish_completes(shell):
    first, second, *_ = shell("fish", FISH, *LINES).splitlines()
    assert (first, second) == ("network=28_cnn_lstm", "experiment=pbpk_mlp")


@pytest.mark.slow
def test_zsh_completes(shell):
    said = shell("zsh", ZSH, *LINES[:2])
    assert "network=28_cnn_lstm" in said
    assert "experiment=pbpk_mlp" in said
