"""A diagnosis leaves the training as it is, and names what is wrong with it."""

import json

import pytest
import torch
from helpers import StopAt, differing
from torch import nn

from fulmen.callbacks.diagnosis import Diagnosis
from fulmen.callbacks.divergence import DivergenceStop
from fulmen.callbacks.failure_demos import DeadStart, FewSamples, FrozenBackbone, Leak, WrongTargets
from fulmen.callbacks.probes import counts_of
from fulmen.callbacks.side_effect_free import undisturbed
from fulmen.config.check import check_overrides
from fulmen.config.schema import choices
from fulmen.data.duplicates import copies
from fulmen.diagnosis.findings import FINDINGS
from fulmen.diagnosis.health import small_classes
from fulmen.errors import Diverged, FulmenError, Interrupted
from fulmen.report.classes import class_probabilities
from fulmen.runs.run import run

from .blobs import Blobs, Classifier, fit


def codes(callback):
    return [verdict.code for verdict in callback.verdicts]


def test_training_with_a_diagnosis_ends_with_the_same_weights_and_metrics(tmp_path):
    bare, a = fit(tmp_path / "a", [])
    watched, b = fit(tmp_path / "b", [Diagnosis()])
    assert differing(bare.state_dict(), watched.state_dict()) == []
    assert a.callback_metrics == b.callback_metrics
    assert bare.seen == watched.seen
    metric = type(watched.accuracy)
    assert [name for name, each in watched.named_modules() if not (each.training or isinstance(each, metric))] == []


def test_undisturbed_puts_random_state_modes_metrics_and_lists_back(tmp_path):
    model, trainer = fit(tmp_path, [], epochs=1)
    model.train()
    state, metric, seen = torch.get_rng_state(), model.accuracy.tp.clone(), list(model.seen)
    with undisturbed(trainer, model) as logged:
        model.validation_step({"image": torch.randn(6, 1, 8, 8), "target": torch.arange(6) % 4}, 0)
    assert len(logged["val/loss"]) == 1
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.equal(model.accuracy.tp, metric)
    assert model.seen == seen
    assert model.training
    assert "log" not in vars(model)


def test_a_resumed_diagnosis_has_seen_the_same(tmp_path):
    whole, parts = Diagnosis(), Diagnosis()
    fit(tmp_path / "whole", [whole], epochs=10)
    with pytest.raises(Interrupted):
        fit(tmp_path / "parts", [Diagnosis(), StopAt(60)], epochs=10)
    fit(tmp_path / "parts", [parts], epochs=10, resume=True)
    assert parts.seen == whole.seen
    assert parts.seen.base == whole.seen.base
    assert codes(parts) == codes(whole)


def test_base_is_the_entropy_of_the_classes(tmp_path):
    diagnosis = Diagnosis()
    fit(tmp_path, [diagnosis], epochs=1)
    assert diagnosis.seen.base == pytest.approx(torch.tensor(4.0).log().item(), rel=0.01)


FAULTS = {
    "dead_units": dict(callbacks=[DeadStart(-50.0)], model=Classifier(activation=nn.ReLU), epochs=6),
    "validation_too_good": dict(callbacks=[Leak()], epochs=6),
    "small_validation_set": dict(callbacks=[FewSamples(validation=12)], epochs=6),
    "overfitting": dict(callbacks=[WrongTargets(), FewSamples(train=60)], epochs=40),
    "no_learning": dict(callbacks=[], model=Classifier(lr=1e-8), epochs=8),
}


@pytest.mark.parametrize("code", FAULTS)
def test_faults_are_named(tmp_path, code, capsys):
    options, diagnosis = dict(FAULTS[code]), Diagnosis()
    model = options.pop("model", None)
    if model:  # batch norm would heal it
        model.network[1] = nn.Identity()
    fit(tmp_path, [*options.pop("callbacks"), diagnosis], model=model, **options)
    assert code in codes(diagnosis)
    assert f"diagnosis: {FINDINGS[code]}" in capsys.readouterr().out


class RareClass(Blobs):
    """Of the fourth class all but two validation samples are gone."""

    def setup(self, stage):
        super().setup(stage)
        held = self.splits["validation"]
        kept = (held["target"] < 3) | (held["target"].eq(3).cumsum(0) <= 2)
        self.splits["validation"] = {name: value[kept] for name, value in held.items()}


