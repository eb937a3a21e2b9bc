"""`network=` means the networks of the experiment's workload, and words of before say what they are called now."""

import pytest

from fulmen.config import side_effects, words
from fulmen.config.check import check_overrides, compose
from fulmen.config.compose import expand
from fulmen.config.mistakes import ConfigError
from fulmen.config.overrides import implicit
from fulmen.config.schema import choices, shared_out
from fulmen.config.surface import surface
from fulmen.config.words import in_full, options


@pytest.fixture(autouse=True)
def nothing_said(monkeypatch):
    monkeypatch.setattr(words, "_said", set())


@pytest.mark.parametrize(
    ("typed", "full"),
    [
        (["experiment=stocks", "network=28_cnn_lstm"], "network=stocks/28_cnn_lstm"),
        (["experiment=stocks_fast", "network=stocks/28_cnn_lstm"], "network=stocks/28_cnn_lstm"),
        (["experiment=images_balanced", "network=resnet9"], "network=images/resnet9"),
        (["experiment=images_strong", "loss=focal"], "loss=images/focal"),
        (["experiment=pbpk_gnn", "network=mlp"], "network=pbpk/mlp"),
        (["experiment=sensors", "network=mlp"], "network=sensors/mlp"),
        (["experiment=images_plain", "recipe=airbench"], "recipe=images/airbench"),
        (["experiment=images_plain", "imbalance=null"], "imbalance=images/none"),
        (["experiment=sensors", "network=null"], "network=none"),
        (["experiment=sensors", "~network"], "network=none"),
        (["experiment=sensors", "recipe=null"], "recipe=null"),
        (["network=mlp"], "network=mlp"),
    ],
)
def test_a_choice_is_that_of_the_experiments_workload(typed, full):
    assert in_full(typed) == [*typed[:-1], full]
    if "/" in full:
        assert implicit(full) == f"{full.partition('=')[0]}={full.rpartition('/')[2]}"


@pytest.mark.parametrize(
    ("sweep", "names"),
    [
        ("network=logistic,tabm", ["logistic", "tabm"]),
        ("network=glob(mlp*)", ["mlp", "mlp_bins"]),
        ("network=choice(tabm,mlp)", ["tabm", "mlp"]),
        ("network=glob(*)", choices("network/sensors")),
        ("tabular=glob([mlp*,t*],exclude=*_bins)", ["mlp", "tabm"]),
    ],
)
def test_a_sweep_goes_through_the_networks_of_the_experiment(sweep, names):
    assert expand(["experiment=sensors", sweep]) == [["experiment=sensors", f"network={name}"] for name in names]


@pytest.mark.parametrize(
    ("typed", "said", "works"),
    [
        (["experiment=stocks", "network=resnet9"], "network=resnet9 belongs to images; networks of stocks: 01_lstm",
         "without: network=resnet9"),
        (["experiment=stocks", "network=images/resnet9"], "network=resnet9 belongs to images; networks of stocks: 01",
         "without: network=images/resnet9"),
        (["experiment=pbpk_mlp", "network=dynamic_gn"], "there is no dynamic_gn; did you mean dynamic_gnn?",
         "network=dynamic_gnn"),
        (["experiment=sensors", "tabular=mpl"], "there is no mpl; did you mean mlp?", "network=mlp"),
        (["experiment=stocks", "loss=focal"], "loss= belongs to images; stocks has network= instead",
         "without: loss=focal"),
        (["experiment=synthetic_mlp", "network=tabm"], "network=tabm belongs to sensors; synthetic_mlp says",
         "without: network=tabm"),
    ],
)  # fmt: skip
def test_what_another_workload_has_is_named(typed, said, works):
    with pytest.raises(ConfigError) as refused:
        check_overrides(typed)
    assert said in str(refused.value)
    assert works in str(refused.value)
    check_overrides(refused.value.overrides)


def test_experiments_of_several_workloads_share_no_networks():
    with pytest.raises(ConfigError, match=r"several workloads \(pbpk and stocks\)"):
        expand(["experiment=pbpk_mlp,stocks", "network=mlp"])
    assert len(expand(["experiment=stocks,stocks_fast", "network=06_gru_classic"])) == 2


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (["experiment=stocks", "zoo=06_gru_classic"], ["experiment=stocks", "network=06_gru_classic"]),
        (["experiment=sensors", "tabular=mlp"], ["experiment=sensors", "network=mlp"]),
        (["experiment=pbpk_gnn", "model=mlp"], ["experiment=pbpk_gnn", "network=mlp"]),
        (["experiment=pbpk_mlp", "gallery=leak"], ["experiment=pbpk_mlp", "debug=leak"]),
    ],
)
def test_words_of_before_still_work_and_say_what_they_are_called_once(old, new, capsys):
    compose(old, output_dir="folder")
    capsys.readouterr()
    words._said.clear()
    assert compose(old, output_dir="folder") == compose(old, output_dir="folder") == compose(new, output_dir="folder")
    key, _, value = old[1].partition("=")
    name = new[1].partition("=")[0]
    line = f"model={value} is called network={value} now" if key == "model" else f"{key}= is called {name}= now"
    assert capsys.readouterr().err.splitlines().count(line) == 1


def test_the_recipe_that_a_network_brings_and_what_a_loss_sets_elsewhere_is_told(capsys):
    assert compose(["experiment=sensors", "network=logistic"]).trainer.max_epochs == 60
    said = capsys.readouterr().err
    assert "network=logistic is trained with model.optimizer.lr=0.05" in said
    assert "trainer.max_epochs=60; recipe=null leaves that out" in said
    assert compose(["experiment=sensors", "network=logistic", "recipe=tabm"]).trainer.max_epochs == 40
    assert compose(["experiment=images_plain", "loss=ldam"]).model.network.head == "cosine"
    assert "loss=ldam sets model.network.head=cosine too" in capsys.readouterr().err
    compose(["experiment=images_plain", "loss=focal", "sampler=weighted", "imbalance=none"])
    assert capsys.readouterr().err == ""


def test_a_network_file_holds_the_network_alone():
    found = [f"{owner}/{name}" for owner in shared_out()["network"] for name in choices(f"network/{owner}")]
    assert len(found) > 40
    sets = {name: side_effects.sets_of("network", name) for name in found}
    assert [name for name in found if not all(each.startswith("model.network.") for each in sets[name])] == []


def test_a_data_choice_writes_to_the_data_alone():
    plain = compose(["experiment=images_plain", "data=cifar10"], output_dir="folder")
    digits = compose(["experiment=images_plain"], output_dir="folder")
    assert plain.model.augmentation.pop("flip") is True
    assert digits.model.augmentation.pop("flip") is False
    plain.pop("data")
    digits.pop("data")
    assert plain == digits


PBPK_NETWORKS = ["basis_gnn", "dynamic_gnn", "lstm", "mlp", "neural_ode", "pod", "pod_coarse"]


def test_an_experiment_has_the_groups_of_its_workload():
    assert "loss" not in {group.name for group in surface(["experiment=stocks"]).groups}
    images = {group.name: group.choices for group in surface(["experiment=images_plain"]).groups}
    assert {"class_balanced", "deferred", "weighted"} <= set(images["sampler"])
    assert options("network", "pbpk_gnn") == options("zoo", "pbpk_gnn") == PBPK_NETWORKS
    assert options("network", "synthetic_mlp") == []
