"""What is written down of modules judges as the modules do, and is not believed once a file has changed."""

import json
import subprocess
import sys

import pytest

from fulmen.config import allow_list, signature_index
from fulmen.config.check import check_overrides
from fulmen.config.compose import composed, to_plain
from fulmen.config.cures import diagnosed, judged, refuse_without_import
from fulmen.config.described import is_described
from fulmen.config.mistakes import ConfigError
from fulmen.config.schema import choices, find_mistakes
from fulmen.config.signatures import parameters
from fulmen.config.surface import surface

WRONG = [
    ["trainer.max_epoch=3"],
    ["trainer.max_epochs=three"],
    ["model.optimizer._target_=torch.optim.AdmW"],
    ["model.optimizer._target_=torch.optm.Adam"],
    ["model.optimizer._target_=torsh.optim.Adam"],
    ["model.optimizer._target_=torch.optim"],
    ["model.optimizer.lr=fast", "seed=-1"],
    ["model.optimizer.lr=[1]", "model.optimizer.beta=0.9"],
    ["model.network._target_=torch.nn.Identity", "data._target_=torch.nn.Identity"],
    ["callbacks.early_stopping.patience=-1"],
    ["model.network._target_=torch.nn.Conv2d"],
    ["callbacks.early_stopping.monitor=val/loss", "callbacks.early_stopping.mode=max"],
    ["monitor=val/loss", "mode=max"],
    ["callbacks.best.save_topk=1"],
    ["+callbacks.mine._target_=lightning.pytorch.callbacks.LearningRateMonitr"],
    ["trainer.logger=true"],
    ["data.batch_size=few"],
    ["scheduler=one_cycle", "trainer.max_epochs=-1"],
]


@pytest.fixture(autouse=True, scope="module")
def shared(tmp_path_factory):
    """An index of these tests alone."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FULMEN_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An index of one test."""
    monkeypatch.setenv("FULMEN_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "signatures"


def learn(overrides):
    """Judge by the modules, and keep what they hold."""
    try:
        judged(composed, overrides, trusted=True)
    except ConfigError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("experiment", choices("experiment"))
def test_an_experiment_is_without_mistake_by_what_is_kept_too(experiment):
    cfg = check_overrides([f"experiment={experiment}"])
    with allow_list.without_import() as unknown:
        assert find_mistakes(to_plain(cfg)) == []
    assert unknown == set()


@pytest.mark.parametrize("typed", WRONG, ids=" ".join)
def test_a_mistake_is_told_as_the_modules_tell_it(typed):
    experiment = f"experiment={['pbpk_gnn', 'images_balanced'][WRONG.index(typed) % 2]}"
    overrides = [experiment, *typed]
    learn([experiment])
    told = learn(overrides)
    assert told == str(diagnosed(composed, overrides))
    with pytest.raises(ConfigError) as refused:
        refuse_without_import(overrides)
    assert str(refused.value) == told


def write_network(folder, arguments):
    (folder / "pump_lab").mkdir(exist_ok=True)
    (folder / "pump_lab" / "networks.py").write_text(f"class Net:\n    def __init__(self, {arguments}): ...\n")


@pytest.fixture
def network(tmp_path, monkeypatch, cache):
    """A class of somebody's own, described with the argument `width`."""
    write_network(tmp_path, "width=1")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "pump_lab.networks", raising=False)
    allow_list.locate("pump_lab.networks.Net")
    signature_index.keep(["pump_lab.networks.Net"], parameters)
    yield tmp_path
    for name in ("pump_lab", "pump_lab.networks"):
        sys.modules.pop(name, None)
    allow_list._located.cache_clear()


def kept_parameters():
    """Of the network, as long as they are believed."""
    with allow_list.without_import() as unknown:
        try:
            found = allow_list.locate("pump_lab.networks.Net")
        except allow_list.NotDescribed:
            assert unknown == {"pump_lab.networks.Net"}
            return None
    assert is_described(found)
    return list(parameters(found))


def test_a_class_whose_file_has_changed_is_not_judged_by_what_it_was(network):
    assert kept_parameters() == ["width"]
    write_network(network, "depth=1")
    assert kept_parameters() is None


def test_a_class_is_not_judged_when_another_file_of_its_package_has_changed(network):
    (network / "pump_lab" / "widths.py").write_text("Width = int\n")
    assert kept_parameters() is None


@pytest.mark.parametrize("damage", [
    lambda file: file.write_text(""),
    lambda file: file.write_text(file.read_text()[:-20]),
    lambda file: file.write_text(file.read_text().replace("width", "wodth")),
    lambda file: file.write_bytes(b"\xff\xfe\x00"),
    lambda file: (file.unlink(), file.mkdir()),
])  # fmt: skip
def test_a_damaged_file_is_as_good_as_none_and_is_written_anew(network, cache, damage):
    (file,) = cache.glob("pump_lab.networks-*.json")
    damage(file)
    assert kept_parameters() is None
    if file.is_file():
        signature_index.keep(["pump_lab.networks.Net"], parameters)
        assert kept_parameters() == ["width"]


def test_where_nothing_can_be_written_the_modules_judge(tmp_path, monkeypatch, cache):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("FULMEN_CACHE", str(tmp_path / "file" / "cache"))
    assert "did you mean max_epochs?" in learn(["experiment=pbpk_mlp", "trainer.max_epoch=3"])
    nodes = {node.path: node for node in surface(["experiment=pbpk_mlp"]).nodes}
    assert {"data", "model", "model.network", "model.optimizer", "trainer"} <= nodes.keys()
    assert all(each.about for each in nodes["data"].arguments)


def test_processes_that_write_and_read_at_once_find_whole_files(cache):
    code = (
        "import omegaconf, sys\n"
        "from fulmen.config import allow_list, signature_index as index\n"
        "from fulmen.config.signatures import parameters\n"
        "for _ in range(25):\n"
        "    index.keep(['omegaconf.OmegaConf'], parameters)\n"
        "    index.read.cache_clear(); index.find.cache_clear()\n"
        "    assert index.find('omegaconf.OmegaConf').__name__ == 'OmegaConf'\n"
    )
    running = [subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE, text=True) for _ in range(3)]
    assert [process.communicate()[1] for process in running] == ["", "", ""]
    assert [path for path in cache.iterdir() if path.name[0] == "."] == []


@pytest.mark.slow
def test_a_wrong_command_is_answered_without_an_import_of_torch():
    overrides = ["experiment=pbpk_gnn", "trainer.max_epoch=3"]
    told = learn(overrides)
    code = (
        "import json, sys\n"
        "from fulmen.entrypoints import before_work\n"
        "try:\n"
        "    before_work(['train.py', *json.loads(sys.argv[1])])\n"
        "except Exception as error:\n"
        "    print(error)\n"
        "sys.exit(any(name in sys.modules for name in ('torch', 'lightning', 'optuna', 'numpy', 'pandas')))\n"
    )
    answer = subprocess.run([sys.executable, "-c", code, json.dumps(overrides)], capture_output=True, text=True)
    assert (answer.returncode, answer.stdout.strip()) == (0, told), answer.stderr
