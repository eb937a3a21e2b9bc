"""What a ranking says to do next follows from whether it tells the first from any other."""

import json

import numpy as np
import pytest

from fulmen.cli import main
from fulmen.comparison.entrants import entrants
from fulmen.comparison.ranking_files import first_places, main_table, next_of, reported, write
from fulmen.comparison.standing import Standing
from fulmen.report.contest import Contest


def rows(*p):
    return [{"model": name, "p": value} for name, value in zip(("mlp", "logistic", "forest"), (None, *p), strict=True)]


@pytest.mark.parametrize(
    ("p", "seeds", "ahead", "holds"),
    [
        ((0.01, 0.01), 1, True, "fulmen models save"),
        ((0.01, 0.6), 1, True, "fulmen models save"),
        ((0.6, 0.6), 1, True, "fulmen rank sensors network=mlp,logistic --folds 3 --seeds 3"),
        ((0.6, 0.6), 3, True, "fulmen rank sensors network=mlp,logistic --folds 3 --seeds 6"),
        ((0.01, 0.01), 1, False, "fulmen rank sensors network=mlp,logistic --folds 3 --seeds 3"),
    ],
)
def test_a_model_is_kept_only_where_the_folds_tell_the_first_from_another(p, seeds, ahead, holds, tmp_path):
    asked = entrants("sensors", ["network=mlp,logistic"])
    why, command = next_of(tmp_path, asked, rows(*p), 3, seeds, ahead)
    assert why.endswith(":")
    assert holds in command


def test_findings_that_are_ignored_are_none_of_a_ranking():
    shown = Standing(["undecided_result", "no_difference"], "a leads.", 2)
    assert reported(shown, {"findings": {"ignore": ["FUL-V06"]}}) == ["undecided_result"]
    assert reported(shown, {}) == shown.findings


def test_the_page_holds_what_all_share_where_it_ran_and_links_to_the_runs(tmp_path):
    scores = {"mlp": {"roc_auc": np.array([0.8, 0.9, 0.7])}, "logistic": {"roc_auc": np.array([0.6, 0.7, 0.6])}}
    run = tmp_path / "runs" / "sensors" / "a run"
    contest = Contest(scores, {}, 100, 50, seeds=2, runs={"mlp": run})
    folder = tmp_path / "rankings" / "x"
    write(folder, entrants("sensors", ["network=mlp,logistic", "data.days=15"]), contest, "roc_auc", {"roc_auc": True})
    page, text = ((folder / name).read_text() for name in ("report.html", "ranking.md"))
    assert "Overrides: `network=mlp,logistic data.days=15 --folds=3 --seeds=2`." in text
    assert "[mlp](../../runs/sensors/a%20run/report.html)" in text
    assert 'href="../../runs/sensors/a%20run/report.html">mlp</a>' in page
    attached = page.partition("Configuration that all share")[2]
    assert "days: 15" in attached
    assert json.loads((folder / "environment.json").read_text())["starts"][0]["packages"]["torch"] in attached


@pytest.mark.parametrize(
    ("count", "asked", "shown"),
    [(6, [], "abcdef"), (5, [], "abcde"), (8, [], "abcde"), (8, ["g"], "abcdeg"), (7, ["g"], "abcdefg")],
)
def test_the_console_hides_no_single_row_and_no_model_that_was_asked_for(count, asked, shown):
    rows = [{"": str(place), "model": name} for place, name in enumerate("abcdefgh"[:count], 1)]
    assert "".join(row["model"] for row in first_places(rows, asked)) == shown


def test_both_ends_of_an_interval_are_shown(tmp_path):
    row = {"": "1", "model": "a", "auc": 0.9, "sd": 0.1, "from": 0.8, "to (95 %)": 1.0, "difference": None, "p": None}
    table = main_table([row], "auc", None)
    assert {"from", "to (95 %)"} <= set(table.first)


def test_json_stands_alone_on_the_output(tmp_path, monkeypatch, capsys):
    def ranked(*_):
        print("what a person reads")
        (tmp_path / "ranking.json").write_text('{"verdict": "a leads"}')
        return tmp_path

    monkeypatch.setattr("fulmen.comparison.benchmark.rank", ranked)
    assert main(["rank", "sensors", "--json"]) == 0
    told = capsys.readouterr()
    assert json.loads(told.out) == {"verdict": "a leads"}
    assert "what a person reads" in told.err