def test_a_class_with_fewer_than_five_validation_samples_is_told_however_many_the_others_have(tmp_path):
    rare, common, other = Diagnosis(), Diagnosis(), Diagnosis()
    fit(tmp_path / "rare", [rare], epochs=1, data=RareClass(validation=1200))
    fit(tmp_path / "common", [common], epochs=1, data=Blobs(validation=1200))
    fit(tmp_path / "other", [other], epochs=1, data=RareClass(validation=1200), model=Bare())
    said = next(str(verdict) for verdict in rare.verdicts if verdict.code == "small_classes")
    assert "fewer than 5 validation samples in 1 of 4 classes, 2 in the rarest" in said
    assert "small_classes" not in codes(common)
    assert "small_classes" not in codes(other), "its whole numbers are no classes"


def test_a_class_that_validation_lacks_counts_as_too_small():
    counts = counts_of({"target": torch.tensor([0, 1, 2, 2])}, {"target": torch.tensor([0] * 5 + [1] * 4)})
    assert counts == {0: 5, 1: 4, 2: 0}
    assert counts_of({"target": torch.rand(4)}, {"target": torch.rand(4)}) == {}
    verdict = small_classes(counts)
    assert (verdict.evidence["few"], verdict.evidence["least"]) == (2, 0)


def test_a_dead_start_survives_batch_norm(tmp_path):
    diagnosis = Diagnosis()
    fit(tmp_path, [DeadStart(-50.0), diagnosis], epochs=6, model=Classifier(activation=nn.ReLU))
    assert "dead_units" in codes(diagnosis)


def test_frozen_layers_stand_beside_what_does_not_learn(tmp_path):
    diagnosis = Diagnosis()
    model = Classifier(lr=1e-8)
    fit(tmp_path, [FrozenBackbone(), diagnosis], epochs=7, model=model)
    assert "of the parameters do not train (network.0" not in str(diagnosis.verdicts[0])  # 8 % are below a tenth
    model.network[5] = nn.Linear(288, 4)
    model.network[0] = nn.Conv2d(1, 8, 3)
    model.network[5].requires_grad_(False)
    diagnosis = Diagnosis()
    fit(tmp_path, [diagnosis], epochs=7, model=model)
    assert "of the parameters do not train (network.1, network.5)" in str(diagnosis.verdicts[0])


def test_stop_on_ends_the_training_politely(tmp_path):
    diagnosis = Diagnosis(stop_on=["no_learning"])
    _, trainer = fit(tmp_path, [diagnosis], epochs=30, model=Classifier(lr=1e-8))
    assert trainer.current_epoch < 10
    assert diagnosis.ending[0] == "stopped"
    with pytest.raises(FulmenError, match="did you mean overfitting"):
        Diagnosis(stop_on=["overfiting"])
    with pytest.raises(FulmenError, match="expected_gain is 2"):
        Diagnosis(expected_gain=2)


class Broken(nn.Module):
    def forward(self, x):
        return x * float("nan")


def test_the_first_layer_that_is_not_finite_is_named(tmp_path):
    model, diagnosis = Classifier(), Diagnosis()
    model.network[4] = Broken()
    with pytest.raises(Diverged, match=r"loss of step 1 is nan, first in network.4 \(Broken\)"):
        fit(tmp_path, [DivergenceStop(), diagnosis], model=model)
    assert diagnosis.verdicts[0].code == "non_finite"
    assert "network.4 (Broken)" in str(diagnosis.verdicts[0])
    model = Classifier()
    nn.init.constant_(model.network[0].weight, float("inf"))
    with pytest.raises(Diverged, match=r"parameter network.0.weight"):
        fit(tmp_path, [DivergenceStop()], model=model)


class Bare(Classifier):
    """No predict_step, losses under other names, no ReLU: there is little to see, and nothing to crash on."""

    predict_step = Classifier.__mro__[1].predict_step

    def validation_step(self, batch, _):
        self.log("val/other", self.network(batch["image"]).mean())


def test_a_workload_without_classes_relu_or_losses_is_left_in_peace(tmp_path):
    diagnosis = Diagnosis()
    fit(tmp_path, [diagnosis], epochs=7, model=Bare(activation=nn.GELU))
    assert diagnosis.verdicts


