"""What another release has written and this one cannot use is told in one line, whatever is done with it."""

import json
import shutil
from pathlib import Path

import pytest

import fulmen
from fulmen import migrations
from fulmen.cli import main
from fulmen.entrypoints import before_work
from fulmen.errors import FulmenError, Newer
from fulmen.registry.manifest import MANIFEST, SCHEMA, seal
from fulmen.registry.store import Store
from fulmen.registry.verification import CONFIG

FROZEN = Path(__file__).parent / "frozen" / "4332109"
THERE, GONE = "fulmen.workloads.pbpk.networks.DynamicGNN", "fulmen.workloads.pbpk.networks.ForgottenGNN"
SAID = r"^model\.network\._target_: fulmen\.workloads\.pbpk\.networks has no ForgottenGNN[^\n]*; {}, which reads it$"


@pytest.fixture
def folder(tmp_path):
    return shutil.copytree(FROZEN / "interrupted" / "pbpk", tmp_path / "run")


@pytest.fixture
def store(tmp_path, monkeypatch):
    """A registry that holds the frozen model of PBPK as pbpk:1."""
    monkeypatch.setenv("FULMEN_REGISTRY", str(tmp_path / "models"))
    shutil.copytree(FROZEN / "models" / "pbpk", tmp_path / "models" / "pbpk")
    return Store()


def edit(path, before, after):
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after))


def with_config(store, before, after):
    """One more version of pbpk, of which the config says something else."""
    old = store.find("pbpk:1")
    files = old.verify()
    assert before in files[CONFIG]
    files[CONFIG] = files[CONFIG].replace(before, after)
    facts = {
        key: value
        for key, value in old.manifest.items()
        if key not in ("sha256", "schema", "name", "version", "created", "files")
    }
    return str(store.publish("pbpk", files, facts))


def resume(folder):
    before_work(["train.py", f"resume={folder}"])


@pytest.mark.parametrize("use", [fulmen.load_run, resume])
def test_a_run_with_a_class_that_is_gone_names_the_release_that_has_it(use, folder):
    edit(folder / "config.yaml", THERE, GONE)
    with pytest.raises(FulmenError, match=SAID.format(rf"{folder} was written by fulmen 0\.1\.0 \(commit 4332109\)")):
        use(folder)
    (folder / "environment.json").unlink()
    with pytest.raises(FulmenError, match=SAID.format(f"{folder} was written by another release")):
        use(folder)


def test_a_kept_model_with_a_class_that_is_gone_names_the_release_that_has_it(store, tmp_path, capsys):
    asked = with_config(store, THERE.encode(), GONE.encode())
    with pytest.raises(FulmenError, match=SAID.format(rf"{asked} was saved with fulmen 0\.1\.0 \(commit 4332109\)")):
        fulmen.load_model(asked)
    (tmp_path / "input.npz").touch()
    assert main(["predict", asked, str(tmp_path / "input.npz")]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.endswith("which reads it")


@pytest.mark.parametrize("use", [fulmen.load_run, resume])
def test_a_run_of_a_later_release_is_refused_in_a_line(use, folder):
    later = migrations.newest() + 1
    edit(folder / "config.yaml", "experiment: ", f"format: {later}\nexperiment: ")
    with pytest.raises(
        Newer, match=rf"^\S+config\.yaml has format {later}, this fulmen reads up to {later - 1}; update"
    ):
        use(folder)


@pytest.mark.parametrize(
    "verb", ["models list", "models show pbpk:2", "models verify pbpk:2", "models verify", "predict pbpk:2 {input}",
             "predict pbpk:2 --explain", "models promote pbpk:2 --as champion", "models export pbpk:2 --to {input}.pt2"]
)  # fmt: skip
def test_a_kept_model_of_a_later_release_is_refused_in_a_line_by_every_verb(verb, store, tmp_path, capsys):
    version = store.find(with_config(store, b"seed", b"seed"))
    later = {**version.manifest, "schema": SCHEMA + 1, "sha256": "0" * 64}
    (version.folder / MANIFEST).write_bytes(seal(later))
    (tmp_path / "input.npz").touch()
    assert main(verb.format(input=tmp_path / "input.npz").split()) == 2
    said = capsys.readouterr()
    (line,) = said.err.splitlines()
    assert line.endswith(
        f"has schema {SCHEMA + 1}, this fulmen reads up to {SCHEMA}; update fulmen to use this version"
    )
    if verb in ("models list", "models verify"):
        assert "pbpk:1" in said.out
        assert "newer" in said.out
        assert "damaged" not in said.out


def test_a_config_of_a_later_format_in_a_kept_model_is_no_damage(store):
    later = migrations.newest() + 1
    asked = with_config(store, b"experiment: ", f"format: {later}\nexperiment: ".encode())
    with pytest.raises(Newer, match=rf"config\.yaml has format {later}"):
        fulmen.load_model(asked)


def test_a_search_of_a_later_release_is_refused_in_a_line(tmp_path):
    from fulmen.search.settings import read_plan

    folder = shutil.copytree(FROZEN.parent / "67edd40" / "searches" / "begun", tmp_path / "begun")
    plan = json.loads((folder / "search.json").read_text())
    (folder / "search.json").write_text(json.dumps(plan | {"format": migrations.newest() + 1}))
    with pytest.raises(Newer, match=r"^\S+search\.json has format"):
        read_plan(folder)


def test_a_folder_of_configs_that_is_not_there_is_named(tmp_path):
    with pytest.raises(FulmenError, match=r"^--config-dir nowhere: there is no such folder$"):
        before_work(["train.py", "--config-dir", "nowhere", "experiment=pbpk_mlp"])
    with pytest.raises(FulmenError, match=rf"^hydra\.searchpath: there is no folder {tmp_path}/conf$"):
        fulmen.train(f"hydra.searchpath=[file://{tmp_path}/conf]", "experiment=pbpk_mlp")
