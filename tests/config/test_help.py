"""`python train.py --help` answers at once, and a call that cannot run says why, before torch is imported."""

import os
import resource
import subprocess
import sys

import pytest

from fulmen.config.comments import first_comment
from fulmen.config.help import help_text
from fulmen.config.schema import choices, groups, project_root, shared_out
from fulmen.entrypoints import before_work, help_for, messages
from fulmen.errors import FulmenError, Interrupted

EXPERIMENTS = choices("experiment")


def python(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        capture_output=True,
        text=True,
        cwd=project_root(),
        env=dict(os.environ),
        timeout=120,
    )


def test_help_names_every_experiment_with_its_comment_and_every_choice():
    text = help_text()
    for name in EXPERIMENTS:
        comment = first_comment(project_root() / "conf" / "experiment" / f"{name}.yaml")
        assert comment
        assert f"experiment={name}" in text
        assert comment in " ".join(text.split())  # long ones stand in two lines
    assert [name for group in groups() for name in choices(group) if name != "none" and name not in text] == []
    networks = [name for owner in shared_out()["network"] for name in choices(f"network/{owner}")]
    assert [name for name in networks if name not in text] == []
    for change in ("trainer.max_epochs=", "seed=", "trainer.accelerator=gpu", "debug=fast_dev_run", "resume=", "-m "):
        assert change in text


def processor_seconds():
    """Of all processes that this one has started and that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def test_help_for_an_experiment_names_what_it_can_choose():
    text = help_for(["experiment=stocks"])
    assert "28_cnn_lstm (chosen)" in text
    assert "resnet9" not in text
    assert "\n  loss=" not in text
    assert "\n  loss=" in help_for(["experiment=images_plain"])


@pytest.mark.slow
def test_help_exits_with_0_leaves_torch_alone_and_costs_less_than_its_import():
    begin = processor_seconds()
    done = python("-X", "importtime", "train.py", "--help")
    between = processor_seconds()
    assert done.returncode == 0
    assert [name for name in EXPERIMENTS if name not in done.stdout] == []
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "hydra" in imported
    assert not imported & {"torch", "lightning", "numpy"}
    python("-c", "import torch")
    assert between - begin < processor_seconds() - between


@pytest.mark.slow
@pytest.mark.parametrize("arguments", [(), ("trainer.max_epochs=3",)])
def test_without_an_experiment_the_experiments_are_listed_and_the_exit_code_is_2(arguments):
    done = python("train.py", *arguments)
    assert done.returncode == 2
    assert done.stderr.startswith("error: no experiment chosen")
    assert [name for name in EXPERIMENTS if f"experiment={name}" not in done.stderr] == []
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_a_mistake_is_a_message_with_exit_code_2_and_leaves_no_folder(tmp_path):
    train = str(project_root() / "train.py")
    done = subprocess.run(
        [sys.executable, train, "experiment=pbpk_gn"], capture_output=True, text=True, cwd=tmp_path, timeout=120
    )
    assert done.returncode == 2
    assert done.stderr.startswith("error: experiment: there is no pbpk_gn; did you mean pbpk_gnn?")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("flag", ["--hydra-help", "--cfg=job", "--info"])
def test_options_of_hydra_are_left_to_hydra(flag):
    argv = ["train.py", flag]
    assert before_work(argv) is None
    assert argv == ["train.py", flag]


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (FulmenError("the cache is locked"), 2, "error: the cache is locked\n"),
        (Interrupted("saved; go on with resume=x", 143), 143, "error: saved; go on with resume=x\n"),
        (KeyboardInterrupt(), 130, "interrupted"),
    ],
)
def test_what_the_user_can_mend_is_a_message_and_an_exit_code(capsys, error, code, said):
    with pytest.raises(SystemExit) as left, messages():
        raise error
    assert left.value.code == code
    assert said in capsys.readouterr().err


def test_a_defect_keeps_its_traceback():
    with pytest.raises(ZeroDivisionError), messages():
        print(1 / 0)
