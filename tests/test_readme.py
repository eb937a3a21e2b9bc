"""The README's commands run as they stand there, long ones with tiny settings."""

import json
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from helpers import PBPK

from fulmen.cli import main as fulmen_command
from fulmen.config.check import check_overrides
from fulmen.config.compose import expand
from fulmen.config.overrides import parse
from fulmen.config.schema import project_root
from fulmen.runs.run import run

README = (project_root() / "README.md").read_text()
COMMANDS = [
    re.sub(r"\s+#.*", "", line)
    for block in re.findall(r"```bash\n(.*?)```", README, re.DOTALL)
    for line in block.splitlines()
    if line.strip()
]
TRAININGS = [command for command in COMMANDS if re.match(r"python train\.py .*experiment=", command)]
RESUMES = [command for command in COMMANDS if "resume=" in command]
SWEEP = "python sweep.py experiment=pbpk_mlp search=tpe search.trials=20"
AFTER = [command for command in COMMANDS if command.startswith("fulmen ")]
TINY = [*PBPK, "trainer.max_epochs=1"]
QUICK = {
    "compare": ["trainer.max_epochs=1", "callbacks.summary=null", "model.figures=false"],
    "rank": ["--folds=2", "trainer.max_epochs=1", "data.machines=8"],
}


def test_every_command_is_tried_here():
    others = [command for command in COMMANDS if command not in TRAININGS + RESUMES + AFTER]
    assert others == [
        "make train",
        "make test",
        "python train.py --help",
        SWEEP,
        "tensorboard --logdir outputs",
    ]


def test_make_targets_exist():
    targets = set(re.findall(r"^(\w+):", (project_root() / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"(?:^|`)make (\w+)", README, re.MULTILINE)) <= targets


@pytest.mark.parametrize("command", TRAININGS)
def test_training_commands_pass_the_check(command):
    asked = parse(shlex.split(command)[2:])
    for overrides in expand(asked.overrides) if asked.multirun else [asked.overrides]:
        check_overrides(overrides)


@pytest.mark.slow
@pytest.mark.parametrize("command", [c for c in TRAININGS if re.search("pbpk", c) and not re.search("gpu|ddp| -m ", c)])
def test_training_commands_run(command, tmp_path):
    overrides = [o for o in shlex.split(command)[2:] if not o.startswith("trainer.max_epochs")]
    typed = [*overrides, *TINY, f"output_dir={tmp_path / 'run'}"]
    assert run(check_overrides(typed), typed).status == "completed"


@pytest.mark.slow
def test_search_runs_to_its_total(tmp_path):
    few = [*TINY, "search.trials=3", "search.champion_seeds=1", f"search.folder={tmp_path}", "search.name=study"]
    done = subprocess.run(
        [sys.executable, *shlex.split(SWEEP)[1:], *few], cwd=project_root(), capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert len(list((tmp_path / "study").glob("trial_*"))) == 3


@pytest.mark.slow
def test_multirun_resume_notebook_lines_and_what_comes_after_training(tmp_path, monkeypatch, capsys):
    multirun = next(command for command in TRAININGS if " -m experiment=pbpk" in command)
    arguments = [*shlex.split(multirun)[1:], *TINY, f"hydra.sweep.dir={tmp_path}/outputs/runs"]
    subprocess.run([sys.executable, *arguments], cwd=project_root(), check=True)
    runs = sorted((tmp_path / "outputs" / "runs" / "pbpk_mlp").iterdir())
    assert len(runs) == 3
    for command in RESUMES:
        folder = "outputs/runs/pbpk_gnn/<stamp>"
        typed = [o.replace(folder, str(runs[0])) for o in shlex.split(command)[2:]]
        typed = [re.sub(r"max_epochs=\d+", "max_epochs=2", o) for o in typed]
        result = run(check_overrides(typed), typed)
        assert result.status == "completed"
    assert result.epochs == 2
    monkeypatch.chdir(tmp_path)
    (tmp_path / "outputs" / "runs" / "pbpk_gnn").mkdir()
    shutil.copytree(runs[0], tmp_path / "outputs" / "runs" / "pbpk_gnn" / "<stamp>")
    code = re.search(r"```python\n(.*?)```", README, re.DOTALL)[1]
    exec(compile(code, "README.md", "exec"), {})
    assert (tmp_path / "population.npz").exists()
    for command in AFTER:
        asked = [*shlex.split(command)[1:], *QUICK.get(command.split()[1], ())]
        assert fulmen_command(asked) == 0, command
        assert capsys.readouterr().out
    assert (tmp_path / "concentrations.csv").stat().st_size


def test_table_is_what_the_benchmark_measured():
    results = json.loads((project_root() / "benchmarks" / "results" / "pbpk_accuracy.json").read_text())
    for name, row in results["table"].items():
        assert f"| {name} | {' | '.join(row.values())} |" in README


def test_readme_is_short_and_its_files_exist():
    assert len(README.splitlines()) < 250
    for path in re.findall(r"`((?:src|tests|benchmarks|conf)/[\w/.]+\.\w+)`|python (benchmarks/\w+\.py)", README):
        name = next(filter(None, path))
        assert (project_root() / name).exists(), name
    assert Path(project_root() / "LICENSE").exists()
