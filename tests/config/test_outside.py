"""A run folder from anywhere opens no database and no address, and writes nowhere but into itself, unless asked to."""

import shutil
import sqlite3
import sys
from pathlib import Path

import pytest
import torch
import yaml
from omegaconf import OmegaConf

import fulmen
from fulmen.cli import main as command
from fulmen.config.check import check_overrides, load_config
from fulmen.config.mistakes import ConfigError
from fulmen.config.outside import named_outside, resume_command
from fulmen.config.stored import read_stored
from fulmen.entrypoints import before_work
from fulmen.errors import FulmenError
from fulmen.registry.bundle import check_model
from fulmen.runs.run import run
from fulmen.search.checks import unsaid_storage
from fulmen.search.settings import Plan, Search, read_plan

FROZEN = {path.name: path for path in Path(__file__).parents[1].glob("frozen/4332109/runs/*")}


def node(target, **arguments):
    return {"_target_": target, **arguments}


# what a stranger's config may try -> where, with what; {home} is a folder outside the run
HOSTILE = {
    "a database": ("data.database", "sqlite:///{home}/x.db"),
    "a query": ("data.query", "ATTACH '{home}/x.py' AS x"),
    "a database of the environment": ("data.database", "$DATABASE"),
    "a download": ("data.download", ["NVDA"]),
    "images from an address": ("data.cifar10", True),
    "a cache elsewhere": ("data.cache", "{home}"),
    "a relative cache": ("data.cache", "elsewhere"),
    "checkpoints elsewhere": ("callbacks.best.dirpath", "{home}"),
    "checkpoints above": ("callbacks.best.filename", "../../best"),
    "a checkpoint of an absolute name": ("callbacks.best.filename", "{home}/best"),
    "last.ckpt elsewhere": ("callbacks.exact_resume.folder", "{home}"),
    "last.ckpt one above": ("callbacks.exact_resume.folder", "{run}/../x"),
    "events elsewhere": ("logger.tensorboard.folder", "{home}"),
    "rows elsewhere": ("logger.csv.folder", "{home}"),
    "another logger": ("logger.more", node("lightning.pytorch.loggers.CSVLogger", save_dir="{home}")),
    "a logger's name": ("logger.more", node("lightning.pytorch.loggers.CSVLogger", save_dir="{run}", name="../../x")),
    "a server": ("logger.more", node("lightning.pytorch.loggers.MLFlowLogger", tracking_uri="http://127.0.0.1:1")),
    "a server without an argument": ("logger.more", node("lightning.pytorch.loggers.WandbLogger")),
    "a server by its module": ("logger.more", node("lightning.pytorch.loggers.mlflow.MLFlowLogger")),
    "a profiler": ("trainer.profiler", node("lightning.pytorch.profilers.SimpleProfiler", dirpath="{home}")),
    "a profiler's file": ("trainer.profiler", node("lightning.pytorch.profilers.SimpleProfiler", filename="../x")),
    "a folder of the trainer": ("trainer.default_root_dir", "{home}"),
    "a node in a list": ("trainer.plugins", [node("lightning.pytorch.profilers.SimpleProfiler", dirpath="{home}")]),
    "an offload": ("trainer.strategy", node("lightning.pytorch.strategies.DeepSpeedStrategy", nvme_path="{home}")),
    "a study": ("callbacks.pruning", node("fulmen.search.pruning.Pruning", study="{home}", trial=0, monitor="x")),
    "a checkpoint on errors": (
        "callbacks.more", node("lightning.pytorch.callbacks.OnExceptionCheckpoint", dirpath="{home}"),
    ),
    "a home folder": ("callbacks.best.filename", "~/best"),
    "an address in any argument": ("model.network.name", "https://127.0.0.1:1/x"),
}  # fmt: skip
FUNCTIONS = {
    "a download by our function": node(
        "fulmen.workloads.stocks.yahoo.download", ticker="X", start="2020-01-01", end="2020-01-02", folder="x"
    ),
    "a query by our function": node(
        "fulmen.workloads.sensors.io.database.snapshot",
        database="sqlite:///x.db",
        query="SELECT 1",
        which=None,
        folder="x",
    ),
    "a figure by our function": node("fulmen.workloads.images.figures.confusions", path="x"),
    "a language model": node("torch_geometric.nn.nlp.SentenceTransformer", model_name="x"),
}


