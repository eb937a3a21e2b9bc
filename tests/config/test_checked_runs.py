"""The runs of a multirun start as they were composed and checked, by a plugin and without a change to Hydra."""

import sys

import hydra
import pytest
from hydra.core.global_hydra import GlobalHydra
from hydra.core.plugins import Plugins
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf import OmegaConf

from fulmen.config.check import check_overrides
from fulmen.config.compose import expand
from fulmen.config.multirun import MULTIRUN, expanded, hand_over, take_checked
from fulmen.config.overrides import hydra_on_conf
from fulmen.config.schema import project_root
from fulmen.entrypoints import check_runs
from fulmen.errors import FulmenError


def test_a_multirun_starts_with_what_hydra_would_compose_again():
    raw = check_runs(expand(["experiment=pbpk_mlp", "seed=1,2"]))
    hand_over(raw)
    assert len(raw) == 2
    with hydra_on_conf():
        loader = GlobalHydra.instance().config_loader()
        master = loader.load_configuration("train", [MULTIRUN], RunMode.MULTIRUN)
        for run in map(list, raw):
            theirs, ours = loader.load_sweep_config(master, run), take_checked(run, master)
            assert OmegaConf.to_container(ours, resolve=False) == OmegaConf.to_container(theirs, resolve=False)
            assert take_checked(run, master) is None, "a run starts once"
        hand_over(raw)
        own = loader.load_configuration("train", [MULTIRUN, "hydra.sweep.dir=elsewhere"], RunMode.MULTIRUN)
        assert take_checked(run, own) is None, "what is said to Hydra itself was not composed before"


def test_the_runs_are_all_combinations_and_what_is_said_last_counts():
    with hydra_on_conf():
        loader = GlobalHydra.instance().config_loader()
        runs = expanded(["a=1", "b=1,2", "a=choice(3,4)", "~c", "d=x"], loader)
        assert runs == [[f"a={a}", f"b={b}", "~c=null", "d=x"] for a in (3, 4) for b in (1, 2)]
        with pytest.raises(HydraException, match="a: an interval has no end"):
            expanded(["a=interval(0,1)"], loader)


def classes_of_hydra():
    Plugins.instance()  # reads the modules of plugins anew, once
    modules = [module for name, module in list(sys.modules.items()) if name.split(".")[0] == "hydra"]
    found = {value for module in modules for value in vars(module).values() if isinstance(value, type)}
    return {each: dict(vars(each)) for each in found if each.__module__.split(".")[0] == "hydra"}


def test_a_multirun_leaves_every_class_of_hydra_as_it_was(tmp_path, monkeypatch):
    typed = ["experiment=synthetic_mlp", "++seed=1,2"]
    monkeypatch.setattr(sys, "argv", ["train.py", "-m", *typed])
    monkeypatch.setattr("atexit.register", lambda show: None)  # the table after a multirun
    monkeypatch.chdir(tmp_path)
    before = classes_of_hydra()
    assert len(before) > 30
    hand_over(check_runs(expand(["experiment=synthetic_mlp", "seed=1,2"])))
    seen = []
    hydra.main(version_base="1.3", config_path=str(project_root() / "conf"), config_name="train")(seen.append)()
    GlobalHydra.instance().clear()
    assert [cfg.seed for cfg in seen] == [1, 2]
    assert [each for each, was in before.items() if dict(vars(each)) != was] == []


@pytest.mark.parametrize(
    ("typed", "works"),
    [
        (["experiment=pbpk_mlp", "seed=1,two,3"], ["  without: seed=two", "-m experiment=pbpk_mlp seed=1,3"]),
        (["experiment=stocks,pbpk_gn", "seed=1"], ["-m experiment=stocks,pbpk_gnn seed=1"]),
        (["experiment=pbpk_mlp", "model.optimizer.lrr=0.1,0.2"], ["-m experiment=pbpk_mlp model.optimizer.lr=0.1,0.2"]),
        (["experiment=pbpk_mlp", "seed=1,2", "trainer.max_epoch=3"],
         ["-m experiment=pbpk_mlp seed=1,2 trainer.max_epochs=3"]),
        (["experiment=pbpk_mlp", "seed=one,two"], ["  without: seed=one", "-m experiment=pbpk_mlp seed=42"]),
    ],
)  # fmt: skip
def test_the_command_that_works_is_a_multirun_of_what_was_right(typed, works):
    with pytest.raises(FulmenError) as refused:
        check_runs(expand(typed), typed)
    lines = [line.removeprefix("  this works: python train.py ") for line in str(refused.value).splitlines()]
    assert [line for line in lines if line.startswith(("-m", "  without"))] == works


def test_several_values_without_m_are_answered_with_all_of_them():
    typed = ["experiment=pbpk_mlp", "seed=1,2"]
    with pytest.raises(FulmenError, match=r"this runs them all: python train\.py -m experiment=pbpk_mlp seed=1,2"):
        check_overrides(typed)
