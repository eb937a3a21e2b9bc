"""Trials are compared only if one code made them; a study from before that was recorded goes on."""

from fulmen.search.fingerprint import CODE, difference, fingerprint

BASE = {"experiment": "toy", "data._target_": "toy.Data", "model._target_": "toy.Model", "model.x": 1.0}


def test_a_study_that_other_code_began_is_refused_with_the_file():
    now = fingerprint(BASE, [], {"val/loss": "min"}, [])
    assert list(now[CODE]) == ["toy.py"]
    assert difference(now, now) == ""
    before = now | {CODE: {"toy.py": "0" * 16}}
    assert difference(before, now) == "was begun with other code (toy.py changed); its trials could not be compared"


def test_a_study_that_does_not_know_its_code_goes_on():
    now = fingerprint(BASE, [], {"val/loss": "min"}, [])
    before = {path: value for path, value in now.items() if path != CODE}
    assert difference(before, now) == ""
    assert "model.x: 1.0 -> 2.0" in difference(before, now | {"model.x": 2.0})


def test_another_way_to_show_a_training_is_no_other_setting():
    before = {"experiment": "toy", "callbacks.summary._target_": "RichModelSummary", "callbacks.summary.max_depth": 2}
    now = {"experiment": "toy", "callbacks.summary._target_": "ShortSummary", "callbacks.progress": None}
    assert difference(before, now) == ""
    assert "callbacks.best.mode" in difference(before, now | {"callbacks.best.mode": "max"})
