"""Every mistake in a config is found before work starts, named, and answered with a command that works."""

import shlex
from pathlib import Path

import pytest
import yaml
from omegaconf import OmegaConf

from fulmen.config import compose as composing
from fulmen.config.allow_list import TargetError, locate_untrusted
from fulmen.config.check import build, check, check_overrides, compose, load_config
from fulmen.config.compose import expand
from fulmen.config.mistakes import ConfigError, as_text, nearest
from fulmen.config.overrides import explicit
from fulmen.config.schema import choices
from fulmen.config.signatures import fits
from fulmen.config.stored import as_stored
from fulmen.distributed.devices import takes_several_processes
from fulmen.entrypoints import before_work
from fulmen.errors import FulmenError


@pytest.fixture
def experiment(tmp_path):
    """Writes a toy experiment, with `callbacks.toy` as given, and returns the overrides that choose it."""

    def write(name: str = "toy", **changes) -> list[str]:
        content = {
            "data": {"_target_": "lightning.pytorch.demos.boring_classes.BoringDataModule"},
            "model": {"_target_": "lightning.pytorch.demos.boring_classes.BoringModel"},
            "callbacks": {"early_stopping": {"patience": 3}},
        }
        folder = tmp_path / "experiment"
        folder.mkdir(exist_ok=True)
        (folder / f"{name}.yaml").write_text("# @package _global_\n" + yaml.safe_dump(content | changes))
        return [f"hydra.searchpath=[file://{tmp_path}]", f"experiment={name}"]

    return write


def message_of(overrides: list[str]) -> str:
    with pytest.raises(ConfigError) as caught:
        check_overrides(overrides)
    return str(caught.value)


def command_in(message: str) -> list[str]:
    """The overrides in the command that a message offers."""
    (line,) = [line for line in message.splitlines() if "python train.py " in line]
    return shlex.split(line.partition("python train.py ")[2])


BEST = "callbacks.best._target_"
TYPED = [  # what is typed, the place named, what the message offers
    ("trainr.max_epochs=3", "trainr", "trainer.max_epochs=3"),
    ("trainer.max_epoch=3", "trainer.max_epoch", "trainer.max_epochs=3"),
    ("sed=5", "sed", "seed=5"),
    ("loger=default", "loger", "logger=default"),
    ("seed=abc", "seed", "a whole number"),
    ("seed=1.5", "seed", "seed=1"),
    ("seed='3'", "seed", "seed=3"),
    ("seed=-1", "seed", "from 0"),
    ("seed=true", "seed", "a whole number"),
    ("seed=null", "seed", "a whole number"),
    ("test=maybe", "test", "test=true"),
    ("threads=0", "threads", "at least 1"),
    ("threads=many", "threads", "auto"),
    ("mode=mi", "mode", "mode=min"),
    ("monitor=''", "monitor", "names a metric"),
    ("experiment=pbpk_gn", "experiment", "experiment=pbpk_gnn"),
    ("trainer=ddp_cp", "trainer", "trainer=ddp_cpu"),
    ("debug=fast_dev", "debug", "debug=fast_dev_run"),
    ("trainer=3", "trainer", "default"),
    ("+trainer=gpu", "trainer", "trainer=gpu"),
    ("~trainer", "trainer", "default"),
    ("seed", "seed", "name=value"),
    ("model.lr==", "model.lr", "name=value"),
    ("seed=[1", "seed", "name=value"),
    ("~trainer.acelerator", "trainer.acelerator", "did you mean accelerator?"),
    ("callbacks.early_stoping=null", "callbacks.early_stoping", "callbacks.early_stopping=null"),
    ("callbacks.early_stoping.patience=3", "callbacks.early_stoping", "callbacks.early_stopping.patience=3"),
    ("callbacks.early_stopping.patients=3", "callbacks.early_stopping.patients", "callbacks.early_stopping.patience=3"),
    (f"{BEST}=lightning.pytorch.callbacks.ModelCheckpiont", BEST, "ModelCheckpoint"),
    (f"{BEST}=litning.pytorch.callbacks.ModelCheckpoint", BEST, "lightning"),
    (f"{BEST}=lightning.pytorch.calbacks.ModelCheckpoint", BEST, "callbacks"),
    (f"{BEST}=lightning.pytorch.callbacks", BEST, "no class"),
    ("trainer.max_epochs=abc", "trainer.max_epochs", "a whole number"),
    ("trainer.max_epochs=1.5", "trainer.max_epochs", "trainer.max_epochs=1"),
    ("trainer.precision=16-mixd", "trainer.precision", "trainer.precision=16-mixed"),
    ("trainer.limit_train_batches='0.1'", "trainer.limit_train_batches", "trainer.limit_train_batches=0.1"),
    ("trainer.gradient_clip_val=[1]", "trainer.gradient_clip_val", "a number"),
    ("hydra.jib.name=x", "hydra.jib.name", "hydra"),
    ("callbacks.best.monitor=${monitr}", "callbacks.best.monitor", "${monitor}"),
    ("search=tpe", "search", "takes no search"),
]  # fmt: skip


