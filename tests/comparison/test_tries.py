"""The tables of many models say what remains when all of them are counted."""

import json
import shutil

import numpy as np
import pytest

from fulmen.comparison.ended import Ended, over_seeds
from fulmen.comparison.entrants import entrants
from fulmen.comparison.multirun import Ranking
from fulmen.comparison.multirun_table import folders_of
from fulmen.comparison.named import compare
from fulmen.comparison.ranking_files import write
from fulmen.comparison.tries import together, tries_of
from fulmen.report.contest import Contest
from fulmen.report.many_tries import confidence_set
from fulmen.report.test_predictions import write_items
from tests.result_folders import loadable

U = 120


def kept_items(folder, share, seed):
    """A run whose forecast of 120 days explains a share of what comes, beside persistence."""
    folder.mkdir(parents=True, exist_ok=True)
    y = np.random.default_rng(0).standard_normal(U)
    forecast = share * y + 0.2 * np.random.default_rng(100 + seed).standard_normal(U)
    loss = np.square(y - forecast)
    day = np.arange(U)
    write_items(folder, {"item": day, "loss": loss, "time": day, "until": day + 1, "baseline/persistence": y**2})
    return loss


def ended(folder, score, *typed, data="d"):
    metrics = {"best/val/loss": score, "test/loss": score, "test/skill": 0.1}
    known = {"status": "completed", "metrics": metrics, "cost": {"parameters": 10, "fit_seconds": 1.0}}
    return Ended("stocks", ["experiment=stocks", *typed], "val/loss", "min", known, data, folder)


def runs_of(tmp_path, shares, **more):
    found = []
    for number, share in enumerate(shares):
        kept_items(tmp_path / str(number), share, number)
        found.append(ended(tmp_path / str(number), 1.0 - share, f"network={number}", **more))
    return found


def test_a_multirun_says_which_networks_can_be_the_best_and_whether_it_is_luck(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    ranking = Ranking()
    ranking.runs = runs_of(tmp_path, [0.9, 0.1, 0.1])
    ranking.show()
    (written,) = tmp_path.glob("outputs/sweeps/stocks_*/ranking.md")
    printed = " ".join(capsys.readouterr().out.split())
    for text in (" ".join(written.read_text().split()), printed):
        assert "network=0, the best of 3, is better than persistence when all are counted" in text
        assert "network=0 is the best of 3 (95 % confidence set, 120 days)" in text
    assert "When all tries are counted" in written.read_text()
    assert "gold" in written.read_text()
    (known,) = json.loads((written.parent / "tries.json").read_text())
    assert (known["confident"], known["reference"], known["findings"]) == (["network=0"], "persistence", [])


def test_networks_that_are_not_told_apart_have_no_medals(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    ranking = Ranking()
    ranking.runs = runs_of(tmp_path, [0.1, 0.1, 0.1, 0.1])
    ranking.show()
    (written,) = tmp_path.glob("outputs/sweeps/stocks_*/ranking.md")
    assert "Each of the 4 can be the best" in written.read_text()
    assert "gold" not in written.read_text() + capsys.readouterr().out


def test_seeds_alone_and_other_data_are_no_tries(tmp_path):
    runs = runs_of(tmp_path, [0.5, 0.1, 0.1])
    seeds = [ended(run.folder, 1.0, f"seed={number}") for number, run in enumerate(runs)]
    assert folders_of(seeds, seeds) == {}
    other = [*runs[:2], ended(runs[2].folder, 1.0, "network=2", data="e")]
    assert folders_of(other, other) == {}
    assert list(folders_of(runs, runs).values()) == [[run.folder] for run in runs]


def test_settings_with_several_seeds_count_with_all_of_them(tmp_path):
    runs = [ended(tmp_path / f"{network}{seed}", 1.0, f"network={network}", f"seed={seed}")
            for network in "abc" for seed in (1, 2)]  # fmt: skip
    losses = {run.folder: kept_items(run.folder, 0.5, number) for number, run in enumerate(runs)}
    folders = folders_of(runs, over_seeds(runs))
    assert [len(each) for each in folders.values()] == [2, 2, 2]
    found, _ = tries_of(folders)
    mean = [np.mean([losses[folder] for folder in each], 0) for each in folders.values()]
    order = np.argsort(np.mean(mean, 1))
    assert list(found.names) == [list(folders)[i] for i in order]
    inside = confidence_set(np.array(mean)[order], found.block)
    assert list(found.confident) == [name for name, one in zip(found.names, inside, strict=True) if one]


def test_runs_without_items_are_left_out(tmp_path):
    kept_items(tmp_path / "a", 0.5, 0)
    assert together([tmp_path / "a", tmp_path / "nowhere"]) == {}
    assert together([]) == {}
    assert tries_of({"a": [tmp_path / "a"], "b": [tmp_path / "nowhere"]}) == (None, [])


@pytest.mark.filterwarnings("ignore")
def test_a_comparison_of_three_counts_all(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    first = loadable(tmp_path / "outputs")
    for name, share in {"a": 0.1, "b": 0.9, "c": 0.1}.items():
        kept_items(shutil.copytree(first, first.with_name(name)), share, ord(name))
    found = compare("sensors/a", "sensors/b", "sensors/c")
    assert found.tries[0].startswith("b, the best of 3, is better than persistence when all are counted")
    assert found.tries[0] in capsys.readouterr().out
    assert "When all tries are counted" in found.report.read_text()
    assert found.tries[1] in found._repr_html_().replace("&#x27;", "'")


def test_a_ranking_by_runs_counts_all_its_candidates(tmp_path, capsys):
    shares = {"one": 0.0, "two": 0.9, "three": 0.0}
    runs = {name: tmp_path / name for name in shares}
    for number, (name, share) in enumerate(shares.items()):
        kept_items(runs[name], share, number)
    scores = {name: {"skill": np.array([0.1, 0.2, 0.3]) * share} for name, share in shares.items()}
    contest = Contest(scores, {}, 100, 50, runs=runs)
    write(tmp_path / "ranking", entrants("stocks_fast", []), contest, "skill", {"skill": True})
    printed = " ".join(capsys.readouterr().out.split())
    assert "two, the best of 3, is better than persistence when all are counted" in printed
    assert "When all tries are counted" in (tmp_path / "ranking" / "ranking.md").read_text()
    assert json.loads((tmp_path / "ranking" / "ranking.json").read_text())["tries"]["confident"] == ["two"]


def test_what_all_runs_were_asked_to_ignore_is_said_of_neither_multirun_nor_pair(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    ranking = Ranking()
    ranking.runs = runs_of(tmp_path, [0.1, 0.1, 0.1, 0.1])
    for run in ranking.runs:
        (run.folder / "config.yaml").write_text("format: 4\nfindings:\n  ignore: [FUL-V06]\n")
    ranking.show()
    (written,) = tmp_path.glob("outputs/sweeps/stocks_*/ranking.md")
    for text in (written.read_text(), capsys.readouterr().out):
        assert "can be the best" not in text
        assert "ignored, as asked: FUL-V06 no difference" in text
    (ranking.runs[0].folder / "config.yaml").write_text("format: 4\n")
    assert "Each of the 4 can be the best" in tries_of({run.folder.name: [run.folder] for run in ranking.runs})[1][-1]
