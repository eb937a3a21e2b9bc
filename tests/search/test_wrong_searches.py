"""What was typed wrong for a search is told at once, all of it, with a command that keeps the rest and works."""

import io
import shlex
import subprocess
import sys

import pytest

from fulmen.config.mistakes import ConfigError
from fulmen.entrypoints import before_work
from fulmen.errors import FulmenError
from fulmen.search.checks import refuse_unusable_data
from fulmen.search.controller import run_searches
from fulmen.search.design import Design
from fulmen.search.live_display import Progress
from fulmen.search.outcome import Outcome
from fulmen.search.plans import plans
from fulmen.search.settings import read_plan
from fulmen.search.study import Study

X = "search.space.model.x"

WRONG = [  # what is typed, what is said of it, what stands in the command instead
    (["search.trails=3"], ["did you mean trials?"], ["search.trials=3"]),
    (["search=tpee", "search.pruner=medain"], ["did you mean tpe?", "did you mean median?"],
     ["search=tpe", "search.pruner=median"]),
    (["trials=3", "serach.workers=2"], ["mean search.trials?", "mean search.workers?"],
     ["search.trials=3", "search.workers=2"]),
    ([f"{X}={{low:0.1,hihg:0.4}}", "search.trails=3", "trainer.max_epoch=2"],
     ["no hihg; did you mean high?", "did you mean trials?", "did you mean max_epochs?"],
     [f"{X}={{low:0.1,high:0.4}}", "search.trials=3", "trainer.max_epochs=2"]),
    (["search.space.model.widht={low:1,high:4}"], ["search.space.model.widht: ", "did you mean width?"],
     ["search.space.model.width={low:1,high:4}"]),
    (["search.space.model={widht:{choices:[1,2]},y:null}"], ["did you mean width?"],
     ["search.space.model.width={choices:[1,2]}", "search.space.model.y=null"]),
    ([f"{X}.hihg=0.5"], ["did you mean high?"], [f"{X}={{low:0.0,high:0.5}}"]),
    ([f"{X}={{low:0.4,high:0.1,lgo:true}}"], ["did you mean log?", "low must be less"],
     [f"{X}={{low:0.1,high:0.4,log:true}}"]),
    ([f"{X}=0.5"], ["write {low, high} or {choices} here"], [f"{X}={{choices:[0.5]}}"]),
    ([f"{X}=[0.1,0.5]"], ["a space is written as in"], [f"{X}={{choices:[0.1,0.5]}}"]),
    ([f"{X}=interval(0.1,0.5)"], ["a space is written as in"], [f"{X}={{low:0.1,high:0.5}}"]),
    (["model.x=0.1,0.5"], ["stands in its space"], [f"{X}={{choices:[0.1,0.5]}}"]),
    (["search.space.model.width={choices:[1,two]}"], ["must be a whole number, got two"], None),
    (["search.space.model.width={low:1.0,high:4.0}"], ["got 1.0", "got 4.0"],
     ["search.space.model.width={low:1,high:4}"]),
    (["search.objectives={val/loss:minn}"], ["must be min or max"], ["search.objectives={val/loss:min}"]),
    (["search.space=toy"], ["is chosen by search/space=toy"], ["search/space=toy"]),
    (["search.joint=debgu=limit"], ["did you mean debug?"], ["search.joint='debug=limit'"]),
]  # fmt: skip


def command_of(error):
    """The overrides of the command in a message."""
    return shlex.split(str(error).partition("this works: python sweep.py ")[2])


@pytest.mark.parametrize(("more", "said", "instead"), WRONG, ids=[" ".join(more) for more, *_ in WRONG])
def test_every_mistake_is_told_with_a_command_that_keeps_the_rest(typed, more, said, instead):
    asked = typed(*more)
    with pytest.raises(ConfigError) as refused:
        plans(asked)
    assert [part for part in said if part not in str(refused.value)] == []
    if instead is None:
        return
    works = command_of(refused.value)
    assert set(works) == {override for override in asked if override not in more} | set(instead)
    assert plans(works)


def test_choices_that_are_typed_take_the_place_of_a_range_in_a_file(typed):
    (plan,) = plans(typed("search=grid", f"{X}={{choices:[0.1,0.2]}}"))
    assert Study(plan).total == 2 * 4
    (plan,) = plans(typed("search.space.model.y={low:0.0,high:1.0}", f"{X}.choices=[0.1]", "search.name=other"))
    assert [type(p).__name__ for p in Study(plan).parameters] == ["Choices", "Range"]


