"""A search of every workload, and by every sampler that two trials do for, ends in a kept model that predicts."""

import pytest
from helpers import PBPK

from fulmen.registry import verify

pytestmark = pytest.mark.slow

TINY = {  # experiment -> the least of its data, two points
    "stocks": ["data.days=400", "model.figures=false"],
    "sensors": ["model.figures=false"],
    "images_plain": ["model.figures=false"],
    "pbpk_mlp": PBPK,
}
SHORT = [
    "trainer.accelerator=cpu", "trainer.precision=32-true", "trainer.max_epochs=1", "trainer.limit_train_batches=2",
    "trainer.limit_val_batches=1", "search.trials=2", "search.name=s",
]  # fmt: skip


SAMPLERS = {
    "grid": ["search/space=null", "search.space.model.optimizer.lr={choices:[0.001,0.002]}", "search.champion_seeds=2"],
    "random": ["search.champion_seeds=1"],
    "tpe": ["search.champion_seeds=1"],
}


@pytest.mark.parametrize(
    ("experiment", "sampler"),
    [("pbpk_mlp", "grid"), ("pbpk_mlp", "random"), ("pbpk_mlp", "tpe"),
     ("stocks", "random"), ("sensors", "tpe"), ("images_plain", "grid")],
)  # fmt: skip
def test_a_search_ends_with_a_champion_that_is_kept_and_predicts(experiment, sampler, tmp_path, monkeypatch):
    from fulmen.search.controller import run_searches
    from fulmen.search.plans import plans

    monkeypatch.setenv("FULMEN_REGISTRY", str(tmp_path / "models"))
    typed = [f"experiment={experiment}", f"search={sampler}", *SAMPLERS[sampler], *TINY[experiment], *SHORT]
    (study,) = run_searches(plans([*typed, f"search.folder={tmp_path}"]))
    assert [trial.state.name for trial in study.trials] == ["COMPLETE"] * 2
    assert "against" in (study.folder / "report.md").read_text(), "the champion stands beside the baselines"
    assert [row["state"] for row in verify("s@champion")] == [""]
