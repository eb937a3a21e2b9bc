"""What a verdict says in words and in JSON agrees with the curves, and one part of an answer with the others."""

import json
import re
import warnings

import numpy as np
import pytest

import fulmen
from fulmen.cli import main
from fulmen.diagnosis import diagnose
from fulmen.errors import FulmenError
from fulmen.runs.diagnose import diagnose_path

TRAIN = [1, 0.6, 0.4, 0.3, 0.25, 0.22, 0.21, 0.2, 0.2, 0.2]
VAL = [1, 0.65, 0.45, 0.36, 0.3, 0.27, 0.26, 0.25, 0.25, 0.25]
OVERFITTING = ([9, 5, 4, 3, 2, 1, 1, 1], [9, 6, 5, 6, 7, 8, 9, 9])


def test_the_first_epoch_has_the_training_loss_of_the_first_epoch():
    train, val = [1, 0.92, 0.9, *[0.89] * 7], [1.2, 1.0, 0.95, *[0.93] * 7]
    stays = diagnose(train, val)[0]
    assert "training loss stays at 0.89, 11% below the 1 of the first epoch" in str(stays)
    assert round(stays.evidence["gain"], 2) == 0.11
    still = diagnose([2.0 + 0.001 * (i % 3) for i in range(20)], [2.1 + 0.001 * (i % 2) for i in range(20)])[0]
    assert "training loss is 2; the first epoch has 2" in str(still)
    assert "where it began" not in str(still)
    worse = diagnose([2.3, 1, 0.5, 0.3, 0.3, 3, 9, 20], [2.6, 1, 0.6, 0.4, 0.5, 3, 9, 20])[0]
    assert "training loss 20 after 0.3 at best; the first epoch has 2.3" in str(worse)


def test_the_rise_of_overfitting_is_that_of_its_own_numbers():
    verdict = diagnose(*OVERFITTING)[0]
    numbers = verdict.evidence
    assert numbers["rise"] == pytest.approx(numbers["val"] / numbers["best"] - 1) == pytest.approx(0.8)
    assert "validation loss 80% over its best (53% in means of 3 checks) while training loss falls" in str(verdict)
    rng, x = np.random.default_rng(0), np.arange(60)
    noisy = (0.4 + 0.6 * np.exp(-x / 4) + 0.006 * x) * (1 + 0.08 * rng.standard_normal(60))
    noisy[-1] = noisy.min()
    said = diagnose(0.1 + np.exp(-x / 6), noisy)[0]
    assert said.code == "overfitting"
    assert re.search(r"validation loss \d\d% over its best in means of \d+ checks while training loss", str(said))


def test_what_tells_a_hidden_rise_from_noise_is_said_in_whole_words():
    rng, said = np.random.default_rng(3), []
    x = np.arange(80)
    for _ in range(60):
        val = 0.5 * (1 + 0.12 * x / 80) * (1 + 0.1 * rng.standard_normal(80)) + 0.5 * np.exp(-x / 5)
        said += [str(v) for v in diagnose(0.02 + 0.2 * np.exp(-x / 25), val) if v.code == "overfitting"]
    hidden = [each for each in said if "could be noise" in each]
    assert hidden
    for each in hidden:
        before, after = map(int, re.findall(r"training loss went from (\d+)% to (\d+)% of it", each)[0])
        assert before > after
        assert not re.search(r"rise as much to|falls to", each)


def test_a_loss_below_zero_has_no_percentage():
    fall = 0.2 + 0.8 * np.exp(-np.arange(60) / 5)
    rising = fall + 0.02 * np.maximum(np.arange(60) - 25, 0)
    over = diagnose(fall - 3, rising - 3)[0]
    assert over.code == "overfitting"
    assert re.search(
        r"validation loss at -2\.1\d* after -2\.7\d* at its best, \d+% of what was gained before", str(over)
    )
    falling = diagnose(-0.05 * np.arange(20.0) - 1, -0.05 * np.arange(20.0) - 0.9)[0]
    assert falling.code == "still_improving"
    assert "validation loss still falls: from -1.55 to -1.8 over the last quarter" in str(falling)
    assert "no_learning" not in diagnose(fall - 30, 1.05 * fall - 30)
    flat = -30 + 0.003 * np.random.default_rng(1).standard_normal((2, 60))
    assert "no_learning" in diagnose(*flat)


