"""Own runs are judged as the proof judges them: the truth from a held-out set, the word from the diagnosis."""

import numpy as np
import pytest

from benchmarks.proofs import own_runs


def seen(fresh, train, val=None, base=1.0):
    found = own_runs.Truth()
    found.fresh, found.train, found.base, found.train_base = list(fresh), list(train), base, base
    found.logged = {"train/loss": list(train), "val/loss": list(fresh if val is None else val)}
    return found


X = np.arange(30)
FALL = 0.2 + 0.7 * np.exp(-X / 3)


@pytest.mark.parametrize(
    ("word", "truth"),
    [
        ("good_fit", seen(FALL, FALL)),
        ("overfitting", seen(FALL + 0.01 * np.maximum(0, X - 10), 0.1 + FALL * np.exp(-X / 30) - 0.1)),
        ("no_learning", seen(0 * X + 1.0, 0 * X + 1.0)),
        ("underfitting", seen(0.8 + 0.15 * np.exp(-X / 3), 0.8 + 0.15 * np.exp(-X / 3))),
        ("still_improving", seen(0.9 - 0.025 * X, 0.9 - 0.025 * X)),
        ("generalization_gap", seen(FALL, 0.2 * FALL)),
        ("", seen(FALL + 0.001 * X, FALL)),  # a rise between words
        ("", seen(FALL, FALL, FALL + 0.002 * X)),  # its own validation split says something else
    ],
)
def test_the_truth_of_a_run_follows_from_effect_sizes(word, truth):
    assert own_runs.word(truth, 0.4, 0.8) == word


def test_a_run_that_is_held_back_is_said_to_underfit_and_its_log_says_the_same(monkeypatch):
    monkeypatch.setattr(own_runs, "possible", lambda *_: 0.93)
    number = 13  # pictures, a network of one hidden unit
    assert own_runs.draw(number)["kind"] == "held back"
    kept = own_runs.judged(number)
    assert (kept["true"], kept["said"], kept["contradicted"]) == ("underfitting", "underfitting", [])


def test_figures_of_the_proof_are_counted_from_its_cells():
    cell = {"kind": own_runs.HEALTHY, "true": "good_fit", "said": "good_fit", "alarms": [], "contradicted": [],
            "between": [], "off": []}  # fmt: skip
    wrong = cell | {"true": "overfitting", "alarms": ["underfitting"], "contradicted": ["good fit, and yet"]}
    found = own_runs.summed([cell] * 8 + [cell | {"true": ""}] + [wrong] * 1)
    assert (found["runs"], found["judged"], found["contradicted"], found["alarms"]) == (10, 9, 1, 1)
    assert found["macro_f1"] == pytest.approx(0.5 * (2 * 8 / (2 * 8 + 1)), abs=0.001)
