"""Trials keep what they say of each validation item; the champion shows by what luck it was chosen."""

from types import SimpleNamespace

import numpy as np
import pytest
from helpers import quiet_trainer

from fulmen.config.check import build, check_overrides
from fulmen.runs.result import Result
from fulmen.search.champion import Champion
from fulmen.search.report import regress

SMALL = {
    "sensors": ["network=logistic", "data.machines=8", "data.days=15"],
    "images_plain": [],
    "pbpk_mlp": ["data.compounds=24", "data.validation_compounds=4", "data.test_compounds=4"],
}


@pytest.mark.parametrize("experiment", SMALL)
def test_every_validation_item_has_its_loss(experiment, tmp_path):
    cfg = check_overrides([f"experiment={experiment}", *SMALL[experiment], f"output_dir={tmp_path}"])
    data, model = build(cfg.data, "data"), build(cfg.model, "model")
    trainer = quiet_trainer(max_epochs=1, limit_train_batches=2)
    trainer.fit(model, datamodule=data)
    items = model.validation_items(data)
    held = data.splits["validation"]
    assert len(items["loss"]) == len(items["item"]) == len(next(iter(held.values())))
    assert np.isfinite(items["loss"]).all()
    logged = trainer.validate(model, datamodule=data, verbose=False)[0]["val/loss"]
    if experiment == "sensors":
        assert items["loss"].mean() == pytest.approx(logged, rel=1e-4)
    if experiment == "images_plain":  # every class counts the same
        label = held["label"].numpy()
        assert np.mean([items["loss"][label == c].mean() for c in np.unique(label)]) == pytest.approx(logged, rel=1e-3)


@pytest.mark.parametrize(
    ("mode", "again", "says"),
    [
        ("min", [0.5, 0.4], "was 0.4 when it was chosen and is 0.45 with 2 other seeds: 0.05 of it was the luck"),
        ("max", [0.3, 0.3], "is 0.3 with 2 other seeds: 0.1 of it was the luck of its seed"),
        ("min", [0.3, 0.4], "it was no luck of its seed"),
    ],
)
def test_the_champion_is_held_against_the_score_that_it_was_chosen_by(mode, again, says, tmp_path):
    folders = [tmp_path / f"trial_0001_seed_{42 + k}" for k in range(3)]
    for folder, value in zip(folders, [0.4, *again], strict=True):
        Result("toy", folder, "completed", metrics={"best/val/loss": value}).write()
    study = SimpleNamespace(objectives={"val/loss": mode}, design=SimpleNamespace(config={"seed": 42}))
    champion = Champion(SimpleNamespace(values=[0.4]), folders, None, [], "")
    (said,) = regress(study, champion)
    assert says in said
    assert regress(study, Champion(SimpleNamespace(values=[0.4]), folders[:1], None, [], "")) == []
