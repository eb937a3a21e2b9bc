"""Settings that a multirun trained with the same seeds are compared by their means, and never a seed with a seed."""

import json

import pytest

from fulmen.comparison.ended import Ended, over_seeds, seeds_ahead
from fulmen.comparison.multirun import Ranking

TYPED = ["experiment=pbpk_mlp", "data.compounds=40"]


def ended(seed, hidden, score, folder=None):
    """A run whose data are those of its seed."""
    metrics = {"best/val/loss": score, "test/r2_log": 1 - (score or 0), "test/dm_p": 0.5}
    result = {"status": "failed"} if score is None else {"status": "completed", "metrics": metrics}
    result |= {"baselines": {"mean curve": {"r2_log": 0.1 * seed}}, "cost": {"parameters": 7, "fit_seconds": 2.0}}
    return Ended(
        "pbpk_mlp", [*TYPED, f"seed={seed}", f"hidden={hidden}"], "val/loss", "min", result, f"d{seed}", folder
    )


RUNS = [ended(1, 16, 2.372), ended(1, 32, 2.358), ended(2, 16, 0.6243), ended(2, 32, 0.6061)]


def test_a_setting_is_the_mean_over_its_seeds_and_not_its_luckiest_one():
    narrow, wide = over_seeds(RUNS)
    assert (narrow.overrides[-1], wide.overrides[-1]) == ("hidden=16", "hidden=32")
    assert wide.result["metrics"] == pytest.approx({"best/val/loss": 1.48205, "test/r2_log": -0.48205})
    assert wide.result["baselines"]["mean curve"]["r2_log"] == pytest.approx(0.15)
    assert (narrow.data, wide.data) == ("d1+d2", "d1+d2"), "both saw the same data"
    assert seeds_ahead(wide, narrow) == 2


@pytest.mark.parametrize(
    "runs",
    [RUNS[:2], RUNS[::2], [*RUNS[:3], ended(2, 32, None)], [ended(1, 16, 1.0), ended(2, 32, 1.0)]],
    ids=["one seed", "one setting", "one failed", "no seed in common"],
)
def test_where_settings_do_not_share_two_seeds_the_runs_stay_runs(runs):
    assert over_seeds(runs) == []


def test_a_seed_that_failed_in_one_setting_counts_in_none():
    narrow, wide = over_seeds([*RUNS, ended(3, 16, 0.1), ended(3, 32, None)])
    assert list(narrow.scores) == list(wide.scores) == ["1", "2"]


def test_the_report_names_the_setting_its_runs_and_their_configuration(tmp_path):
    runs = []
    for number, run in enumerate(RUNS):
        folder = tmp_path / "runs" / str(number)
        folder.mkdir(parents=True)
        (folder / "config.yaml").write_text(f"number: {number}\n")
        (folder / "environment.json").write_text(json.dumps({"starts": [{"seed": number}]}))
        runs.append(
            Ended(
                *(getattr(run, name) for name in ("experiment", "overrides", "monitor", "mode", "result", "data")),
                folder,
            )
        )
    ranking = Ranking(str(tmp_path / "sweeps" / "x"))
    ranking.runs = runs
    ranking.show()
    text, page = ((tmp_path / "sweeps" / "x" / name).read_text() for name in ("ranking.md", "report.html"))
    assert "**hidden=32 has the best mean validation loss, 1.482; the next, hidden=16, has 1.498. " in text
    assert "It is better with 2 of 2 seeds.**" in text
    assert "Which of these settings of pbpk_mlp is best by validation loss?" in text
    assert "## The settings\n\nn of each score: 2 seeds" in text
    assert "hidden=32 seeds=4" in text
    assert "Overrides of all: `experiment=pbpk_mlp data.compounds=40`." in text
    assert text.count("(../../runs/") == 4
    assert "Configuration of the best run" in page
    assert "number: 3\n" in page
    assert "Environment of the best run" in page
