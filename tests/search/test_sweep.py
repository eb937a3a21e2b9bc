"""A search ends with exactly the trials asked for, whatever happens to single ones, and says what it found."""

import csv
import json
import shlex
import signal
from dataclasses import replace

import pytest
from optuna.trial import TrialState

from fulmen.config.stored import read_stored
from fulmen.errors import FulmenError, Interrupted
from fulmen.runs.kinds import search_facts
from fulmen.search.plans import plans
from fulmen.search.settings import Plan, Search
from fulmen.search.study import Study


def states(study):
    return [trial.state.name for trial in study.trials]


def points(study):
    return [tuple(trial.params.values()) for trial in study.trials]


def test_the_same_command_again_goes_on_to_the_total(search):
    first = points(search("search=random", "search.trials=3"))
    assert len(first) == 3
    again = search("search=random", "search.trials=5")
    assert len(again.trials) == 5
    assert points(again)[:3] == first
    assert len(set(points(again))) == 5, "a restart repeats no point"
    assert len(search("search=random", "search.trials=5").trials) == 5


def test_a_search_never_touches_the_test_part_and_the_champion_does(whole_search, tmp_path):
    witness = tmp_path / "tested.txt"
    study = whole_search("search.trials=2", f"data.tested={witness}")
    assert not witness.exists()
    stored = [read_stored(study.trial_folder(trial.number)) for trial in study.trials]
    assert [config["test"] for config in stored] == [False, False]
    whole_search("search.trials=2", f"data.tested={witness}", "search.champion_seeds=2")
    assert witness.read_text().count("touched") == 2


def test_a_trial_is_worth_its_best_monitored_value(search):
    study = search("search.trials=2", "monitor=val/gain", "mode=max", "search.pruner=none")
    for trial in study.trials:
        best = -((trial.params["model.x"] - 0.3) ** 2) - (trial.params["model.y"] - 0.6) ** 2 - 1 / 3
        assert trial.value == pytest.approx(best, abs=1e-6)
        assert max(trial.intermediate_values.values()) == pytest.approx(trial.value)


def test_nan_and_broken_trials_fail_and_the_search_goes_on(whole_search):
    study = whole_search("search=grid", "search.space.model={x:null,y:null,fails:{choices:[no_number,raise,null]}}")
    errors = {trial.params["model.fails"]: trial.user_attrs.get("error") for trial in study.trials}
    assert errors["raise"] == "RuntimeError: the model is broken"
    assert errors["no_number"].startswith("diverged: val/loss of epoch 1 is nan")
    assert errors[None] is None
    assert "the model is broken" in (study.folder / "report.md").read_text()


def test_trials_that_all_fail_stop_the_search_with_the_last_error(search, study):
    with pytest.raises(FulmenError, match=r"last 3 trials all failed; trial 2: RuntimeError: the model is broken"):
        search("search.trials=9", "model.fails=raise", "search.max_failures=3")
    assert states(study("search.trials=9", "model.fails=raise")) == ["FAIL"] * 3


def test_laggards_are_pruned_and_still_count(search):
    study = search("search=random", "search.trials=12", "search.pruner=median", "trainer.max_epochs=4")
    pruned = [trial for trial in study.trials if trial.state == TrialState.PRUNED]
    assert 0 < len(pruned) < 12
    assert len(study.finished) == 12
    for trial in pruned:
        result = json.loads((study.trial_folder(trial.number) / "result.json").read_text())
        assert result["status"] == "pruned"
        assert result["epochs"] == trial.last_step < 4


def test_each_choice_of_any_group_gets_its_own_study(search, typed):
    from fulmen.search.controller import run_searches

    done = run_searches(plans(typed("search.trials=1", "search.each=debug=limit,profiler", "monitor=val/loss")))
    assert [study.folder.name for study in done] == ["limit", "profiler"]
    assert [len(study.trials) for study in done] == [1, 1]
    assert "limit" in (done[0].folder.parent / "report.md").read_text()


def test_a_group_can_be_one_of_the_parameters(search):
    study = search("search=grid", "search.joint=debug=limit,p*", "search.space.model.x=null")
    assert {trial.params["debug"] for trial in study.trials} == {"limit", "profiler"}
    assert len(study.trials) == 2 * 4


def test_conditional_parameters_appear_only_where_they_hold(search):
    study = search(
        "search=tpe", "search.trials=12",
        "search.space.model.width={choices:[1,2]}", "search.space.model.x.when={model.width:2}",
    )  # fmt: skip
    assert [t.params for t in study.trials if ("model.x" in t.params) != (t.params["model.width"] == 2)] == []
    assert len({trial.params["model.width"] for trial in study.trials}) == 2


def test_several_objectives_give_a_front(search):
    study = search("search=random", "search.trials=6", "search.objectives={val/loss:min,parameters:min}",
                   "search.space.model.width={low:1,high:50}")  # fmt: skip
    front = study.optuna.best_trials
    assert {trial.number for trial in study.ranked()[: len(front)]} == {trial.number for trial in front}
    assert [trial.values[1] for trial in study.trials] == [2 * trial.params["model.width"] for trial in study.trials]


