"""The monitor shows what it promises, leaves the training alone, and keeps to its budget."""

import numpy as np
import pytest
import torch
from lightning.pytorch import Callback
from sklearn.metrics import confusion_matrix
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torch import nn

import fulmen.callbacks.monitor
from fulmen.callbacks.monitor import Monitor
from fulmen.callbacks.time_budget import MARGIN, TimeBudget
from fulmen.callbacks.writing import BINS
from fulmen.config.check import check_overrides
from fulmen.errors import FulmenError
from fulmen.report import raster
from fulmen.report.confusion import confusion
from fulmen.runs.loggers import TensorBoard

from .blobs import Classifier, fit


class Clock:
    """Time that passes as it is told."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture(scope="module", autouse=True)
def plenty():
    """A budget that no machine is too slow for."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fulmen.callbacks.monitor, "TimeBudget", lambda share: TimeBudget(1e9))
        yield


@pytest.fixture(scope="module")
def watched(tmp_path_factory):
    folder = tmp_path_factory.mktemp("watched")
    monitor = Monitor(steps=2, epochs=2)
    model, _ = fit(folder, [monitor], epochs=4, logger=TensorBoard(str(folder)))
    events = EventAccumulator(str(folder), size_guidance={"histograms": 0, "images": 0, "tensors": 0}).Reload()
    return model, monitor, events, folder


def test_training_with_a_monitor_ends_with_the_same_weights(tmp_path, watched):
    bare, _ = fit(tmp_path, [], epochs=4)
    assert watched[1].budget.done["weights"] == 4
    for name, value in bare.state_dict().items():
        assert torch.equal(value, watched[0].state_dict()[name]), name
    assert bare.seen == watched[0].seen


def test_everything_promised_is_there(watched):
    _, monitor, events, folder = watched
    tags = events.Tags()
    histograms, scalars = set(tags["histograms"]), set(tags["scalars"])
    names = {f"network.{part}" for part in ("0.weight", "0.bias", "1.weight", "5.weight")}  # batch norm's among them
    assert {f"{group}/{name}" for group in ("weights", "weights_gradients") for name in names} <= histograms
    assert "watch_activations/network.2" in histograms
    assert {
        "watch/gradient_norm",
        "watch/cpu_cores_busy",
        "watch/peak_memory_mib",
        "val_classes/precision_0",
    } <= scalars
    assert set(tags["images"]) == {"watch_images/inputs", "watch_images/filters", "watch_images/predictions",
                                   "val_classes/confusion"}  # fmt: skip
    assert tags["graph"]
    assert [each.step for each in events.Scalars("watch/gradient_norm")] == sorted([*range(0, 32, 2), 7, 31])
    assert not monitor.budget.skipped
    assert len(list(folder.glob("events.*"))) == 1


def test_groups_begin_with_letters_after_those_of_the_metrics(watched):
    tags = [tag for kind in ("scalars", "histograms", "images") for tag in watched[2].Tags()[kind]]
    groups = {tag.partition("/")[0] for tag in tags}
    assert groups == {"train", "val", "val_classes", "watch", "watch_activations", "watch_images", "weights",
                      "weights_gradients"}  # fmt: skip


def test_classes_are_shown_by_name_and_as_they_are_at_the_end(watched):
    events = watched[2]
    assert [event.step for event in events.Images("val_classes/confusion")] == [8, 16, 24, 32]
    assert [event.step for event in events.Images("watch_images/predictions")] == [8, 24, 32], "every second epoch, end"
    named = raster.heat_map(np.eye(2, dtype=int), ["a cat", "a dog"])
    assert named.shape[1] > raster.heat_map(np.eye(2, dtype=int)).shape[1]


def test_the_graph_is_drawn_once_and_before_the_first_epoch_ends(tmp_path):
    begun = []

    class Watch(Monitor):
        def on_train_epoch_end(self, trainer, module):
            begun.append(self._drawn)
            super().on_train_epoch_end(trainer, module)

    first = Watch()
    fit(tmp_path, [first], epochs=2, logger=TensorBoard(str(tmp_path)))
    assert begun == [True, True]
    again = Watch()
    again.load_state_dict(first.state_dict())
    fit(tmp_path / "b", [again], epochs=1, logger=TensorBoard(str(tmp_path / "b")))
    assert not EventAccumulator(str(tmp_path / "b")).Reload().Tags()["graph"], "a resumed run has it already"


