"""torchrun starts the processes: they are one run in one folder, or one line says what would make them one."""

import json
import subprocess
import sys

import pytest
from omegaconf import OmegaConf

from fulmen.config.schema import project_root
from fulmen.distributed import torchrun
from fulmen.entrypoints import before_search, before_work
from fulmen.errors import FulmenError

pytestmark = pytest.mark.usefixtures("warm_start")

SMALL = ["experiment=pbpk_mlp", "data.compounds=60", "data.validation_compounds=10", "data.test_compounds=10",
         "trainer.max_epochs=1"]  # fmt: skip


@pytest.fixture
def two(monkeypatch):
    """The environment of the first of two processes."""
    for name, value in {"TORCHELASTIC_RUN_ID": "none", "WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2", "RANK": "0"}.items():
        monkeypatch.setenv(name, value)


@pytest.mark.parametrize(
    "trainer",
    [{"strategy": "ddp", "devices": 2}, {"strategy": "ddp", "devices": "2"}, {"strategy": "ddp", "devices": "auto"},
     {"strategy": "fsdp", "devices": -1}],
)  # fmt: skip
def test_a_trainer_that_takes_the_processes_goes_on(two, trainer):
    torchrun.refuse_unless_together(OmegaConf.create(trainer), [])


@pytest.mark.parametrize(
    ("trainer", "nodes", "cure"),
    [({"devices": 1}, 1, "trainer.strategy=ddp trainer.devices=2"),
     ({"devices": 2}, 1, "trainer.strategy=ddp trainer.devices=2"),
     ({"strategy": "ddp", "devices": 3}, 1, "trainer.strategy=ddp trainer.devices=2"),
     ({"strategy": "ddp", "devices": 2}, 2, "trainer.strategy=ddp trainer.devices=2 trainer.num_nodes=2")],
)  # fmt: skip
def test_any_other_trainer_is_refused_with_what_works(two, monkeypatch, trainer, nodes, cure):
    monkeypatch.setenv("GROUP_WORLD_SIZE", str(nodes))
    with pytest.raises(FulmenError) as refused:
        torchrun.refuse_unless_together(OmegaConf.create(trainer), ["experiment=stocks", "trainer.devices=5"])
    assert str(refused.value).startswith(f"torchrun has started {2 * nodes} processes")
    assert str(refused.value).endswith(f"torchrun --nproc-per-node 2 train.py experiment=stocks {cure}")


@pytest.mark.parametrize(
    ("refused", "words"),
    [(lambda: before_work(["train.py", *SMALL]), "each would train by itself"),
     (lambda: before_work(["train.py", "-m", *SMALL]), "without torchrun"),
     (lambda: before_work(["train.py", "experiment=pbpk_mlp", "trainer.max_epoch=3"]), "max_epochs"),
     (lambda: before_search(SMALL), "python sweep.py experiment=pbpk_mlp")],
    ids=["one process each", "multirun", "mistake", "search"],
)  # fmt: skip
def test_what_is_refused_is_said_by_the_first_process_alone(two, monkeypatch, refused, words):
    with pytest.raises(FulmenError, match=words) as first:
        refused()
    monkeypatch.setenv("RANK", "1")
    monkeypatch.setattr(torchrun, "WAIT", 0)
    with pytest.raises(FulmenError, match=words) as second:
        refused()
    assert (first.value.told, second.value.told) == (False, True)


@pytest.mark.slow
@pytest.mark.ddp
def test_two_processes_of_torchrun_leave_one_run_folder(tmp_path):
    (tmp_path / "conf").symlink_to(project_root() / "conf")
    (tmp_path / "train.py").write_text((project_root() / "train.py").read_text())
    two = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "train.py"]
    done = subprocess.run([*two, *SMALL, "trainer=ddp_cpu"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (run,) = (tmp_path / "outputs" / "runs" / "pbpk_mlp").iterdir()
    assert json.loads((run / "result.json").read_text())["status"] == "completed"
    assert done.stdout.count("run folder") == 1