@pytest.mark.parametrize(("typed", "path", "offer"), TYPED, ids=[typed for typed, _, _ in TYPED])
def test_a_mistake_typed_names_its_place_and_a_command_that_works(experiment, typed, path, offer):
    chosen = experiment()
    overrides = [chosen[0], typed] if typed.startswith("experiment=") else [*chosen, typed]
    message = message_of(overrides)
    assert message.startswith(path)
    assert offer in message
    check_overrides(command_in(message))


def calling(node):
    """A node where anything that can be called may stand."""
    return {"callbacks": {"l": {"_target_": "lightning.pytorch.callbacks.LambdaCallback", "setup": node}}}


ADAM = {"_target_": "torch.optim.Adam", "_partial_": True}
LINEAR = {"_target_": "torch.nn.Linear", "in_features": 4, "out_features": 2}
TIMER = "lightning.pytorch.callbacks.Timer"
SWA = "lightning.pytorch.callbacks.StochasticWeightAveraging"
WRITTEN = [  # what a file says, the place named, what the message offers
    ({"sed": 5}, "sed", "seed=5"),
    ({"seed": "abc"}, "seed", "a whole number"),
    ({"seed": "7"}, "seed", "seed=7"),
    ({"test": "maybe"}, "test", "true or false"),
    ({"monitor": ""}, "monitor", "names a metric"),
    ({"callbacks": {"timer": {"_target_": TIMER, "duration": "???"}}}, "callbacks.timer.duration", "nothing (???)"),
    ({"trainer": {"max_epoch": 3}}, "trainer.max_epoch", "trainer.max_epochs=3"),
    ({"trainer": {"plugins": [{"_target_": f"{TIMER}r"}]}}, "trainer.plugins.0._target_", TIMER),
    ({"callbacks": {"early_stoping": {"patience": 3}}}, "callbacks.early_stoping", "early_stopping"),
    ({"callbacks": {"timer": {"_target_": TIMER, "duraton": "00:01:00:00"}}}, "callbacks.timer.duraton", "duration"),
    ({"callbacks": {"timer": {"_target_": TIMER, "_partial_": "yes"}}}, "callbacks.timer._partial_", "true or false"),
    ({"callbacks": {"timer": {"_target_": TIMER, "_convert_": "al"}}}, "callbacks.timer._convert_", "all"),
    ({"callbacks": {"swa": {"_target_": SWA}}}, "callbacks.swa.swa_lrs", "a number"),
    (calling(LINEAR | {"in_features": "4"}), "callbacks.l.setup.in_features", "callbacks.l.setup.in_features=4"),
    (calling(LINEAR | {"_args_": [4, "two"]}), "callbacks.l.setup._args_.1", "a whole number"),
    (calling(LINEAR | {"bias": 1}), "callbacks.l.setup.bias", "true or false"),
    (calling(ADAM | {"lr": "fast"}), "callbacks.l.setup.lr", "callbacks.l.setup.lr=0.001"),
    (calling(ADAM | {"lrr": 0.1}), "callbacks.l.setup.lrr", "callbacks.l.setup.lr=0.1"),
    (calling(ADAM | {"betas": [0.9, "b"]}), "callbacks.l.setup.betas", "a list of"),
    (calling(ADAM | {"lr": "${sed}"}), "callbacks.l.setup.lr", "${seed}"),
    ({"defaults": [{"override /trainer": "ddp_cp"}]}, "trainer", "trainer=ddp_cpu"),
]  # fmt: skip


