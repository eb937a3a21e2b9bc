"""What is stored is led to the names of today by numbered steps, once; what today's code writes no step changes."""

import ast
import re
import sys
from importlib import import_module
from importlib.util import find_spec

import pytest
import yaml
from omegaconf import OmegaConf

import fulmen
from fulmen import migrations
from fulmen.config.allow_list import locate
from fulmen.config.check import check, check_overrides, compose
from fulmen.config.compose import _warn_once, with_names_of_today
from fulmen.config.mistakes import ConfigError
from fulmen.config.schema import choices, project_root
from fulmen.config.stored import as_stored, read_stored
from fulmen.errors import FulmenError, Newer
from fulmen.migrations import migrate, migrate_flat, renamed, renewed, stamped
from fulmen.migrations.bases import bases_in_fulmen
from fulmen.migrations.old_imports import forwarding
from fulmen.migrations.step import Step
from fulmen.registry.bundle import read_config

CONF = sorted((project_root() / "conf").rglob("*.yaml"))
OLD = "fulmen.workloads.sensors.inputs.Inputs"
NEW = "fulmen.workloads.sensors.networks.encoder.Inputs"


@pytest.fixture
def steps(monkeypatch):
    """Two more steps: of a class and its argument, and of a value."""

    def halved(plain):
        return plain | {"data": plain["data"] | {"rate": plain["data"]["rate"] / 2}}

    more = (
        Step(3, "parts are splits", names={"fulmen.a.Old": "fulmen.a.New"},
             arguments={"fulmen.a.New": {"parts": "splits"}}),
        Step(4, "a rate is per half hour", change=halved),
    )  # fmt: skip
    monkeypatch.setattr(migrations, "STEPS", (*migrations.STEPS, *more))


def test_targets_arguments_and_values_are_led_on_wherever_they_stand_and_what_was_read_stays(steps):
    node = {"_target_": "fulmen.a.Old", "parts": [{"_target_": OLD}], "rate": 4}
    before = {"data": node, "parts": 1}
    now = migrate(before, "config.yaml")
    assert now == {"data": {"_target_": "fulmen.a.New", "splits": [{"_target_": NEW}], "rate": 2}, "parts": 1}
    assert before["data"]["_target_"] == "fulmen.a.Old"


@pytest.mark.parametrize(("number", "rate"), [(0, 2), (3, 2), (4, 4)])
def test_a_step_is_for_files_of_earlier_formats_alone(steps, number, rate):
    assert migrate({"format": number, "data": {"rate": 4}}, "config.yaml") == {"data": {"rate": rate}}


def test_a_flat_config_is_led_on_as_a_nested_one(steps):
    flat = {"data._target_": "fulmen.a.Old", "data.parts": 3, "data.rate": 4, "objectives": {"val/loss": "min"},
            "data.parts.0": "beside", "model.lr=0.5": "typed"}  # fmt: skip
    now = {"data._target_": "fulmen.a.New", "data.splits": 3, "data.rate": 2, "objectives": {"val/loss": "min"},
           "data.parts.0": "beside", "model.lr=0.5": "typed"}  # fmt: skip
    assert migrate_flat(flat, 0) == now
    assert migrate_flat(now, 4) == now


def test_what_a_later_release_wrote_is_refused_in_a_line(tmp_path):
    later = migrations.newest() + 1
    (tmp_path / "config.yaml").write_text(f"format: {later}\nmodel: {{}}\n")
    with pytest.raises(Newer, match=f"config.yaml has format {later}, this fulmen reads up to {later - 1}; update"):
        fulmen.load_run(tmp_path)


def test_what_is_older_than_the_first_step_names_the_release_that_reads_it(monkeypatch):
    monkeypatch.setattr(migrations, "STEPS", (Step(5, "the oldest that is left"),))
    monkeypatch.setattr(migrations, "LAST_READERS", {0: "0.4"})
    with pytest.raises(FulmenError, match=r"config.yaml has format 0, older than this fulmen reads; fulmen 0.4 reads"):
        migrate({}, "config.yaml")


@pytest.mark.parametrize("wrong", [-1, "new", 1.0, True, None])
def test_a_format_that_is_no_number_is_refused(wrong):
    with pytest.raises(FulmenError, match=r"config.yaml: format must be a whole number"):
        migrate({"format": wrong}, "config.yaml")


def test_numbers_of_steps_follow_each_other():
    numbers = [step.number for step in migrations.STEPS]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))


