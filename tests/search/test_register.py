"""A search keeps its champion, chosen without the test split, and as many trials as it is asked to."""

import json
from types import SimpleNamespace

import pytest
from helpers import PBPK

from fulmen.registry.names import model_name
from fulmen.registry.store import Store
from fulmen.search.register import best_seed

TINY = [*PBPK, "trainer.max_epochs=1"]


@pytest.mark.slow
def test_champion_and_best_trials_are_kept_once(tmp_path, monkeypatch, capsys):
    from fulmen.search.controller import run_searches
    from fulmen.search.plans import plans

    monkeypatch.setenv("FULMEN_REGISTRY", str(tmp_path / "models"))
    typed = ["experiment=pbpk_mlp", "search.trials=2", "search.champion_seeds=1", "search.save_top=1", *TINY]
    typed += [f"search.folder={tmp_path}", "search.name=zoo/a"]
    for _ in range(2):
        run_searches(plans(typed))
        assert "kept as models: zoo-a:1, zoo-a:2" in capsys.readouterr().out
    store = Store(tmp_path / "models")
    assert store.numbers("zoo-a") == [1, 2]
    champion, trial = store.find("zoo-a@champion").manifest, store.find("zoo-a:2").manifest
    assert "champion of the search zoo/a" in champion["note"]
    assert champion["main_metric"]["name"].startswith("test/")
    assert champion["main_metric"]["baselines"]
    assert [name for name in trial["metrics"] if name.startswith("test/")] == []
    assert trial["main_metric"]["name"] == "best/val/loss"


def test_what_cannot_be_kept_is_a_warning(whole_search, capsys):
    whole_search("search.trials=2", "search.champion_seeds=1")
    assert "warning: not kept as a model: " in capsys.readouterr().err


def test_the_validation_part_chooses_among_the_seeds(tmp_path):
    study = SimpleNamespace(base={"monitor": "val/f1", "mode": "max"})
    folders = []
    for seed, (validation, test) in enumerate([(0.7, 0.9), (0.8, 0.1), (None, 0.5)]):
        folders.append(tmp_path / str(seed))
        folders[-1].mkdir()
        metrics = {"best/val/f1": validation, "test/f1": test}
        (folders[-1] / "result.json").write_text(json.dumps({"metrics": metrics}))
    assert best_seed(study, folders) == folders[1]


def test_names_of_studies_become_names_of_models():
    assert model_name("stocks-tpe/28_cnn_lstm") == "stocks-tpe-28_cnn_lstm"
    assert model_name("../a b..c.") == "a-b.c"
