"""Proofs keep what they have shown, and show again what was shown for other code."""

import json

import pytest

from benchmarks.proofs import Proof
from benchmarks.proofs.__main__ import main


def test_a_second_start_does_what_is_missing_and_what_was_shown_for_other_code(tmp_path, capsys):
    proof = Proof("x.toy", "It holds.\n\nMore.", seeds=[1], results=tmp_path)
    cells = proof.missing(["a", "b", "c"])
    proof.keep(next(cells), ok=True, steps=3)
    proof.keep(next(cells), ok=False)
    again = Proof("x.toy", "It holds.", seeds=[1], results=tmp_path)
    assert list(again.missing(["a", "b", "c"])) == ["c"]
    assert not again.holds()
    assert capsys.readouterr().out.endswith("toy: 1 of 3 hold\n  b\n  c\n")
    again.code = "other code"
    assert list(again.missing(["a", "b", "c"])) == ["a", "b", "c"]


def test_results_say_what_they_were_shown_with(tmp_path):
    Proof("toy", "It holds.", seeds=[1, 2], results=tmp_path).keep("a", ok=True, steps=3)
    kept = json.loads((tmp_path / "toy.json").read_text())
    assert {"claim", "commit", "dirty", "code", "date", "machine", "seeds", "n", "cells"} == kept.keys()
    assert (kept["claim"], kept["seeds"], kept["n"], kept["cells"]["a"]["steps"]) == ("It holds.", [1, 2], 1, 3)


def test_an_unknown_proof_is_refused_with_those_there_are():
    with pytest.raises(SystemExit, match="no proof nothing; there is"):
        main(["nothing"])
