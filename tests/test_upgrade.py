"""A project outlives a release in which a class has moved and an argument has another name: one line says so."""

import ast
import re
import shutil

import pytest
from installed import Installed, built

from fulmen import migrations
from fulmen.config.schema import project_root

pytestmark = pytest.mark.slow
NETWORKS = "fulmen.workloads.sensors.networks"
MODEL = "fulmen.workloads.sensors.module.SensorClassifier"
OURS = ["src", "conf", "pyproject.toml", "README.md", "LICENSE", "train.py", "sweep.py"]
SMALL = ["data.machines=6", "data.days=6", "data.batch_size=64", "trainer.max_epochs=3", "trainer.accelerator=cpu",
         "logger.tensorboard=null", "callbacks.summary=null", "callbacks.diagnosis=null",
         "model.figures=false"]  # fmt: skip
NAMED = f"""\
  network:
    _target_: {NETWORKS}.tabular.MLP
    width: 8
  threshold: cost
  cost_ratio: 3.0
"""
BEFORE = f"""
from contextlib import suppress
import fulmen
from fulmen.cli import main
from fulmen.config.check import check_overrides
from fulmen.errors import Interrupted
from fulmen.runs.run import run
from fulmen.testing.promises import StopAt

small = ["experiment=plantlab", *{SMALL}]
whole = fulmen.train(*small, "output_dir=outputs/runs/plantlab/whole")
with suppress(Interrupted):
    typed = [*small, "output_dir=outputs/runs/plantlab/cut"]
    run(check_overrides(typed), typed, {{"progress": StopAt(4)}})
whole.data.export("readings.csv")
main(["models", "save", str(whole.folder), "--name", "kept"])
"""


@pytest.fixture(scope="module")
def project(wheel, tmp_path_factory):
    """An environment with a later release, and a project with what the release before has left in it."""
    installed = Installed(tmp_path_factory.mktemp("installed"), wheel)
    assert installed("new", "plantlab", "--workload", "sensors").returncode == 0
    with open(installed.work / "plantlab" / "conf" / "experiment" / "plantlab.yaml", "a") as file:
        file.write(NAMED)  # under `model`, with which the file ends
    made = installed("-c", BEFORE, program="python", folder="plantlab")
    assert made.returncode == 0, made.stderr
    installed.before = installed("predict", "kept", "readings.csv", folder="plantlab").stdout
    assert len(installed.before.splitlines()) > 10
    installed.install(later_release(tmp_path_factory.mktemp("later")))
    return installed


def later_release(place):
    """The wheel of this tree, a class moved and an argument renamed as migrations/ tells to."""
    for name in OURS:
        source = project_root() / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, place / name)
    rooms = place / "src" / "fulmen"
    old = rooms / "workloads" / "sensors" / "networks" / "tabular.py"
    text = old.read_text()
    (moved,) = [ast.get_source_segment(text, node) for node in ast.parse(text).body
                if isinstance(node, ast.ClassDef) and node.name == "MLP"]  # fmt: skip
    head = text[: text.index("\n\n\ndef outputs")]
    old.with_name("mlp.py").write_text(f"{head}\nfrom {NETWORKS}.tabular import TableNet\n\n\n{moved}\n")
    old.write_text(f"{text.replace(moved, '')}\n\nfrom fulmen.migrations.old_imports import forwarding\n\n"
                   "__getattr__ = forwarding(__name__)\n")  # fmt: skip
    for path in (place / "conf").rglob("*.yaml"):
        path.write_text(path.read_text().replace(f"{NETWORKS}.tabular.MLP", f"{NETWORKS}.mlp.MLP"))
    module = rooms / "workloads" / "sensors" / "module.py"
    module.write_text(re.sub(r"(?<!\.)\bcost_ratio\b", "alarms_per_miss", module.read_text()))
    names, arguments = {f"{NETWORKS}.tabular.MLP": f"{NETWORKS}.mlp.MLP"}, {MODEL: {"cost_ratio": "alarms_per_miss"}}
    (rooms / "migrations" / "step_later.py").write_text(
        "from fulmen.migrations.step import Step\n\n"
        f"STEP = Step({migrations.newest() + 1}, 'of a test', names={names}, arguments={arguments})\n"
    )
    steps = rooms / "migrations" / "__init__.py"
    text = re.sub(r"(STEPS: [^)]*STEP),?\s*\)", r"\1, step_later.STEP)", steps.read_text())
    assert "step_later" in text
    steps.write_text(text.replace("import step_1_rooms", "import step_later, step_1_rooms"))
    about = place / "pyproject.toml"
    about.write_text(re.sub(r'^version = ".*"$', 'version = "9.0.0"', about.read_text(), flags=re.MULTILINE))
    return built(place, place / "dist", "--wheel")


def logged(project, run):
    return (project.work / "plantlab" / "outputs" / "runs" / "plantlab" / run / "metrics.csv").read_text()


def deprecations(done):
    return [line for line in done.stderr.splitlines() if re.search(r" is \S+ now\b", line)]


def test_it_trains_as_before_and_one_line_tells_both_new_names(project):
    assert project("-c", "import fulmen; print(fulmen.__version__)", program="python").stdout == "9.0.0\n"
    done = project("train", "experiment=plantlab", *SMALL, "output_dir=outputs/runs/plantlab/again", folder="plantlab")
    assert done.returncode == 0, done.stderr
    (line,) = deprecations(done)
    assert f"model.network._target_: {NETWORKS}.tabular.MLP is {NETWORKS}.mlp.MLP now" in line
    assert "model.cost_ratio is model.alarms_per_miss now" in line
    assert logged(project, "again") == logged(project, "whole")


def test_an_interrupted_run_goes_on_as_if_nothing_had_been(project):
    assert logged(project, "cut") != logged(project, "whole")
    done = project("train", "resume=outputs/runs/plantlab/cut", folder="plantlab")
    assert done.returncode == 0, done.stderr
    assert deprecations(done) == []
    assert logged(project, "cut") == logged(project, "whole")


def test_a_kept_model_predicts_as_before(project):
    done = project("predict", "kept", "readings.csv", folder="plantlab")
    assert done.returncode == 0, done.stderr
    assert deprecations(done) == []
    assert done.stdout == project.before