@pytest.mark.parametrize(("written", "path", "offer"), WRITTEN, ids=[path for _, path, _ in WRITTEN])
def test_a_mistake_in_a_file_names_its_place_and_a_command_that_works(experiment, written, path, offer):
    message = message_of(experiment(**written))
    assert message.startswith(path)
    assert offer in message
    check_overrides(command_in(message))


def test_all_mistakes_are_listed_at_once_and_one_command_mends_them_all(experiment):
    message = message_of(
        [*experiment(sed=5), "trainer.max_epoch=3", "test=maybe", "callbacks.early_stopping.patience=x"]
    )
    assert message.startswith("4 mistakes")
    for path in ("sed:", "trainer.max_epoch:", "test:", "callbacks.early_stopping.patience:"):
        assert path in message
    check_overrides(command_in(message))


def test_a_wrong_value_is_reported_once_and_not_where_it_is_referred_to(experiment):
    assert message_of([*experiment(), "seed=abc"]).count("abc") == 1


def test_broken_yaml_is_told_with_file_and_line(experiment, tmp_path):
    overrides = experiment("broken")
    (tmp_path / "experiment" / "broken.yaml").write_text("# @package _global_\nseed: [1\ntest: true\n")
    assert "broken.yaml, line 3" in message_of(overrides)


def test_an_argument_that_no_file_names_needs_no_plus(experiment):
    cfg = check_overrides([*experiment(), "trainer.gradient_clip_val=0.5", "callbacks.early_stopping.min_delta=0.1"])
    assert cfg.trainer.gradient_clip_val == 0.5
    assert cfg.callbacks.early_stopping.min_delta == 0.1


def test_callbacks_can_be_switched_off_one_by_one_and_all_together(experiment):
    assert check_overrides([*experiment(), "callbacks.early_stopping=null"]).callbacks.early_stopping is None
    assert not check_overrides([*experiment(callbacks={}), "callbacks=null"]).callbacks


@pytest.mark.parametrize("name", choices("experiment"))
def test_every_experiment_composes_to_plain_values_and_passes(name):
    cfg = compose([f"experiment={name}"], output_dir="somewhere")
    check(cfg)
    assert (cfg.experiment, cfg.output_dir, "hydra" in cfg) == (name, "somewhere", False)
    assert "${" not in OmegaConf.to_yaml(cfg)


@pytest.mark.parametrize(
    ("typed", "path", "offer"),
    [
        ("data.kinetics=quadratic", "data.kinetics", "linear"),
        ("model.network.hiden=64", "model.network.hiden", "model.network.hidden=64"),
        ("model.optimizer.lr=abc", "model.optimizer.lr", "model.optimizer.lr=0.001"),
        ("network=dynamic_gn", "network", "network=dynamic_gnn"),
        ("netwrok=mlp", "netwrok", "network=mlp"),
        ("~model.network", "model.network", "python train.py experiment=pbpk_gnn"),
    ],
)
def test_mistakes_in_the_arguments_of_a_workload_are_found(typed, path, offer):
    message = message_of(["experiment=pbpk_gnn", typed])
    assert message.startswith(path)
    assert offer in message
    check_overrides(command_in(message))


