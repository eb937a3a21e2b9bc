"""A learning curve tells too little data from too small a model where that is so by construction."""

import json

import numpy as np
import pytest

from fulmen.comparison.curve import curve
from fulmen.comparison.learning_curve import Law, Points, fit, judge, shares_of
from fulmen.errors import FulmenError

QUIET = ("callbacks.progress=null", "callbacks.summary=null", "logger.tensorboard=null", "model.figures=false")
SAMPLES = np.array([125, 250, 500, 1000])


def drawn(law, noise, seed, train=None, seeds=3):
    """Losses by a law, with noise as a share of each."""
    rng = np.random.default_rng(seed)
    val = law.at(SAMPLES)[:, None] * (1 + noise * rng.normal(size=(4, seeds)))
    return Points(SAMPLES, val, np.full_like(val, train if train is not None else law.floor))


@pytest.mark.parametrize("law", [Law(0.2, 3.0, 0.5), Law(0.0, 2.0, 0.3), Law(1.0, 30.0, 1.0)], ids=str)
def test_the_law_of_exact_losses_is_found(law):
    found = fit(SAMPLES.astype(float), law.at(SAMPLES))
    assert found.at(2000) == pytest.approx(law.at(2000), rel=0.01)
    assert found.at(8000) == pytest.approx(law.at(8000), rel=0.03)


def rate(law, outcome, train=None, noise=0.01, draws=60):
    return np.mean([judge(drawn(law, noise, seed, train)).outcome == outcome for seed in range(draws)])


def test_too_little_data_is_called_so_and_too_small_a_model_is_not():
    """By effects of 10 % and of nothing, seen through noise of 1 % and three seeds."""
    assert rate(Law(0.2, 3.0, 0.5), "more_data") >= 0.95
    flat = Law(0.5, 0.0, 1.0)
    assert rate(flat, "more_data", train=0.49) <= 0.1
    quiet = 0.003
    assert rate(flat, "larger_model", train=0.49, noise=quiet) >= 0.9
    assert rate(flat, "less_freedom", train=0.1, noise=quiet) >= 0.9
    assert rate(flat, "undecided", train=0.49, noise=0.1) >= 0.7


def test_what_twice_the_data_brings_is_told_with_its_interval():
    law = Law(0.2, 3.0, 0.5)
    truth = 1 - law.at(2000) / law.at(1000)
    inside = [v[1] <= truth <= v[2] for v in (judge(drawn(law, 0.01, seed)).doubled for seed in range(40))]
    assert np.mean(inside) >= 0.8
    said = str(judge(drawn(law, 0.001, 0)))
    assert said.startswith("Half of the data costs ")
    assert said.endswith("More data of this kind are the next thing to get.")


def test_one_seed_decides_nothing():
    verdict = judge(drawn(Law(0.2, 3.0, 0.5), 0.01, 0, seeds=1))
    assert verdict.outcome == "undecided"
    assert str(verdict).startswith("Undecided: half of the data costs ")


def test_a_law_that_does_not_fall_foretells_nothing_and_a_share_that_does_better_speaks_of_short_trainings():
    rising = np.array([[0.30, 0.31, 0.32], [0.40, 0.41, 0.42], [0.5, 0.51, 0.52], [0.6, 0.61, 0.62]])
    rising += 0.004 * np.random.default_rng(0).normal(size=rising.shape)
    verdict = judge(Points(SAMPLES, rising, rising))
    assert verdict.law.scale == 0
    assert "twice the data is expected" not in str(verdict)
    assert "the trainings may be too short" in str(verdict)
    assert verdict.better_share == 0.125
    flat = [judge(drawn(Law(0.5, 0.0, 1.0), 0.01, seed)) for seed in range(40)]
    assert np.mean([np.isfinite(each.better_share) for each in flat]) < 0.1
    assert not any("expected to lower" in str(each) for each in flat if each.law.scale == 0)


def test_shares_are_checked():
    assert shares_of([0.5, 0.25]) == [0.25, 0.5, 1.0]
    for wrong in ([0.5], [0.0, 0.5], [0.5, 2.0]):
        with pytest.raises(FulmenError, match="shares are"):
            shares_of(wrong)


def test_a_curve_is_drawn_of_runs_that_take_as_many_steps_each_and_touch_no_test_data(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    small = ["data.rows=600", "data.features=20", "data.classes=2", "trainer.max_epochs=2", "metrics=null", *QUIET]
    folder = curve("synthetic_mlp", small, (0.25, 0.5), 2)
    said = json.loads((folder / "curve.json").read_text())
    assert said["training_samples"] == [105, 210, 420]
    assert np.isfinite(said["val"]).all()
    assert np.isfinite(said["train"]).all()
    assert said["sentence"] in capsys.readouterr().out
    results = [json.loads(path.read_text()) for path in tmp_path.glob("outputs/runs/*/*/result.json")]
    assert len(results) == 6
    assert not [name for each in results for name in each["metrics"] if name.startswith("test/")]
    assert max(each["steps"] for each in results) <= 1.2 * min(each["steps"] for each in results)
    assert (folder / "report.html").exists()
    curve("synthetic_mlp", small, (0.25, 0.5), 2)
    assert len(list(tmp_path.glob("outputs/runs/*/*/result.json"))) == 6, "what was trained is used again"


def test_what_a_curve_cannot_do_is_said_in_a_line(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for typed, more, said in (
        (["folds=3"], {}, "leave out folds"), ([], {"seeds": 1}, "seeds is 1"), (["data.rowz=3"], {}, "data.rows"),
    ):  # fmt: skip
        with pytest.raises(FulmenError, match=said):
            curve("synthetic_mlp", typed, **more)
    assert not (tmp_path / "outputs").exists()
