import copy
from functools import partial

import numpy as np
import pytest
import torch
from helpers import StopAt, differing, quiet_trainer
from lightning.pytorch import Callback, seed_everything
from PIL import Image
from torch import nn
from torch.nn.functional import cross_entropy

import fulmen
import fulmen.runs.run
from fulmen.config.check import check_overrides
from fulmen.errors import FulmenError, Interrupted
from fulmen.runs.run import run
from fulmen.workloads.images.imbalance import Step
from fulmen.workloads.images.losses import LDAM, CrossEntropy, Focal, LogitAdjusted, log_prior
from fulmen.workloads.images.module import ImageClassifier, balanced_loss, best_tau
from fulmen.workloads.images.networks.cnn import AdvancedCNN, Pretrained, ResNet9
from fulmen.workloads.images.samplers import ClassBalanced, Weighted


class Linear(nn.Sequential):
    classes = 3

    def __init__(self):
        super().__init__(nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(12, 3))


def fit(model, data, epochs=1, **options):
    seed_everything(0, verbose=False)
    trainer = quiet_trainer(max_epochs=epochs, use_distributed_sampler=False, **options)
    trainer.fit(model, datamodule=data)
    return trainer


@pytest.mark.parametrize("accumulate", [1, 2, 3, 5])
def test_each_step_follows_the_mean_gradient_over_its_window(data, accumulate):
    """Against a plain loop that takes all images of a window at once; the last window is short, batches differ."""
    split = data(imbalance=Step([0], 0.5), validation=0.1, batch_size=17)
    model = ImageClassifier(Linear(), CrossEntropy(3), partial(torch.optim.SGD, lr=0.1))
    start = copy.deepcopy(model.network)
    trainer = fit(model, split, accumulate_grad_batches=accumulate, gradient_clip_val=0.5)

    optimizer = torch.optim.SGD(start.parameters(), lr=0.1)
    loader = split.train_dataloader()
    loader.set_epoch(0)
    batches = list(loader)
    assert len({len(batch["label"]) for batch in batches}) == 2
    windows = [batches[i : i + accumulate] for i in range(0, len(batches), accumulate)]
    for window in windows:
        image, label = (torch.cat([batch[name] for batch in window]) for name in ("image", "label"))
        optimizer.zero_grad()
        cross_entropy(start(model.normalised(image)), label).backward()
        nn.utils.clip_grad_norm_(start.parameters(), 0.5)
        optimizer.step()
    assert trainer.global_step == len(windows)
    for ours, plain in zip(model.network.parameters(), start.parameters(), strict=True):
        torch.testing.assert_close(ours, plain, rtol=1e-5, atol=1e-6)


LOSSES = [CrossEntropy, partial(CrossEntropy, weights="inverse"), partial(CrossEntropy, weights="effective", defer=0.5),
          Focal, LogitAdjusted, LDAM]  # fmt: skip


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("mixing", [{"mixup": 0.2}, {"cutmix": 1.0}, {"mixup": 0.2, "cutmix": 1.0}])
def test_every_loss_can_be_mixed(data, loss, mixing):
    model = ImageClassifier(Linear(), loss(3), **mixing)
    trainer = fit(model, data(imbalance=Step([0], 0.4)), epochs=2)
    assert torch.isfinite(trainer.callback_metrics["train/loss"])


def test_a_mixed_loss_is_the_mixture_of_both_labels_losses(monkeypatch):
    model = ImageClassifier(Linear(), LogitAdjusted(3), mixup=0.5)
    image, label = torch.rand(6, 3, 16, 16), torch.arange(6) % 3
    torch.manual_seed(1)
    _, loss = model._mixed_loss(image, label, 0.0)
    torch.manual_seed(1)
    torch.randint(1, ())
    share = float(torch.distributions.Beta(0.5, 0.5).sample())
    partner = torch.randperm(6)
    logits = model.network(share * image + (1 - share) * image[partner])
    expected = share * model.loss(logits, label).mean() + (1 - share) * model.loss(logits, label[partner]).mean()
    torch.testing.assert_close(loss, expected)


def test_adjustment_after_training_divides_by_the_prior():
    model = ImageClassifier(Linear(), logit_adjustment=1.0)
    model.counts.copy_(torch.tensor([10, 100, 1000]))
    logits = torch.randn(8, 3)
    p = logits.softmax(1) / model.counts
    torch.testing.assert_close(model.adjusted(logits).exp(), p / p.sum(1, keepdim=True))


def test_tau_is_the_one_with_the_best_balanced_accuracy():
    """Logits whose small class is shifted by exactly 1.3 log prior are set right by that tau."""
    prior = log_prior(torch.tensor([1, 10, 100]))
    label = torch.arange(300) % 3
    logits = 0.2 * nn.functional.one_hot(label, 3) + 1.3 * prior
    assert float(best_tau(logits, label, prior)) == pytest.approx(1.3)