def test_check_takes_a_config_made_by_hand():
    cfg = compose([f"experiment={choices('experiment')[0]}"])
    cfg.trainer.max_epochs = "ten"
    with pytest.raises(ConfigError, match=r"trainer\.max_epochs: must be a whole number"):
        check(cfg)


HOSTILE = [
    "os.system", "builtins.eval", "subprocess.Popen", "hydra.utils.instantiate", "functools.partial",
    "torch.os.system", "torch.nn.modules.module.functools.partial", "torch.load", "torch.hub.load", "torch.jit.load",
    "torch.utils.cpp_extension.load_inline", "torch.package.PackageImporter", "torch.multiprocessing.Process",
    "torch.utils.data.dataset.sys.modules.get", "torch.serialization.load",
    "torch.optim.lr_scheduler.types.FunctionType",
    "torch.nn.Module.load_state_dict", "torch.nn.Module.__init_subclass__", "torch.nn.functional.relu",
    "lightning.pytorch.utilities.os.system", "lightning.pytorch.cli.LightningCLI",
    "lightning.pytorch.LightningModule.load_from_checkpoint", "lightning.pytorch.trainer.trainer.os.system",
    "fulmen.errors.os.system", "fulmen.runs.run.run", "fulmen.config.check.build", "fulmen.runs.loggers.csv.writer",
    "torch_geometric.nn.Sequential", "torch_geometric.data.Dataset", "torchvision.datasets.CIFAR10", "torchevil.Module",
    "torch.nn.Linear; import os", "torch..nn", "", ".torch.nn.Linear",
]  # fmt: skip


@pytest.mark.parametrize("target", HOSTILE)
def test_a_config_from_elsewhere_reaches_nothing_but_parts_of_a_training(target):
    with pytest.raises(TargetError):
        locate_untrusted(target)


@pytest.mark.parametrize(
    "target",
    [
        "torch.nn.Linear", "torch.optim.AdamW", "torch.optim.lr_scheduler.ReduceLROnPlateau",
        "lightning.pytorch.Trainer", "lightning.pytorch.callbacks.EarlyStopping", "torchmetrics.MeanSquaredError",
        "torch_geometric.nn.GCNConv", "fulmen.callbacks.progress.progress_bar",
    ],
)  # fmt: skip
def test_a_config_from_elsewhere_may_name_parts_of_a_training(target):
    assert callable(locate_untrusted(target))


@pytest.mark.parametrize("name", choices("experiment"))
def test_every_experiment_can_be_read_back_from_its_run_folder(name, tmp_path):
    before = compose([f"experiment={name}"], output_dir="outputs/runs/a/b")
    (tmp_path / "config.yaml").write_text(as_stored(before))
    after = load_config(tmp_path)
    assert after.output_dir == str(tmp_path)
    assert after.callbacks.best.dirpath == f"{tmp_path}/checkpoints"  # the paths in it follow the folder
    assert after.model == before.model


@pytest.mark.parametrize(
    "hostile", ["_target_: os.system", "lr: '${oc.env:HOME}'", "_args_: [{_target_: torch.hub.load}]"]
)
def test_a_run_folder_with_a_hostile_config_is_refused(tmp_path, hostile):
    cfg = compose([f"experiment={choices('experiment')[0]}"])
    stored = OmegaConf.to_container(cfg) | {"model": yaml.safe_load(f"{{{hostile}}}") | {"network": None}}
    stored["model"].setdefault("_target_", "torch.nn.Identity")
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(stored))
    with pytest.raises(ConfigError, match="not allowed"):
        load_config(tmp_path)


@pytest.fixture
def run_folder(tmp_path, monkeypatch) -> Path:
    """A run of the first experiment that stopped half-way."""
    monkeypatch.chdir(tmp_path)
    folder = Path("outputs/runs/toy/2026-01-01")
    (folder / "checkpoints").mkdir(parents=True)
    (folder / "checkpoints" / "last.ckpt").touch()
    OmegaConf.save(compose([f"experiment={choices('experiment')[0]}"]), folder / "config.yaml")
    return folder


