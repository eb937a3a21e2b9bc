"""The report of a search counts all trials by the items of the validation split."""

from types import SimpleNamespace

import numpy as np
import pytest

from fulmen.report.test_predictions import OF_VALIDATION, read_items, write_items
from fulmen.search.report import all_counted


def study_of(folder, shares, units=150):
    """Trials whose forecasts of the same validation days explain a share of what comes."""
    y = np.random.default_rng(0).standard_normal(units)
    for number, share in enumerate(shares):
        (folder / str(number)).mkdir()
        forecast = share * y + 0.1 * np.random.default_rng(number + 1).standard_normal(units)
        items = {"item": np.arange(units), "loss": np.square(y - forecast), "time": np.arange(units),
                 "baseline/persistence": y**2}  # fmt: skip
        write_items(folder / str(number), items, OF_VALIDATION)
    trials = [SimpleNamespace(number=number) for number in range(len(shares) + 1)]  # the last has no items
    design = SimpleNamespace(config={})
    return SimpleNamespace(ranked=lambda: trials, trial_folder=lambda number: folder / str(number), design=design)


def test_trials_that_can_be_the_best_are_named_and_the_optimism_of_choosing_is_told(tmp_path):
    (section,) = all_counted(study_of(tmp_path, [0.0] * 12))
    best, of_set, optimism = section.text
    assert "of 12, is not shown to be better than persistence when all are counted" in best
    assert of_set.startswith("Each of the 12 can be the best")
    assert optimism.startswith("The lowest of 12 losses is too low for having been chosen, by about 0.0")


def test_two_trials_are_no_many(tmp_path):
    assert all_counted(study_of(tmp_path, [0.0] * 2)) == []


@pytest.mark.slow
def test_trials_of_stocks_keep_what_they_say_of_each_validation_day(tmp_path, monkeypatch):
    from fulmen.search.controller import run_searches
    from fulmen.search.plans import plans

    typed = ["experiment=stocks", "search=random", "search.champion_seeds=0", "data.days=400", "model.figures=false",
             "trainer.accelerator=cpu", "trainer.precision=32-true", "trainer.max_epochs=2",
             "trainer.limit_train_batches=2", "search.trials=3", "search.name=s", "search.pruner=none",
             "data.features=[return]", "data.lookback_days=10", "search/space=null",
             "search.space.model.optimizer.lr={low:0.001,high:0.01,log:true}", f"search.folder={tmp_path}"]  # fmt: skip
    (study,) = run_searches(plans(typed))
    assert "When all trials are counted, on the validation split" in (study.folder / "report.md").read_text()
    best = study.ranked()[0]
    items = read_items(study.trial_folder(best.number), OF_VALIDATION)
    assert (items["until"] > items["time"]).all()
    scale = [trial.values[0] / read_items(study.trial_folder(trial.number), OF_VALIDATION)["loss"].mean()
             for trial in study.ranked()]  # fmt: skip
    assert np.ptp(scale) < 1e-3 * scale[0], "the loss of a trial is its mean, in units of the variance in training"
    assert len(items["item"]) == len(np.unique(items["item"]))