def test_a_gap_to_no_training_loss_at_all_is_no_infinite_number_of_times():
    found = diagnose([1, 0.5, 0.2, 0.1, 0.05, 0, 0, 0, 0, 0], VAL)
    assert found[0].code == "generalization_gap"
    assert "validation loss is 0.25 where training loss is 0" in str(found[0])
    json.dumps(found[0].as_dict(), allow_nan=False)


def test_two_constants_are_named_with_a_number_each():
    said = str(diagnose([2.0] * 8, [3.0] * 8))
    assert (
        "training loss is 2 and validation loss is 3 at every check, to the last digit: nothing is judged by them"
        in said
    )
    assert "training and validation loss are 2 at every check" in str(diagnose([2.0] * 8, [2.0] * 8))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert "validation loss is 0 at every check" in str(diagnose(TRAIN, [0.0] * 10))


def test_more_epochs_and_fewer_are_never_advised_at_once():
    rng = np.random.default_rng(4)
    for _ in range(300):
        n = int(rng.integers(8, 90))
        x = np.arange(n) / n
        both = 0.2 + 0.8 * np.exp(-rng.uniform(2, 20) * x) + 0.1 * np.cos(rng.uniform(10, 40) * x)
        found = diagnose(both, 1.1 * both * (1 + rng.uniform(0.001, 0.1) * rng.standard_normal(n)))
        assert not {"still_improving", "plateau"} <= {each.code for each in found}


def test_a_diverged_validation_loss_is_not_too_good():
    for jump in (2, 5, 60):
        train = [1, 0.5, 0.3, 0.25, 0.22, jump, 2 * jump, 4 * jump]
        codes = [each.code for each in diagnose(train, [1, 0.55, 0.35, 0.3, 0.27, jump, 2 * jump, 4.1 * jump])]
        assert codes[0] == "diverged"
        assert "validation_too_good" not in codes


def test_cures_fit_where_the_curves_come_from(tmp_path):
    assert "one batch alone: can it be learned?" in diagnose([2.0] * 8, [2.0] * 8)[0].cures
    assert not [cure for each in diagnose([2.0] * 8, [2.0] * 8) for cure in each.cures if "--" in cure or "=" in cure]
    (tmp_path / "a.csv").write_text("loss,val_loss\n" + "".join(f"{t},2\n" for t in TRAIN))
    assert "another column, by --train or --val" in diagnose_path(tmp_path / "a.csv").verdicts[0].cures


@pytest.mark.parametrize("factor", [100, 0.01])
@pytest.mark.parametrize("base", [None, 1.0])
def test_another_unit_is_named_whichever_way_round_it_is(factor, base):
    fall = 0.2 + 0.8 * np.exp(-np.arange(30) / 3)
    found = diagnose(fall, factor * 1.1 * fall, base=base)
    assert found[0].code == "good_fit"
    assert "different_units" in found


def test_bad_arguments_are_refused_in_a_line():
    for name, value in (("base", 0), ("base", -1.0), ("base", float("nan")), ("expected_gain", 2), ("val_scale", 0)):
        with pytest.raises(FulmenError, match=f"diagnose: {name} is {value}; it is "):
            fulmen.diagnose(TRAIN, VAL, **{name: value})
    with pytest.raises(FulmenError, match="losses must be numbers or None: int too large"):
        fulmen.diagnose([10**400] * 8, [1.0] * 8)


def test_a_verdict_is_asked_for_as_the_command_takes_it():
    found = fulmen.diagnose(TRAIN, VAL)
    for word in ("good_fit", "FUL-D00", "d00", "good fit"):
        assert word in found
    for word in ("overfitting", "FUL-D03", "no such finding", 3):
        assert word not in found