def test_resume_takes_the_config_of_the_folder_and_changes_what_is_typed(run_folder):
    cfg = before_work(["train.py", f"resume={run_folder}", "trainer.max_epochs=77"])
    assert (cfg.trainer.max_epochs, cfg.resume, cfg.output_dir) == (77, str(run_folder), str(run_folder))


@pytest.mark.parametrize(
    ("typed", "reason"),
    [
        (["resume=outputs/runs/toy/2026-01-02"], "resume=outputs/runs/toy/2026-01-01"),
        (["resume=outputs/runs/toy"], "has no config.yaml"),
        (["resume={folder}", "experiment=other"], "is one of experiment="),
        (["resume={folder}", "network=mlp"], "keeps its network"),
        (["resume={folder}", "seed=3"], "keeps its seed"),
        (["resume={folder}", "trainer.max_epoch=3"], "python train.py resume={folder} trainer.max_epochs=3"),
        (["resume={folder}", "model.lr=3"], "keeps its model"),
        (["resume={folder}", "trainer._target_=os.system"], "not allowed"),
        (["-m", "resume={folder}"], "leave out -m"),
    ],
)
def test_resume_refuses_what_cannot_go_on(run_folder, typed, reason):
    with pytest.raises(FulmenError) as caught:
        before_work(["train.py", *(part.format(folder=run_folder) for part in typed)])
    assert reason.format(folder=run_folder) in str(caught.value)


def test_resume_needs_the_last_checkpoint(run_folder):
    (run_folder / "checkpoints" / "last.ckpt").unlink()
    with pytest.raises(FulmenError, match=r"has no checkpoints/last\.ckpt"):
        before_work(["train.py", f"resume={run_folder}"])


def test_a_multirun_is_every_combination():
    runs = expand(["experiment=glob(pbpk*)", "seed=range(1,3)", "trainer.max_epochs=choice(1,2)"])
    assert len(runs) == 2 * 2 * len([name for name in choices("experiment") if name.startswith("pbpk")])
    assert runs[0][1:] == ["seed=1", "trainer.max_epochs=1"]


@pytest.mark.parametrize(
    ("typed", "reason"),
    [
        (["experiment=glob(zzz*)"], "gives no run"),
        (["experiment=pbpk_gnn,pbpk_ml"], "run 2 of 2: experiment: there is no pbpk_ml"),
        (["experiment=pbpk_gnn", "seed=1,x,y"], "run 3 of 3"),
        (["experiment=pbpk_gnn", "trainer=ddp_cpu", "trainer.num_nodes=2"], "num_nodes"),
        (["seed=1,2"], "no experiment"),
    ],
)
def test_a_multirun_is_checked_whole_before_its_first_run(typed, reason):
    with pytest.raises(FulmenError, match=reason):
        before_work(["train.py", "-m", *typed])


@pytest.mark.parametrize(
    ("trainer", "several"),
    [({}, False), ({"devices": 1}, False), ({"devices": [3]}, False),
     ({"devices": "1"}, False), ({"devices": "2"}, True),
     ({"devices": [0, 1]}, True), ({"devices": "0,1"}, True), ({"devices": -1, "accelerator": "cpu"}, False),
     ({"strategy": "ddp_spawn"}, True), ({"num_nodes": 2}, True)],
)  # fmt: skip
def test_runs_of_several_processes_are_recognised(trainer, several):
    assert takes_several_processes(OmegaConf.create({"accelerator": "cpu"} | trainer)) is several


def test_options_and_overrides_reach_hydra_in_any_order():
    argv = ["train.py", "experiment=pbpk_gnn", "--cfg", "job", "trainer.precision=64", "callbacks.progress=null"]
    assert before_work(argv) is None
    assert argv[1:3] == ["--cfg", "job"]
    assert argv[3:] == ["experiment=pbpk_gnn", "++trainer.precision=64", "callbacks.progress=null"]