@pytest.mark.parametrize(
    ("typed", "works"),
    [
        (["-m", "experiment=stocks", "model.optimizer.lr=tag(log,interval(1e-4,1e-2))", "trainer.max_epoch=3"],
         "experiment=stocks trainer.max_epochs=3 'search.space.model.optimizer.lr={low:0.0001,high:0.01,log:true}'"),
        (["experiment=stocks", "data.batch_siz=interval(16,64)"],
         "experiment=stocks 'search.space.data.batch_size={low:16,high:64}'"),
    ],
)  # fmt: skip
def test_an_interval_is_answered_by_the_search_of_it(typed, works):
    with pytest.raises(FulmenError, match=r"name some with -m, .* or search it") as refused:
        before_work(["train.py", *typed])
    assert f"this works: python sweep.py {works}" in str(refused.value)
    assert plans(command_of(refused.value))


@pytest.mark.parametrize("name", ["published", "stocks/published"])
def test_a_space_of_another_workload_is_refused_with_what_it_belongs_to(name):
    with pytest.raises(ConfigError, match="search/space=published belongs to stocks; spaces of sensors: sens") as told:
        plans(["experiment=sensors", f"search/space={name}"])
    assert plans(command_of(told.value))[0].search.space == plans(["experiment=sensors"])[0].search.space


def test_every_shipped_space_fits_the_experiment_of_its_name_and_is_its_default():
    for experiment in ("pbpk_gnn", "pbpk_mlp", "images_balanced", "images_plain", "sensors", "stocks"):
        (default,), (named,) = plans([f"experiment={experiment}"]), plans([f"experiment={experiment}",
                                                                          f"search/space={experiment}"])  # fmt: skip
        assert default.search.space == named.search.space != {}


def test_a_wrong_search_is_answered_without_torch_and_optuna():
    typed = ["experiment=sensors", "search.trails=7", "search.space.data.batch_size={low:16,hihg:64}"]
    code = (
        "import sys; from fulmen.entrypoints import before_search\n"
        f"try: before_search({typed})\n"
        "except Exception as error: print(error)\n"
        "print([name for name in ('torch', 'lightning', 'optuna') if name in sys.modules])"
    )
    plans(["experiment=sensors"])  # what is known of its modules is written down
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]", done.stdout
    assert "this works: python sweep.py experiment=sensors search.trials=7" in done.stdout


def test_a_changed_study_is_refused_with_all_that_was_typed_and_a_free_name(study, tmp_path):
    study("search=random", "search.trials=4", f"{X}={{low:0.0,high:0.5}}")
    (tmp_path / "s-2").mkdir()
    with pytest.raises(FulmenError, match=r"search\.space\.model\.x") as refused:
        study("search=random", "search.trials=9", f"{X}={{low:0.0,high:0.7}}")
    works = shlex.split(str(refused.value).partition("begin another: python sweep.py ")[2])
    assert {"search.trials=9", f"{X}={{low:0.0,high:0.7}}", "search.name=s-3"} < set(works)
    assert Study(plans(works)[0]).plan.typed == tuple(works)
    assert read_plan(tmp_path / "s-3").typed == tuple(works), "a worker's message holds it too"


def test_one_of_several_studies_that_changed_is_refused_with_the_name_of_all(study):
    each = ["search.each=debug=limit", "monitor=val/loss", "search.trials=2"]
    study(*each)
    with pytest.raises(FulmenError, match="other settings") as refused:
        study(*each, "seed=7")
    assert "search.name=s-2" in str(refused.value)
    assert "search.name=s/limit" not in str(refused.value)


def test_data_that_no_trial_could_have_are_refused_before_anything_is_written(tmp_path):
    typed = ["experiment=pbpk_mlp", "search=random", "search.trials=2", f"search.folder={tmp_path}"]
    with pytest.raises(FulmenError, match="data: 100 validation and 100 test compounds of 100: each split"):
        run_searches(plans([*typed, "data.compounds=100"]))
    assert not list(tmp_path.iterdir())
    some = plans([*typed, "search.space.data.compounds={choices:[100,300]}"])[0]
    refuse_unusable_data(some, Design(some).parameters)


def test_a_trial_that_failed_is_told_with_its_reason_though_the_search_was_stopped(study):
    """The signal that ends a search may come between the end of a trial and its line."""
    opened, shown = study("search=random", "search.trials=3"), io.StringIO()

    def fails_and_is_stopped():
        with Progress([opened], shown):
            opened.tell(opened.claim(), Outcome(error="the model is broken"))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fails_and_is_stopped()
    assert "s trial 0 failed  the model is broken" in shown.getvalue()