def filled(value, **names):
    if isinstance(value, dict):
        return {key: filled(item, **names) for key, item in value.items()}
    if isinstance(value, list):
        return [filled(item, **names) for item in value]
    return value.format(**names) if isinstance(value, str) else value


def spoiled(folder, path, value):
    cfg = OmegaConf.create(yaml.safe_load((folder / "config.yaml").read_text()))
    OmegaConf.update(cfg, path, value, force_add=True)
    (folder / "config.yaml").write_text(OmegaConf.to_yaml(cfg))


@pytest.fixture
def stranger(tmp_path):
    """A run folder as it arrives from elsewhere."""
    return shutil.copytree(FROZEN["pbpk"], tmp_path / "run")


@pytest.mark.parametrize("attempt", HOSTILE)
def test_what_a_stored_config_names_outside_is_refused_before_anything_is_imported(attempt, stranger, tmp_path):
    path, value = HOSTILE[attempt]
    home = tmp_path / "home"
    value = filled(value, home=home, run=stranger)
    spoiled(stranger, path, value)
    loaded, before = set(sys.modules), sorted(tmp_path.rglob("*"))
    with pytest.raises(ConfigError, match="type it again if that is meant") as refused:
        check_overrides([f"resume={stranger}"])
    assert [mistake for mistake in refused.value.mistakes if mistake.path.startswith(path)], refused.value.mistakes
    with pytest.raises(ConfigError, match="type it again"):
        load_config(stranger, [])
    assert [name for name in set(sys.modules) - loaded if name.startswith("lightning.pytorch.loggers.")] == []
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("attempt", FUNCTIONS)
def test_no_function_that_reaches_outside_is_called_from_a_stored_config(attempt, stranger):
    spoiled(stranger, "callbacks.more", FUNCTIONS[attempt])
    with pytest.raises(ConfigError):
        check_overrides([f"resume={stranger}"])
    with pytest.raises(ConfigError):
        fulmen.load_run(stranger)


DATA = [*((name, "a cache elsewhere") for name in sorted(FROZEN)), ("sensors", "a database"), ("sensors", "a query"),
        ("stocks", "a download"), ("images", "images from an address")]  # fmt: skip


@pytest.mark.parametrize(("name", "attempt"), DATA)
def test_a_loaded_run_builds_no_such_data(name, attempt, tmp_path):
    stranger = shutil.copytree(FROZEN[name], tmp_path / "run")
    path, value = HOSTILE[attempt]
    spoiled(stranger, path, filled(value, home=tmp_path / "home"))
    loaded = fulmen.load_run(stranger)
    assert loaded.result["status"] == "completed"
    assert loaded.model
    with pytest.raises(ConfigError, match="type it again"):
        _ = loaded.data
    assert command(["models", "save", str(stranger), "--name", "x"]) == 2
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize("attempt", ["an address in any argument", "a cache elsewhere", "a database"])
def test_a_kept_model_names_nothing_outside(attempt, tmp_path):
    model = OmegaConf.to_container(OmegaConf.load(FROZEN["pbpk"] / "config.yaml"))["model"]
    check_model(model)
    name = HOSTILE[attempt][0].rpartition(".")[2]
    with pytest.raises(ConfigError):
        check_model(model | {"network": model["network"] | {name: filled(HOSTILE[attempt][1], home=tmp_path)}})


@pytest.mark.parametrize("name", FROZEN)
def test_folders_of_ordinary_runs_name_nothing_outside(name):
    assert list(named_outside(read_stored(FROZEN[name]), FROZEN[name])) == []


def test_the_same_value_typed_again_is_consent_and_another_is_not(tmp_path):
    stranger = shutil.copytree(FROZEN["stocks"], tmp_path / "run")
    spoiled(stranger, "data.cache", str(tmp_path / "cache"))
    with pytest.raises(ConfigError) as refused:
        check_overrides([f"resume={stranger}"])
    assert f"this works: python train.py resume={stranger} data.cache={tmp_path}/cache" in str(refused.value)
    assert refused.value.overrides == [f"resume={stranger}", f"data.cache={tmp_path}/cache"]
    cfg = check_overrides(refused.value.overrides)
    assert cfg.data.cache == str(tmp_path / "cache")
    result = run(cfg, refused.value.overrides)
    assert result.status == "completed"
    assert (tmp_path / "cache").is_dir()
    with pytest.raises(FulmenError, match="a resumed run keeps its data"):
        check_overrides([f"resume={stranger}", f"data.cache={tmp_path}/other"])
    assert fulmen.load_run(stranger, [f"data.cache={tmp_path}/cache"]).data
    with pytest.raises(ConfigError):
        _ = fulmen.load_run(stranger, [f"data.cache={tmp_path}/other"]).data