def test_tau_of_validation_travels_in_the_checkpoint(data):
    """A network that knows brightness and its biases, which favour the large classes, but learns nothing."""
    split = data(imbalance=Step([0], 0.1), validation=0.3)
    model = ImageClassifier(Linear(), logit_adjustment="validation", optimizer=partial(torch.optim.SGD, lr=1e-9))
    model.network[2].weight.data.copy_(torch.tensor([-0.5, 0.0, 0.5])[:, None] / 12)
    model.network[2].bias.data.copy_(log_prior(split.counts))
    fit(model, split)
    fresh = ImageClassifier(Linear(), logit_adjustment="validation")
    fresh.load_state_dict(model.state_dict())
    assert float(fresh.tau) > 0.3
    validation = split.splits["validation"]
    assert torch.equal(fresh.tau, best_tau(fresh(validation["image"]), validation["label"], log_prior(split.counts)))


def test_the_validation_loss_counts_every_class_the_same():
    log_p, label = torch.randn(50, 4).log_softmax(1), torch.tensor([0] * 40 + [1] * 7 + [2] * 3)
    expected = torch.stack([cross_entropy(log_p[label == c], label[label == c]) for c in range(3)]).mean()
    torch.testing.assert_close(balanced_loss(log_p, label), expected)


def test_channels_are_standardised_by_the_training_part(data):
    split = data()
    model = ImageClassifier(Linear())
    fit(model, split, limit_train_batches=1)
    x = split.splits["train"]["image"].double()
    torch.testing.assert_close(model.mean.double(), x.mean((0, 2, 3)), rtol=1e-6, atol=1e-4)
    torch.testing.assert_close(model.sd.double(), x.std((0, 2, 3), correction=0), rtol=1e-6, atol=1e-4)


def test_the_naive_loss_is_the_entropy_of_the_classes(data):
    split = data(imbalance=Step([0], 0.2))
    model = ImageClassifier(Linear())
    fit(model, split, limit_train_batches=1)
    share = split.counts.double() / split.counts.sum()
    assert model.naive_loss == pytest.approx(float(-(share * share.log()).sum()), rel=1e-5)


class Frozen(Callback):
    def __init__(self):
        self.heads, self.bodies = [], []

    def on_train_epoch_end(self, trainer, module):
        self.heads.append(module.network.head.weight.detach().clone())
        self.bodies.append(module.network.backbone.conv1.weight.detach().clone())


def test_a_backbone_thaws_after_its_epochs(data):
    watch = Frozen()
    model = ImageClassifier(Pretrained("resnet18", 3), freeze_epochs=2)
    start = model.network.backbone.conv1.weight.detach().clone()
    fit(model, data(batch_size=64), epochs=3, limit_train_batches=1, callbacks=[watch])
    assert torch.equal(watch.bodies[1], start)
    assert not torch.equal(watch.bodies[2], start)
    assert not torch.equal(watch.heads[0], watch.heads[1])
    with pytest.raises(FulmenError, match="freeze_epochs is 2; AdvancedCNN has nothing to freeze"):
        ImageClassifier(AdvancedCNN(), freeze_epochs=2)


def test_network_and_data_must_fit(data):
    with pytest.raises(
        FulmenError, match=r"the images are 16 x 16; give model\.network\.pixels=16, or network=resnet9"
    ):
        fit(ImageClassifier(AdvancedCNN(3)), data())
    with pytest.raises(FulmenError, match=r"model\.network\.classes=10: the data has 3 classes"):
        fit(ImageClassifier(AdvancedCNN(10, 16)), data())


@pytest.mark.parametrize("mirror", [False, True])
def test_mirrored_predictions_are_the_mean_over_both_sides(mirror):
    model = ImageClassifier(ResNet9(3, 8), mirror=mirror).eval()
    image = torch.randint(0, 256, (4, 3, 16, 16), dtype=torch.uint8)
    one, other = (model.network(model.normalised(each)) for each in (image, image.flip(-1)))
    torch.testing.assert_close(model(image), (one + other) / 2 if mirror else one)
    assert torch.allclose(model(image), model(image.flip(-1)), atol=1e-4) == mirror


def test_one_batch_by_heart_is_learned_without_mixing_and_smoothing(data):
    model = ImageClassifier(Linear(), CrossEntropy(3, label_smoothing=0.2), mixup=0.2, cutmix=1.0)
    fit(model, data(), overfit_batches=1)
    assert (model.mixup, model.cutmix, model.loss.label_smoothing) == (0, 0, 0)


