"""Wrong commands and config files of every kind are refused before work, with a command that keeps what was typed.

Here every eighth of `wrong_commands.cases`; `make proofs ARGS=wrong_commands` starts all of them as processes.
"""

import os

import pytest
from wrong_commands import Case, cases

from benchmarks.proofs.wrong_commands import KEPT, offered, shortcomings
from fulmen.entrypoints import before_search, before_work
from fulmen.errors import FulmenError

EVERY = 8


def refusal(case: Case) -> str:
    """The message that answers a case; started in the working directory."""
    answer = before_search if case.program == "sweep.py" else before_work
    with pytest.raises(FulmenError) as refused:
        answer([*([case.program] if answer is before_work else []), *case.typed])
    assert refused.value.exit_code == 2
    return str(refused.value)


def test_a_wrong_command_of_every_kind_is_refused_with_one_that_keeps_the_rest(tmp_path, monkeypatch):
    every = cases()
    chosen = [case for kind in dict.fromkeys(c.kind for c in every) for case in of_kind(every, kind)[::EVERY]]
    failed: dict[bool, dict[str, list[str]]] = {True: {}, False: {}}
    for number, case in enumerate(chosen):
        folder = tmp_path / str(number)
        case.write(folder)
        monkeypatch.chdir(folder)
        if wrong := shortcomings(case, refusal(case)):
            failed[case.right is not None][str(case)] = wrong
        assert set(os.listdir(folder)) <= {"conf"}, f"{case} leaves something behind"
    assert not failed[False]
    assert len(failed[True]) <= (1 - KEPT) * sum(case.right is not None for case in chosen), failed[True]


def of_kind(every: list[Case], kind: str) -> list[Case]:
    return [case for case in every if case.kind == kind]


def test_the_cases_are_the_same_each_time_and_of_every_kind_and_place():
    first, second = cases(), cases()
    assert [str(case) for case in first] == [str(case) for case in second]
    assert len(first) >= 200
    assert len({case.kind for case in first}) == 12
    places = {"top", "data", "model", "model.network", "model.optimizer", "model.scheduler", "trainer", "callbacks",
              "logger", "groups", "search"}  # fmt: skip
    assert places <= {case.place for case in first}


def test_a_cure_that_drops_what_was_typed_is_seen():
    case = Case("misspelt key", "top", ("experiment=stocks", "sed=7"), ("experiment=stocks", "seed=7"), ("sed",))
    good = "sed: no\n  this works: python train.py experiment=stocks seed=7"
    assert offered(good, case.program) == ["experiment=stocks", "seed=7"]
    assert shortcomings(case, good) == []
    assert shortcomings(case, "sed: no\n  this works: python train.py experiment=stocks") != []
    assert shortcomings(case, "sed: no") == ["no command is offered"]
