"""A verdict on curves says how often such a verdict is right, and is right that often on curves it has not seen."""

import sys

import numpy as np

from fulmen.cli import main
from fulmen.config.places import project_root
from fulmen.diagnosis import Verdict, diagnose
from fulmen.diagnosis.verdicts import as_lines

sys.path.insert(0, str(project_root() / "benchmarks"))
from diagnosis_confidence import told

FALLING = [1 / k for k in range(1, 40)]
RISING = [1 / k if k < 10 else 0.1 + 0.02 * (k - 10) for k in range(1, 40)]


def test_as_many_verdicts_are_right_as_their_confidence_says():
    fresh = told(500, 77)
    confidence, right = (np.array([each[i] for each in fresh], float) for i in (2, 3))
    for low, high in ((0.0, 0.9), (0.9, 0.97), (0.97, 1.01)):
        among = (confidence >= low) & (confidence < high)
        error = np.sqrt(right[among].mean() * (1 - right[among].mean()) / among.sum())
        assert abs(confidence[among].mean() - right[among].mean()) < 0.02 + 3 * error


def test_confidence_stands_in_the_report_in_json_and_on_the_console(tmp_path, capsys):
    first = diagnose(FALLING, RISING)[0]
    assert first.code == "overfitting"
    assert 0.8 < first.confidence <= 1
    words = f"such a verdict is right for {first.confidence:.0%} of simulated curves like these"
    assert words in as_lines([first])[0]
    assert Verdict.from_dict(first.as_dict()) == first
    path = tmp_path / "log.csv"
    path.write_text("train_loss,val_loss\n" + "".join(f"{t},{v}\n" for t, v in zip(FALLING, RISING, strict=True)))
    main(["diagnose", str(path)])
    assert words in capsys.readouterr().out


def test_noise_lowers_confidence_and_what_needs_more_than_curves_has_none():
    rng = np.random.default_rng(1)
    loud = diagnose(FALLING, np.array(RISING) + 0.12 * np.abs(rng.standard_normal(39)))
    quiet = diagnose(FALLING, RISING)[0].confidence
    assert all(each.confidence < quiet for each in loud if each.code == "overfitting")
    old = diagnose(FALLING, RISING)[0].as_dict()
    del old["confidence"]
    assert Verdict.from_dict(old).confidence is None
    assert Verdict.make("dead_units", 1, share=0.9, layer="a").confidence is None