@pytest.mark.parametrize("path", CONF, ids=[path.relative_to(project_root() / "conf").as_posix() for path in CONF])
def test_no_step_changes_a_file_in_conf(path):
    plain = yaml.safe_load(path.read_text())
    assert renewed(plain) == (plain, [])


def test_no_step_changes_a_name_that_a_module_of_today_defines():
    moved = {f"fulmen.{old}" for step in migrations.STEPS for old in step.modules}
    for path in (project_root() / "src" / "fulmen").rglob("*.py"):
        module = ".".join(path.relative_to(project_root() / "src").with_suffix("").parts).removesuffix(".__init__")
        if module in moved:  # the package of today is called as a module was
            kinds = ast.ClassDef | ast.FunctionDef
            names = [node.name for node in ast.parse(path.read_text()).body if isinstance(node, kinds)]
            assert [name for name in names if not name.startswith("_")] == [], module  # no config names private ones


@pytest.mark.parametrize("experiment", choices("experiment"))
def test_what_a_run_stores_today_is_read_back_equal_and_numbered(experiment, tmp_path):
    cfg = compose([f"experiment={experiment}"], output_dir=tmp_path)
    (tmp_path / "config.yaml").write_text(as_stored(cfg))
    assert yaml.safe_load((tmp_path / "config.yaml").read_text())["format"] == migrations.newest()
    assert read_stored(tmp_path) == OmegaConf.to_container(cfg)
    plain = OmegaConf.to_container(cfg)
    assert migrate(stamped(plain), "") == plain


def test_a_deprecated_name_that_is_typed_works_and_is_told_once():
    _warn_once.cache_clear()
    typed = ["experiment=sensors", f"model.network.inputs._target_={OLD}"]
    with pytest.warns(UserWarning, match=rf"^model\.network\.inputs\._target_: {OLD} is {NEW} now$") as caught:
        cfg, _ = check_overrides(typed), check_overrides(typed)
    assert cfg.model.network.inputs["_target_"] == NEW
    assert len(caught) == 1


def test_a_deprecated_name_in_a_yaml_of_ones_own_works_and_is_told(tmp_path):
    _warn_once.cache_clear()
    (tmp_path / "scheduler").mkdir()
    (tmp_path / "scheduler" / "mine.yaml").write_text(
        "# @package model.scheduler\n_target_: fulmen.schedules.cosine\n_partial_: true\nwarmup: 0.1\n"
    )
    with pytest.warns(UserWarning, match=r"fulmen\.schedules\.cosine is fulmen\.optim\.schedulers\.cosine now"):
        cfg = check_overrides([f"hydra.searchpath=[file://{tmp_path}]", "experiment=pbpk_mlp", "scheduler=mine"])
    assert cfg.model.scheduler["_target_"] == "fulmen.optim.schedulers.cosine"


def test_a_renamed_argument_that_is_typed_wins_over_what_a_file_says_of_the_new_one(steps):
    plain = {"data": {"_target_": "fulmen.a.New", "splits": 5, "parts": 3}}
    assert renewed(plain) == ({"data": {"_target_": "fulmen.a.New", "splits": 3}}, ["data.parts is data.splits now"])


PROJECT = """
import torch
import fulmen.a as a
from fulmen.a import Old
from .more import Further
class Mine(Old): pass
class ByModule(a.New): pass
class Through(Mine): pass
class Handing(Further):
    def __init__(self, own, **others): super().__init__(**others)
class Naming(Old):
    def __init__(self, parts): super().__init__(parts)
class Other(torch.nn.Module): pass
"""


