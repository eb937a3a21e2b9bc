"""An argument that was typed in the wrong place, or with a space for `=`, is offered where it belongs."""

import pytest

from fulmen.config.check import check_overrides
from fulmen.config.mistakes import ConfigError, nearest
from fulmen.config.rules import Count
from fulmen.config.signatures import describe
from fulmen.entrypoints import before_search, before_work
from fulmen.errors import FulmenError

MOVED = {
    "max_epochs=3": "trainer.max_epochs=3",
    "max_epoch=3": "trainer.max_epochs=3",
    "lr=1e-3": "model.optimizer.lr=1e-3",
    "batch_size=64": "data.batch_size=64",
    "optimizer.lr=3e-4": "model.optimizer.lr=3e-4",
    "model.lr=3": "model.optimizer.lr=3",
    "early_stopping.patience=3": "callbacks.early_stopping.patience=3",
}


@pytest.mark.parametrize(("typed", "right"), MOVED.items())
def test_an_argument_in_the_wrong_place_is_offered_in_its_own_with_its_value(typed, right):
    with pytest.raises(ConfigError) as refused:
        check_overrides(["experiment=stocks", typed])
    assert refused.value.overrides == ["experiment=stocks", right]
    assert "did you mean" in str(refused.value)


def test_an_argument_that_nothing_takes_is_left_out_and_named():
    with pytest.raises(ConfigError) as refused:
        check_overrides(["experiment=stocks", "xyzzy=3"])
    assert refused.value.overrides == ["experiment=stocks"]
    assert refused.value.without == ["xyzzy=3"]


SPACED = {
    "experiment=stocks trainer.max_epochs 3": "experiment=stocks trainer.max_epochs=3",
    "stocks": "experiment=stocks",
    "stocks seed=7": "experiment=stocks seed=7",
    "seed=7 experiment stocks": "seed=7 experiment=stocks",
    "stoks": "experiment=stocks",
}


@pytest.mark.parametrize(("typed", "right"), SPACED.items())
def test_a_missing_equals_sign_or_experiment_is_filled_in(typed, right):
    for answer, argv in ((before_work, ["train.py", *typed.split()]), (before_search, typed.split())):
        with pytest.raises(FulmenError) as refused:
            answer(argv)
        assert str(refused.value).endswith(f".py {right}")


NAMES = {
    "fast": "fast_dev_run",
    "11_bilstm": "11_bilstm_classic",
    "lab_x": None,
}


@pytest.mark.parametrize(("typed", "meant"), NAMES.items())
def test_the_beginning_of_a_name_is_meant_first_and_a_far_name_never(typed, meant):
    assert nearest(typed, ["dead_start", "fast_dev_run", "13_bilstm_deep", "11_bilstm_classic", "mylab"]) == meant


def test_a_choice_without_a_near_name_is_left_out_and_not_replaced_by_the_first():
    with pytest.raises(ConfigError) as refused:
        check_overrides(["experiment=stocks", "debug=quick"])
    assert refused.value.overrides == ["experiment=stocks"]


def test_an_argument_of_a_group_of_another_workload_is_one_mistake():
    with pytest.raises(ConfigError) as refused:
        check_overrides(["experiment=stocks", "sampler.foo=3"])
    assert str(refused.value).startswith("sampler.foo: sampler= belongs to images; stocks has no such group")
    assert refused.value.overrides == ["experiment=stocks"]


LISTS = {
    "a list of texts": list[str],
    "a list of 2 numbers": tuple[float, float],
    "a list of whole numbers of at least 1": list[Count],
    "a list of values, each a text or null": list[str | None],
    "a list of a text and a number": tuple[str, float],
    "a list": list,
}


@pytest.mark.parametrize(("words", "annotation"), LISTS.items())
def test_a_list_is_described_in_plain_words(words, annotation):
    assert describe(annotation) == words


def test_a_word_for_a_class_is_answered_with_how_a_class_is_written():
    with pytest.raises(ConfigError, match=r"got sgd; write the class as model.optimizer._target_=<package>.<class>"):
        check_overrides(["experiment=stocks", "model.optimizer=sgd"])