@pytest.mark.parametrize("stopped", [False, True])
def test_what_a_training_comes_to_is_shown_however_short_its_budget_is(tmp_path, monkeypatch, stopped):
    """Graph, classes and weights once, gradients also after the first epoch, which may be the last."""
    monkeypatch.setattr(fulmen.callbacks.monitor, "TimeBudget", lambda share: TimeBudget(1e-9))
    monitor, stop = Monitor(), [StopAfterAnEpoch()] if stopped else []
    model, trainer = fit(tmp_path, [monitor, *stop], epochs=2, logger=TensorBoard(str(tmp_path)))
    assert trainer.current_epoch == (1 if stopped else 2)
    assert {**monitor.budget.done, "gradient norm": 1, "gradients": 1} == dict.fromkeys(
        ["graph", "classes", "weights", "gradients", "gradient norm"], 1
    )
    events = EventAccumulator(str(tmp_path), size_guidance={"histograms": 0}).Reload()
    tags = events.Tags()
    assert (tags["graph"], tags["images"]) == (True, ["val_classes/confusion", "watch_images/predictions"])
    names, groups = [name for name, _ in model.named_parameters()], ("weights", "weights_gradients")
    assert set(tags["histograms"]) == {f"{group}/{name}" for group in groups for name in names}
    assert [each.step for each in events.Histograms(f"weights/{names[0]}")] == [trainer.global_step]
    steps = [trainer.global_step - 1] if stopped else [trainer.global_step // 2 - 1, trainer.global_step - 1]
    assert [each.step for each in events.Histograms(f"weights_gradients/{names[0]}")] == steps
    assert [each.step for each in events.Scalars("watch/gradient_norm")] == steps


def test_what_is_kept_for_the_graph_is_not_spent_on_others():
    clock = Clock()
    budget = TimeBudget(0.05, clock)
    budget.keep("graph", 0.1)
    for _ in range(100):
        clock.now += 0.1
        budget.run("graph", lambda: setattr(clock, "now", clock.now + 0.1), 0.1)
        budget.run("weights", lambda: setattr(clock, "now", clock.now + 0.02), 0.02)
        if budget.done["graph"]:
            break
    assert clock.now < 0.1 / (0.05 * MARGIN) + 0.2
    assert not budget.done["weights"]


def test_histograms_hold_the_numbers_of_the_weights(watched):
    model, _, events, _ = watched
    last = events.Histograms("weights/network.5.weight")[-1].histogram_value
    weight = model.network[5].weight.detach()
    assert (last.num, len(last.bucket)) == (weight.numel(), BINS)
    assert sum(last.bucket) == weight.numel()
    assert last.min == pytest.approx(float(weight.min()))
    assert last.sum == pytest.approx(float(weight.sum()), abs=1e-3)
    counts, edges = np.histogram(weight.numpy(), BINS, (float(weight.min()), float(weight.max())))
    np.testing.assert_allclose(last.bucket, counts, atol=1)
    np.testing.assert_allclose(last.bucket_limit, edges[1:], rtol=1e-5)


def test_gradient_norm_is_torchs_own(tmp_path):
    norms = []

    class Reference(Callback):
        def on_before_optimizer_step(self, trainer, module, optimizer):
            norms.append(float(nn.utils.clip_grad_norm_(module.parameters(), float("inf"))))

    fit(tmp_path, [Reference(), Monitor(steps=1)], epochs=1, logger=TensorBoard(str(tmp_path)))
    logged = EventAccumulator(str(tmp_path)).Reload().Scalars("watch/gradient_norm")
    assert [event.value for event in logged] == pytest.approx(norms[: len(logged)], rel=1e-6)
    assert len(logged) >= 7


def test_confusion_counts_equal_scikit_learn():
    generator = torch.Generator().manual_seed(0)
    target, predicted = torch.randint(0, 5, (2, 300), generator=generator)
    counts = confusion(target.numpy(), predicted.numpy(), 5)
    assert np.array_equal(counts, confusion_matrix(target, predicted))
    assert raster.heat_map(counts).shape == (3, 140, 140)


def test_pictures_have_a_place_for_every_image_and_title():
    images = torch.rand(5, 1, 8, 8)
    picture = raster.grid(images, [f"P:{i} T:1" for i in range(5)], [i == 1 for i in range(5)])
    assert picture.shape == (3, 2 * (64 + 13 + 2), 3 * 66)
    assert raster.filters(torch.rand(100, 16, 3, 3)).shape == (64, 1, 3, 3)


@pytest.mark.parametrize(("epoch", "bound"), [(0.01, 0.05), (0.3, 0.05), (10.0, 0.02), (20.0, 0.01), (300.0, 0.01)])
def test_the_budget_keeps_the_share_at_any_length_of_an_epoch(epoch, bound):
    clock = Clock()
    budget = TimeBudget(0.05, clock)
    costs = {"histograms": 0.026, "classes": 0.004, "graph": 0.3}
    for _ in range(3000):
        budget.begin_epoch()
        clock.now += epoch
        for name, cost in costs.items():
            budget.run(name, lambda cost=cost: setattr(clock, "now", clock.now + cost), cost)
        budget.count(lambda: setattr(clock, "now", clock.now + 1e-4 * epoch))
        assert budget.spent <= bound * clock.now + 1e-9
    assert [name for name in costs if not budget.done[name]] == [], budget.account()
    if epoch < 1:
        assert "left out to keep to 5% (1% of long epochs): " in budget.account()
    else:
        assert set(budget.skipped) <= {"graph"}


def test_no_logger_and_no_permission_end_the_monitoring_only(tmp_path, capsys, monkeypatch):
    fit(tmp_path / "a", [Monitor()], epochs=1)
    assert "monitor: there is no TensorBoard logger" in capsys.readouterr().out
    logger, monitor = TensorBoard(str(tmp_path / "b")), Monitor()

    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(type(logger.experiment), "add_histogram_raw", refuse)
    _, trainer = fit(tmp_path / "b", [monitor], epochs=2, logger=logger)
    assert trainer.current_epoch == 2
    assert "monitor: cannot write to" in capsys.readouterr().out


class StopAfterAnEpoch(Callback):
    def on_train_epoch_end(self, trainer, module):
        trainer.should_stop = True


class NoGraph(Classifier):
    def predict_step(self, batch, _=0):
        return {"probability": torch.tensor(self.network(batch["image"]).softmax(1).tolist())} | dict.fromkeys("ab")


def test_a_model_that_cannot_be_drawn_is_trained_all_the_same(tmp_path, capsys):
    _, trainer = fit(tmp_path, [Monitor()], epochs=2, logger=TensorBoard(str(tmp_path)), model=NoGraph())
    assert trainer.current_epoch == 2


def test_the_preset_puts_the_monitor_beside_the_defaults():
    cfg = check_overrides(["experiment=pbpk_mlp", "callbacks=monitor", "callbacks.monitor.steps=5"])
    assert cfg.callbacks.monitor.steps == 5
    assert "diagnosis" in cfg.callbacks
    with pytest.raises(FulmenError, match="share is 2"):
        Monitor(share=2)
