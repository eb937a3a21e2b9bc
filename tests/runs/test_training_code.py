"""Runs of one config are alike only if the same code made them: the modules that its targets reach."""

import json
from pathlib import Path

import pytest
from omegaconf import OmegaConf

from fulmen.comparison.find_or_run import completed_run
from fulmen.config.check import check_overrides
from fulmen.runs import training_code as tc
from fulmen.runs.result import Result, other_code, write_provenance
from fulmen.runs.training_code import changes, code_of, training_code


@pytest.fixture
def fresh(monkeypatch):
    """Forgets what this process has read, as a new process would."""

    def forget():
        for known in (tc.imports, tc.checksum, tc.modules_on_the_way, tc._home):
            known.cache_clear()

    yield forget
    forget()


@pytest.fixture
def package(tmp_path, monkeypatch, fresh):
    """A package of one's own: a module, its layers by a relative import, a helper imported late, and one unused."""
    files = {
        "__init__.py": "",
        "module.py": "import json, torch\nfrom .layers import Layer\ndef late():\n    from mylab_code import helper\n",
        "layers/__init__.py": "from .dense import Layer\n",
        "layers/dense.py": "import numpy\nclass Layer: ...\n",
        "helper.py": "x = 1\n",
        "unused.py": "x = 1\n",
    }
    for name, text in files.items():
        path = tmp_path / "mylab_code" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    monkeypatch.syspath_prepend(str(tmp_path))
    fresh()
    return tmp_path / "mylab_code"


def test_what_a_target_reaches_counts_and_nothing_else(package):
    found = training_code({"_target_": "mylab_code.module.Model", "optimizer": {"_target_": "torch.optim.Adam"}})
    assert set(found) == {
        f"mylab_code/{name}.py" for name in ("__init__", "module", "layers/__init__", "layers/dense", "helper")
    }


def test_a_changed_new_or_lost_file_is_named(package, fresh):
    node = {"_target_": "mylab_code.module.Model"}
    before = training_code(node)
    assert changes(before, before) == ""
    (package / "layers" / "dense.py").write_text("class Layer: size = 2\n")
    fresh()
    assert changes(before, training_code(node)) == "mylab_code/layers/dense.py changed"
    (package / "module.py").write_text("from mylab_code import unused\nfrom .layers import Layer\n")
    fresh()
    now = training_code(node)
    assert "mylab_code/module.py changed" in changes(before, now)
    assert "mylab_code/helper.py is gone" in changes({"mylab_code/helper.py": "0"}, now)


def test_a_workload_of_fulmen_is_reached_and_how_it_is_reported_is_not():
    found = code_of(check_overrides(["experiment=stocks_fast"]))
    assert {"fulmen/workloads/stocks/module.py", "fulmen/workloads/stocks/networks/gru.py"} <= set(found)
    assert "fulmen/data/batches.py" in found
    assert not [name for name in found if name.startswith(("fulmen/report", "fulmen/registry", "fulmen/workloads/pb"))]


@pytest.fixture
def run_folder(tmp_path):
    cfg = check_overrides(["experiment=pbpk_mlp", f"output_dir={tmp_path}/runs/pbpk_mlp/one"])
    folder = Path(cfg.output_dir)
    Result("pbpk_mlp", folder, "completed").write()
    write_provenance(folder, OmegaConf.create(OmegaConf.to_container(cfg)), [], resumed=False)
    return cfg, folder


def test_a_run_made_by_other_code_is_not_found_and_a_line_says_why(run_folder, tmp_path, capsys):
    cfg, folder = run_folder
    assert completed_run(cfg, tmp_path) == folder
    known = json.loads((folder / "environment.json").read_text())
    assert len(known["starts"][0]["training_code"]) > 10
    known["starts"][0]["training_code"]["fulmen/workloads/pbpk/module.py"] = "0" * 16
    (folder / "environment.json").write_text(json.dumps(known))
    assert completed_run(cfg, tmp_path) is None
    said = f"{folder} was made by other code: fulmen/workloads/pbpk/module.py changed; training again\n"
    assert capsys.readouterr().out == said
    (folder / "environment.json").unlink()
    assert completed_run(cfg, tmp_path) is None
    assert f"{folder} does not say which code made it; training again" in capsys.readouterr().out


def test_a_run_that_went_on_under_other_code_is_of_other_code(run_folder):
    cfg, folder = run_folder
    write_provenance(folder, cfg, [], resumed=True)
    assert other_code(folder, code_of(cfg)) == ""
    known = json.loads((folder / "environment.json").read_text())
    known["starts"][0]["training_code"].popitem()
    (folder / "environment.json").write_text(json.dumps(known))
    assert "is new" in other_code(folder, code_of(cfg))
