"""No point is trained twice, a small space has an end, and lists and null are choices like any other."""

import csv

import optuna
import pytest

from fulmen.search import opening
from fulmen.search.controller import announce
from fulmen.search.notation import read_space
from fulmen.search.outcome import Outcome
from fulmen.search.samplers import SeededByNumber, make_sampler
from fulmen.search.space import all_points, suggest

SMALL = read_space({"x": {"choices": [1, 2, 3]}, "y": {"low": 0, "high": 2, "when": {"x": [1, 2]}}})  # 7 points


def searched(sampler, space, trials, study=None):
    study = study or optuna.create_study(sampler=sampler)
    while len(study.trials) < trials:
        trial = study.ask()
        study.tell(trial, sum(suggest(space, trial).values()))
    return study


def points(study):
    return [tuple(trial.params.items()) for trial in study.trials]


@pytest.mark.parametrize("kind", ["random", "tpe", "gp"])
def test_a_small_space_is_gone_through_point_by_point_also_after_a_restart(kind):
    few = all_points(SMALL, 100)
    whole = searched(make_sampler(kind, 0, SMALL, few), SMALL, 7)
    assert len(set(points(whole))) == len(few) == 7
    again = optuna.create_study(sampler=make_sampler(kind, 0, SMALL, few))
    again.add_trials(whole.trials[:4])
    assert points(searched(None, SMALL, 7, again)) == points(whole)


@pytest.mark.parametrize("kind", ["random", "tpe", "gp"])
def test_where_no_point_comes_twice_the_points_are_those_of_the_sampler_itself(kind):
    space = read_space({
        "a": {"low": 1e-4, "high": 1.0, "log": True}, "b": {"choices": [1, 2]}, "c": {"choices": [0]},
        "d": {"low": 0.0, "high": 1.0, "when": {"b": 2}},
    })  # fmt: skip
    if kind == "gp":
        space = [parameter for parameter in space if not parameter.when]
    sampler = make_sampler(kind, 0, space)
    assert isinstance(sampler._sampler, SeededByNumber)
    assert points(searched(sampler, space, 15)) == points(searched(make_sampler(kind, 0, space)._sampler, space, 15))


def test_the_point_of_a_lost_trial_is_left_to_its_retry(study):
    one = study("search=random", "search.trials=9", "search.space.model.x={choices:[0.1,0.2]}",
                "search.space.model.y=null")  # fmt: skip
    first, second = one.claim(), one.claim()
    assert {first.params["model.x"], second.params["model.x"]} == {0.1, 0.2}
    one.tell(first, Outcome(interrupted=True))
    again = one.claim()
    assert (again.user_attrs["retry_of"], again.params) == (0, first.params)


def test_a_search_of_more_trials_than_points_ends_and_says_so(study, capsys):
    asked = ["search=tpe", "search.trials=50", "search.space.model.x={choices:[0.1,0.2]}"]
    one = study(*asked)
    announce(one)
    assert "8 trials, not 50: the space has no more different points" in capsys.readouterr().out
    while isinstance(trial := one.claim(), optuna.Trial):
        one.tell(trial, Outcome([trial.params["model.x"]]))
    assert len(one.finished) == len(set(points(one))) == 8
    assert study(*asked).claim() is one.claim(), "it stays at its end"


def test_a_study_that_tried_points_twice_before_goes_on_to_all_points(study, monkeypatch):
    asked = ["search=random", "search.trials=30", "search.space.model.x={choices:[0.1,0.2]}"]
    bare = SeededByNumber(optuna.samplers.RandomSampler, 0)
    monkeypatch.setattr(opening, "make_sampler", lambda *_: bare)
    old = study(*asked)
    for _ in range(7):
        trial = old.claim()
        old.tell(trial, Outcome([0.0]))
    monkeypatch.undo()
    tried = len(set(points(old)))
    assert tried < 7, "the test means something"
    new = study(*asked)
    while isinstance(trial := new.claim(), optuna.Trial):
        new.tell(trial, Outcome([0.0]))
    assert len(new.finished) == 7 + (8 - tried)
    assert len(set(points(new))) == 8


def test_lists_and_null_are_choices_and_every_table_shows_them(whole_search, capsys):
    from fulmen.config.stored import read_stored

    shapes = "search.space.model.shape={choices:[[64,64],[128],null]}"
    study = whole_search("search=grid", shapes, "search.space.model={x:null,y:null}", "trainer.max_epochs=1")
    stored = {read_stored(study.trial_folder(t.number))["model"]["shape"] and
              tuple(read_stored(study.trial_folder(t.number))["model"]["shape"]) for t in study.trials}  # fmt: skip
    assert stored == {(64, 64), (128,), None}
    with (study.folder / "leaderboard.csv").open() as file:
        assert {row["model.shape"] for row in csv.DictReader(file)} == {"[64,64]", "[128]", "null"}
    said = capsys.readouterr().out
    assert [text for text in ("shape=[64,64]", "shape=[128]", "shape=null") if text not in said] == []
    report = (study.folder / "report.md").read_text()
    assert "null" in report
    assert r"\[64,64\]" in report