def test_a_refusal_is_json_where_json_is_asked_for(tmp_path, capsys):
    path = tmp_path / "a.csv"
    path.write_text(
        "epoch,train_loss,val_loss\n"
        + "".join(f"{i},{t},{v}\n" for i, (t, v) in enumerate(zip(*OVERFITTING, strict=True)))
    )
    assert main(["diagnose", str(path), "--json", "--val", "foo"]) == 2
    said = capsys.readouterr()
    assert json.loads(said.out) == {"error": said.err.strip().removeprefix("error: ")}
    assert said.err.count("train_loss") == 1
    assert main(["diagnose", str(path), "--json", "--ignore", "FUL-D03,plateau"]) == 0
    assert [each["id"] for each in json.loads(capsys.readouterr().out)["ignored"]] == ["FUL-D03"]


def test_the_percentage_of_a_noise_is_the_one_that_was_judged():
    x, told = np.arange(200) / 199, []
    for seed in range(8):
        noise = np.random.default_rng(seed).standard_normal(200)
        train = 0.5 + 0.5 * np.exp(-25 * x)
        found = diagnose(train, np.maximum(train * (1 + 0.5 * noise), 0.02))
        told += [each.finding for each in found if each.code == "noisy_validation" and each.severity == "warning"]
    assert len(told) >= 6
    assert all(int(re.search(r"(\d+)% of its level", words)[1]) > 31 for words in told)


def test_a_low_that_stands_alone_is_named_beside_the_best():
    named, x = 0, np.arange(40) / 40
    for seed in range(20):
        noise = 1 + 0.12 * np.random.default_rng(seed).standard_normal(40)
        val = (0.4 + 0.6 * np.exp(-12 * x) + 0.3 * np.maximum(x - 0.4, 0)) * noise
        first = diagnose(0.9 * np.exp(-5 * x) + 0.05, val)[0]
        if first.code == "overfitting" and first.evidence["best"] > 1.03 * val.min():
            named += 1
            lowest = f"without the {val.min():.3g} that stands alone in epoch {val.argmin() + 1}"
            assert f"{first.evidence['best']:.3g} {lowest}" in first.finding
    assert named


def test_a_validation_loss_that_is_not_below_its_beginning_is_not_said_to_have_fallen():
    rng, seen = np.random.default_rng(3), 0
    for _ in range(200):
        fall = 0.3 + 0.7 * np.exp(-np.arange(14) / 2)
        val = (fall * 0.1 + 0.9 * 0.35) * (1 + 0.12 * rng.standard_normal(14))
        found = diagnose(fall, val)
        if found[0].code == "good_fit" and val[-1] >= val[0]:
            seen += 1
            assert "both losses fell" not in found[0].finding
    assert seen


@pytest.mark.parametrize(
    "options",
    [{"train": 5}, {"train": np.float64(0.5)}, {"train": np.array(0.5)}, {"train": "nan"}, {"base": "1"},
     {"base": [1]}, {"expected_gain": "a"}, {"expected_gain": None}, {"val_scale": "a"}, {"val_scale": None}],
)  # fmt: skip
def test_what_is_no_list_of_losses_or_no_number_is_refused_in_a_line(options):
    with pytest.raises(FulmenError) as caught:
        diagnose(**{"train": TRAIN, "val": VAL} | options) if "train" in options else fulmen.diagnose(
            TRAIN, VAL, **options
        )
    assert "\n" not in str(caught.value)


def test_words_for_nan_and_the_largest_numbers_are_losses():
    assert diagnose(["nan"] * 8, ["nan"] * 8)[0].code == "non_finite"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        diagnose([1.7e308, -1.7e308] * 8, [1.7e308] * 16)
        diagnose([1.7e308 / (i + 1) for i in range(16)], [1.7e308 / (i + 1) for i in range(16)], base=1e-320)


def test_brackets_without_end_are_refused_in_a_line(tmp_path):
    (tmp_path / "log.json").write_text("[" * 100_000)
    with pytest.raises(FulmenError, match="brackets within brackets"):
        diagnose_path(tmp_path / "log.json")
