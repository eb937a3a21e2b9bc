"""Modules moved into rooms: run folders, kept models and searches of before load, and a search goes on."""

import shutil
import zipfile
from pathlib import Path

import pytest
import yaml

import fulmen
from fulmen.config.allow_list import TargetError, locate, locate_untrusted
from fulmen.migrations import migrate, renamed
from fulmen.migrations.step_1_rooms import MOVED
from fulmen.registry.bundle import targets

FROZEN = Path(__file__).parents[1] / "frozen"
CONFIGS = sorted(FROZEN.rglob("config.yaml"))
NAMES = [path.parent.relative_to(FROZEN).as_posix() for path in CONFIGS]
ALLOWED = ("callbacks.", "data.", "loggers", "schedules", "workloads.")  # before, in a config from elsewhere
SEARCH = [
    "experiment=pbpk_mlp", "search=random", "search.name=begun", "search.champion_seeds=0", "search.space=null",
    "search.keep_checkpoints=1", "search.space.model.optimizer.lr={low: 0.001, high: 0.01}",
    "data.compounds=30", "data.validation_compounds=6", "data.test_compounds=6", "data.batch_size=6",
    "model.network.hidden=8", "model.network.layers=1", "trainer.max_epochs=2", "trainer.limit_train_batches=2",
    "trainer.accelerator=cpu", "trainer.precision=32-true", "callbacks.early_stopping=null", "threads=1",
    # as its trials; see steps 2 and 3
    "data.reduced=runge_kutta", "model.reduced=runge_kutta", "model.trusted=false", "model.within_dose=false",
]  # fmt: skip


@pytest.fixture
def begun(tmp_path, monkeypatch):
    """A copy of the search below the working directory."""
    shutil.copytree(FROZEN / "67edd40" / "searches", tmp_path / "outputs" / "sweeps")
    monkeypatch.chdir(tmp_path)
    return tmp_path / "outputs" / "sweeps" / "begun"


@pytest.mark.parametrize("path", CONFIGS, ids=NAMES)
def test_every_target_of_before_leads_to_a_part_of_a_training(path):
    before = yaml.safe_load(path.read_text())
    gone = [target for _, target in targets(before, "") if not exists(target)]
    assert gone, "nothing in this file has moved: it tells nothing"
    for _, target in targets(migrate(before, path), ""):
        locate_untrusted(target)


def exists(target):
    try:
        return bool(locate(target))
    except TargetError:
        return False


@pytest.mark.parametrize("old", [old for old in MOVED if old.startswith(ALLOWED)])
def test_what_a_config_from_elsewhere_could_name_it_still_can(old):
    module = renamed(f"fulmen.{old}.it").removesuffix(".it")
    classes = [name for name, found in vars(__import__(module, fromlist=["it"])).items()
               if isinstance(found, type) and found.__module__ == module and not name.startswith("_")]  # fmt: skip
    for name in classes:
        locate_untrusted(renamed(f"fulmen.{old}.{name}"))


@pytest.mark.parametrize("path", sorted(FROZEN.rglob("*.ckpt")), ids=lambda path: path.relative_to(FROZEN).as_posix())
def test_checkpoints_hold_no_names_to_lead_on(path):
    with zipfile.ZipFile(path) as file:
        (pickled,) = [name for name in file.namelist() if name.endswith("data.pkl")]
        assert b"fulmen" not in file.read(pickled)


def test_a_trial_of_before_loads(begun):
    run = fulmen.load_run(begun / "trial_0001")
    assert run.config.callbacks.pruning["_target_"] == "fulmen.search.pruning.Pruning"
    assert sum(parameter.numel() for parameter in run.model.parameters()) == run.result["cost"]["parameters"]


@pytest.mark.slow
def test_a_search_that_was_begun_before_goes_on(begun):
    from fulmen.entrypoints import before_search
    from fulmen.search.controller import run_searches
    from fulmen.search.opening import open_study

    before = [trial.params for trial in open_study(begun)[1].trials]
    (study,) = run_searches(before_search([*SEARCH, "search.trials=3"]))
    assert [trial.params for trial in study.trials][:2] == before
    assert [trial.state.name for trial in study.trials] == ["COMPLETE"] * 3
    assert study.optuna.user_attrs["fulmen"]["data._target_"] == "fulmen.workloads.pbpk.data.PBPKData"
