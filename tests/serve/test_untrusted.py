"""Overrides from the network: what nobody may say is refused with its key, before anything is composed or started."""

import json
import subprocess
import sys

import pytest

from fulmen.config.mistakes import ConfigError
from fulmen.errors import FulmenError
from fulmen.serve.judging import Judge
from fulmen.serve.settings import Settings

HOSTILE = {
    "a setting of Hydra": "hydra.run.dir=/tmp/x",
    "another launcher": "hydra/launcher=basic",
    "a search path": "++hydra.searchpath=[file:///tmp]",
    "an interpolation": "data.csv=${oc.env:HOME}",
    "an interpolation in a list": "data.features=[return,${oc.env:HOME}]",
    "a resolver within quotes": "data.csv='${oc.decode:x}'",
    "a package": "network@hydra.run=01_lstm_classic",
    "a class that is no part": "+callbacks.x._target_=os.system",
    "a class in a mapping": "+callbacks.x={_target_: subprocess.Popen, args: [ls]}",
    "a class in a list": "trainer.plugins=[{_target_: builtins.eval}]",
    "a class by way of another": "+callbacks.x._target_=torch.nn.modules.os.system",
    "a logger that sends": "+logger.x._target_=lightning.pytorch.loggers.WandbLogger",
    "an absolute file": "data.csv=/etc/passwd",
    "a file above": "data.csv=../../secret.csv",
    "a file of the home": "data.csv=~/secret.csv",
    "a plain name of a file": "data.csv=pyproject.toml",
    "several files": "data.csv=[/etc/passwd,/etc/hosts]",
    "a file in a space": "search.space.data.csv={choices: [/etc/passwd]}",
    "an absolute path for anything": "model.network.name=/etc/passwd",
    "an address": "model.network.name=https://127.0.0.1:1/x",
    "a download": "data.download=[NVDA]",
    "a database": "data.database=sqlite:///x.db",
    "a database for a search": "search.storage=postgresql://x/y",
    "a cache elsewhere": "data.cache=/tmp/x",
    "checkpoints elsewhere": "callbacks.best.dirpath=/tmp/x",
    "a run folder": "output_dir=/tmp/x",
    "a run to go on with": "resume=/tmp/x",
    "weights from elsewhere": "weights=/tmp/x/last.ckpt",
    "a search to start from": "search.warm_start=/tmp/x",
    "a choice that is a path": "data=../../../tmp/evil",
    "an absolute choice": "network=/tmp/evil",
    "a choice in a list": "network=[stocks/01_lstm_classic,/tmp/evil]",
    "an option": "--config-dir=/tmp",
    "a second line": "seed=1\nhydra.run.dir=x",
    "a word": "seed",
    "an experiment beside": "experiment=images_plain",
    "too long": f"data.csv={'a' * 5000}",
    "a range without an end": "seed=range(0,1000000000)",
    "many runs": "seed=range(0,100000)",
}


@pytest.fixture(scope="module")
def judge(tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    (home / "data").mkdir()
    (home / "data" / "prices.csv").write_text("Date,Close\n")
    (home / "data" / "link.csv").symlink_to("/etc/passwd")
    return Judge(Settings(outputs=home / "outputs", data=(home / "data",), registry=home / "models"))


@pytest.mark.parametrize("override", HOSTILE.values(), ids=HOSTILE)
def test_what_nobody_may_say_is_refused_with_its_key(judge, override):
    for kind in ("train", "multirun", "sweep", "rank"):
        with pytest.raises(FulmenError) as refused:
            judge.refuse(kind, "stocks", [override])
        if isinstance(refused.value, ConfigError):
            assert [each for each in refused.value.mistakes if not (each.path and each.problem)] == []


@pytest.mark.slow
def test_what_one_may_say_passes(judge):
    prices = judge.settings.data[0] / "prices.csv"
    typed = [f"data.csv={prices}", "model.optimizer.lr=0.01", "network=06_gru_classic", "monitor=val/loss",
             "trainer.max_epochs=3", "callbacks.early_stopping=null"]  # fmt: skip
    judge.refuse("train", "stocks", typed)
    judge.refuse("multirun", "stocks", ["network=01_lstm_classic,06_gru_classic", "seed=range(1,3)"])


def test_a_link_out_of_a_data_folder_leads_nowhere(judge):
    with pytest.raises(ConfigError, match="lies in no folder of data"):
        judge.refuse("train", "stocks", [f"data.csv={judge.settings.data[0] / 'link.csv'}"])


def test_the_upload_of_another_is_read_by_nobody_else(judge):
    own = judge.settings.uploads / "ada" / "prices.csv"
    own.parent.mkdir(parents=True)
    own.write_text("Date,Close\n")
    judge.refuse("train", "stocks", [f"data.csv={own}"], by="ada")
    for somebody in ("", "bob"):
        with pytest.raises(ConfigError, match="lies in no folder of data"):
            judge.refuse("train", "stocks", [f"data.csv={own}"], by=somebody)


@pytest.mark.slow
def test_a_misspelt_setting_is_answered_with_its_cure(judge):
    with pytest.raises(ConfigError) as refused:
        judge.refuse("train", "stocks", ["data.lookbak_days=30"])
    assert refused.value.overrides == ["experiment=stocks", "data.lookback_days=30"]


@pytest.mark.slow
def test_a_choice_that_opens_an_address_is_refused_unless_allowed(judge):
    with pytest.raises(ConfigError, match=r"data\.cifar10.*--allow data\.cifar10"):
        judge.refuse("train", "images_plain", ["data=cifar10"])
    allowed = Judge(Settings(outputs=judge.settings.outputs, allow=("data.cifar10",)))
    allowed.refuse("train", "images_plain", ["data=cifar10"])


def test_only_runs_of_this_server_are_compared(judge):
    with pytest.raises(FulmenError, match="there is no run /etc"):
        judge.refuse("compare", "", [], {"runs": ["/etc", "stocks"]})


def test_judging_imports_no_torch():
    program = """
import json, sys
from fulmen.serve.judging import Judge
from fulmen.serve.settings import Settings
Judge(Settings()).refuse("train", "stocks", ["data.lookback_days=30"])
print(json.dumps(["torch" in sys.modules, "numpy" in sys.modules]))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout.splitlines()[-1])[0] is False