def test_a_warm_start_tries_the_best_points_of_another_study_first(search, tmp_path):
    old = search("search=random", "search.trials=4", "search.pruner=none")
    new = search("search.trials=5", "search.name=new", f"search.warm_start={tmp_path / 's'}", "trainer.max_epochs=2")
    assert [trial.params for trial in new.trials[:4]] == [trial.params for trial in old.ranked()]
    assert len(new.finished) == 5


@pytest.mark.slow
def test_the_report_holds_leaderboard_figures_and_an_honest_sentence(whole_search):
    study = whole_search("search.trials=10", "search.champion_seeds=2", "search.pruner=none")
    report = (study.folder / "report.md").read_text()
    best = study.ranked()[0]
    progress = json.loads((study.folder / "progress.json").read_text())
    assert (progress["unit"], progress["done"], progress["total"], bool(progress["ended"])) == ("trials", 10, 10, True)
    assert progress["best"] == {"name": f"trial {best.number}", "metric": "val/loss", "value": best.value}
    beats = best.value - 1 / 3 < 0.05
    assert ("beats every baseline" in report) == beats
    assert ("No candidate beats" in report) != beats
    for name in ("history", "importances", "parallel"):
        assert (study.folder / "figures" / f"{name}.svg").stat().st_size > 5000
    with (study.folder / "leaderboard.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [int(row["trial"]) for row in rows] == [trial.number for trial in study.ranked()]


def test_a_stopped_search_is_interrupted_and_its_report_holds_the_command_that_goes_on(
    whole_search, typed, tmp_path, monkeypatch
):
    asked = ["search=random", "search.trials=3", "search.pruner=none"]
    done = whole_search(asked[0], "search.trials=1", asked[2])
    monkeypatch.setenv("TOY_SIGNAL", str(int(signal.SIGINT)))
    with pytest.raises(Interrupted, match="the same command goes on"):
        whole_search(*asked)
    monkeypatch.delenv("TOY_SIGNAL")  # a search leaves the environment as it was
    report = (done.folder / "report.md").read_text()
    assert "1 of 3 trials" in report
    facts = search_facts(done.folder)
    assert (facts["status"], facts["done"], facts["total"]) == ("interrupted", 1, 3)
    command = next(line for line in report.splitlines() if line.startswith("python sweep.py"))
    again = shlex.split(command)[2:]
    assert again == typed(*asked)
    assert f"Overrides: `{' '.join(again)}`" in report
    assert plans(again) == plans(typed(*asked)), "what the report says to type is another search"
    whole_search(*asked)
    facts = search_facts(done.folder)
    assert (facts["status"], facts["done"], facts["total"]) == ("completed", 3, 3)


def test_the_command_of_a_search_shows_no_password(typed, tmp_path):
    secret = "search.storage=postgresql://me:secret@nowhere/db"
    plan = Plan(
        Search(storage=secret.partition("=")[2]), ("experiment=toy",), tmp_path, "s", ("experiment=toy", secret)
    )
    for written in (plan, replace(plan, typed=())):
        assert "secret" not in " ".join(written.command())
        assert any(word.startswith("search.storage=") for word in written.command())


def test_short_trials_are_not_pruned_unless_asked(search):
    study = search("search=random", "search.trials=12", "trainer.max_epochs=2")
    assert states(study) == ["COMPLETE"] * 12


def test_a_study_of_other_settings_is_refused_with_the_whole_command_for_another(study):
    study("search=random", "search.trials=2", "search.name=one")
    with pytest.raises(FulmenError, match="was begun with other settings") as refused:
        study("search=random", "search.trials=2", "search.name=one", "trainer.max_epochs=9")
    another = str(refused.value).partition("begin another: ")[2]
    assert {"search=random", "search.trials=2", "trainer.max_epochs=9", "search.name=one-2"} < set(shlex.split(another))
    assert "search.name=one " not in f"{another} "


REFUSED = [
    (["search/space=null"], "search.space is empty"),
    (["search.space={}"], "there would be nothing to search"),
    (["search.space.model.z={low:0,high:1}"], "toy.Model takes no z"),
    (["search.space.model.x.low=2"], "low must be less than high"),
    (["search=grid"], r"a grid needs choices or a step here[\s\S]*this works"),
    (["search.trails=3"], "did you mean trials?"),
    (["search.trials=0"], "of at least 1"),
    (["search.sampler=tpo"], "did you mean tpe?"),
    (["search.each=modl=*"], "did you mean model?"),
    (["search.joint=model=x*"], "no model fits 'x\\*'"),
    (["model.widht=1"], "did you mean width?"),
    (["test=true"], "never touches the test split"),
    (["search.storage=sqlite:////nowhere/at/all.db"], "unable to open database file"),
    (["search.storage=oracel://x"], "take postgresql://"),
    (["search.trials=all"], "only a grid has an end"),
    (["search.objectives={val/loss:min,val/gain:max}", "search.pruner=median"], "cannot be pruned"),
    (["search.folder=/proc/nowhere"], "cannot write"),
    (["search.warm_start=nowhere"], "no study in nowhere"),
    (["search.name=../../x"], r"this works: .*search\.name=x"),
    (["search.name=/tmp/x"], r"this works: .*search\.name=tmp/x"),
    (["search.name=a/../b"], "letter or digit first"),
    (["search.name='a b'"], r"this works: .*search\.name=a-b"),
    (["search.name=con"], "reserved on Windows"),
    (["search.space.model={x:{low:2},z:{low:1}}"], r"3 mistakes[\s\S]*x: low must[\s\S]*z: high must[\s\S]*this works"),
    (["search.space.model.x.high=.inf"], "high must be a number"),
    (["search.space.model.q={low:0,high:1}", "search.space.model.r={low:0,high:1}"], r"no q[\s\S]*takes no r"),
    (["search.space.monitor={choices:[val/loss,val/gain]}"], "cannot be searched: trials are compared by it"),
    (["search.space.test={choices:[true,false]}"], "never touches the test split"),
    (["model.x=0.5"], r"varies it, so model.x=0.5 would say nothing[\s\S]*this works: .*search\.space\.model\.x=null"),
    (["search.pruner=median", "trainer.max_epochs=1"], r"median has nothing to do[\s\S]*this works"),
    (["search.pruner=hyperband", "seeds=2"], r"is judged by all of them[\s\S]*this works"),
    (["search.n_startup_trials=3"], "no n_startup_trials"),
    (["search.workers=0"], "of at least 1"),
    (["search.retries=-1"], "of at least 0"),
    (["search.each=debug=*", "search.joint=debug=*", "search.trials=all"], r"contradict[\s\S]*only a grid"),
]  # fmt: skip


@pytest.mark.parametrize(("more", "said"), REFUSED, ids=[more[0] for more, _ in REFUSED])
def test_bad_input_is_answered_before_work_and_leaves_nothing(study, more, said, tmp_path):
    with pytest.raises(FulmenError, match=said) as refused:
        study("search.trials=2", *more)
    assert not list(tmp_path.iterdir())
    _, advised, command = str(refused.value).partition("this works: python sweep.py ")
    if advised:
        Study(plans(shlex.split(command))[0])


def test_a_continuous_range_in_a_grid_is_answered_by_a_command_that_works(study):
    with pytest.raises(FulmenError, match="a grid needs choices or a step here") as refused:
        study("search=grid", "search.space.model.x.log=false")
    command = str(refused.value).partition("this works: python sweep.py ")[2]
    assert Study(plans(shlex.split(command))[0]).total == 5 * 4
    assert "search.space.model.x={choices:[0.0,0.25,0.5,0.75,1.0]}" in shlex.split(command)


def test_a_study_that_is_there_goes_on_though_no_new_one_may_be_called_so(study, typed, tmp_path):
    one = study("search.trials=1", "search.name=old")
    one.folder.rename(tmp_path / "my study")
    assert plans(typed("search.trials=1", "search.name='my study'"))[0].name == "my study"
    with pytest.raises(FulmenError, match="letter or digit first"):
        plans(typed("search.trials=1", f"search.name=../{tmp_path.name}/my study"))


def test_a_metric_the_model_never_logs_is_named(search):
    with pytest.raises(FulmenError, match=r"the model logs no val/los; did you mean val/loss\?"):
        search("search.trials=2", "search.max_failures=2", "monitor=val/los")


def test_another_base_config_space_or_experiment_is_refused_with_the_difference(search):
    search("search.trials=1")
    with pytest.raises(FulmenError, match=r"trainer\.max_epochs: 3 -> 4\n.*search\.name=s-2"):
        search("search.trials=2", "trainer.max_epochs=4")
    with pytest.raises(FulmenError, match=r"search\.space\.model\.x: .*high:1\.0.* -> .*high:2\.0"):
        search("search.trials=2", "search.space.model.x.high=2.0")
    with pytest.raises(FulmenError, match="is one of experiment=toy, not pbpk_mlp"):
        search("search.trials=2", "experiment=pbpk_mlp", "search.space={model:{linear_weight:{low:0,high:1}}}")


@pytest.mark.slow
def test_a_wide_space_is_searched_by_a_gaussian_process_too(search):
    study = search("search=gp", "search.trials=12", "search.pruner=none")
    assert states(study) == ["COMPLETE"] * 12


@pytest.mark.slow
def test_the_same_study_seed_gives_the_same_trials(search, tmp_path):
    one, two = (search("search.trials=12", f"search.folder={tmp_path / name}") for name in "ab")
    assert points(one) == points(two)
    assert states(one) == states(two)
    assert points(search("search.trials=3", "search.name=c", "search.seed=1")) != points(one)[:3]
