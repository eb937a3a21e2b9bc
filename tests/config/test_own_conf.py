"""A project's own conf/ lies on top of fulmen's, and its pyproject says whose classes stored configs may name."""

import itertools
import sys
from pathlib import Path

import pytest
import yaml

from fulmen.config import words
from fulmen.config.allow_list import TargetError, locate, locate_untrusted
from fulmen.config.check import check_overrides, compose, load_config
from fulmen.config.help import experiments_text
from fulmen.config.places import conf_file, conf_folder, own_project
from fulmen.config.schema import choices
from fulmen.errors import FulmenError

NAMES = (f"mylab{number}" for number in itertools.count())
EXPERIMENT = """# @package _global_
# Her own

model:
  _target_: {name}.model.Model
data:
  _target_: {name}.data.Data
trainer:
  max_epochs: 1
"""
CLASSES = """from fulmen import Workload, WorkloadData


class {kind}({base}):
    def __init__(self, width: int = 1):
        super().__init__()
"""


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project in the working directory with a package of a new name: `project.name`."""
    root, name = tmp_path / "project", next(NAMES)
    for kind, base in (("Data", "WorkloadData"), ("Model", "Workload")):
        write(root / name / f"{kind.lower()}.py", CLASSES.format(kind=kind, base=base))
    write(root / "conf" / "experiment" / "hers.yaml", EXPERIMENT.format(name=name))
    monkeypatch.chdir(root)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(words, "_said", set())
    return Project(root, name)


class Project:
    def __init__(self, root, name):
        self.root, self.name = root, name

    def write(self, path, text):
        write(self.root / path, text)

    def names(self, *packages):
        self.write("pyproject.toml", f"[tool.fulmen]\npackages = {list(packages)}\n")


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_an_experiment_of_a_project_is_one_of_all(project):
    assert {"hers", "stocks"} <= set(choices("experiment"))
    assert check_overrides(["experiment=hers"]).model["_target_"] == f"{project.name}.model.Model"
    assert "experiment=hers" in experiments_text()
    assert "Her own" in experiments_text()


@pytest.mark.parametrize("below", ["notebooks", "a/b"])
def test_a_project_is_found_from_its_folders(project, monkeypatch, below):
    (project.root / below).mkdir(parents=True)
    monkeypatch.chdir(project.root / below)
    assert own_project().root == project.root
    assert check_overrides(["experiment=hers"]).data["_target_"] == f"{project.name}.data.Data"


def test_a_name_that_shadows_a_shipped_one_wins_and_says_so_once(project, capsys):
    project.write("conf/experiment/stocks.yaml", EXPERIMENT.format(name=project.name) + "seed: 7\n")
    project.write("conf/trainer/default.yaml", (conf_folder() / "trainer/default.yaml").read_text() + "max_steps: 9\n")
    for _ in range(2):
        cfg = compose(["experiment=stocks"])
    assert (cfg.seed, cfg.trainer.max_steps) == (7, 9)
    assert sorted(capsys.readouterr().err.splitlines()) == [
        "conf/experiment/stocks.yaml of this project is used in place of fulmen's own",
        "conf/trainer/default.yaml of this project is used in place of fulmen's own",
    ]
    assert conf_file("experiment/stocks.yaml") == project.root / "conf/experiment/stocks.yaml"
    assert "Recurrent networks" not in experiments_text()


def test_defaults_of_a_project_win(project, capsys):
    shipped = (conf_folder() / "train.yaml").read_text()
    project.write("conf/train.yaml", shipped.replace("seed: 42", "seed: 3"))
    assert compose(["experiment=hers"]).seed == 3
    assert capsys.readouterr().err == "conf/train.yaml of this project is used in place of fulmen's own\n"


def test_a_copy_of_a_shipped_file_is_no_news(project, capsys):
    project.write("conf/trainer/default.yaml", (conf_folder() / "trainer/default.yaml").read_text())
    compose(["experiment=hers"])
    assert capsys.readouterr().err == ""


def stored(project, folder="run", **changed):
    """A run folder whose config names what `changed` says."""
    plain = yaml.safe_load(EXPERIMENT.format(name=project.name)) | {"experiment": "hers"}
    plain["trainer"]["_target_"] = "lightning.pytorch.Trainer"
    write(Path(folder) / "config.yaml", yaml.safe_dump(plain | changed))
    return Path(folder)


@pytest.mark.parametrize("named", [True, False])
def test_stored_configs_may_name_classes_of_the_projects_package(project, tmp_path, named):
    project.names(project.name) if named else None
    cfg = load_config(stored(project, tmp_path / "run"))
    assert locate(cfg.model["_target_"]).__module__ == f"{project.name}.model"


def test_a_package_that_is_not_named_is_not_trusted(project, tmp_path):
    project.names("another_one")
    hint = rf"no part of a training; if {project.name} is yours, add it to \[tool.fulmen\] packages in pyproject.toml"
    with pytest.raises(FulmenError, match=hint):
        load_config(stored(project, tmp_path / "run"))


def test_an_installed_package_is_trusted_once_it_is_named(project, tmp_path, monkeypatch):
    name = next(NAMES)
    write(tmp_path / "installed" / name / "data.py", CLASSES.format(kind="Data", base="WorkloadData"))
    monkeypatch.syspath_prepend(str(tmp_path / "installed"))
    with pytest.raises(TargetError):
        locate_untrusted(f"{name}.data.Data")
    project.names(project.name, name)
    assert locate_untrusted(f"{name}.data.Data").__module__ == f"{name}.data"


EVIL = "raise SystemExit('a file of a stranger was run')\n"


@pytest.mark.parametrize("place", ["../elsewhere/run", "outputs/runs/hers/1", "evil/run", "evil"])
def test_what_a_run_folder_brings_along_widens_nothing(project, place, monkeypatch):
    """It may lie anywhere, one may stand in it, and it brings a package, a conf/ and a pyproject that names it."""
    folder = stored(project, project.root / place, data={"_target_": "evil.data.Data"})
    for path in ("evil/__init__.py", "evil/data.py", "__init__.py", "data.py"):
        write(folder / path, EVIL)
    write(folder / "pyproject.toml", '[tool.fulmen]\npackages = ["evil"]\n')
    write(folder / "conf" / "experiment" / "evil.yaml", EXPERIMENT.format(name="evil"))
    for standing in (project.root, folder, folder / "evil"):
        monkeypatch.chdir(standing)
        with pytest.raises(FulmenError, match=r"evil\.data\.Data is not allowed in a config from elsewhere"):
            load_config(folder)
        assert "evil" not in choices("experiment")


def test_a_folder_of_another_user_above_ones_own_is_no_project(project, monkeypatch):
    (project.root / "sub").mkdir()
    monkeypatch.chdir(project.root / "sub")
    monkeypatch.setattr("fulmen.config.own_project.owner_of", lambda path: hash(path.name == "sub"))
    assert own_project() is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("packages = 3", ': [tool.fulmen] packages must be a list of names such as ["mylab"], got 3'),
        ("packages = ['os']", ": [tool.fulmen] packages are your own; os is no such package"),
        ("package = ['a']", ": [tool.fulmen] has no key package; it takes packages = [...]"),
        ("packages", " cannot be read: Expected '=' after a key in a key/value pair (at line 2, column 9)"),
    ],
)
def test_a_wrong_pyproject_is_told_in_a_line(project, text, said):
    project.write("pyproject.toml", f"[tool.fulmen]\n{text}\n")
    with pytest.raises(FulmenError) as caught:
        compose(["experiment=hers"])
    assert str(caught.value) == f"pyproject.toml{said}"


@pytest.mark.parametrize(
    ("module", "said"),
    [
        ("import math\n\nimport panda\n", "{name}/data.py, line 3: No module named 'panda'"),
        ("import math\n\ndef f(:\n", "{name}/data.py, line 3: invalid syntax"),
        ("import math\n\nmath.sqrt(-1)\n", "{name}/data.py, line 3: ValueError: math domain error"),
        ("\nfrom {name}.model import Nothing\n", "{name}/data.py, line 2: cannot import name 'Nothing' from"),
        ("import json\n\njson.loads('x')\n", "{name}/data.py, line 3: JSONDecodeError: Expecting value"),
    ],
)
def test_a_module_that_cannot_be_imported_is_told_by_file_and_line(project, module, said):
    project.write(f"{project.name}/data.py", module.replace("{name}", project.name))
    with pytest.raises(FulmenError) as caught:
        check_overrides(["experiment=hers"])
    assert str(caught.value).startswith(f"data: {said.format(name=project.name)}")
    assert "this works" not in str(caught.value)


def test_a_broken_yaml_of_the_project_is_told_by_file_and_line(project):
    project.write("conf/experiment/hers.yaml", "# @package _global_\nseed: 1\n  model: {\n")
    with pytest.raises(FulmenError, match=r"conf/experiment/hers.yaml, line 3: a colon where none can stand"):
        check_overrides(["experiment=hers"])


def test_an_experiment_that_is_a_list_is_told_in_a_line(project):
    project.write("conf/experiment/hers.yaml", "- seed\n- 1\n")
    with pytest.raises(FulmenError) as caught:
        check_overrides(["experiment=hers"])
    assert str(caught.value) == "conf/experiment/hers.yaml: holds a list; write `key: value` in each line"


def test_a_broken_file_beside_the_one_that_is_chosen_is_no_hindrance(project):
    project.write("conf/network/hers/good.yaml", "# @package model\nwidth: 2\n")
    project.write("conf/network/hers/broken.yaml", "a: {\nb")
    project.write("conf/experiment/other.yaml", "")
    (project.root / "conf/experiment/other.yaml").write_bytes(b"# \xff\n")
    defaults = "defaults:\n  - override /network: hers/good\n\nmodel:"
    project.write("conf/experiment/hers.yaml", EXPERIMENT.format(name=project.name).replace("model:", defaults))
    assert check_overrides(["experiment=hers", "network=good"]).model.width == 2
    assert "experiment=other" in experiments_text()
    with pytest.raises(FulmenError, match=r"conf/network/hers/broken.yaml, line 2: a bracket that is opened"):
        check_overrides(["experiment=hers", "network=broken"])


def test_a_package_hidden_by_an_installed_one_is_told(project, tmp_path, monkeypatch):
    write(tmp_path / "installed" / project.name / "__init__.py", "")
    monkeypatch.syspath_prepend(str(tmp_path / "installed"))
    with pytest.raises(FulmenError) as caught:
        check_overrides(["experiment=hers"])
    own, other = project.root / project.name, tmp_path / "installed" / project.name
    assert f"the package in {own} is hidden by {other}, which Python finds first" in str(caught.value)


def test_a_named_package_that_is_not_there_is_told(project):
    project.names("no_such_lab")
    with pytest.raises(FulmenError, match=r"names the package no_such_lab, which is neither in \S+ nor installed"):
        check_overrides(["experiment=hers", "data._target_=no_such_lab.data.Data"])


def test_a_target_of_no_module_names_the_projects_package_first(project):
    with pytest.raises(FulmenError, match=rf"there is no module a; there is {project.name}, fulmen, torch"):
        check_overrides(["experiment=hers", "data._target_=a.B"])


def test_a_value_that_the_file_of_an_experiment_leaves_open_has_to_be_typed(project):
    project.names(project.name)
    project.write("conf/experiment/open.yaml", EXPERIMENT.format(name=project.name).replace("epochs: 1", "epochs: ???"))
    with pytest.raises(
        FulmenError, match=r"trainer.max_epochs: has no value \(\?\?\? in conf/experiment/open.yaml\)"
    ) as e:
        check_overrides(["experiment=open"])
    assert "this works" in str(e.value)
    assert check_overrides(["experiment=open", "trainer.max_epochs=7"]).trainer.max_epochs == 7


@pytest.mark.parametrize("part", ["model", "data", "trainer"])
def test_a_part_that_the_experiment_itself_says_is_not_kept_in_silence(part, project):
    project.names(project.name)
    with pytest.raises(FulmenError, match=f"{part}: a training needs one") as refused:
        check_overrides(["experiment=hers", f"{part}=null"])
    assert f"without: {part}=null" in str(refused.value)


def test_callbacks_that_the_experiment_itself_says_are_switched_off_too(project):
    project.names(project.name)
    told = EXPERIMENT.format(name=project.name) + "callbacks:\n  early_stopping:\n    patience: 3\n"
    project.write("conf/experiment/told.yaml", told)
    assert check_overrides(["experiment=told"]).callbacks.early_stopping.patience == 3
    assert check_overrides(["experiment=told", "callbacks=null"]).callbacks is None
