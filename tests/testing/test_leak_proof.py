"""Small cells of the proof over planted leaks, one of each kind of data; `make proofs ARGS=leaks` has them all."""

import pytest

from benchmarks.leak_bases import BASES
from benchmarks.leak_sets import honest
from benchmarks.proofs.leaks import base, of_honest, of_planted, plan, together
from fulmen.callbacks import leaks as of_training
from fulmen.data.leaks.leak import Leak
from fulmen.testing import Curves, Pictures, Prices, Table


@pytest.mark.parametrize(
    ("kind", "mechanism"),
    [(Table, "target_copy"), (Table, "identifier"), (Table, "temporal"), (Pictures, "duplicate"),
     (Prices, "target_copy"), (Curves, "duplicate")],
)  # fmt: skip
def test_a_perfect_leak_is_found_under_a_right_name(kind, mechanism):
    found = of_planted(kind, mechanism, "perfect", len(BASES[kind]) * 2, before={})
    assert found["named"]
    assert found["leaky"] > found["honest"]


@pytest.mark.parametrize("name", ["table, weak signal 0", "pictures, shapes 0", "prices, no signal 0"])
def test_data_without_a_leak_raise_no_alarm(name):
    assert of_honest(honest()[name](), deep=False)["alarms"] == []


def test_the_proof_hears_what_a_training_finds_of_its_module_too(monkeypatch):
    told = (
        [Leak("fitted_on_test", "error", "the module scales with test rows")],
        [Leak("chosen_on_test", "error", "so")],
    )
    monkeypatch.setattr(of_training, "setup_leaks", lambda *_: told[0])
    monkeypatch.setattr(of_training, "choice_leaks", lambda *_: told[1])
    alarms = of_honest(honest()["table, weak signal 0"](), deep=False)["alarms"]
    assert [each.partition(" ")[0] for each in alarms] == ["FUL-L09", "FUL-L10"]


def test_a_leak_is_planted_in_data_in_which_it_shows():
    assert base(Table, "duplicate", 6) == 3  # number 2 is split by machine: a copied machine tells little of another
    assert base(Prices, "preprocessing", 1) == 1  # no scaler lifts a score


def test_the_proof_has_enough_cells_of_each_kind_and_says_which_are_missed():
    cells = plan()
    assert len(cells) >= 60
    assert len(honest()) >= 100
    told = {cell: {"named": "" if cell.endswith("middle") else "copies"} for cell in cells}
    found = together(told, cells)
    assert not found["ok"]
    assert len(found["missed"]) == found["found"]["perfect"] == found["of"] / 2
