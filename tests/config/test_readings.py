"""What a value that does not fit was meant to be, and what is taken as it was typed."""

import pytest

from fulmen.config.check import check_overrides, compose
from fulmen.config.mistakes import ConfigError, nearest
from fulmen.config.overrides import explicit
from fulmen.config.readings import decimal_comma, meant_by


@pytest.mark.parametrize(
    ("written", "meant"),
    [("1e-3x", 1e-3), ("0.002.", 0.002), ("'7'".strip("'"), 7), ("3,5", 3.5), ("yes", True), ("Flase", False),
     ("ture", True), ("off", False), (1, True), ("12 epochs", 12), ("1e_3", 1e-3)],
)  # fmt: skip
def test_a_slip_in_a_value_is_read_as_what_was_meant(written, meant):
    assert meant in meant_by(written)


@pytest.mark.parametrize("written", ["many", "fast", "x1", ""])
def test_nothing_is_read_into_what_means_nothing(written):
    assert meant_by(written) == []


@pytest.mark.parametrize(
    ("typed", "meant"), [("lr=0,001", "lr=0.001"), ("lr=1,05", "lr=1.05"), ("seed=1,2", None), ("lr=0.1,0.2", None)]
)
def test_a_decimal_comma_is_told_from_two_values(typed, meant):
    assert decimal_comma(typed) == meant


@pytest.mark.parametrize("name", ["px=2024.csv", "px (1).csv", "my file.csv", "runs/lr=0.1/px.csv", "a=b/c&d.csv"])
def test_the_name_of_a_file_is_taken_as_it_is_typed(name):
    assert compose(["experiment=stocks", f"data.csv={name}"], output_dir="folder").data.csv == name


def test_a_name_with_a_comma_is_one_file_where_there_is_such_a_file(tmp_path, monkeypatch):
    assert explicit("data.csv=a,b.csv") == "++data.csv=a,b.csv"
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a,b.csv").touch()
    assert compose(["experiment=stocks", "data.csv=a,b.csv"], output_dir="folder").data.csv == "a,b.csv"


def test_text_that_needs_quotes_is_offered_in_quotes():
    with pytest.raises(ConfigError, match="a text with such characters needs quotes") as refused:
        check_overrides(["experiment=stocks", "monitor=a=b"])
    assert refused.value.overrides == ["experiment=stocks", "monitor='a=b'"]


def test_what_has_to_go_is_named():
    with pytest.raises(ConfigError, match=r"without: model\.optimizer\.zzzz=3\n") as refused:
        check_overrides(["experiment=pbpk_mlp", "model.optimizer.zzzz=3", "seed=7"])
    assert refused.value.overrides == ["experiment=pbpk_mlp", "seed=7"]


def test_one_cause_is_one_mistake():
    for typed in ("model=stocks", "model.optimizer.lr=1e-3x", "data.photographs=perhaps"):
        with pytest.raises(ConfigError) as refused:
            check_overrides(["experiment=images_plain", typed])
        assert len(refused.value.mistakes) == 1


@pytest.mark.parametrize(("word", "meant"), [("ln", "lr"), ("rl", "lr"), ("wd", None), ("fold", "folds")])
def test_words_of_two_letters_have_neighbours_too(word, meant):
    assert nearest(word, ["lr", "betas", "eps", "folds"]) == meant