def test_a_process_launched_by_its_peer_is_not_checked_again(monkeypatch):
    monkeypatch.setenv("LOCAL_RANK", "1")
    assert before_work(["train.py", "experiment=pbpk_gnn", "seed=abc"]) is None


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("a.b=1", "++a.b=1"), ("+a.b=1", "++a.b=1"), ("++a=1", "++a=1"), ("~a.b", "~a.b"), ("model=mlp", "model=mlp"),
     ("hydra.job.name=x", "hydra.job.name=x"), ("callbacks=null", "~callbacks"), ("seed", "seed")],
)  # fmt: skip
def test_overrides_are_made_explicit_only_where_they_set_values(typed, meant):
    assert explicit(typed) == meant


def test_build_names_the_place_when_a_constructor_refuses_its_arguments():
    node = {"_target_": "torch.optim.SGD", "_partial_": True, "lr": 0.1, "momentum": 0.9}
    assert build(node, "model.optimizer").keywords == {"lr": 0.1, "momentum": 0.9}
    with pytest.raises(FulmenError, match=r"^data\.num_samples should be a positive integer"):
        build({"_target_": "torch.utils.data.RandomSampler", "data_source": [1], "num_samples": -1}, "data")
    nested = {"_target_": "torch.nn.ModuleDict", "modules": {"a": {"_target_": "torch.nn.Dropout", "p": 7}}}
    with pytest.raises(FulmenError, match=r"^model\.modules\.a: dropout probability"):
        build(nested, "model")


def test_build_passes_objects_and_lets_defects_through():
    marker = object()
    assert build({"_target_": "types.SimpleNamespace", "a": [1, {"b": 2}]}, "x", extra=marker).extra is marker
    with pytest.raises(AttributeError):
        build({"_target_": "json.dump", "obj": 1, "fp": 2}, "model")


@pytest.mark.parametrize(
    ("value", "annotation", "verdict"),
    [(1, float, True), (True, int, False), (True, float, False), (1.0, int, False), ("1", int, False),
     (None, int | None, True),
     ([1, 2], list[int], True), ([1, "a"], list[int], False),
     ([1], tuple[int, int], False), ([1, 2, 3], tuple[int, ...], True),
     ({"a": 1}, dict[str, int], True), ({"a": "b"}, dict[str, int], False), ("x/y", Path, True), (3, Path, False),
     ("x", "NoSuchName", True), ({"_target_": "a.B"}, int, True)],
)  # fmt: skip
def test_types_are_judged_as_yaml_means_them(value, annotation, verdict):
    assert fits(value, annotation) is verdict


@pytest.mark.parametrize(
    "value", [None, True, 3, 1e-5, "a b", "3", "true", "it's", "16-mixed", [1, "x"], {"a": {"b": [1.5]}}]
)
def test_values_survive_the_command_line(value):
    cfg = compose([f"experiment={choices('experiment')[0]}", f"data.value={as_text(value)}"])
    assert OmegaConf.to_container(cfg)["data"]["value"] == value


def test_swapped_letters_count_as_nearest():
    assert nearest("modle", ["mode", "model"]) == "model"
    assert nearest("xyz", ["mode", "model"]) is None


def test_hydra_composes_the_same_choices_once_whatever_else_is_typed(monkeypatch):
    asked = []
    by_hydra = composing._by_hydra
    monkeypatch.setattr(composing, "_by_hydra", lambda read: (asked.append(list(read)), by_hydra(read))[1])
    more = [[], ["trainer.max_epochs=3"], ["model.optimizer.lr=0.5"]]
    typed = [["experiment=synthetic_mlp", "output_dir=folder", *each] for each in more]
    with composing.compositions_kept():
        kept = [composing.composed(each) for each in typed]
    assert asked == [["experiment=synthetic_mlp"]]
    assert kept == [composing.composed(each) for each in typed]