def test_short_epochs_are_passed_over_and_the_console_says_so(tmp_path, capsys):
    some, every = Diagnosis(), Diagnosis(every=1)
    torch.manual_seed(0)
    fit(tmp_path / "a", [some], epochs=20, model=Classifier(lr=1e-8))  # 8 + 1 batches: 50 are in 6 epochs
    out = capsys.readouterr().out
    assert some.seen.lists["epoch"] == [1, 2, 3, 4, 5, 6, 12, 18, 20]
    assert "diagnosis: 11 short epochs were not examined" in out
    assert out.count("training loss is that of all training samples in evaluation mode") == 1
    torch.manual_seed(0)
    fit(tmp_path / "b", [every], epochs=20, model=Classifier(lr=1e-8))
    assert every.seen.lists["epoch"] == list(range(1, 21))
    assert "not examined" not in capsys.readouterr().out
    looked = [every.seen.lists["epoch"].index(epoch) for epoch in some.seen.lists["epoch"]]
    assert some.seen.lists["train"] == [every.seen.lists["train"][i] for i in looked]
    assert codes(some) == codes(every)
    with pytest.raises(FulmenError, match="every is 0"):
        Diagnosis(every=0)


def test_a_sample_that_differs_in_one_number_is_no_copy():
    x = torch.randint(0, 255, (40, 3, 8, 8), dtype=torch.uint8)
    near = x[:6].clone()
    near[:4, 2, 5, 6] += 1
    assert copies({"x": near}, {"x": x}) == 2
    assert copies({"x": near[:4]}, {"x": x}) == 0


def test_copies_are_found_number_for_number():
    x = torch.randn(50, 3, 4)
    train = {"x": x[:40], "y": torch.arange(40), "u8": torch.zeros(40, 2, dtype=torch.uint8)}
    val = {"x": x[30:], "y": torch.arange(20) + 7, "u8": torch.zeros(20, 2, dtype=torch.uint8)}
    assert copies(val, train) == 10
    assert copies({**val, "x": val["x"] + 1e-6}, train) == 0
    assert copies({"y": val["y"]}, train) is None


def test_class_probabilities_are_recognised():
    target = torch.tensor([0, 2, 1])
    logits = torch.randn(3, 3)
    for outputs in ({"logits": logits}, {"id": target, "probability": logits.softmax(1)}):
        p, found = class_probabilities(outputs, {"x": logits, "label": target})
        torch.testing.assert_close(p, logits.softmax(1))
        assert torch.equal(found, target)
    assert class_probabilities({"value": logits}, {"target": target}) is None
    assert class_probabilities({"probability": logits.softmax(1)}, {"target": target.float()}) is None
    p, _ = class_probabilities({"probability": torch.tensor([0.2, 0.9])}, {"target": torch.tensor([0, 1])})
    torch.testing.assert_close(p, torch.tensor([[0.8, 0.2], [0.1, 0.9]]))


@pytest.mark.parametrize("mistake", sorted({*choices("debug")} - {"fast_dev_run", "limit", "overfit", "profiler"}))
def test_every_mistake_made_on_purpose_passes_the_check(mistake):
    check_overrides(["experiment=pbpk_mlp", f"debug={mistake}"])


def test_a_mistake_made_on_purpose_runs_and_its_folder_says_what_is_wrong(tmp_path):
    few = ["data.compounds=60", "data.validation_compounds=10", "data.test_compounds=10", "trainer.max_epochs=7",
           "model.figures=false"]  # fmt: skip
    typed = ["experiment=pbpk_mlp", "debug=learning_rate_too_low", *few, f"output_dir={tmp_path / 'run'}"]
    typed.append("trainer.accelerator=cpu")
    run(check_overrides(typed), typed)
    result = json.loads((tmp_path / "run" / "result.json").read_text())
    assert "no_learning" in [verdict["code"] for verdict in result["verdicts"]]
    for name in ("report.md", "report.html"):
        assert "no learning" in (tmp_path / "run" / name).read_text()


def test_few_samples_keep_their_spread():
    data = Blobs()
    data.setup("fit")
    FewSamples(train=8).spoil(data.splits)
    assert data.splits["train"]["target"].bincount().min() >= 1
    with pytest.raises(FulmenError, match="no label; there is image, target"):
        WrongTargets(names=["label"]).spoil(data.splits)