@pytest.mark.parametrize(
    ("name", "argument"),
    [("Mine", "splits"), ("ByModule", "splits"), ("Through", "splits"), ("Handing", "splits"), ("Naming", "parts"),
     ("Other", "parts"), ("Missing", "parts")],
)  # fmt: skip
def test_a_class_of_ones_own_takes_the_new_arguments_of_the_class_it_is_made_from(
    name, argument, steps, tmp_path, monkeypatch
):
    package = tmp_path / "their_own_lab"
    package.mkdir()
    (package / "__init__.py").write_text("raise RuntimeError('imported')")
    (package / "module.py").write_text(PROJECT)
    (package / "more.py").write_text("from fulmen import a\nclass Further(a.Old): pass\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    bases_in_fulmen.cache_clear()
    node = {"_target_": f"their_own_lab.module.{name}", "parts": 3}
    now, said = renewed({"data": node})
    assert now == {"data": {"_target_": node["_target_"], argument: 3}}
    assert said == (["data.parts is data.splits now"] if argument == "splits" else [])
    assert migrate({"data": node | {"rate": 2}}, "config.yaml")["data"][argument] == 3


def test_what_a_project_has_stored_is_led_on_where_nothing_of_it_was_imported(steps, tmp_path, monkeypatch):
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "faraway"\n\n[tool.fulmen]\npackages = ["faraway"]\n')
    for folder in ("faraway", "conf/experiment", "run"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "faraway" / "module.py").write_text("from fulmen.a import Old\nclass Mine(Old): pass\n")
    stored = b"model: {_target_: faraway.module.Mine, parts: 3}\ndata: {rate: 4}\noutput_dir: there\n"
    (tmp_path / "run" / "config.yaml").write_bytes(stored)
    monkeypatch.chdir(tmp_path)
    for read in (lambda: read_config(stored, "config.yaml"), lambda: read_stored(tmp_path / "run")):
        bases_in_fulmen.cache_clear()
        monkeypatch.setattr("sys.path", [place for place in sys.path if place != str(tmp_path)])
        assert read()["model"] == {"_target_": "faraway.module.Mine", "splits": 3}


def test_a_moved_class_and_a_renamed_argument_are_told_in_one_line(steps):
    _warn_once.cache_clear()
    both = r"^data\._target_: fulmen\.a\.Old is fulmen\.a\.New now; data\.parts is data\.splits now$"
    with pytest.warns(UserWarning, match=both) as caught:
        with_names_of_today({"data": {"_target_": "fulmen.a.Old", "parts": 3}})
    assert len(caught) == 1


def test_a_module_that_a_class_has_left_still_gives_it_with_a_line(monkeypatch):
    step = Step(3, "a class moved", names={"fulmen.utils.plain.Text": "fulmen.errors.FulmenError"})
    monkeypatch.setattr(migrations, "STEPS", (*migrations.STEPS, step))
    monkeypatch.setattr("fulmen.utils.plain.__getattr__", forwarding("fulmen.utils.plain"), raising=False)
    with pytest.warns(UserWarning, match=r"^fulmen\.utils\.plain\.Text is fulmen\.errors\.FulmenError now$"):
        from fulmen.utils.plain import Text
    assert Text is FulmenError
    with pytest.raises(ImportError, match="cannot import name 'Nothing'"):
        from fulmen.utils.plain import Nothing  # noqa: F401


def test_what_every_moved_class_was_called_can_still_be_imported():
    for step in migrations.STEPS:
        for old, new in step.names.items():
            module, _, name = old.rpartition(".")
            with pytest.warns(UserWarning, match=re.escape(f"{old} is ")):
                assert getattr(import_module(module), name) is locate(renamed(new))


def test_a_config_made_in_python_with_a_deprecated_name_is_told_the_new_one():
    cfg = compose(["experiment=sensors"])
    cfg.model.network.inputs["_target_"] = OLD
    with pytest.raises(ConfigError, match=f"{OLD} is {NEW} now"):
        check(cfg)


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("import fulmen.run", "fulmen.run is fulmen.runs.run now"),
        ("from fulmen.diagnosis.logs import read_log", "fulmen.diagnosis.logs is fulmen.io.logs.read now"),
        ("from fulmen import run", "fulmen.run is fulmen.runs.run now"),
        ("import fulmen.sweep.study",
         "fulmen.sweep is gone; what it held is in fulmen.comparison, fulmen.runs, fulmen.search now"),
        ("from fulmen.config import check_overrides",
         "fulmen.config.check_overrides is fulmen.config.check.check_overrides now"),
        (f"from {OLD.rpartition('.')[0]} import Inputs", f"{OLD.rpartition('.')[0]} is {NEW.rpartition('.')[0]} now"),
        ("from fulmen.config import nothing", "cannot import name 'nothing' from 'fulmen.config'"),
        ("import fulmen.nothing", "No module named 'fulmen.nothing'"),
    ],
)  # fmt: skip
def test_an_import_of_before_says_where_that_lies_now(statement, said):
    with pytest.raises(ImportError) as caught:
        exec(statement)
    assert str(caught.value).startswith(said)


def test_every_new_name_of_a_module_is_one():
    modules = [f"fulmen.{new}" for step in migrations.STEPS for new in step.modules.values()]
    assert [renamed(f"{module}.it") for module in modules] == [f"{module}.it" for module in modules]
    assert [module for module in modules if find_spec(module) is None] == []