def test_a_query_that_would_write_a_file_python_reads_is_not_asked(tmp_path, monkeypatch):
    """The whole way: a folder of sensors whose query attaches a file; resuming and loading it leave nothing."""
    stranger = shutil.copytree(FROZEN["sensors"], tmp_path / "run")
    target = tmp_path / "sitecustomize.py"
    sqlite3.connect(tmp_path / "plant.db").close()
    spoiled(stranger, "data.csv", None)
    spoiled(stranger, "data.database", f"sqlite:///{tmp_path}/plant.db")
    spoiled(stranger, "data.query", f"ATTACH DATABASE '{target}' AS x")
    for attempt in (
        lambda: run(check_overrides([f"resume={stranger}"]), [f"resume={stranger}"]),
        lambda: fulmen.load_run(stranger).data,
        lambda: before_work(["train.py", f"resume={stranger}"]),
        lambda: before_work(["train.py", f"resume={stranger}", f"data.database=sqlite:///{tmp_path}/plant.db"]),
    ):
        with pytest.raises(FulmenError, match=r"data\.query"):
            attempt()
    assert not target.exists()
    printed = resume_command(stranger)
    assert f"data.database=sqlite:///{tmp_path}/plant.db" in printed


def test_repeated_runs_ask_for_each_of_their_configs(stranger, tmp_path):
    child = shutil.copytree(stranger, stranger / "seed_3")
    spoiled(stranger, "seeds", 2)
    shutil.copytree(child, stranger / "seed_4")
    (stranger / "seed_4" / "result.json").unlink()
    spoiled(stranger / "seed_4", "callbacks.best.dirpath", str(tmp_path / "home"))
    typed = [f"resume={stranger}"]
    with pytest.raises(FulmenError, match=r"callbacks\.best\.dirpath"):
        run(check_overrides(typed), typed)
    assert not (tmp_path / "home").exists()


def test_a_study_to_start_from_opens_no_database_that_was_not_typed(tmp_path):
    address = f"sqlite:///{tmp_path}/x.db"
    Plan(Search(storage=address), ("experiment=pbpk_mlp",), tmp_path / "study", "s").write()
    plan = Plan(Search(warm_start=str(tmp_path / "study")), ("experiment=pbpk_mlp",), tmp_path / "new", "new")
    mistake = next(unsaid_storage(plan))
    assert address in str(mistake)
    assert mistake.mend(["experiment=pbpk_mlp"])[-1] == f"search.storage={address}"
    again = Plan(Search(warm_start=str(tmp_path / "study"), storage=address), (), tmp_path / "new", "new")
    assert list(unsaid_storage(again)) == []
    assert not (tmp_path / "x.db").exists()


@pytest.mark.parametrize("content", ["[]", "{}", '{"search": 1}', '{"search": {"x": 1}}', "[" * 100_000, "{"])
def test_a_plan_that_is_none_is_one_line(content, tmp_path):
    (tmp_path / "search.json").write_text(content)
    with pytest.raises(FulmenError, match="no study in"):
        read_plan(tmp_path)


@pytest.mark.parametrize("path", ["{folder}/../../victim.ckpt", "memory://victim.ckpt"])
@pytest.mark.parametrize("key", ["kth_best_model_path", "best_k_models"])
def test_a_checkpoint_that_leads_out_of_its_folder_deletes_nothing(key, path, tmp_path):
    stranger = shutil.copytree(FROZEN["stocks"], tmp_path / "run")
    victim, last = tmp_path / "victim.ckpt", stranger / "checkpoints" / "last.ckpt"
    victim.touch()
    checkpoint = torch.load(last, weights_only=True)
    state = next(state for name, state in checkpoint["callbacks"].items() if name.startswith("ModelCheckpoint"))
    outside = path.format(folder=state["dirpath"])
    state[key] = {outside: torch.tensor(1e9)} if key == "best_k_models" else outside
    torch.save(checkpoint, last)
    typed = [f"resume={stranger}", "trainer.max_epochs=5"]
    with pytest.raises(FulmenError, match="leads out of the run folder"):
        run(check_overrides(typed), typed)
    assert victim.exists()
