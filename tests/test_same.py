"""What must not change has not, to 1e-4 on any machine; `make same` asks for every bit, on one."""

import json
import re

import pytest

import fulmen.callbacks.resume as resume
from benchmarks.same import IN_TESTS, NUMBERS, ROOT, cases, commit_of, compare, losses, recorded, run_case


@pytest.mark.parametrize("name", IN_TESTS)
def test_losses_are_the_stored_ones(name, tmp_path):
    facts = run_case(name, cases()[name], ROOT, tmp_path / "case")
    assert losses(facts) == pytest.approx(json.loads(NUMBERS.read_text())[name], rel=1e-4)


@pytest.mark.slow
def test_another_seed_of_the_batches_is_named_with_both_values(tmp_path, monkeypatch):
    typed = cases()["sensors"]
    then, again = (run_case("sensors", typed, ROOT, tmp_path / name) for name in "ab")
    assert compare(then, again) == []
    monkeypatch.setattr(resume, "derived_seed", lambda *parts: 1)
    found = compare(then, run_case("sensors", typed, ROOT, tmp_path / "c"))
    words = re.compile(r"run/metrics\.csv: 0 train/loss: 0\..* -> 0\.")
    assert [line for line in found if words.match(line)], found
    assert [line for line in found if line.startswith("run/checkpoints/last.ckpt: ")], found


def test_what_is_there_only_now_is_no_difference_but_what_is_gone_is():
    assert compare({"a": 1.0}, {"a": 1.0, "b": 2.0}) == []
    assert compare({"a": 1.0, "b": 2.0}, {"a": 1.0}) == ["b: 2.0 -> absent"]
    assert compare({"a": 1.0}, {"error": "broken"}) == ["fails now: broken"]


def test_every_case_has_a_commit_and_every_moved_one_exists_and_has_a_reason():
    record = recorded()
    assert record.keys() <= {"*", *cases()}
    assert [name for name in cases() if len(commit_of(name, record)) != 40] == []
    assert [name for name, entry in record.items() if not entry["why"]] == []