@pytest.mark.slow
def test_the_airbench_recipe_whitens_learns_and_resumes_to_the_bit(arrays, tmp_path):
    path = arrays()

    def go(folder, *more, **ready):
        typed = ["experiment=images_plain", "recipe=airbench", "data=image_arrays", f"data.arrays={path}",
                 "data.classes=3", "data.validation=0.1", "data.batch_size=16", "model.network.widths=[8,8,8]",
                 "model.optimizer.lr=0.3", "trainer.max_epochs=4", "trainer.precision=32-true", "model.figures=false",
                 "trainer.accelerator=cpu", "callbacks.summary=null", f"output_dir={folder}", *more]  # fmt: skip
        return run(check_overrides(typed), typed, ready)

    whole = go(tmp_path / "whole")
    assert whole.metrics["test/accuracy"] > 0.6  # chance is a third
    with pytest.raises(Interrupted):  # where the slow weights are ahead
        go(tmp_path / "half", "test=false", progress=StopAt(12))
    typed = [f"resume={tmp_path / 'half'}"]
    resumed = run(check_overrides(typed), typed)
    before, after = (fulmen.load_run(each.folder).model.state_dict() for each in (whole, resumed))
    assert differing(before, after) == []
    white = torch.nn.functional.conv2d(torch.rand(1, 3, 9, 9), before["network.whitening"])
    assert torch.equal(white[:, :12], -white[:, 12:])  # fitted, both signs


def test_correcting_twice_warns(data):
    model = ImageClassifier(Linear(), LogitAdjusted(3))
    with pytest.warns(UserWarning, match=r"data\.sampler and model\.loss each make up for unequal classes"):
        fit(model, data(imbalance=Step([0], 0.4), sampler=ClassBalanced()), limit_train_batches=1)


@pytest.mark.filterwarnings("error:.*each make up for unequal classes")
def test_correcting_half_twice_is_right(data):
    model = ImageClassifier(Linear(), LogitAdjusted(3, tau=0.5))
    fit(model, data(imbalance=Step([0], 0.4), sampler=Weighted(0.5)), limit_train_batches=1)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("images") / "run"
    typed = ["experiment=images_balanced", "trainer.max_epochs=2", "trainer.accelerator=cpu", f"output_dir={folder}",
             "callbacks.summary=null", "logger.tensorboard=null", "model.figures=false"]  # fmt: skip
    return run(check_overrides(typed), typed)


def test_items_hold_what_a_comparison_needs(finished):
    done = fulmen.load_run(finished.folder)
    items = done.summarize(done.folder / "anew").items
    label = done.data.splits["test"]["label"].numpy()
    assert np.array_equal(items["target"], label)
    assert np.array_equal(items["item"], np.arange(len(label)))
    np.testing.assert_allclose(items["probability"].sum(1), 1, atol=1e-5)
    np.testing.assert_allclose(items["loss"], -np.log(items["probability"][np.arange(len(label)), label]), rtol=1e-3)
    assert items["loss"].mean() == pytest.approx(finished.metrics["test/loss"], rel=1e-4)


def test_a_kept_model_predicts_the_images_in_a_file(finished, tmp_path):
    done = fulmen.load_run(finished.folder)
    schema, test = done.model.input_schema(done.data), done.data.splits["test"]
    x = test["image"][:20].permute(0, 2, 3, 1).numpy()
    np.savez(tmp_path / "in.npz", x=x)
    np.save(tmp_path / "in.npy", x)
    table = done.model.predict_file(tmp_path / "in.npz", schema)
    assert table.equals(done.model.predict_file(tmp_path / "in.npy", schema))
    expected = done.model.predict_step({"image": test["image"][:20], "item": test["item"][:20]})
    assert table["class"].tolist() == [str(int(c)) for c in expected["class"]]
    np.testing.assert_allclose(
        table.filter(like="p_").to_numpy(), expected["probability"].detach(), rtol=1e-4, atol=1e-6
    )

    np.savez(tmp_path / "named.npz", images=x)
    with pytest.raises(FulmenError, match="is it images as x"):
        done.model.predict_file(tmp_path / "named.npz", schema)
    np.save(tmp_path / "small.npy", x[:, :16, :16])
    with pytest.raises(FulmenError, match="x has images of 16 x 16; trained on 32 x 32"):
        done.model.predict_file(tmp_path / "small.npy", schema)
    with pytest.raises(FulmenError, match="there is no file"):
        done.model.predict_file(tmp_path / "none.npy", schema)
    (tmp_path / "pictures").mkdir()
    for number, each in enumerate(x[:3]):
        Image.fromarray(each).save(tmp_path / "pictures" / f"{number}.png")
    for source, rows in ((tmp_path / "pictures", 3), (tmp_path / "pictures" / "0.png", 1)):
        said = done.predict(source)
        assert said["class"].tolist() == table["class"][:rows].tolist()
        assert said["probability"].tolist() == pytest.approx(table["probability"][:rows].tolist(), rel=1e-4)
